// Package root looks at a root as a whole, for operators and tools: which objects are in it, which
// processes take part, and what can go.
//
// The functions that look (List, Find, Processes) change nothing: they make no root, join none,
// take no locks and remove nothing, so they can be used on a root that is in trouble. What they
// return may have changed by the time that it is read.
//
// dir is as Options.Root of package queue: a directory, or "" for $POLYIPC_ROOT or, without that,
// /dev/shm/polyipc-<effective user id>. All functions may be called from any goroutine.
package root

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// LayoutVersion is the version of the files' layout that this build reads and writes.
const LayoutVersion = layout.Version

// Object describes an object, or a file that should not be there.
type Object struct {
	Name      string
	Kind      string // "queue", "pipe", ...; "ring" or "message" for a part without its object; "" if Err is not nil
	UUID      [16]byte
	Transient bool      // goes with its last user; else it is kept until it is removed
	Pickle    bool      // may carry Python pickles
	Users     bool      // some process has it open
	Stale     bool      // left behind by dead processes: nobody can use it again, and GC removes it
	Parts     int       // further files that belong to it
	Bytes     int64     // memory (or disk) that it takes up, with its parts
	Created   time.Time // by the clock of its maker
	Server    *Process  // of a manager: its server; nil if that is dead
	Err       error     // what is wrong with the file; then only Name, Users and Bytes are sure
}

// Path returns the absolute path that dir stands for; the directory need not exist.
func Path(dir string) string {
	if dir == "" {
		if dir, _ = unix.Getenv(shm.EnvRoot); dir == "" {
			dir = fmt.Sprintf("/dev/shm/polyipc-%d", unix.Geteuid())
		}
	}
	if !path.IsAbs(dir) {
		if wd, err := unix.Getwd(); err == nil {
			dir = path.Join(wd, dir)
		}
	}
	return path.Clean(dir)
}

// open is shm.OpenRoot that makes no directory: it returns nil if there is none.
func open(dir string) (*shm.Root, error) {
	var st unix.Stat_t
	if unix.Lstat(Path(dir), &st) == unix.ENOENT {
		return nil, nil
	}
	return shm.OpenRoot(dir)
}

// List describes the objects of the root, sorted by name, and what does not belong in it: damaged
// files, and parts whose object is gone. Without a root there is nothing to list. Objects that come
// or go meanwhile may be missed.
//
// DENIED, INVALID, UNSUPPORTED: the directory can't serve as a root.
func List(dir string) ([]Object, error) {
	r, err := open(dir)
	if err != nil || r == nil {
		return nil, err
	}
	entries, err := r.List()
	if err != nil {
		return nil, err
	}
	var all []Object
	at := map[[16]byte]int{} // where in all the object with this UUID is
	for i := range entries {
		e := &entries[i]
		if e.Kind == layout.KindMembers && e.Err == nil || e.Part && e.Err == nil {
			continue
		}
		if e.Err == nil {
			at[e.UUID] = len(all)
		}
		all = append(all, object(r, e))
	}
	for i := range entries {
		e := &entries[i]
		if !e.Part || e.Err != nil {
			continue
		}
		if parent, ok := at[e.UUID]; ok {
			all[parent].Parts++
			all[parent].Bytes += e.Bytes
			continue
		}
		all = append(all, object(r, e))
	}
	slices.SortFunc(all, func(a, b Object) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func object(r *shm.Root, e *shm.Entry) Object {
	o := Object{Name: e.Name, UUID: e.UUID, Users: e.Users, Bytes: e.Bytes, Err: e.Err}
	if e.Err == nil {
		o.Kind, o.Created = e.Kind.String(), e.Created
		o.Transient, o.Pickle = e.Flags&layout.Transient != 0, e.Flags&layout.Pickle != 0
		o.Stale = e.Part || o.Transient && !o.Users && !e.Linked
		if e.Kind == layout.KindManager {
			o.Server = server(r, e.Name)
		}
	}
	return o
}

// Find describes one object. NOT_FOUND if there is none of that name, else the errors of List; what
// is wrong with the file itself is in Object.Err.
func Find(dir, name string) (Object, error) {
	all, err := List(dir)
	if err != nil {
		return Object{}, err
	}
	for _, o := range all {
		if o.Name == name {
			return o, nil
		}
	}
	return Object{}, notFound("find", dir, name)
}

func notFound(op, dir, name string) error {
	return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.NotFound,
		Hint: fmt.Sprintf("there is no object of that name in the root %s: create it first, or name its root", Path(dir))}
}

// Remove takes the name of an object of any kind away. Who has it open goes on using it, and it
// goes with the last of them; without users it goes at once, with its messages. A damaged file
// goes too, unless somebody has it open.
//
// NOT_FOUND, INVALID (a name that no object can have), CORRUPT (not a regular file, or damaged and
// in use), VERSION (made by another release), DENIED, TIMEOUT (another process began to remove it
// and is stopped in it).
func Remove(dir, name string) error {
	r, err := open(dir)
	if err != nil {
		return err
	}
	if r == nil {
		return notFound("remove", dir, name)
	}
	var st unix.Stat_t
	missing := unix.Lstat(r.Path()+"/"+name, &st) == unix.ENOENT
	if err := r.Unlink(name, 0); err != nil || !missing {
		return err
	}
	return notFound("remove", dir, name)
}

// GC removes what dead processes left: transient objects without users, files whose maker died
// before they were whole, and parts without their object. It returns how many files it removed,
// also with an error. Kept objects stay. Processes do the same by themselves as they join and
// leave the root.
func GC(dir string) (removed int, err error) {
	r, err := open(dir)
	if err != nil || r == nil {
		return 0, err
	}
	return r.Reap()
}
