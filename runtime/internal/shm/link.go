package shm

import (
	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// A message that refers to an object holds it by a hard link, which is a part of the object that carries
// the message: <uuid of the carrier>.o<n>. So the object lives although its sender lets go of it before
// the receiver comes, and the link goes with the message or its carrier. A transient object with a link is in
// use. The link's own header is the object's, not that of a part.

// LinkLetter is the letter of links.
const LinkLetter = 'o'

// Link gives an open object a link as part n of the carrier. Both must lie in r.
//
// GONE if the object was removed while it was open, EXISTS if there is such a part, NO_SPACE, DENIED.
func (r *Root) Link(carrier [16]byte, n uint64, o *Object) error {
	const op = "refer to object"
	link := r.file(partName(carrier, LinkLetter, n))
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

// OpenLink opens the object behind link n of the carrier; name and uuid are what the message says of it.
// The caller sees to it that the link stays during the call.
//
// GONE if link and object do not exist any more, or are another one's; else the errors of Open.
func (r *Root) OpenLink(carrier [16]byte, n uint64, name string, id [16]byte, kind layout.Kind, members [16]byte, twice bool) (*Object, error) {
	op := "open " + kind.String()
	gone := func(err error) error {
		return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Gone, Hint: "a message refers to it, but it was removed meanwhile", Err: err}
	}
	c := &candidate{root: r, name: name, path: r.file(partName(carrier, LinkLetter, n))}
	var err error
	if c.fd, err = openFile(c.path, unix.O_RDWR, 0); err == unix.ENOENT {
		return nil, gone(err)
	} else if err != nil {
		return nil, fail(op, name, err, "")
	}
	o, err := c.openLinked(op, id, kind, members, twice)
	if err == ErrBusy {
		err = gone(nil)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	// By which name a last user removes it: its own, unless an unlink took that away.
	if same, err := names(r.file(name), &o.file); err != nil || !same {
		o.Name = uuidName(id)
	}
	return o, nil
}

// openLinked becomes a user of the file behind a link; ErrBusy if it is not the object asked for.
func (c *candidate) openLinked(op string, id [16]byte, kind layout.Kind, members [16]byte, twice bool) (*Object, error) {
	var err error
	if c.stat, err = fstat(c.fd); err == nil && c.stat.Mode&unix.S_IFMT != unix.S_IFREG {
		err = unix.EISDIR
	}
	if err == nil {
		c.header, err = readHeader(c.fd)
	}
	if err == nil && c.header.UUID != id {
		return nil, ErrBusy
	}
	if err == nil {
		err = c.header.Check(kind, c.stat.Size, members)
	}
	if err == nil {
		// Nobody removes an object with a link, so an exclusive lock is that of one who looks and leaves.
		err = waitLock(c.fd, unix.F_RDLCK, userLock)
	}
	var mem []byte
	if err == nil {
		mem, err = c.mapData(twice)
	}
	if err != nil {
		return nil, fail(op, c.name, err, "")
	}
	return &Object{Name: c.name, UUID: id, Mem: mem, FD: c.fd, root: c.root, file: c.stat}, nil
}

// RemoveLink removes link n of the carrier; OK if it is gone. What it kept alive is then for the reaper.
func (r *Root) RemoveLink(carrier [16]byte, n uint64) error {
	return r.RemovePart(carrier, LinkLetter, n)
}
