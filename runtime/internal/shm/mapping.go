package shm

// This file is all of mmap; it needs unsafe to map at a chosen address, and to view what is mapped.

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
)

// mapFile maps a file of layout.HeaderArea and data bytes, the data twice side by side if twice
// is set, so that a record that runs over the end of the data goes on at its beginning.
//
// The whole range is reserved first and then mapped over: two separate mappings could get another
// thread's in between.
func mapFile(fd int, data int64, twice bool) ([]byte, error) {
	total := mappedLength(data, twice)
	base, err := mmap(nil, uintptr(total), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE, -1, 0)
	if err != nil {
		return nil, err
	}
	mem := bytesAt(base, int(total))
	first := layout.HeaderArea + data
	const rw, fixed = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_FIXED
	_, err = mmap(base, uintptr(first), rw, fixed, fd, 0)
	if err == nil && twice && data > 0 {
		_, err = mmap(unsafe.Add(base, first), uintptr(data), rw, fixed, fd, layout.HeaderArea)
	}
	if err != nil {
		unmap(mem)
		return nil, err
	}
	return mem, nil
}

func mappedLength(data int64, twice bool) int64 {
	if twice {
		return layout.HeaderArea + 2*data
	}
	return layout.HeaderArea + data
}

// unmap undoes mapFile. munmap of a range that we mapped fails only when the kernel cannot split a
// mapping, and we never split one.
func unmap(mem []byte) {
	_ = unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(mem)), uintptr(len(mem)))
}

// Pin maps one page of fd that nobody can touch and that no forked child inherits. As long as it is
// mapped, fd's description and with it its locks live on, also when fd is closed.
func Pin(fd int) ([]byte, error) {
	size := unix.Getpagesize()
	p, err := mmap(nil, uintptr(size), unix.PROT_NONE, unix.MAP_SHARED, fd, 0)
	if err != nil {
		return nil, err
	}
	pin := bytesAt(p, size)
	if err := unix.Madvise(pin, unix.MADV_DONTFORK); err != nil {
		unmap(pin)
		return nil, err
	}
	return pin, nil
}

// Unpin undoes Pin.
func Unpin(pin []byte) { unmap(pin) }

func mmap(at unsafe.Pointer, length uintptr, prot, flags, fd int, off int64) (unsafe.Pointer, error) {
	for {
		p, err := unix.MmapPtr(fd, off, at, length, prot, flags)
		if err != unix.EINTR {
			return p, err
		}
	}
}

// bytesAt views mapped memory. It is outside Go's heap, so it neither moves nor is collected.
func bytesAt(p unsafe.Pointer, n int) []byte { return unsafe.Slice((*byte)(p), n) }

// inherited views memory that a parent process mapped at addr before it forked us.
func inherited(addr uintptr, n int) []byte { return bytesAt(unsafe.Add(unsafe.Pointer(nil), addr), n) }
