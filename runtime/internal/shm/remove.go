package shm

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// candidate is a file seen through a description of its own, which holds no lock as yet.
type candidate struct {
	root   *Root
	path   string
	name   string
	fd     int
	stat   unix.Stat_t
	header layout.Header // a copy
	users  int16         // the lock that others held on userLock at that moment: F_UNLCK, F_RDLCK, F_WRLCK
}

// look opens what has the name now. The errors are the operating system's; EISDIR stands for
// everything that is not a regular file.
func (r *Root) look(name string) (*candidate, error) {
	c := &candidate{root: r, path: r.file(name), name: name}
	var err error
	if c.fd, err = openFile(c.path, unix.O_RDWR, 0); err != nil {
		return nil, err
	}
	if c.stat, err = fstat(c.fd); err == nil && c.stat.Mode&unix.S_IFMT != unix.S_IFREG {
		err = unix.EISDIR
	}
	if err == nil {
		c.header, err = readHeader(c.fd)
	}
	if err == nil {
		c.users, err = Holder(c.fd, userLock)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *candidate) close() { closeFile(c.fd) }

// dead reports whether this is a transient object that nobody used at that moment. A message that
// refers to it does so by a further link, and is a use.
func (c *candidate) dead() bool {
	return c.header.Flags()&layout.Transient != 0 && c.users == unix.F_UNLCK && c.stat.Nlink == 1
}

// removeUnused removes the transient object with its parts if it has no users, and reports whether
// it is gone now.
//
// The exclusive lock on userLock decides between us and everybody else: users, other removers, and
// openers, who retry while it is held. Who has it must finish or die, so two who leave at the same
// time cannot rely on each other in vain:
//
//	A, a user                     B, a user
//	close, lock dropped
//	                              close, lock dropped
//	try exclusive: granted
//	                              try exclusive: refused, so A removes it
//
// The lock on nameLock is for unlink, which takes names away while there are users.
//
// Killed with the locks held, we leave a transient object without users, as before, perhaps
// with fewer parts. Nobody opens such a one; the reaper comes here again.
func (c *candidate) removeUnused() (bool, error) {
	if err := TryLock(c.fd, unix.F_WRLCK, userLock); err != nil {
		if err == ErrBusy {
			err = nil
		}
		return false, err
	}
	crash.Point("shm.remove.exclusive")
	if err := waitLock(c.fd, unix.F_WRLCK, nameLock); err != nil {
		if err == ErrBusy {
			err = timeout("remove", c.name)
		}
		return false, err
	}
	// Under both locks nobody changes the name, the flags or the links of this file any more, so
	// what we look at now holds until we are done.
	same, err := names(c.path, &c.stat)
	if err == nil && !same { // an unlink was here before us: it may have the UUID as its name now
		c.path = c.root.file(uuidName(c.header.UUID))
		if same, err = names(c.path, &c.stat); err == nil && !same {
			return true, nil
		}
	}
	if err != nil {
		return false, fail("remove", c.name, err, "")
	}
	if st, err := fstat(c.fd); err != nil || st.Nlink > 1 {
		return false, err // a message refers to it, by a link of its own: in use
	}
	if err := c.root.removeParts(c.header.UUID); err != nil {
		return false, err
	}
	crash.Point("shm.remove.parts")
	if err := unlink(c.path); err != nil && err != unix.ENOENT {
		return false, fail("remove", c.name, err, "")
	}
	return true, nil
}

// leave removes the object if it is transient and has no users any more. It is called after our
// own use ended. Unlink sets the flag first and then tries whether there are users; we end our use
// first and then look at the flag: so at least one of the two sees the other.
func (r *Root) leave(name string, id [16]byte) error {
	// By its name, and if it was unlinked by its UUID: in this order the rename cannot slip by.
	for _, n := range []string{name, uuidName(id)} {
		c, err := r.look(n)
		if err == unix.ENOENT {
			continue
		}
		if err != nil {
			return fail("close", name, err, "")
		}
		if c.header.CheckFile(c.stat.Size) != nil || c.header.UUID != id {
			c.close() // another object has the name now, or somebody damaged ours
			continue
		}
		if c.header.Flags()&layout.Transient != 0 {
			_, err = c.removeUnused()
		}
		c.close()
		return err
	}
	return nil
}

// Unlink takes the object's name away; OK if there is none. Without users the object is removed
// with its parts. With users it becomes transient and gets its UUID as its name, under which the
// last of them, or the reaper, removes it; until then its parts have a parent.
//
// kind is what the object must be; 0 takes every object, and also a damaged file without users.
// WRONG_KIND, CORRUPT, VERSION, INVALID, DENIED, LIMIT, TIMEOUT (see Create).
func (r *Root) Unlink(name string, kind layout.Kind) error {
	const op = "unlink"
	if err := checkName(op, name); err != nil {
		return err
	}
	for p := newPatience(); ; {
		err := r.unlinkOnce(name, kind)
		if err != ErrBusy {
			if err != nil {
				err = fail(op, name, err, "")
			}
			return err
		}
		if !p.again() {
			return timeout(op, name)
		}
	}
}

// Discard removes the file of an object that its maker gives up, though it is damaged and others have it open.
func (r *Root) Discard(name string) { _ = unlink(r.file(name)) }

func (r *Root) unlinkOnce(name string, kind layout.Kind) error {
	c, err := r.look(name)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return err
	}
	defer c.close()
	if err := TryLock(c.fd, unix.F_WRLCK, nameLock); err != nil {
		return err
	}
	if same, err := names(c.path, &c.stat); err != nil {
		return err
	} else if !same {
		return ErrBusy // look what the name means now
	}
	if err := c.header.CheckFile(c.stat.Size); err != nil {
		if kind != 0 || c.users != unix.F_UNLCK || ipcerr.CodeOf(err) != ipcerr.Corrupt {
			return err
		}
		return unlink(c.path) // nobody can open it, ever
	}
	if k := c.header.Kind; kind != 0 && k != kind || !k.IsObject() {
		return &ipcerr.Error{Op: "unlink", Code: ipcerr.WrongKind, Hint: fmt.Sprintf("it is a %v", k)}
	}
	// The flag first. Killed after it, the object is transient and still has its name: unlink can be
	// repeated, and its last user takes it away. The other order could leave a kept object
	// under a name that nobody knows.
	if err := c.setTransient(); err != nil {
		return err
	}
	crash.Point("shm.unlink.flagged")
	if users, err := Holder(c.fd, userLock); err != nil {
		return err
	} else if users == unix.F_UNLCK {
		if gone, err := c.removeUnused(); gone || err != nil {
			return err
		}
	}
	// It has users, or somebody is about to remove it and waits for nameLock. Either finds it by
	// its UUID.
	to := uuidName(c.header.UUID)
	if name == to {
		return nil // it was anonymous or unlinked before
	}
	if err := unix.Renameat2(unix.AT_FDCWD, c.path, unix.AT_FDCWD, r.file(to), unix.RENAME_NOREPLACE); err != nil {
		return err
	}
	// A last user that has closed since we asked saw the flag, for that was set before. It waits for
	// nameLock and then finds the file by its UUID.
	return nil
}

// setTransient sets the flag in the file. One byte is written atomically, and only under nameLock
// and only this bit ever changes.
func (c *candidate) setTransient() error {
	f := c.header.Flags()
	if f&layout.Transient != 0 {
		return nil
	}
	for {
		_, err := unix.Pwrite(c.fd, []byte{byte(f | layout.Transient)}, layout.FlagsOffset)
		if err != unix.EINTR {
			return err
		}
	}
}
