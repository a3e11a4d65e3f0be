package park

import (
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/futex"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// A lock word is {waiters:1, owner token:31}, 0 when free. Owner and lock are the same word, so
// there is no moment in which a lock is taken and nobody knows by whom.
const (
	waiters = 1 << 31
	owner   = waiters - 1
)

// lockSlice bounds the first sleep on a lock word, longSlice further ones: after it the owner's life is
// looked at again. Who slept for lockSlice waits for a user, not for a ring. Tests lengthen them, so that a
// lost wake is a hang.
var (
	lockSlice = 20 * time.Millisecond
	longSlice = 50 * time.Millisecond
)

// lockSpin is how many rounds a lock is spun for; critical sections take some 50 ns.
const lockSpin = 50

// TryLock takes the free lock w for me.
func TryLock(w *atomic.Uint32, me uint32) bool { return w.CompareAndSwap(0, me) }

// Unlock frees the lock and wakes one waiter if there is one.
//
// Killed behind the swap, before the wake: the waiter's slice ends within 20 ms, or 50 ms.
func Unlock(w *atomic.Uint32) {
	if w.Swap(0)&waiters != 0 {
		crash.Point("park.unlock.wake")
		futex.Wake(w, 1)
	}
}

// Release is Unlock for locks that anybody may free; false if it is free. Two who release at once can't both free
// it: the second meets a free lock, or its next owner's, which it frees as it was told to.
func Release(w *atomic.Uint32) bool {
	for {
		v := w.Load()
		if v&owner == 0 {
			return false
		}
		if w.CompareAndSwap(v, 0) {
			if v&waiters != 0 {
				crash.Point("park.release.wake")
				futex.Wake(w, 1)
			}
			return true
		}
	}
}

// Lock takes w for me, waiting until deadline (zero: without limit). alive tells whether a token's
// process lives. tookOver means that the owner had died: the caller holds the lock and must repair
// what it protects, whether or not another rescuer already did, because that one may have died too.
//
// stop is asked before every sleep, and told whether a signal ended the one before; its error ends
// the wait. sit is called before the first sleep, its result at the end.
//
// The other errors are ipcerr.Timeout, and ipcerr.Corrupt if the word's page is gone.
func Lock(w *atomic.Uint32, me uint32, alive func(uint32) bool, deadline time.Time,
	stop func(signalled bool) error, sit func() func()) (tookOver bool, err error) {
	if w.CompareAndSwap(0, me) {
		return false, nil
	}
	if !alone {
		for range lockSpin {
			pause(20)
			if w.Load() == 0 && w.CompareAndSwap(0, me) {
				return false, nil
			}
		}
	}
	var rise func()
	defer func() {
		if rise != nil {
			rise()
		}
	}()
	slice := lockSlice
	for signalled := false; ; {
		v := w.Load()
		if v&owner == 0 {
			// Others may sleep, and only who held the lock before knew: assume so.
			if w.CompareAndSwap(v, me|waiters) {
				return false, nil
			}
			continue
		}
		if v&owner == me {
			runtime.Gosched() // a goroutine of mine holds it, maybe one that waits for this thread
		} else if !alive(v & owner) {
			if w.CompareAndSwap(v, me|waiters) {
				crash.Point("park.lock.took_over")
				return true, nil
			}
			continue
		}
		if v&waiters == 0 && !w.CompareAndSwap(v, v|waiters) {
			continue
		}
		d := slice
		if !deadline.IsZero() {
			left := time.Until(deadline)
			if left <= 0 {
				return false, ipcerr.Timeout
			}
			d = min(d, left)
		}
		if err := stop(signalled); err != nil {
			return false, err
		}
		if rise == nil {
			rise = sit()
		}
		err := futex.Wait(w, v|waiters, d)
		if err == unix.EFAULT {
			return false, ipcerr.Corrupt
		}
		signalled = err == unix.EINTR
		slice = longSlice
	}
}

// Holder is the token in a lock word, 0 when it is free, and whether others wait for it.
func Holder(w *atomic.Uint32) (token uint32, contended bool) {
	v := w.Load()
	return v & owner, v&waiters != 0
}
