package manager

import (
	"context"
	"errors"
	"sync"
)

// Serve does the calls of what this client hosts, beside each other, until ctx ends or the connection does. Then it waits for
// those under way, whose contexts end. A call may begin a few milliseconds late if the one before it, against all experience
// of late, takes long. ipcerr.Timeout, ipcerr.Cancelled, ipcerr.PeerDied, ipcerr.Closed.
func (c *Client) Serve(ctx context.Context) error { return c.serve(ctx, c.hosts()) }

// pulling are the goroutines that Serve has. Each does the calls that it pulls; who leaves none waiting for calls starts
// another first. To hand each call to a goroutine of its own would wake a thread for it.
type pulling struct {
	c   *Client
	h   *hosting
	ctx context.Context // of all calls
	end context.CancelCauseFunc
	all sync.WaitGroup

	mu   sync.Mutex
	idle int // wait for a call, or are about to
	err  error
}

// mostIdle is how many wait for calls at most: more are of no use.
const mostIdle = 4

func (c *Client) serve(ctx context.Context, h *hosting) error {
	p := &pulling{c: c, h: h}
	p.ctx, p.end = context.WithCancelCause(ctx)
	p.mu.Lock()
	p.start()
	p.mu.Unlock()
	p.all.Wait()
	return p.err
}

// start starts one more. Under mu.
func (p *pulling) start() {
	p.idle++
	p.all.Go(p.pull)
}

func (p *pulling) pull() {
	for more := true; more; more = p.back() {
		told, _, err := p.c.nextCall(p.ctx, p.h.version, -1)
		if err != nil {
			p.failed(err)
			return
		}
		p.mu.Lock()
		if p.idle--; p.idle == 0 {
			p.start()
		}
		p.mu.Unlock()
		switch told.What {
		case HostedDrop:
			p.h.drop(told.Object)
		case HostedCancel:
			p.cancel(told.Call)
		case HostedCall:
			p.do(&told)
		}
	}
}

// back reports whether one that has done its call waits for the next.
func (p *pulling) back() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle >= mostIdle {
		return false
	}
	p.idle++
	return true
}

// failed ends all, with the first reason.
func (p *pulling) failed(err error) {
	p.mu.Lock()
	if p.err == nil {
		p.err = err
	}
	p.mu.Unlock()
	p.end(err)
}

var errGivenUp = errors.New("the caller gave the call up, or is gone")

// do does a call.
func (p *pulling) do(told *Hosted) {
	h := p.h
	ctx, cancel := context.WithCancelCause(p.ctx)
	h.mu.Lock()
	h.running[told.Call] = cancel
	if _, early := h.early[told.Call]; early {
		cancel(errGivenUp)
	}
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.running, told.Call)
		delete(h.early, told.Call)
		h.mu.Unlock()
		cancel(nil)
	}()
	p.c.hostedCall(ctx, h, told)
}

// cancel tells a call that its caller gave it up, or is gone. Another goroutine may have pulled it and not begun. It
// is looked for under the lock with which its end is noted, so that of a call that has ended nothing stays.
func (p *pulling) cancel(call uint64) {
	h := p.h
	h.mu.Lock()
	defer h.mu.Unlock()
	if cancel := h.running[call]; cancel != nil {
		cancel(errGivenUp)
	} else if p.c.unanswered(call) {
		h.early[call] = struct{}{}
	}
}
