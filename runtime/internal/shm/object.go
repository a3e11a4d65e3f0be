package shm

import (
	"fmt"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Object is an open object. As long as FD or the mapping is open, here or in a forked child, its
// user counts. Its methods may be called from any goroutine; whoever uses Mem sees to it that
// nobody closes meanwhile.
type Object struct {
	Name string // the UUID for an anonymous object
	UUID [16]byte
	Mem  []byte // header area, data, and the data again if mapped twice
	FD   int    // its description holds the user's lock: never unlock it, nor lock through it (but see TakeEnd)

	root   *Root
	file   unix.Stat_t // of FD, as it was opened
	closed atomic.Bool
}

// Create makes an object and opens it; an empty name makes an anonymous one, named by its UUID.
// A transient object of that name whose users are all dead does not count: it is removed.
//
// EXISTS, INVALID, TOO_LARGE, NO_SPACE, NO_MEMORY, DENIED, LIMIT, NOT_FOUND (no root any more),
// TIMEOUT (another process began to remove an object of that name and is stopped in it).
func (r *Root) Create(name string, s Spec) (*Object, error) {
	op := "create " + s.Kind.String()
	if !s.Kind.IsObject() {
		return nil, invalid(op, name, "files of this kind are not objects")
	}
	id, err := NewUUID()
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = uuidName(id)
	} else if err := checkNewName(op, name); err != nil {
		return nil, err
	}
	if err := s.check(op, name); err != nil {
		return nil, err
	}
	p := newPatience()
	fd, mem, err := r.make(op, &s, identity{name: name, uuid: id}, func() error { return r.taken(op, name, p) })
	if err != nil {
		return nil, err
	}
	return r.object(op, name, id, fd, mem)
}

func (r *Root) object(op, name string, id [16]byte, fd int, mem []byte) (*Object, error) {
	st, err := fstat(fd)
	if err != nil {
		unmap(mem)
		closeFile(fd)
		return nil, fail(op, name, err, "")
	}
	return &Object{Name: name, UUID: id, Mem: mem, FD: fd, root: r, file: st}, nil
}

// taken decides what a create does about an existing file: EXISTS, or nil if it is gone or going.
func (r *Root) taken(op, name string, p *patience) error {
	exists := func(hint string) error {
		return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Exists, Hint: hint}
	}
	c, err := r.look(name)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return exists("the name is taken by a file that cannot be read (" + err.Error() + "): choose another")
	}
	defer c.close()
	if c.header.CheckFile(c.stat.Size) != nil {
		return exists("the name is taken by a damaged or foreign file: remove it or choose another")
	}
	if c.header.Flags()&layout.Transient != 0 && c.users != unix.F_RDLCK {
		if c.stat.Nlink > 1 {
			return exists("a message refers to the object of that name: choose another")
		}
		if c.dead() {
			if gone, _ := c.removeUnused(); gone {
				return nil
			}
		}
		if p.again() { // somebody is just removing it, or became its user: look again
			return nil
		}
		return timeout(op, name)
	}
	return exists(fmt.Sprintf("a %v of that name exists: open it, unlink it, or choose another name", c.header.Kind))
}

func timeout(op, name string) error {
	return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Timeout,
		Hint: fmt.Sprintf("for %v another process was in the middle of removing the file: it seems to be stopped", Patience)}
}

// Open opens an existing object. members is the UUID of the root's members file.
//
// NOT_FOUND (also for a transient object whose users are all dead), WRONG_KIND, MISMATCH, VERSION,
// CORRUPT, DENIED, INVALID, NO_MEMORY, LIMIT, TIMEOUT (see Create).
func (r *Root) Open(name string, kind layout.Kind, members [16]byte, twice bool) (*Object, error) {
	op := "open " + kind.String()
	if err := checkName(op, name); err != nil {
		return nil, err
	}
	for p := newPatience(); ; {
		o, err := r.openOnce(op, name, kind, members, twice)
		if err != ErrBusy {
			return o, err
		}
		if !p.again() {
			return nil, timeout(op, name)
		}
	}
}

