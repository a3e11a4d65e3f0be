// Package park waits. It holds the only blocking loops of the runtime: Lock, for lock words with
// an owner in them, and Wait, for wait words, which tell sleepers that something changed.
//
// A wait word is {sequence:31, flag:1}. The flag says that somebody sleeps or is about to; a waker
// that finds it takes it away, counts the sequence up, and wakes. Flag and sequence share the
// word, so that a sleeper who has just set the flag cannot miss the waker who has just cleared it:
//
//	sleeper                              waker
//	v = word | flag       (CAS)
//	try: nothing there                   commits a message
//	                                     sees the flag: word = sequence+1, no flag
//	futex wait on v: EAGAIN, try again   futex wake
//
// Had the flag a word of its own, the waker could clear it between the sleeper's try and its
// wait on a sequence read too late, and the sleeper would miss a message that is there.
//
// One window no wake covers: a waker killed between commit and wake. So nobody sleeps longer
// than a slice, which the caller chooses by what it knows.
package park

import (
	"context"
	"errors"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/futex"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

const flag = 1

// InterruptEvery is how long an interruptible wait lasts at most: a signal that came just before
// the sleep does not end it.
const InterruptEvery = 200 * time.Millisecond

// Interruptible is implemented by a context whose owner wants waits to end with
// ipcerr.Interrupted when a signal arrived, to run its handlers and come back.
type Interruptible interface{ Interruptible() bool }

// Waiter is what a wait needs to know of the object. Its functions are called in a loop, without
// any lock held by park.
type Waiter struct {
	Word  *atomic.Uint32       // the wait word
	Spin  *Spin                // adapts how long to spin; nil: not at all
	Hint  func() bool          // cheap: may a try succeed? Called while spinning
	Try   func() (bool, error) // done, or an error that ends the wait
	Slice func() time.Duration // the longest sleep that is safe now
	Gone  func() error         // not nil: the handle was closed
	Sit   func() func()        // optional: before the first sleep; the result is called at the end
	// Pass is called when the wait succeeded after a sleep, or found what is too large for this one:
	// the wake that ended it may have been meant for more than one.
	Pass func()
}

// Wait tries until it succeeds, fails, or ctx ends. The first thing it does is to spin: the caller
// has tried already. A message is taken and returned, or none is taken: ctx is looked at only
// after a failed try.
func Wait(ctx context.Context, w *Waiter) error {
	var spun time.Time
	if w.Spin != nil {
		spun = time.Now()
		if done, err := w.Spin.run(w.Hint, w.Try); done || err != nil {
			return err
		}
	}
	var (
		deadline, limited = ctx.Deadline()
		interruptible     = false
		slept             = false
		began             time.Time
	)
	if i, ok := ctx.(Interruptible); ok {
		interruptible = i.Interruptible()
	}
	if interruptible {
		began = time.Now()
	}
	if ctx.Done() != nil {
		defer kickWhenDone(ctx, w.Word)()
	}
	if w.Sit != nil {
		defer w.Sit()()
	}
	for {
		v := arm(w.Word)
		done, err := w.Try()
		if done || err != nil {
			if slept && w.Pass != nil && (done || ipcerr.CodeOf(err) == ipcerr.TooSmall) {
				w.Pass()
			}
			if done && slept && w.Spin != nil {
				w.Spin.learn(time.Since(spun))
			}
			return err
		}
		if err := w.Gone(); err != nil {
			return err
		}
		if err := Ended(ctx); err != nil {
			return err
		}
		d := w.Slice()
		if limited {
			left := time.Until(deadline)
			if left <= 0 {
				return ipcerr.Timeout
			}
			d = min(d, left)
		}
		if w.Spin != nil && !slept {
			w.Spin.yield()
		}
		err = futex.Wait(w.Word, v, d)
		slept = true
		if err == unix.EFAULT {
			return ipcerr.Corrupt
		}
		if interruptible && (err == unix.EINTR || time.Since(began) > InterruptEvery) {
			// Tried once more, so that a wake which came together with the signal is not lost.
			if done, err := w.Try(); done || err != nil {
				if done && w.Pass != nil {
					w.Pass()
				}
				return err
			}
			return ipcerr.Interrupted
		}
	}
}

// kickWhenDone makes the sleepers on w look up when ctx ends. The result undoes it; behind it
// nothing touches w any more, which may be unmapped then.
func kickWhenDone(ctx context.Context, w *atomic.Uint32) func() {
	kicked := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(kicked)
		debug.SetPanicOnFault(true) // the file may have been truncated; the sleeper will tell
		defer func() { _ = recover() }()
		Kick(w) // moves the sequence on, so that a wait about to begin does not
	})
	return func() {
		if !stop() {
			<-kicked
		}
	}
}

// Ended is the code for the end of a context, nil while it goes on. A cause that the canceller gave comes with it,
// in an error whose operation and object are still to be filled in.
func Ended(ctx context.Context) error {
	switch err := ctx.Err(); {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return ipcerr.Timeout
	default:
		if cause := context.Cause(ctx); cause != context.Canceled {
			return &ipcerr.Error{Code: ipcerr.Cancelled, Err: cause}
		}
		return ipcerr.Cancelled
	}
}

// arm sets the word's flag and returns the value to sleep on. The compare-and-swap is also the
// full fence between announcing the sleep and the last try.
func arm(w *atomic.Uint32) uint32 {
	for {
		v := w.Load()
		if w.CompareAndSwap(v, v|flag) {
			return v | flag
		}
	}
}

// Wake wakes up to n sleepers if there are any: n messages were committed. With nobody asleep
// it costs one load. The caller's commit must be a sequentially consistent store.
//
// Killed behind the swap, before the wake: the sleepers' slices end, and they try.
func Wake(w *atomic.Uint32, n int) {
	v := w.Load()
	if v&flag == 0 {
		return
	}
	wake(w, v, n)
}

func wake(w *atomic.Uint32, v uint32, n int) {
	for !w.CompareAndSwap(v, (v|flag)+1) { // sequence+1, no flag
		if v = w.Load(); v&flag == 0 {
			return // another waker took the flag; it wakes
		}
	}
	if futex.Wake(w, n) < n {
		return
	}
	// As many as asked for woke: there may be more, who must not be forgotten.
	arm(w)
}

// WakeAll wakes all sleepers.
func WakeAll(w *atomic.Uint32) { Wake(w, 1<<30) }

// Kick makes every sleeper try again, also one that is just about to sleep.
func Kick(w *atomic.Uint32) {
	for {
		v := w.Load()
		if w.CompareAndSwap(v, (v|flag)+1) {
			break
		}
	}
	futex.Wake(w, 1<<30)
}

// Sleeping reports whether the word's flag is set: somebody sleeps, or did lately.
func Sleeping(w *atomic.Uint32) bool { return w.Load()&flag != 0 }
