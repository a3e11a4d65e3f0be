package shm

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Sockets are parts, too: Unix sockets that listen, named after their object. They have no header.

// mostPath is how long a Unix socket's path may be, without its NUL.
const mostPath = 107

// Listen makes a Unix socket that listens, as part n of its object. The descriptor is told to OnDescriptor; who closes it
// removes the part. EXISTS, NO_SPACE, DENIED, LIMIT.
func (r *Root) Listen(parent [16]byte, letter byte, n uint64) (fd int, err error) {
	const op = "make socket"
	name := partName(parent, letter, n)
	fd, err = r.socket(name, func(fd int, at *unix.SockaddrUnix) error {
		if err := unix.Bind(fd, at); err != nil {
			return err
		}
		err := unix.Chmod(r.file(name), r.mode()) // the umask took something away
		if err == nil {
			err = unix.Listen(fd, 1024)
		}
		if err != nil {
			_ = unlink(r.file(name))
		}
		return err
	})
	if err != nil {
		return -1, fail(op, name, err, r.spaceHint(err, 0))
	}
	return fd, nil
}

// Connect connects to such a socket, which does not wait: NOT_FOUND if there is none or nobody listens, TIMEOUT if too
// many are on their way there, DENIED, LIMIT.
func (r *Root) Connect(parent [16]byte, letter byte, n uint64) (fd int, err error) {
	const op = "connect to"
	name := partName(parent, letter, n)
	fd, err = r.socket(name, func(fd int, at *unix.SockaddrUnix) error { return unix.Connect(fd, at) })
	switch err {
	case nil:
		return fd, nil
	case unix.ECONNREFUSED, unix.ENOENT:
		return -1, &ipcerr.Error{Op: op, Name: name, Code: ipcerr.NotFound, Hint: "nobody listens there"}
	case unix.EAGAIN:
		return -1, &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Timeout, Hint: "too many are on their way there"}
	}
	return -1, fail(op, name, err, "")
}

// socket makes a socket and lets use bind or connect it at a part's path, or by a shorter way to the same file.
func (r *Root) socket(name string, use func(fd int, at *unix.SockaddrUnix) error) (int, error) {
	path := r.file(name)
	if len(path) > mostPath {
		dir, err := openFile(r.path, unix.O_PATH|unix.O_DIRECTORY, 0)
		if err != nil {
			return -1, err
		}
		defer closeFile(dir)
		path = fmt.Sprintf("/proc/self/fd/%d/%s", dir, name)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	if OnDescriptor != nil {
		OnDescriptor(fd, true)
	}
	if err := use(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		closeFile(fd)
		return -1, err
	}
	return fd, nil
}