// openOnce opens the file, becomes its user, and only then makes sure that the name still means
// this file: between the open and the lock a remover may have found it unused.
func (r *Root) openOnce(op, name string, kind layout.Kind, members [16]byte, twice bool) (*Object, error) {
	c, err := r.look(name)
	if err == unix.ENOENT {
		return nil, fail(op, name, err, fmt.Sprintf("there is no %v of that name in the root %s: create it first, or name its root", kind, r.path))
	}
	if err != nil {
		return nil, fail(op, name, err, "")
	}
	if err := c.header.Check(kind, c.stat.Size, members); err != nil {
		c.close()
		return nil, fail(op, name, err, "")
	}
	if c.dead() {
		// Its users are dead. Nobody comes back to it: what they were in the middle of would be found
		// by a process that expects a whole object, and it would live on by chance.
		gone, err := c.removeUnused()
		c.close()
		if err == nil && !gone {
			return nil, ErrBusy // it got a user or a remover meanwhile
		}
		return nil, fail(op, name, unix.ENOENT, "its last user is gone, and it was transient")
	}
	if err := TryLock(c.fd, unix.F_RDLCK, userLock); err != nil {
		c.close()
		if err != ErrBusy {
			err = fail(op, name, err, "")
		}
		return nil, err
	}
	crash.Point("shm.open.locked")
	same, err := names(c.path, &c.stat)
	if err == nil && !same {
		err = ErrBusy // removed or renamed: look what the name means now
	}
	var mem []byte
	if err == nil {
		mem, err = c.mapData(twice)
	}
	if err != nil {
		// We were a user for a moment, so a last user that left in it has left the removal to us.
		c.close()
		r.leave(name, c.header.UUID)
		if err != ErrBusy {
			err = fail(op, name, err, "")
		}
		return nil, err
	}
	return &Object{Name: name, UUID: c.header.UUID, Mem: mem, FD: c.fd, root: r, file: c.stat}, nil
}

// mapData maps the file as it is; its size was checked against its header.
func (c *candidate) mapData(twice bool) ([]byte, error) {
	data, areas := c.stat.Size-layout.HeaderArea, areasOf(c.header.Flags(), twice)
	if unit := layout.HeaderArea * int64(max(areas, 1)); data%unit != 0 || data > layout.MaxFile {
		return nil, &ipcerr.Error{Op: "map", Code: ipcerr.Corrupt,
			Hint: fmt.Sprintf("the data area has %d bytes, not a multiple of %d", data, unit)}
	}
	return mapFile(c.fd, data, areas)
}

// Adopt makes an Object of what this process inherited from the parent that forked it: a
// descriptor of the object's file and the mapping of it, length bytes at addr. It takes no new
// lock: the inherited description is a user. The Object owns both from now on.
// CORRUPT or the errors of a changed header if they are not what they should be.
func (r *Root) Adopt(name string, fd int, addr uintptr, length int, kind layout.Kind, members [16]byte, twice bool) (*Object, error) {
	op := "adopt " + kind.String()
	c := candidate{root: r, path: r.file(name), name: name, fd: fd}
	var err error
	if c.stat, err = fstat(fd); err != nil {
		return nil, fail(op, name, err, "the inherited descriptor was closed")
	}
	if c.header, err = readHeader(fd); err == nil {
		err = c.header.Check(kind, c.stat.Size, members)
	}
	if err != nil {
		return nil, fail(op, name, err, "")
	}
	if addr == 0 || int64(length) != mappedLength(c.stat.Size-layout.HeaderArea, areasOf(c.header.Flags(), twice)) {
		return nil, &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Corrupt,
			Hint: fmt.Sprintf("the inherited mapping of %d bytes does not fit a file of %d", length, c.stat.Size)}
	}
	return &Object{Name: name, UUID: c.header.UUID, Mem: inherited(addr, length), FD: fd, root: r, file: c.stat}, nil
}

// Header views the common header in the mapping.
func (o *Object) Header() *layout.Header { return layout.View[layout.Header](o.Mem, 0) }

// Close ends this use of the object; closing again does nothing. If it was the last use of a
// transient object, the object goes with all its parts. The error, if any, is that of this
// removal, which the next process to join or leave the root repeats.
func (o *Object) Close() error {
	if !o.closed.CompareAndSwap(false, true) {
		return nil
	}
	unmap(o.Mem)
	return o.letGo()
}

// Leave is Close, but the memory stays mapped for as long as this process lives: for an object whose memory
// others may still touch. Only for files that are mapped once.
//
// The mapping pins the description with the user's lock, so the file is mapped over it once more, through a
// description without one, in one step. If that can't be, the object stays in use until the process ends.
func (o *Object) Leave() error {
	if !o.closed.CompareAndSwap(false, true) {
		return nil
	}
	for _, name := range []string{o.Name, uuidName(o.UUID)} { // as in leave
		c, err := o.root.look(name)
		if err != nil {
			continue
		}
		ours := c.stat.Dev == o.file.Dev && c.stat.Ino == o.file.Ino
		if ours {
			_ = mapOver(o.Mem, c.fd)
		}
		c.close()
		if ours {
			break
		}
	}
	return o.letGo()
}

func (o *Object) letGo() error {
	o.Mem = nil
	// A host that closes all descriptors (closefrom) takes ours, too; the number may be another's now.
	if o.mine() {
		closeFile(o.FD)
	} else if OnDescriptor != nil {
		OnDescriptor(o.FD, false)
	}
	crash.Point("shm.close.unlocked")
	return o.root.leave(o.Name, o.UUID)
}
