package shm

// This file is all of mmap; it needs unsafe to map at a chosen address, and to view what is mapped.

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
)

// mapFile maps a file of layout.HeaderArea and data bytes. With areas the data are so many areas of one
// size, and each is mapped twice side by side, so that a record that runs over the end of an area goes
// on at its beginning; with none the data are mapped once.
//
// The whole range is reserved first and then mapped over: two separate mappings could get another
// thread's in between.
func mapFile(fd int, data int64, areas int) ([]byte, error) {
	total := mappedLength(data, areas)
	base, err := mmap(nil, uintptr(total), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE, -1, 0)
	if err != nil {
		return nil, err
	}
	mem := bytesAt(base, int(total))
	const rw, fixed = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_FIXED
	size := data / int64(max(areas, 1))
	_, err = mmap(base, uintptr(layout.HeaderArea+size), rw, fixed, fd, 0)
	for i := int64(1); err == nil && i < 2*int64(areas) && size > 0; i++ {
		_, err = mmap(unsafe.Add(base, layout.HeaderArea+i*size), uintptr(size), rw, fixed, fd, layout.HeaderArea+i/2*size)
	}
	if err != nil {
		unmap(mem)
		return nil, err
	}
	return mem, nil
}

// mapOver replaces a mapping of a file that is mapped once by the same of another description.
func mapOver(mem []byte, fd int) error {
	_, err := mmap(unsafe.Pointer(unsafe.SliceData(mem)), uintptr(len(mem)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_FIXED, fd, 0)
	return err
}

func mappedLength(data int64, areas int) int64 {
	if areas > 0 {
		return layout.HeaderArea + 2*data
	}
	return layout.HeaderArea + data
}

// areasOf is what mapFile needs to know of a file with these flags.
func areasOf(flags layout.Flags, twice bool) int {
	switch {
	case !twice:
		return 0
	case flags&layout.Duplex != 0:
		return 2
	}
	return 1
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
