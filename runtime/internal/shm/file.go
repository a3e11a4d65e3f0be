package shm

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
)

// This file is the operating system as the rest of the package sees it: descriptors, locks, sleep.
// Raw system calls only: os.File and time.Sleep would start Go's poller, whose descriptors leak
// into every forked child of a host process.

// OnDescriptor, if set, is told of every descriptor this package opens, before a lock is taken
// through it, and of its closing, after. A forked child must close the ones it does not adopt: it
// shares their locks. Set before first use; nil in programs that never fork without exec.
var OnDescriptor func(fd int, open bool)

// Forks, if set, returns how often this process was about to fork. A fork between an open and
// OnDescriptor leaves a child with a descriptor that it was not told of; then we open again.
var Forks func() uint64

// Patience bounds how long a call waits for another process in the middle of removing a file,
// which takes microseconds unless that process is stopped. On a machine so loaded that we come to
// fewer than patientTries in that time, the other process comes to little, too: then it takes longer.
const (
	Patience     = time.Second
	patientTries = 150
)

const (
	userLock = 0 // shared: a user of the object; exclusive: the one who removes it
	nameLock = 1 // exclusive: who takes the file's name away
)

// ErrBusy is what TryLock returns when others hold a lock that excludes the one asked for.
var ErrBusy = errors.New("another process holds the file's lock")

// openFile opens path for this package.
func openFile(path string, flags int, mode uint32) (int, error) {
	return OpenFile(path, flags, mode, OnDescriptor)
}

func closeFile(fd int) { CloseFile(fd, OnDescriptor) }

// OpenFile opens path, close-on-exec and never through a symbolic link, and tells hook, which may
// be nil. The error is the operating system's.
func OpenFile(path string, flags int, mode uint32, hook func(fd int, open bool)) (int, error) {
	for {
		before := ForkCount()
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NOCTTY|unix.O_NONBLOCK, mode)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return -1, err
		}
		if hook == nil {
			return fd, nil
		}
		hook(fd, true)
		if ForkCount() == before {
			return fd, nil
		}
		CloseFile(fd, hook)
	}
}

// Dup makes another descriptor of fd's description, close-on-exec and not of those that programs have for their
// input and output.
func Dup(fd int) (int, error) {
	for {
		n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
		if err == unix.EINTR {
			continue
		}
		if err == nil && OnDescriptor != nil {
			OnDescriptor(n, true)
		}
		return n, err
	}
}

// UUIDOf reads of which object an open file is; CORRUPT if it is none of ours.
func UUIDOf(fd int) ([16]byte, error) {
	st, err := fstat(fd)
	var h layout.Header
	if err == nil {
		h, err = readHeader(fd)
	}
	if err == nil {
		err = h.CheckFile(st.Size)
	}
	return h.UUID, err
}

// CloseFile closes fd and tells hook. The error of close is of no use: the descriptor is gone in
// any case.
func CloseFile(fd int, hook func(fd int, open bool)) {
	_ = unix.Close(fd)
	if hook != nil {
		hook(fd, false)
	}
}

// ForkCount calls Forks if there is one.
func ForkCount() uint64 {
	if Forks == nil {
		return 0
	}
	return Forks()
}

// TryLock takes a lock of typ (F_RDLCK, F_WRLCK) on one byte for fd's description, or returns
// ErrBusy.
func TryLock(fd int, typ int16, at int64) error {
	for {
		err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &unix.Flock_t{Type: typ, Start: at, Len: 1})
		switch err {
		case unix.EINTR:
		case unix.EAGAIN, unix.EACCES:
			return ErrBusy
		default:
			return err
		}
	}
}

// waitLock is TryLock with Patience.
func waitLock(fd int, typ int16, at int64) error {
	for p := newPatience(); ; {
		err := TryLock(fd, typ, at)
		if err != ErrBusy || !p.again() {
			return err
		}
	}
}

// Holder returns the strongest lock that others than fd's description hold on one byte:
// F_UNLCK, F_RDLCK or F_WRLCK.
func Holder(fd int, at int64) (int16, error) {
	for {
		l := unix.Flock_t{Type: unix.F_WRLCK, Start: at, Len: 1}
		err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, &l)
		if err != unix.EINTR {
			return l.Type, err
		}
	}
}

// patience counts Patience down in short sleeps.
type patience struct {
	until time.Time
	nap   time.Duration
	tries int
}

func newPatience() *patience {
	return &patience{until: time.Now().Add(Patience), nap: 50 * time.Microsecond, tries: patientTries}
}

func (p *patience) again() bool {
	if p.tries--; p.tries < 0 && !time.Now().Before(p.until) {
		return false
	}
	ts := unix.NsecToTimespec(int64(p.nap))
	_ = unix.Nanosleep(&ts, nil) // cut short by a signal: then we try a little earlier
	p.nap = min(2*p.nap, 5*time.Millisecond)
	return true
}

func fstat(fd int) (st unix.Stat_t, err error) {
	for {
		if err = unix.Fstat(fd, &st); err != unix.EINTR {
			return st, err
		}
	}
}

// names reports whether path still names the file that st describes.
func names(path string, st *unix.Stat_t) (bool, error) {
	var now unix.Stat_t
	err := unix.Lstat(path, &now)
	if err == unix.ENOENT {
		return false, nil
	}
	return err == nil && now.Dev == st.Dev && now.Ino == st.Ino, err
}

// readHeader reads the first bytes of a file of any sort. What a short file lacks is zero, which
// no check lets pass.
func readHeader(fd int) (h layout.Header, err error) {
	_, err = ReadAt(fd, layout.Bytes(&h), 0)
	return h, err
}

// ReadAt reads until b is full or the file ends, and returns how much it read.
func ReadAt(fd int, b []byte, off int64) (n int, err error) {
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

func unlink(path string) error {
	for {
		if err := unix.Unlink(path); err != unix.EINTR {
			return err
		}
	}
}

// WriteAt writes all of vec, one after the other, at off.
func WriteAt(fd int, off int64, vec ...[]byte) error {
	const most = 1024 // IOV_MAX
	vec = append([][]byte(nil), vec...)
	for {
		for len(vec) > 0 && len(vec[0]) == 0 {
			vec = vec[1:]
		}
		if len(vec) == 0 {
			return nil
		}
		n, err := unix.Pwritev(fd, vec[:min(len(vec), most)], off)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		off += int64(n)
		for n > 0 {
			m := min(n, len(vec[0]))
			if vec[0] = vec[0][m:]; len(vec[0]) == 0 {
				vec = vec[1:]
			}
			n -= m
		}
	}
}
