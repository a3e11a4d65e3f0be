package shm

import (
	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// A message that refers to an object holds it by a hard link, which is a part of the object that carries
// the message: <uuid of the carrier>.<letter><n>. So the object lives although its sender lets go of it before
// the receiver comes, and the link goes with the message or its carrier. A transient object with a link is in
// use. The link's own header is the object's, not that of a part.

// isLink reports whether parts with that letter are links.
func isLink(letter byte) bool { return letter == 'o' || letter == 'p' }

// Link gives an open object a link as part n of the carrier. Both must lie in r.
//
// GONE if the object was removed while it was open, EXISTS if there is such a part, NO_SPACE, DENIED.
func (r *Root) Link(carrier [16]byte, letter byte, n uint64, o *Object) error {
	const op = "refer to object"
	link := r.file(partName(carrier, letter, n))
	// By its name, or by its UUID if an unlink has just renamed it; what is found may be another object.
	for _, name := range []string{o.Name, uuidName(o.UUID)} {
		err := unix.Link(r.file(name), link)
		for err == unix.EINTR {
			err = unix.Link(r.file(name), link)
		}
		if err == unix.ENOENT {
			continue
		}
		if err != nil {
			return fail(op, o.Name, err, r.spaceHint(err, 0))
		}
		// Killed here, a link to another object may be left; it goes with the record that it was for.
		crash.Point("shm.link.linked")
		if same, err := names(link, &o.file); err == nil && same {
			return nil
		}
		if err := unlink(link); err != nil && err != unix.ENOENT {
			return fail(op, o.Name, err, "")
		}
	}
	return &ipcerr.Error{Op: op, Name: o.Name, Code: ipcerr.Gone, Hint: "its file was removed while it was open: make the object anew"}
}

// Held is an object in use that was not opened yet.
type Held struct{ c *candidate }

// HoldLink becomes a user of the object behind link n of the carrier. The caller sees to it that the link stays
// during the call.
//
// GONE if link and object do not exist any more, CORRUPT or VERSION if it is no object, DENIED, LIMIT, NO_MEMORY.
func (r *Root) HoldLink(carrier [16]byte, letter byte, n uint64) (*Held, error) {
	const op = "receive object"
	c := &candidate{root: r, name: partName(carrier, letter, n)}
	c.path = r.file(c.name)
	var err error
	if c.fd, err = openFile(c.path, unix.O_RDWR, 0); err == unix.ENOENT {
		return nil, Gone(op, "", err)
	} else if err != nil {
		return nil, fail(op, c.name, err, "")
	}
	if c.stat, err = fstat(c.fd); err == nil && c.stat.Mode&unix.S_IFMT != unix.S_IFREG {
		err = unix.EISDIR
	}
	if err == nil {
		c.header, err = readHeader(c.fd)
	}
	if err == nil {
		err = c.header.CheckFile(c.stat.Size)
	}
	if err == nil {
		// Nobody removes an object with a link, so an exclusive lock is that of one who looks and leaves.
		err = waitLock(c.fd, unix.F_RDLCK, userLock)
	}
	if err == nil && c.header.Kind == layout.KindPipe {
		err = c.takeEnds() // which one the message refers to is known when it is opened
	}
	if err != nil {
		c.close()
		return nil, fail(op, c.name, err, "")
	}
	return &Held{c}, nil
}

// Gone is the error for an object that a message refers to, but that is not there any more.
func Gone(op, name string, err error) error {
	return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Gone, Hint: "a message refers to it, but it was removed meanwhile", Err: err}
}

// UUID is that of the object.
func (h *Held) UUID() [16]byte { return h.c.header.UUID }

// Open makes an open object of what is held, which is given up in any case; name is what the message calls it.
// The errors of Open.
func (h *Held) Open(name string, kind layout.Kind, members [16]byte, twice bool) (*Object, error) {
	c, op := h.c, "open "+kind.String()
	err := checkName(op, name)
	if err == nil {
		err = c.header.Check(kind, c.stat.Size, members)
	}
	var mem []byte
	if err == nil {
		mem, err = c.mapData(twice)
	}
	if err != nil {
		h.Release()
		return nil, fail(op, name, err, "")
	}
	// By which name a last user removes it: its own, unless an unlink took that away.
	if same, err := names(c.root.file(name), &c.stat); err != nil || !same {
		name = uuidName(c.header.UUID)
	}
	return &Object{Name: name, UUID: c.header.UUID, Mem: mem, FD: c.fd, root: c.root, file: c.stat}, nil
}

// Release gives up what is held. If it was the last use of an object without a name, that goes; one with a name
// is for the reaper.
func (h *Held) Release() {
	h.c.close()
	if h.c.header.Flags()&layout.Transient != 0 {
		_ = h.c.root.leave(uuidName(h.c.header.UUID), h.c.header.UUID)
	}
}

// RemoveLink removes link n of the carrier, if it is there, and what it alone held, as Release does.
//
// Killed behind the unlink, before the object is removed: the reaper does it.
func (r *Root) RemoveLink(carrier [16]byte, letter byte, n uint64) error {
	c, err := r.inspect(partName(carrier, letter, n))
	if err == unix.ENOENT {
		return nil
	}
	if err != nil { // not ours: gone is all it has to be
		if c != nil {
			c.close()
		}
		return r.RemovePart(carrier, letter, n)
	}
	c.close()
	if err := r.RemovePart(carrier, letter, n); err != nil {
		return err
	}
	crash.Point("shm.link.removed")
	if c.header.CheckFile(c.stat.Size) == nil && c.header.Flags()&layout.Transient != 0 && c.users == unix.F_UNLCK {
		return r.leave(uuidName(c.header.UUID), c.header.UUID)
	}
	return nil
}
