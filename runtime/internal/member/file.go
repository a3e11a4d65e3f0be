package member

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/shm"
)

// The operating system as this package sees it; raw system calls, as in package shm.

func forkCount() uint64 {
	if shm.Forks == nil {
		return 0
	}
	return shm.Forks()
}

// open opens the members file for itself.
func open(r *shm.Root, flags int) (int, error) {
	for {
		before := forkCount()
		fd, err := unix.Open(r.Path()+"/members", flags|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil || OnDescriptor == nil {
			return fd, err
		}
		OnDescriptor(fd, true)
		if forkCount() == before {
			return fd, nil
		}
		closeFD(fd) // a child may have it without knowing; see shm.Forks
	}
}

func closeFD(fd int) {
	_ = unix.Close(fd)
	if OnDescriptor != nil {
		OnDescriptor(fd, false)
	}
}

// pinMapping maps one page of fd that nobody can touch and no forked child inherits.
func pinMapping(fd int) ([]byte, error) {
	size := unix.Getpagesize()
	for {
		p, err := unix.MmapPtr(fd, 0, nil, uintptr(size), unix.PROT_NONE, unix.MAP_SHARED)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		pin := unsafe.Slice((*byte)(p), size)
		if err := unix.Madvise(pin, unix.MADV_DONTFORK); err != nil {
			_ = unix.MunmapPtr(p, uintptr(size))
			return nil, err
		}
		return pin, nil
	}
}

func readAt(fd int, b []byte, off int64) (n int, err error) {
	for n < len(b) {
		m, err := unix.Pread(fd, b[n:], off+int64(n))
		if err == unix.EINTR {
			continue
		}
		if err != nil || m == 0 {
			return n, err
		}
		n += m
	}
	return n, nil
}

func writeAt(fd int, b []byte, off int64) error {
	for len(b) > 0 {
		n, err := unix.Pwrite(fd, b, off)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		b, off = b[n:], off+int64(n)
	}
	return nil
}

func orShort(err error) error {
	if err == nil {
		return unix.EIO
	}
	return err
}
