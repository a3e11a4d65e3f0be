package manager

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// lookEvery is how long a read lasts before the reader asks whether the server lives: a forked child of it may keep
// the line open.
const lookEvery = 90 * time.Millisecond

// waiter is a goroutine that waits while another one reads.
type waiter struct{ word, due atomic.Uint32 }

func (w *waiter) wake() {
	w.due.Store(1)
	park.Kick(&w.word)
}

// waiters are some of them.
type waiters []*waiter

func (ws *waiters) add(w *waiter) { *ws = append(*ws, w) }

func (ws *waiters) remove(w *waiter) {
	for i, other := range *ws {
		if other == w {
			*ws = append((*ws)[:i], (*ws)[i+1:]...)
			return
		}
	}
}

func (ws *waiters) wakeAll() {
	for _, w := range *ws {
		w.wake()
	}
}

// wait waits under mu until ready says so, or ctx ends, or the line is lost. for are those who are woken when it may be
// ready. One reads; the others sleep.
func (c *Client) wait(ctx context.Context, ws *waiters, ready func() bool) error {
	var (
		w     *waiter
		quiet time.Duration // how long reads took that ended without a frame
	)
	for {
		if ready() {
			if ws == &c.callees {
				c.leave()
			} else {
				c.handOn()
			}
			return nil
		}
		if c.line == nil {
			return c.lost
		}
		sleeps, tick := c.reading, time.Duration(0)
		if w != nil && ws == &c.callees {
			sleeps, tick = c.stands(w)
		}
		if sleeps {
			if w == nil {
				w = &waiter{}
			}
			err := c.sleep(ctx, ws, w, tick)
			if quiet += tick; err == nil && quiet > park.InterruptEvery && mayInterrupt(ctx) {
				err = ipcerr.Interrupted // a signal may have come in a tick, or between two
			}
			if err != nil && !ready() {
				c.handOn()
				return c.ended(err)
			}
			continue
		}
		c.standby.pulls = ws == &c.callees
		err := c.read(ctx, &quiet)
		c.standby.pulls = false
		if err != nil {
			if ready() {
				err = nil
			}
			c.handOn()
			return err
		}
	}
}

// sleep waits until w is woken, or a tick is over, or ctx ends; a tick of 0 is none. Under mu, which is free meanwhile.
func (c *Client) sleep(ctx context.Context, ws *waiters, w *waiter, tick time.Duration) error {
	ws.add(w)
	c.idle.add(w)
	c.mu.Unlock()
	slice, slept := time.Minute, false
	if tick > 0 {
		slice = tick
	}
	err := park.Wait(ctx, &park.Waiter{
		Word: &w.word, Try: func() (bool, error) { return w.due.Swap(0) != 0 || tick > 0 && slept, nil },
		Slice: func() time.Duration { slept = true; return slice }, Gone: func() error { return nil },
	})
	c.mu.Lock()
	ws.remove(w)
	c.idle.remove(w)
	if c.standby.deputy == w {
		c.standby.deputy = nil
	}
	return err
}

func (c *Client) ended(err error) error {
	return &ipcerr.Error{Op: "call manager", Name: c.name, Code: ipcerr.CodeOf(err)}
}

// handOn lets another one read, if somebody waits.
func (c *Client) handOn() {
	if !c.reading && len(c.idle) > 0 {
		c.standby.left = 0
		c.idle[0].wake()
	}
}

// read reads one frame, if one comes soon. Under mu, which is free meanwhile. An error says that ctx has ended.
func (c *Client) read(ctx context.Context, quiet *time.Duration) error {
	l, version := c.line, c.version
	c.reading, c.standby.left = true, 0
	c.mu.Unlock()
	slice := &c.slice
	*slice = sliced{Context: ctx}
	n, err := l.recv(slice, c.in)
	code := ipcerr.CodeOf(err)
	dead := code == ipcerr.Timeout && !l.alive()
	c.mu.Lock()
	c.reading = false
	if version != c.version || c.line == nil {
		return nil
	}
	switch {
	case code == ipcerr.Timeout && !dead:
		if d, ok := ctx.Deadline(); ok && !time.Now().Before(d) {
			return c.ended(ipcerr.Timeout)
		}
		if err := park.Ended(ctx); err != nil {
			return c.ended(err)
		}
		if *quiet += lookEvery; mayInterrupt(ctx) && *quiet > park.InterruptEvery-lookEvery {
			return c.ended(ipcerr.Interrupted) // a signal may have come between two slices
		}
	case code == ipcerr.Interrupted || code == ipcerr.Cancelled:
		return c.ended(code)
	default:
		c.came(n, err)
	}
	return nil
}

// came takes what a line's recv returned. Under mu.
func (c *Client) came(n int, err error) {
	switch {
	case err == nil:
		if err := c.take(c.in[:n]); err != nil {
			c.lose(ipcerr.PeerDied) // nonsense
		}
		if len(c.in) > 1<<20 {
			c.in = make([]byte, 4096)
		}
	case ipcerr.CodeOf(err) == ipcerr.TooSmall && n <= int(c.welcome.Frame)+64:
		c.in = make([]byte, n)
	default:
		c.lose(ipcerr.PeerDied)
	}
}

// sliced is a context that ends early: lookEvery after it was first asked when, which who has a frame already, or needs
// only spin for it, does not.
type sliced struct {
	context.Context
	until time.Time
}

// Deadline is the nearer one.
func (s *sliced) Deadline() (time.Time, bool) {
	if s.until.IsZero() {
		s.until = time.Now().Add(lookEvery)
	}
	if d, ok := s.Context.Deadline(); ok && d.Before(s.until) {
		return d, true
	}
	return s.until, true
}

// Interruptible is that of the whole.
func (s *sliced) Interruptible() bool { return mayInterrupt(s.Context) }

func mayInterrupt(ctx context.Context) bool {
	i, ok := ctx.(park.Interruptible)
	return ok && i.Interruptible()
}

// take hands a frame to whom it is for. Under mu.
func (c *Client) take(data []byte) error {
	s := &c.scan
	kind, id, left, err := frame.Head(s, data)
	if err != nil {
		return err
	}
	switch kind {
	case frame.Result, frame.Grant:
		v, err := s.Value()
		if err != nil {
			return err
		}
		c.answered(id, append([]byte(nil), v...), s.Refs, nil, kind == frame.Grant)
	case frame.Error:
		f, err := frame.ReadFailure(s)
		if err != nil {
			return err
		}
		c.answered(id, nil, false, errorOf(f, c.name), false)
	case frame.Event:
		v, err := s.Value()
		if err != nil {
			return err
		}
		sub := c.subscription(id)
		sub.came(append([]byte(nil), v...))
		c.noteEvents(id, sub)
	case frame.CallHost:
		return c.called(s, id, left)
	case frame.Cancel:
		c.host(Hosted{What: HostedCancel, Call: id})
	case frame.Drop:
		c.host(Hosted{What: HostedDrop, Object: id})
	default:
		return ipcerr.Invalid
	}
	return nil
}
