package shm

import (
	"math"

	"golang.org/x/sys/unix"
)

// Volume is what a root's filesystem is like.
type Volume struct {
	InMemory bool   // a tmpfs
	Nameless bool   // files can be made without a name
	Free     int64  // bytes that we may take
	Inodes   int64  // files that we may make
	Memory   int64  // bytes of memory left within the nearest limit; only a tmpfs takes memory
	MemoryOf string // whose limit that is
}

// Volume looks at the root's filesystem, and changes nothing.
func (r *Root) Volume() (v Volume, err error) {
	fs, err := r.statfs()
	if err != nil {
		return v, fail("look at filesystem", r.path, err, "")
	}
	v.InMemory = uint32(fs.Type) == tmpfsMagic
	v.Free, v.Inodes = int64(fs.Bavail)*fs.Bsize, int64(fs.Ffree)
	if fs.Blocks == 0 { // a tmpfs without a limit of its own
		v.Free = math.MaxInt64
	}
	if fs.Files == 0 {
		v.Inodes = math.MaxInt64
	}
	v.Memory, v.MemoryOf = memoryLeft()
	if fd, err := openFile(r.path, unix.O_TMPFILE|unix.O_RDWR, r.mode()); err == nil {
		v.Nameless = true
		closeFile(fd)
	}
	return v, nil
}

// HasProc reports whether /proc is mounted.
func HasProc() bool { return readSmall(procDir+"/self/stat") != "" }
