package shm

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// fail wraps what the operating system said. hint may be empty: then it is what helps against this
// error in general.
func fail(op, name string, err error, hint string) error {
	var e *ipcerr.Error
	if errors.As(err, &e) { // already has a code and a hint: give it this operation and object
		return &ipcerr.Error{Op: op, Name: name, Code: e.Code, Hint: e.Hint, Err: e.Err}
	}
	code, cure := ipcerr.Internal, ""
	var no unix.Errno
	if errors.As(err, &no) {
		code, cure = classify(no)
	}
	if hint == "" {
		hint = cure
	}
	return &ipcerr.Error{Op: op, Name: name, Code: code, Hint: hint, Err: err}
}

// Fail is fail for the packages above: it wraps an error of the operating system.
func Fail(op, name string, err error) error { return fail(op, name, err, "") }

func invalid(op, name, format string, args ...any) error {
	return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Invalid, Hint: fmt.Sprintf(format, args...)}
}

func classify(no unix.Errno) (ipcerr.Code, string) {
	switch no {
	case unix.ENOENT:
		return ipcerr.NotFound, ""
	case unix.EEXIST:
		return ipcerr.Exists, ""
	case unix.EACCES, unix.EPERM:
		return ipcerr.Denied, "no permission: use the user (or group) that owns the root"
	case unix.EROFS:
		return ipcerr.Denied, "the filesystem is mounted read-only"
	case unix.EMFILE:
		return ipcerr.Limit, fmt.Sprintf("the process has all %d descriptors open that RLIMIT_NOFILE allows: raise it (ulimit -n) or close some", limit(unix.RLIMIT_NOFILE))
	case unix.ENFILE:
		return ipcerr.Limit, "the system has no descriptors left: raise fs.file-max"
	case unix.ENOLCK:
		return ipcerr.Limit, "the kernel has no room for another file lock"
	case unix.EFBIG:
		return ipcerr.Limit, "the file would be larger than the filesystem or RLIMIT_FSIZE (ulimit -f) allows"
	case unix.ENOSPC, unix.EDQUOT:
		return ipcerr.NoSpace, ""
	case unix.ENOMEM, unix.EAGAIN:
		return ipcerr.NoMemory, "no memory or address space: see RLIMIT_AS (ulimit -v), vm.max_map_count and the cgroup's memory.max"
	case unix.ELOOP:
		return ipcerr.Denied, "it is a symbolic link, and those are not followed"
	case unix.EISDIR, unix.ENXIO, unix.ENODEV:
		return ipcerr.Corrupt, "it is not a regular file, so no polyipc object"
	case unix.ENOTDIR:
		return ipcerr.Invalid, "a part of the path is not a directory"
	case unix.ENAMETOOLONG:
		return ipcerr.Invalid, "the path is too long for the operating system"
	case unix.EIO:
		return ipcerr.Corrupt, "the filesystem failed to read or write"
	case unix.EOPNOTSUPP, unix.ENOSYS, unix.EINVAL:
		return ipcerr.Unsupported, "the root's filesystem or the kernel cannot do this: put the root on a tmpfs, such as /dev/shm, or a local disk"
	}
	return ipcerr.Internal, ""
}

// limit returns a resource limit of this process.
func limit(which int) uint64 {
	l := unix.Rlimit{Cur: unix.RLIM_INFINITY}
	_ = unix.Getrlimit(which, &l) // fails only for a limit that does not exist
	return l.Cur
}
