package shm

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Parts are files <uuid>.<letter><n> that belong to the object with that UUID: further rings (r),
// large messages (m). They have no users of their own. n is never reused within an object.

// Part is a mapped part. It has no descriptor.
type Part struct {
	Mem    []byte // header area, data, and the data again if mapped twice
	closed atomic.Bool
}

// Header views the common header in the mapping.
func (p *Part) Header() *layout.Header { return layout.View[layout.Header](p.Mem, 0) }

// Close unmaps the part; closing again does nothing.
func (p *Part) Close() error {
	if p.closed.CompareAndSwap(false, true) {
		unmap(p.Mem)
		p.Mem = nil
	}
	return nil
}

// CreatePart makes and maps a part. EXISTS if it is there already: a maker that died after this
// call had it. The errors of Create besides.
func (r *Root) CreatePart(parent [16]byte, letter byte, n uint64, s Spec) (*Part, error) {
	op, name := "create "+s.Kind.String(), partName(parent, letter, n)
	if !s.Kind.IsPart() || letter < 'a' || letter > 'z' {
		return nil, invalid(op, name, "files of this kind or letter are not parts")
	}
	if err := s.check(op, name); err != nil {
		return nil, err
	}
	fd, mem, err := r.make(op, &s, identity{name, parent, letter, n}, func() error { return partExists(op, name) })
	if err != nil {
		return nil, err
	}
	return newPart(fd, mem), nil
}

func partExists(op, name string) error {
	return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Exists, Hint: "the part was made before, by a process that died since"}
}

// newPart keeps the mapping alone, and this for our process: a forked child maps parts anew, when
// it comes to them.
func newPart(fd int, mem []byte) *Part {
	_ = unix.Madvise(mem, unix.MADV_DONTFORK) // if it fails, a child has a mapping it does not use
	closeFile(fd)
	return &Part{Mem: mem}
}

// OpenPart maps a part. NOT_FOUND if it is gone, else the errors of Open.
func (r *Root) OpenPart(parent [16]byte, letter byte, n uint64, kind layout.Kind, members [16]byte, twice bool) (*Part, error) {
	op := "open " + kind.String()
	c, err := r.lookPart(op, parent, letter, n, kind, members, unix.O_RDWR)
	if err != nil {
		return nil, err
	}
	mem, err := c.mapData(twice)
	if err != nil {
		c.close()
		return nil, fail(op, c.name, err, "")
	}
	return newPart(c.fd, mem), nil
}

// lookPart opens a part's file and checks that it is the one it should be.
func (r *Root) lookPart(op string, parent [16]byte, letter byte, n uint64, kind layout.Kind, members [16]byte, flags int) (*candidate, error) {
	c := &candidate{root: r, name: partName(parent, letter, n)}
	c.path = r.file(c.name)
	var err error
	if c.fd, err = openFile(c.path, flags, 0); err != nil {
		return nil, fail(op, c.name, err, "")
	}
	if c.stat, err = fstat(c.fd); err == nil && c.stat.Mode&unix.S_IFMT != unix.S_IFREG {
		err = unix.EISDIR
	}
	if err == nil {
		c.header, err = readHeader(c.fd)
	}
	if err == nil {
		err = c.header.Check(kind, c.stat.Size, members)
	}
	if h := &c.header; err == nil && (h.UUID != parent || h.Letter != uint32(letter) || h.Number != n) {
		err = &ipcerr.Error{Op: op, Code: ipcerr.Corrupt,
			Hint: fmt.Sprintf("its header says that it is %s", partName(h.UUID, byte(h.Letter), h.Number))}
	}
	if err != nil {
		c.close()
		return nil, fail(op, c.name, err, "")
	}
	return c, nil
}

// WritePart makes a part of the kind "message" with the concatenation of body as its data. The
// bytes are written, not mapped, so a full filesystem is NO_SPACE.
// EXISTS if it is there already; else the errors of Create.
func (r *Root) WritePart(parent [16]byte, letter byte, n uint64, members [16]byte, body ...[]byte) error {
	op, name := "create message", partName(parent, letter, n)
	var length int64
	for _, b := range body {
		length += int64(len(b))
	}
	if length > layout.MaxFile-layout.HeaderArea {
		return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.TooLarge, Hint: fmt.Sprintf("the message has %d bytes", length)}
	}
	for {
		err := r.writeOnce(op, identity{name, parent, letter, n}, members, length, body)
		if err != errNameless {
			return err
		}
	}
}

func (r *Root) writeOnce(op string, id identity, members [16]byte, length int64, body [][]byte) error {
	if err := r.room(op, length+4096, layout.HeaderArea+length); err != nil {
		return err
	}
	b, err := r.newBuild(op)
	if err != nil {
		return err
	}
	done := false
	defer func() {
		if done {
			closeFile(b.fd)
		} else {
			b.discard()
		}
	}()
	s := Spec{Kind: layout.KindMessage, Members: members, Header: layout.HeaderSize}
	var h layout.Header
	s.header(&h, layout.HeaderArea+length, id)
	err = WriteAt(b.fd, 0, layout.Bytes(&h))
	if err == nil {
		err = WriteAt(b.fd, layout.HeaderArea, body...)
	}
	if err == nil && length == 0 {
		err = b.truncate(layout.HeaderArea)
	}
	if err != nil {
		return fail(op, id.name, err, r.spaceHint(err, length))
	}
	crash.Point("shm.message.written")
	if err := b.name(id.name, func() error { return partExists(op, id.name) }); err != nil {
		return err
	}
	done = true
	crash.Point("shm.message.linked")
	return nil
}

// ReadPart reads the data of a message part, len(buf) bytes, straight into buf. CORRUPT if it has
// another length, NOT_FOUND if it is gone, else the errors of Open.
func (r *Root) ReadPart(parent [16]byte, letter byte, n uint64, members [16]byte, buf []byte) error {
	const op = "read message"
	c, err := r.lookPart(op, parent, letter, n, layout.KindMessage, members, unix.O_RDONLY)
	if err != nil {
		return err
	}
	defer c.close()
	if have := c.stat.Size - layout.HeaderArea; have != int64(len(buf)) {
		return &ipcerr.Error{Op: op, Name: c.name, Code: ipcerr.Corrupt,
			Hint: fmt.Sprintf("the message has %d bytes, its record says %d", have, len(buf))}
	}
	got, err := ReadAt(c.fd, buf, layout.HeaderArea)
	if err != nil {
		return fail(op, c.name, err, "")
	}
	if got != len(buf) {
		return &ipcerr.Error{Op: op, Name: c.name, Code: ipcerr.Corrupt,
			Hint: fmt.Sprintf("the file ended after %d of %d bytes: truncated", got, len(buf))}
	}
	return nil
}

// RemovePart removes a part; OK if it is gone.
func (r *Root) RemovePart(parent [16]byte, letter byte, n uint64) error {
	name := partName(parent, letter, n)
	if err := unlink(r.file(name)); err != nil && err != unix.ENOENT {
		return fail("remove", name, err, "")
	}
	return nil
}

// removeParts removes all parts of an object that nobody uses.
func (r *Root) removeParts(parent [16]byte) error {
	prefix := uuidName(parent) + "."
	all, err := r.fileNames()
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range all {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		if err := unlink(r.file(name)); err != nil && err != unix.ENOENT {
			errs = append(errs, fail("remove", name, err, ""))
		}
	}
	return errors.Join(errs...)
}
