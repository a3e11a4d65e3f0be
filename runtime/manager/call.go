package manager

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Call says what to call: a method of an object, with a MessagePack array of arguments and a map of named ones; nil is
// an empty one.
type Call struct {
	Object uint64 // 0: the manager itself
	Method string
	Args   []byte
	Named  []byte
	Thread uint64 // who calls within this client, for what a thread owns: any number that stays the same
}

// call is one under way.
type call struct {
	done    bool
	granted bool // the result is to be confirmed
	watch   int  // 1: the result is a subscription; -1: this one ends
	sub     uint64
	result  []byte
	err     error
	waiters waiters
}

func (c *call) finish(result []byte, err error) {
	c.done, c.result, c.err = true, result, err
	c.waiters.wakeAll()
}

// RemoteError is a failure of an object's method. Its code is ipcerr.RemoteError.
type RemoteError struct {
	Type      string // of the exception, in Python's words: "KeyError"
	Message   string
	Traceback string // of who hosts the object; may be empty
}

// Error returns type and message.
func (e *RemoteError) Error() string {
	if e.Message == "" {
		return e.Type
	}
	return e.Type + ": " + e.Message
}

// Unwrap gives the code.
func (e *RemoteError) Unwrap() error { return ipcerr.RemoteError }

func errorOf(f frame.Failure, name string) error {
	if f.Code == ipcerr.RemoteError {
		return &RemoteError{f.Type, f.Message, f.Traceback}
	}
	return &ipcerr.Error{Op: "call manager", Name: name, Code: f.Code, Hint: f.Message}
}

// check sees that arguments are whole: else what follows them in the frame would be misread.
func (call *Call) check() error {
	for i, v := range [][]byte{call.Args, call.Named} {
		if len(v) == 0 {
			continue
		}
		var s codec.Scanner
		s.Reset(v)
		_, err := s.Value()
		if err == nil {
			err = s.End()
		}
		short, long := byte(0x90), byte(0xdc)
		if i == 1 {
			short, long = 0x80, 0xde
		}
		if err != nil || v[0]&0xf0 != short && v[0]&0xfe != long {
			return &ipcerr.Error{Op: "call manager", Name: call.Method, Code: ipcerr.Invalid, Err: err,
				Hint: [...]string{"args are one MessagePack array", "named arguments are one MessagePack map of text to values"}[i]}
		}
	}
	return nil
}

// Start begins a call and returns its number, for Finish and Cancel. Up to 1,024 may be under way. It waits only for room on
// the way to the server, until ctx ends.
//
// ipcerr.Timeout and ipcerr.Cancelled: nothing was sent; ipcerr.PeerDied, ipcerr.Limit, ipcerr.Invalid, ipcerr.TooLarge,
// ipcerr.Closed.
func (c *Client) Start(ctx context.Context, call *Call) (uint64, error) {
	if err := call.check(); err != nil {
		return 0, err
	}
	return c.begin(ctx, call, nil)
}

// Batch begins a batch: calls is a MessagePack array of [object, method, args] or [object, method, args, named], which the
// server does at one go, one after the other; none waits. The result is an array with [true, result] or
// [false, code, type, message, traceback] for each. Errors are those of Start.
func (c *Client) Batch(ctx context.Context, calls []byte, thread uint64) (uint64, error) {
	call := Call{Method: "batch", Args: calls, Thread: thread}
	if err := call.check(); err != nil {
		return 0, err
	}
	return c.begin(ctx, &call, func(dst []byte, id uint64) []byte {
		dst = codec.AppendUint(frame.Open(dst, frame.Batch, 4, id), thread)
		if len(calls) == 0 {
			return codec.AppendArray(dst, 0)
		}
		return append(dst, calls...)
	})
}

func (c *Client) begin(ctx context.Context, call *Call, build func(dst []byte, id uint64) []byte) (uint64, error) {
	mine := newCall()
	if call.Object == 0 && build == nil {
		mine.noteWatch(call)
	}
	c.mu.Lock()
	if c.line == nil {
		defer c.mu.Unlock()
		return 0, c.lost
	}
	if len(c.calls) >= frame.CallsAtOnce {
		c.mu.Unlock()
		return 0, &ipcerr.Error{Op: "call manager", Name: c.name, Code: ipcerr.Limit, Hint: fmt.Sprintf("%d calls are under way, as many as may be: finish some", frame.CallsAtOnce)}
	}
	c.last++
	id := c.last
	c.calls[id] = mine
	c.mu.Unlock()
	err := c.send(ctx, func(dst []byte) []byte {
		if build != nil {
			return build(dst, id)
		}
		return frame.AppendCall(dst, id, call.Object, call.Method, call.Args, call.Named, call.Thread)
	})
	if err != nil {
		c.mu.Lock()
		delete(c.calls, id)
		c.mu.Unlock()
		return 0, err
	}
	return id, nil
}

func newCall() *call { return &call{} }

// noteWatch remembers what a call says about subscriptions, so that made-up numbers are refused.
func (c *call) noteWatch(of *Call) {
	switch of.Method {
	case "watch":
		c.watch = 1
	case "unwatch":
		var s codec.Scanner
		s.Reset(of.Args)
		if n, err := s.Array(); err == nil && n == 1 {
			if c.sub, err = s.Uint(); err == nil {
				c.watch = -1
			}
		}
	}
}

