package shm

import (
	"golang.org/x/sys/unix"
)

// Bells are parts that are FIFOs: package doorbell. They have no header; whose they are is told from the
// name, as for every part.

// MakeBell makes the FIFO of a bell and opens both its ends, so that it neither ends nor breaks whoever comes and
// goes. The descriptor is told to OnDescriptor.
// EXISTS if there is one of that number; NO_SPACE, DENIED, LIMIT.
func (r *Root) MakeBell(parent [16]byte, letter byte, n uint64) (fd int, err error) {
	const op = "make bell"
	name := partName(parent, letter, n)
	if err := unix.Mkfifo(r.file(name), r.mode()); err != nil {
		return -1, fail(op, name, err, r.spaceHint(err, 0))
	}
	if fd, err = openFile(r.file(name), unix.O_RDWR, 0); err != nil {
		_ = unlink(r.file(name))
		return -1, fail(op, name, err, "")
	}
	st, err := fstat(fd)
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFIFO {
		err = unix.ENXIO // somebody put another file in its place
	}
	if err == nil && st.Mode&0o777 != r.mode() {
		err = unix.Fchmod(fd, r.mode()) // the umask took something away
	}
	if err != nil {
		closeFile(fd)
		_ = unlink(r.file(name))
		return -1, fail(op, name, err, "")
	}
	return fd, nil
}

// RingBell makes the bell's descriptor readable. False if nobody has that: its owner has closed it or is dead.
// What else may be in the way, such as a descriptor too few, its owner finds out by itself.
func (r *Root) RingBell(parent [16]byte, letter byte, n uint64) bool {
	fd, err := openFile(r.file(partName(parent, letter, n)), unix.O_WRONLY, 0)
	if err != nil {
		return err != unix.ENXIO && err != unix.ENOENT
	}
	defer closeFile(fd)
	if st, err := fstat(fd); err == nil && st.Mode&unix.S_IFMT == unix.S_IFIFO {
		WriteBell(fd)
	}
	return true
}

// WriteBell makes a bell readable through its own descriptor. A full FIFO is readable already.
func WriteBell(fd int) {
	for {
		if _, err := unix.Write(fd, []byte{1}); err != unix.EINTR {
			return
		}
	}
}

// DrainBell makes a bell unreadable, and reports whether it was readable. It reads no more than a FIFO holds:
// whoever fills it without end shall not keep us here.
func DrainBell(fd int) (was bool) {
	var b [4096]byte
	for range 64 {
		n, err := unix.Read(fd, b[:])
		was = was || n > 0
		if err != unix.EINTR && n < len(b) {
			break
		}
	}
	return was
}

// CloseBell closes a bell's descriptor and removes the FIFO.
func (r *Root) CloseBell(parent [16]byte, letter byte, n uint64, fd int) {
	_ = r.RemovePart(parent, letter, n)
	closeFile(fd)
}
