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

	version uint64 // not 0: of the line by which Object came, the only one on which it may be called
}

// call is one under way.
type call struct {
	done    bool
	granted bool   // the result is to be confirmed
	refs    bool   // there are references in the result
	minded  bool   // News is to tell of its end
	version uint64 // of the line by which it went
	watch   int    // 1: the result is a subscription; -1: this one ends
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

func (c *Client) begin(ctx context.Context, of *Call, build func(dst []byte, id uint64) []byte) (uint64, error) {
	c.mu.Lock()
	if c.line == nil {
		defer c.mu.Unlock()
		return 0, c.lost
	}
	if of.version != 0 && of.version != c.version {
		c.mu.Unlock()
		return 0, &ipcerr.Error{Op: "call manager", Name: c.name, Code: ipcerr.Gone, Hint: "the object is of a connection that was lost: open it anew"}
	}
	if len(c.calls) >= frame.CallsAtOnce {
		c.mu.Unlock()
		return 0, &ipcerr.Error{Op: "call manager", Name: c.name, Code: ipcerr.Limit, Hint: fmt.Sprintf("%d calls are under way, as many as may be: finish some", frame.CallsAtOnce)}
	}
	c.last++
	id, mine := c.last, c.spare
	if c.spare = nil; mine == nil {
		mine = &call{}
	}
	if of.Object == 0 && build == nil {
		mine.noteWatch(of)
	}
	mine.version = c.version
	c.calls[id] = mine
	c.mu.Unlock()
	err := c.sendOn(ctx, mine.version, func(dst []byte) []byte {
		if build != nil {
			return build(dst, id)
		}
		return frame.AppendCall(dst, id, of.Object, of.Method, of.Args, of.Named, of.Thread)
	})
	if err != nil {
		c.mu.Lock()
		delete(c.calls, id)
		c.mu.Unlock()
		return 0, err
	}
	return id, nil
}

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

// answered ends a call. Under mu. Of one that nobody asks for any more the references are given back, and what it was granted.
func (c *Client) answered(id uint64, result []byte, refs bool, err error, granted bool) {
	call := c.calls[id]
	if call == nil || call.done {
		if refs {
			c.discard(result)
		}
		if granted {
			go c.takeBack(id, c.version) // mu is held
		}
		return
	}
	call.granted, call.refs = granted, refs
	if call.watch > 0 && err == nil {
		var s codec.Scanner
		s.Reset(result)
		if n, err := s.Uint(); err == nil {
			c.subscription(n)
		}
	} else if call.watch < 0 {
		c.unwatched(call.sub)
	}
	call.finish(result, err)
	c.noteEnd(id, call)
}

// discard gives back the references in what nobody gets. Under mu.
func (c *Client) discard(result []byte) {
	refs, err := codec.Refs(result)
	if err != nil {
		return
	}
	version := c.version
	for _, r := range refs {
		if r.Kind == frame.RefKind && binary.BigEndian.Uint64(r.UUID[:8]) == c.welcome.Epoch {
			go c.release(version, binary.BigEndian.Uint64(r.UUID[8:]), 1) // mu is held
		}
	}
}

// takeBack has the server take back what a call of that line was granted that nobody finishes. It waits for room as long as
// the line lasts: this client lives on, and until the server is told a lock stays held by nobody.
func (c *Client) takeBack(id, version uint64) {
	_ = c.sendOn(context.Background(), version, func(dst []byte) []byte { return frame.Open(dst, frame.Cancel, 2, id) })
}

// Finish waits for the result of a call, until ctx ends. ipcerr.Timeout, ipcerr.Cancelled of ctx, ipcerr.Interrupted, and
// ipcerr.TooSmall if the result has more than limit bytes (size tells; a negative limit is none) leave it as it is; else the
// number is used up, and ipcerr.Invalid from then on.
//
// A failure of the method is a *RemoteError; a call that was cancelled in time is ipcerr.Cancelled; ipcerr.PeerDied,
// ipcerr.Gone (no such object), and what else the server says.
func (c *Client) Finish(ctx context.Context, id uint64, limit int) (result []byte, size int, err error) {
	a, size, err := c.finish(ctx, id, limit, false)
	return a.data, size, err
}

// finish is Finish. If alone, nobody else knows the number, and what was kept of the call serves the next one.
func (c *Client) finish(ctx context.Context, id uint64, limit int, alone bool) (result answer, size int, err error) {
	c.mu.Lock()
	its := c.calls[id]
	if its == nil {
		c.mu.Unlock()
		return answer{}, 0, &ipcerr.Error{Op: "finish call", Name: c.name, Code: ipcerr.Invalid, Hint: fmt.Sprintf("no call of number %d is under way", id)}
	}
	if !its.done {
		if err := c.wait(ctx, &its.waiters, func() bool { return its.done }); err != nil && !its.done {
			c.mu.Unlock()
			return answer{}, 0, err
		}
	}
	if limit >= 0 && len(its.result) > limit {
		size = len(its.result)
		c.mu.Unlock()
		return answer{}, size, &ipcerr.Error{Op: "finish call", Name: c.name, Code: ipcerr.TooSmall, Hint: fmt.Sprintf("the result has %d bytes", size)}
	}
	_, mine := c.calls[id]
	delete(c.calls, id)
	result, size, err = answer{client: c, version: its.version, data: its.result, refs: its.refs}, len(its.result), its.err
	granted := its.granted
	if alone {
		*its = call{waiters: its.waiters[:0]}
		c.spare = its
	}
	c.mu.Unlock()
	if !mine {
		return answer{}, 0, &ipcerr.Error{Op: "finish call", Name: c.name, Code: ipcerr.Invalid, Hint: "another goroutine finished the call"}
	}
	if granted {
		// Confirmed before the caller sees it: what a dying client never read goes back. A broken line takes it back.
		// If there is no room for that as long as ctx lasts, the server is to take it back.
		if err := c.send(ctx, func(dst []byte) []byte { return frame.Open(dst, frame.Ack, 2, id) }); err != nil {
			go c.takeBack(id, result.version)
			if result.refs {
				c.mu.Lock()
				c.discard(result.data)
				c.mu.Unlock()
			}
			return answer{}, 0, err
		}
	}
	return result, size, err
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
	if err := call.check(); err != nil {
		return nil, err
	}
	a, err := c.do(ctx, call)
	return a.data, err
}

// do is Do for arguments that are whole.
func (c *Client) do(ctx context.Context, call *Call) (answer, error) {
	id, err := c.begin(ctx, call, nil)
	if err != nil {
		return answer{}, err
	}
	return c.end(ctx, id)
}

func (c *Client) end(ctx context.Context, id uint64) (answer, error) {
	result, _, err := c.finish(ctx, id, -1, true)
	if err != nil && c.pending(id) {
		result, _, err = c.giveUp(id, -1, err)
	}
	return result, err
}

// Complete is Finish for a call that is given up when ctx ends, as by Do: its number is used up then, too. ipcerr.Interrupted
// and ipcerr.TooSmall leave it as it is.
func (c *Client) Complete(ctx context.Context, id uint64, limit int) (result []byte, size int, err error) {
	a, size, err := c.finish(ctx, id, limit, false)
	if code := ipcerr.CodeOf(err); err != nil && code != ipcerr.Interrupted && code != ipcerr.TooSmall && c.pending(id) {
		a, size, err = c.giveUp(id, limit, err)
	}
	return a.data, size, err
}

// giveUp ends a call whose wait has ended with err. If the result was quicker than the cancel, it counts.
func (c *Client) giveUp(id uint64, limit int, err error) (answer, int, error) {
	if c.abandon(id) == nil {
		late, size, end := c.finish(object.Until(time.Now().Add(cancelGrace)), id, limit, false)
		if code := ipcerr.CodeOf(end); code == ipcerr.TooSmall || !c.pending(id) && code != ipcerr.Cancelled {
			return late, size, end
		}
	}
	c.forget(id)
	return answer{}, 0, err
}

// forget uses a number up: references in its answer are given back. The server is asked to cancel the call, and takes back
// what it granted.
func (c *Client) forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	call := c.calls[id]
	delete(c.calls, id)
	if call != nil && call.done && call.refs {
		c.discard(call.result)
	}
}

