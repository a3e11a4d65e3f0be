// Package futex is the operating system's floor under every wait: sleep on a 32-bit word while it
// holds a value, and wake those who do. Words lie in shared mappings, so the calls are the
// process-shared ones.
//
// See futex(2). Nothing here loops or decides; package park does.
package futex

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	_ "github.com/polyipc/polyipc/runtime/internal/layout" // says where polyipc does not run
)

const (
	opWait = 0
	opWake = 1
)

// MaxWait bounds one sleep. A wait always has a timeout, because only then does a signal end it
// with EINTR also where the handler was installed with SA_RESTART.
const MaxWait = time.Hour

// Wait sleeps while *w holds val, at most d (cut to MaxWait). It returns nil after a wake, which
// may be spurious, unix.EAGAIN if the word held something else, unix.ETIMEDOUT, unix.EINTR, or
// unix.EFAULT if the word's page is gone.
//
// The call goes through the scheduler-aware system call: a raw one would pin the processor, and
// with GOMAXPROCS=1 stop the whole program for as long as it sleeps.
func Wait(w *atomic.Uint32, val uint32, d time.Duration) error {
	if d <= 0 {
		return unix.ETIMEDOUT
	}
	ts := unix.NsecToTimespec(int64(min(d, MaxWait)))
	_, _, e := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), opWait, uintptr(val),
		uintptr(unsafe.Pointer(&ts)), 0, 0)
	if e == 0 {
		return nil
	}
	return e
}

// Wake wakes at most n sleepers and returns how many it woke.
func Wake(w *atomic.Uint32, n int) int {
	// Waking never sleeps, so the raw call's lower cost is free of charge.
	r, _, e := unix.RawSyscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), opWake, uintptr(min(n, 1<<30)))
	if e != 0 {
		return 0
	}
	return int(r)
}