// answered ends a call. Under mu. Of one that nobody asks for any more the references are given back.
func (c *Client) answered(id uint64, result []byte, err error, granted bool) {
	call := c.calls[id]
	if call == nil || call.done {
		c.discard(result)
		return
	}
	call.granted = granted
	if call.watch > 0 && err == nil {
		var s codec.Scanner
		s.Reset(result)
		if n, err := s.Uint(); err == nil {
			c.subscription(n)
		}
	} else if call.watch < 0 {
		delete(c.subs, call.sub)
	}
	call.finish(result, err)
}

func (c *Client) discard(result []byte) {
	refs, err := codec.Refs(result)
	if err != nil {
		return
	}
	for _, r := range refs {
		if r.Kind == frame.RefKind && binary.BigEndian.Uint64(r.UUID[:8]) == c.welcome.Epoch {
			go func() { _ = c.Release(binary.BigEndian.Uint64(r.UUID[8:]), 1) }() // mu is held
		}
	}
}

// Finish waits for the result of a call, until ctx ends. ipcerr.Timeout, ipcerr.Cancelled of ctx, ipcerr.Interrupted, and
// ipcerr.TooSmall if the result has more than limit bytes (size tells; a negative limit is none) leave it as it is; else the
// number is used up, and ipcerr.Invalid from then on.
//
// A failure of the method is a *RemoteError; a call that was cancelled in time is ipcerr.Cancelled; ipcerr.PeerDied,
// ipcerr.Gone (no such object), and what else the server says.
func (c *Client) Finish(ctx context.Context, id uint64, limit int) (result []byte, size int, err error) {
	c.mu.Lock()
	call := c.calls[id]
	if call == nil {
		c.mu.Unlock()
		return nil, 0, &ipcerr.Error{Op: "finish call", Name: c.name, Code: ipcerr.Invalid, Hint: fmt.Sprintf("no call of number %d is under way", id)}
	}
	if !call.done {
		if err := c.wait(ctx, &call.waiters, func() bool { return call.done }); err != nil && !call.done {
			c.mu.Unlock()
			return nil, 0, err
		}
	}
	if limit >= 0 && len(call.result) > limit {
		size = len(call.result)
		c.mu.Unlock()
		return nil, size, &ipcerr.Error{Op: "finish call", Name: c.name, Code: ipcerr.TooSmall, Hint: fmt.Sprintf("the result has %d bytes", size)}
	}
	_, mine := c.calls[id]
	delete(c.calls, id)
	c.mu.Unlock()
	if !mine {
		return nil, 0, &ipcerr.Error{Op: "finish call", Name: c.name, Code: ipcerr.Invalid, Hint: "another goroutine finished the call"}
	}
	if call.granted {
		// Confirmed before the caller sees it: what a dying client never read goes back. A broken line takes it back.
		if err := c.send(context.Background(), func(dst []byte) []byte { return frame.Open(dst, frame.Ack, 2, id) }); err != nil {
			return nil, 0, err
		}
	}
	return call.result, len(call.result), call.err
}

// Cancel asks the server to give a call up. Finish then returns ipcerr.Cancelled, or the result if that was quicker.
// ipcerr.Invalid for a number that is not under way.
func (c *Client) Cancel(id uint64) error {
	c.mu.Lock()
	_, ok := c.calls[id]
	c.mu.Unlock()
	if !ok {
		return &ipcerr.Error{Op: "cancel call", Name: c.name, Code: ipcerr.Invalid, Hint: fmt.Sprintf("no call of number %d is under way", id)}
	}
	return c.send(object.Until(time.Now().Add(cancelGrace)), func(dst []byte) []byte { return frame.Open(dst, frame.Cancel, 2, id) })
}

// cancelGrace is how long the end of a call is waited for that was cancelled since its time was over. The server answers at
// once, unless it is stopped.
const cancelGrace = 50 * time.Millisecond

// Do calls and waits for the result. When ctx ends, the call is given up: ipcerr.Timeout or ipcerr.Cancelled, and it has
// not run, or was taken back, if it was one that waits. Else errors are those of Start and Finish.
func (c *Client) Do(ctx context.Context, call *Call) ([]byte, error) {
	id, err := c.Start(ctx, call)
	if err != nil {
		return nil, err
	}
	return c.end(ctx, id)
}

func (c *Client) end(ctx context.Context, id uint64) ([]byte, error) {
	result, _, err := c.Finish(ctx, id, -1)
	if !c.pending(id) {
		return result, err
	}
	// ctx has ended. If the result was quicker than the cancel, it counts.
	if c.Cancel(id) == nil {
		late, _, end := c.Finish(object.Until(time.Now().Add(cancelGrace)), id, -1)
		if code := ipcerr.CodeOf(end); !c.pending(id) && code != ipcerr.Cancelled {
			return late, end
		}
	}
	c.mu.Lock()
	delete(c.calls, id) // its answer will be discarded
	c.mu.Unlock()
	return nil, err
}

func (c *Client) pending(id uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[id] != nil
}

// DoBatch does a batch and returns its result.
func (c *Client) DoBatch(ctx context.Context, calls []byte, thread uint64) ([]byte, error) {
	id, err := c.Batch(ctx, calls, thread)
	if err != nil {
		return nil, err
	}
	return c.end(ctx, id)
}
