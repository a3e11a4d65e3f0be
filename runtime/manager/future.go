package manager

import (
	"context"
	"runtime"
	"sync"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Future is a call under way. Its methods may be called from any goroutine. One that the garbage collector takes is given up.
type Future struct {
	client *Client
	id     uint64
	turn   chan struct{} // holds one thing, which is taken by who asks for the answer
	done   chan struct{} // closed when the answer is there
	err    error

	mu     sync.Mutex
	answer answer
}

// Go begins a call and does not wait for its result. Up to 1,024 calls of a client may be under way. ctx bounds the wait for
// room on the way to the server only. Errors are those of Object.Call.
func (c *Client) Go(ctx context.Context, o Object, method string, args ...any) (*Future, error) {
	a := argsOf(args...)
	defer a.free()
	if err := o.usable(); err != nil {
		return nil, err
	}
	if o.h.client != c {
		return nil, invalid("call object", o.Type(), "it is another client's")
	}
	if a.err != nil {
		return nil, a.err
	}
	id, err := c.begin(ctx, &Call{Object: o.h.number, Method: method, Args: a.b, version: o.h.version}, nil)
	runtime.KeepAlive(o.h)
	if err != nil {
		return nil, err
	}
	f := &Future{client: c, id: id, turn: make(chan struct{}, 1), done: make(chan struct{})}
	f.turn <- struct{}{}
	runtime.AddCleanup(f, func(id uint64) { go c.Forget(id) }, id) // nobody will ask: it may wait for room
	return f, nil
}

// wait waits for the answer.
func (f *Future) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return nil
	case <-f.turn:
	case <-ctx.Done():
		return &ipcerr.Error{Op: "wait for result", Code: endOf(ctx), Err: ctx.Err()}
	}
	defer func() { f.turn <- struct{}{} }()
	select {
	case <-f.done:
		return nil
	default:
	}
	a, _, err := f.client.finish(ctx, f.id, -1, false)
	if err != nil && f.client.pending(f.id) {
		return err
	}
	f.answer, f.err = a, err
	close(f.done)
	return nil
}

func endOf(ctx context.Context) ipcerr.Code {
	if ctx.Err() == context.DeadlineExceeded {
		return ipcerr.Timeout
	}
	return ipcerr.Cancelled
}

// Result waits for the result until ctx ends, which does not end the call. It may be asked for again. Errors are those of
// Object.Call; ipcerr.Cancelled for a call that was cancelled in time.
func (f *Future) Result(ctx context.Context) (any, error) { return Await[any](ctx, f) }

// Await is Future.Result as a T. Live objects in it can be fetched once: ipcerr.Invalid from then on.
func Await[T any](ctx context.Context, f *Future) (T, error) {
	var none T
	if err := f.wait(ctx); err != nil {
		return none, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return none, f.err
	}
	err := f.answer.into(&none)
	return none, err
}

// Cancel asks the server to give the call up. Result tells whether that came in time.
func (f *Future) Cancel() error {
	err := f.client.Cancel(f.id)
	if ipcerr.CodeOf(err) == ipcerr.Invalid { // it has ended
		return nil
	}
	return err
}

// Done returns a channel that is closed when the result is there, for select. It costs a goroutine.
func (f *Future) Done() <-chan struct{} {
	go func() { _ = f.wait(context.Background()) }()
	return f.done
}
