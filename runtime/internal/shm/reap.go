package shm

import (
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/trace"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Reap removes what dead processes left in the root: transient objects without users, files
// whose maker died before they had a name, and parts without a parent. It returns how many files
// it removed. It asks about locks before it takes any, so it does not stand in anybody's way, and
// never touches the members file, kept objects, or what it does not understand.
func (r *Root) Reap() (removed int, err error) {
	first, err := r.survey()
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, name := range first.idle {
		n, err := r.reapIdle(name)
		if n > 0 {
			r.reaped(name)
		}
		removed += n
		errs = append(errs, err)
	}
	n, err := r.reapOrphans(first)
	return removed + n, errors.Join(append(errs, err)...)
}

// reaped tells of a file that was removed. No lock is held.
func (r *Root) reaped(name string) {
	if trace.On(slog.LevelInfo) {
		trace.Note(slog.LevelInfo, "reap", name, "root", r.path)
		trace.Flush()
	}
}

// survey is what one listing of the root showed.
type survey struct {
	idle    []string            // names of .tmp files and transient objects without users
	parts   map[string][16]byte // names of parts, and their parents
	parents map[[16]byte]bool   // objects that exist
	unsure  bool                // there is an object that could not be read: it may be any part's parent
}

func (r *Root) survey() (*survey, error) {
	all, err := r.fileNames()
	if err != nil {
		return nil, err
	}
	s := &survey{parts: map[string][16]byte{}, parents: map[[16]byte]bool{}}
	for _, name := range all {
		if name == membersName {
			continue
		}
		if parent, _, _, ok := splitPart(name); ok {
			s.parts[name] = parent
			continue
		}
		c, err := r.inspect(name)
		if err == unix.ENOENT || err == unix.EISDIR {
			continue
		}
		if err != nil {
			s.unsure = true
		}
		if c == nil {
			continue
		}
		switch {
		case err != nil:
		case isTmp(name):
			if c.users == unix.F_UNLCK {
				s.idle = append(s.idle, name)
			}
		case c.header.CheckFile(c.stat.Size) != nil:
			// Damaged, or of another release of polyipc. A file that is none of ours and that nobody has
			// open is nobody's parent.
			s.unsure = s.unsure || c.users != unix.F_UNLCK || c.header.Magic == layout.Magic
		default:
			s.parents[c.header.UUID] = true
			if c.dead() {
				s.idle = append(s.idle, name)
			}
		}
		c.close()
	}
	return s, nil
}

// reapIdle removes a file that had no users when it was listed, if that is still so.
func (r *Root) reapIdle(name string) (int, error) {
	c, err := r.look(name)
	if err == unix.ENOENT {
		return 0, nil
	}
	if err != nil {
		return 0, fail("reap", name, err, "")
	}
	defer c.close()
	if isTmp(name) {
		// Its maker locks it right after making it and makes sure that it still has its name then. So
		// either it finds our lock, or its file gone, and makes another; or we find its lock.
		if err := TryLock(c.fd, unix.F_WRLCK, userLock); err != nil {
			return 0, nil
		}
		if same, err := names(c.path, &c.stat); err != nil || !same {
			return 0, nil // it got its name before its maker died
		}
		if err := unlink(c.path); err != nil && err != unix.ENOENT {
			return 0, fail("reap", name, err, "")
		}
		return 1, nil
	}
	if c.header.CheckFile(c.stat.Size) != nil || c.header.Flags()&layout.Transient == 0 {
		return 0, nil // another file has the name now
	}
	if gone, err := c.removeUnused(); err != nil || !gone {
		return 0, err
	}
	return 1, nil
}

// reapOrphans removes parts without a parent.
//
// An object exists before its parts and is removed after them, so a part that was listed had a
// parent then, or never will. But one listing may miss a parent that is renamed meanwhile, which
// an unlink does, once in an object's life, from its name to its UUID. A second listing, begun
// after the first, cannot miss the same object again; and the UUID itself is asked for besides.
func (r *Root) reapOrphans(first *survey) (removed int, err error) {
	orphans := false
	for _, parent := range first.parts {
		orphans = orphans || !first.parents[parent]
	}
	if first.unsure || !orphans {
		return 0, nil
	}
	second, err := r.survey()
	if err != nil || second.unsure {
		return 0, err
	}
	var errs []error
	for name, parent := range first.parts {
		if first.parents[parent] || second.parents[parent] {
			continue
		}
		var st unix.Stat_t
		if unix.Lstat(r.file(uuidName(parent)), &st) != unix.ENOENT {
			continue
		}
		switch err := unlink(r.file(name)); err {
		case nil:
			r.reaped(name)
			removed++
		case unix.ENOENT:
		default:
			errs = append(errs, fail("reap", name, err, ""))
		}
	}
	return removed, errors.Join(errs...)
}

func corruptName(h *layout.Header) error {
	return &ipcerr.Error{Op: "list", Code: ipcerr.Corrupt, Hint: fmt.Sprintf("the file is a %v and does not belong under this name: moved or copied by hand", h.Kind)}
}
