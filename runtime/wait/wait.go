// Package wait waits for the first of many things: objects of any kind, child processes, plain descriptors.
//
//	ready, err := wait.Any(ctx, jobs.Readable(), results.Writable(), child, wait.Read(fd))
//
// What the objects of polyipc can be waited for is a method of theirs, such as Readable of a queue. For a select
// statement there is [Start].
//
// Ready means that a try would not say "empty" or "full" at that moment, whatever else it says: also what is
// shut down, at its end or broken is ready. Another process may be quicker; so who must not wait tries.
package wait

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Waitable is what can be waited for. Objects of polyipc are compared as pointers are: a queue returns the same
// Waitable each time.
type Waitable interface {
	// PollFD returns a descriptor for poll, epoll and select, which is readable when the thing may be ready. It
	// is made on the first call, and closed with the object that it belongs to.
	PollFD() (int, error)
	// Ready reports whether the thing is ready, and sees to it that its descriptor says the same.
	Ready() (bool, error)
}

// holder is a Waitable that can be closed while somebody waits for it. Hold keeps its descriptor open until release is
// called; after a close, which makes it readable, Ready fails.
type holder interface {
	Hold() (release func(), err error)
}

// mortal is one whose descriptor a close cannot make readable: it is asked now and then.
type mortal interface {
	Gone() error
}

// askEvery is how often.
const askEvery = 100 * time.Millisecond

// descriptor is a plain descriptor, with what it is waited for.
type descriptor struct {
	fd     int
	events int16
}

// Read waits until fd, which is none of polyipc's, can be read from without waiting. Its end and its errors count.
func Read(fd int) Waitable { return descriptor{fd, unix.POLLIN} }

// Write waits until fd can be written to without waiting. Errors count.
func Write(fd int) Waitable { return descriptor{fd, unix.POLLOUT} }

func (d descriptor) PollFD() (int, error) { return d.fd, nil }
func (d descriptor) Ready() (bool, error) { return true, nil } // poll has just said so

// Never is what cannot be waited for, since err stands in the way.
func Never(err error) Waitable { return never{err} }

type never struct{ err error }

func (n never) PollFD() (int, error) { return -1, n.err }
func (n never) Ready() (bool, error) { return false, n.err }

// Any waits until one of the things is ready, and returns the places of all that are, in order. Errors are those of the
// things; ipcerr.Timeout (also context.DeadlineExceeded) and ipcerr.Cancelled (also context.Canceled) for the end of
// ctx, with which a first look is taken all the same; ipcerr.Invalid for a descriptor that is not open.
func Any(ctx context.Context, things ...Waitable) (ready []int, err error) {
	fds := make([]unix.PollFd, len(things), len(things)+1)
	w := newSleep(ctx)
	for i, t := range things {
		if h, ok := t.(holder); ok {
			release, err := h.Hold()
			if err != nil {
				return nil, err
			}
			defer release()
		}
		if m, ok := t.(mortal); ok {
			w.mortals = append(w.mortals, m)
		}
		if fds[i], err = pollFd(t); err != nil {
			return nil, err
		}
	}
	if ctx.Done() != nil {
		fd, stop, err := wakeWhenDone(ctx)
		if err != nil {
			return nil, err
		}
		defer stop()
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	for {
		n, err := w.poll(fds)
		if n > 0 {
			if ready, err = confirm(things, fds); len(ready) > 0 || err != nil {
				return ready, err
			}
		}
		if err = w.over(err); err != nil {
			return nil, err
		}
	}
}

func pollFd(t Waitable) (unix.PollFd, error) {
	fd, err := t.PollFD()
	p := unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	if d, ok := t.(descriptor); ok {
		p.Events = d.events
	}
	if err == nil && fd < 0 { // poll would pass over it
		err = badDescriptor(fd)
	}
	return p, err
}

func badDescriptor(fd int) error {
	return &ipcerr.Error{Op: "wait for many", Code: ipcerr.Invalid, Hint: fmt.Sprintf("descriptor %d is not open", fd)}
}

// confirm asks those whose descriptors are readable: others may have been quicker.
func confirm(things []Waitable, fds []unix.PollFd) (ready []int, err error) {
	for i, t := range things {
		switch {
		case fds[i].Revents == 0:
			continue
		case fds[i].Revents&unix.POLLNVAL != 0:
			return nil, badDescriptor(int(fds[i].Fd))
		}
		yes, err := t.Ready()
		if err != nil {
			return nil, err
		}
		if yes {
			ready = append(ready, i)
		}
	}
	return ready, nil
}

// interruptEvery is how long a sleep lasts at most that signals may interrupt: one that came just before does not
// end it.
const interruptEvery = 200 * time.Millisecond

// longestSleep bounds one call of poll where nothing else does.
const longestSleep = time.Hour

// sleep is the time that is left to wait.
type sleep struct {
	ctx           context.Context
	deadline      time.Time
	limited       bool
	interruptible bool
	began         time.Time
	mortals       []mortal
}

func newSleep(ctx context.Context) *sleep {
	w := &sleep{ctx: ctx, began: time.Now()}
	w.deadline, w.limited = ctx.Deadline()
	if i, ok := ctx.(park.Interruptible); ok {
		w.interruptible = i.Interruptible()
	}
	return w
}

// poll sleeps until a descriptor is ready, at most for the time that is left.
func (w *sleep) poll(fds []unix.PollFd) (int, error) {
	d := longestSleep
	if w.interruptible {
		d = interruptEvery
	}
	if len(w.mortals) > 0 {
		d = min(d, askEvery)
	}
	if w.limited {
		d = min(d, max(0, time.Until(w.deadline)))
	}
	if park.Ended(w.ctx) != nil { // it also sees to it that there is room for a host's signal handlers
		d = 0
	}
	ts := unix.NsecToTimespec(int64(d))
	return unix.Ppoll(fds, &ts, nil)
}

// over ends the wait, if it must: err is what poll said.
func (w *sleep) over(err error) error {
	switch {
	case err == unix.EINVAL:
		return &ipcerr.Error{Op: "wait for many", Code: ipcerr.Limit, Err: err,
			Hint: "more descriptors than RLIMIT_NOFILE allows: raise it (ulimit -n) or wait for fewer"}
	case err != nil && err != unix.EINTR:
		return &ipcerr.Error{Op: "wait for many", Code: ipcerr.NoMemory, Err: err}
	}
	for _, m := range w.mortals {
		if err := m.Gone(); err != nil {
			return err
		}
	}
	if err := park.Ended(w.ctx); err != nil {
		return ended(err)
	}
	if w.limited && time.Until(w.deadline) <= 0 {
		return ended(ipcerr.Timeout)
	}
	if w.interruptible && (err == unix.EINTR || time.Since(w.began) > interruptEvery) {
		return ended(ipcerr.Interrupted)
	}
	return nil
}

func ended(err error) error {
	const op = "wait for many"
	if e, ok := err.(*ipcerr.Error); ok {
		e.Op = op
		return e
	}
	return &ipcerr.Error{Op: op, Code: ipcerr.CodeOf(err)}
}