// Forget gives a call up for good: the server is asked to cancel it, and what it answers is thrown away; what it was granted
// goes back. The number is used up. ipcerr.Invalid for a number that is not under way.
func (c *Client) Forget(id uint64) error {
	err := c.abandon(id)
	if ipcerr.CodeOf(err) == ipcerr.Invalid {
		return err
	}
	c.forget(id)
	return nil
}

// abandon is Cancel for a call that nobody asks for again. If there is no room for that now, the server is told later.
func (c *Client) abandon(id uint64) error {
	c.mu.Lock()
	version := c.version
	if call := c.calls[id]; call != nil {
		version = call.version
	}
	c.mu.Unlock()
	err := c.Cancel(id)
	if code := ipcerr.CodeOf(err); code == ipcerr.Timeout || code == ipcerr.Full {
		go c.takeBack(id, version)
	}
	return err
}

func (c *Client) pending(id uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[id] != nil
}

// DoBatch does a batch and returns its result.
func (c *Client) DoBatch(ctx context.Context, calls []byte, thread uint64) ([]byte, error) {
	a, err := c.doBatch(ctx, calls, thread)
	return a.data, err
}

func (c *Client) doBatch(ctx context.Context, calls []byte, thread uint64) (answer, error) {
	id, err := c.Batch(ctx, calls, thread)
	if err != nil {
		return answer{}, err
	}
	return c.end(ctx, id)
}
