package manager

import (
	"context"
	"fmt"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// What a host is told of.
const (
	HostedCall   = 1 // a call; answer it, by Reply or Fail
	HostedCancel = 2 // the caller of that call gave up, or is gone; answer it soon
	HostedDrop   = 3 // nobody refers to the object any more
)

// Hosted is what a host is told of. The manager's method "register" makes a client the host of a type.
type Hosted struct {
	What   uint32
	Call   uint64 // of a call or a cancel: its number
	Object uint64 // of a call or a drop; a call of "__init__" makes the object
	Client uint64 // who calls, and in which of its threads
	Thread uint64
	Body   []byte // of a call: an array [type, method, args, named]

	habit *habit // of its method
}

// host keeps what this host was told for a puller: the one who reads, or else one who sleeps.
func (c *Client) host(h Hosted) {
	c.hosted = append(c.hosted, h)
	if len(c.callees) > 0 && !c.standby.pulls {
		c.callees[0].wake()
	}
}

// called takes a call for us: [10, id, object, type, method, args, named, client, thread].
func (c *Client) called(s *codec.Scanner, id uint64, left int) error {
	h := Hosted{What: HostedCall, Call: id}
	var err error
	if h.Object, err = s.Uint(); err != nil || left != 7 {
		return ipcerr.Invalid
	}
	h.Body = codec.AppendArray(nil, 4)
	named := len(h.Body)
	for i := range 4 {
		v, err := s.Value()
		if err != nil {
			return err
		}
		if h.Body = append(h.Body, v...); i == 1 {
			h.habit = c.standby.habit(h.Body[named:])
		}
	}
	if h.Client, err = s.Uint(); err == nil {
		h.Thread, err = s.Uint()
	}
	if err == nil {
		c.serving[id] = doing{object.Now(), h.habit}
		c.host(h)
	}
	return err
}

// NextCall waits for the next thing that this host is told of; limit as in Finish, for its body. ipcerr.TooSmall leaves it
// there. ipcerr.Timeout, ipcerr.Cancelled, ipcerr.Interrupted, ipcerr.PeerDied, ipcerr.Closed.
func (c *Client) NextCall(ctx context.Context, limit int) (h Hosted, size int, err error) {
	return c.nextCall(ctx, 0, limit)
}

// nextCall is NextCall on the line of that version only; 0 is any.
func (c *Client) nextCall(ctx context.Context, on uint64, limit int) (h Hosted, size int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.wait(ctx, &c.callees, func() bool { return len(c.hosted) > 0 || c.changed(on) }); err != nil {
		return h, 0, err
	}
	if c.changed(on) {
		c.callees.wakeAll()
		return h, 0, c.gone(ipcerr.PeerDied)
	}
	h = c.hosted[0]
	if size = len(h.Body); limit >= 0 && size > limit {
		return Hosted{}, size, &ipcerr.Error{Op: "wait for call", Name: c.name, Code: ipcerr.TooSmall, Hint: fmt.Sprintf("the call has %d bytes", size)}
	}
	c.hosted = c.hosted[1:]
	if len(c.hosted) > 0 && len(c.callees) > 0 {
		c.callees[0].wake()
	}
	return h, size, nil
}

// Reply answers a call with a MessagePack value; nil is nil. ipcerr.Invalid, also for a call that was answered;
// ipcerr.Timeout, ipcerr.Cancelled, ipcerr.Interrupted and ipcerr.TooLarge: nothing was sent; ipcerr.PeerDied, ipcerr.Closed.
func (c *Client) Reply(ctx context.Context, call uint64, result []byte) error {
	if len(result) > 0 {
		if _, err := codec.Check(result); err != nil {
			return err
		}
	}
	return c.answer(ctx, call, func(dst []byte) []byte { return frame.AppendResult(dst, frame.Result, call, result) })
}

// Fail answers a call with a failure. Errors are those of Reply.
func (c *Client) Fail(ctx context.Context, call uint64, f *RemoteError) error {
	return c.answer(ctx, call, func(dst []byte) []byte {
		return frame.AppendFailure(dst, call, frame.Failure{Code: ipcerr.RemoteError, Type: f.Type, Message: f.Message, Traceback: f.Traceback})
	})
}

// answer sends the answer to a call, of which there is one: the server would close the line at a second one.
func (c *Client) answer(ctx context.Context, call uint64, build func(dst []byte) []byte) error {
	c.mu.Lock()
	its, ours := c.serving[call]
	if ours {
		delete(c.serving, call)
		its.habit.took(object.Now() - its.since)
	}
	version, lost := c.version, c.lost
	c.mu.Unlock()
	if !ours {
		if lost != nil {
			return lost
		}
		return &ipcerr.Error{Op: "answer call", Name: c.name, Code: ipcerr.Invalid, Hint: fmt.Sprintf("no call of number %d waits for an answer of this host", call)}
	}
	err := c.sendOn(ctx, version, build)
	if err != nil {
		c.mu.Lock()
		if version == c.version {
			c.serving[call] = its
		}
		c.mu.Unlock()
	}
	return err
}

// unanswered reports whether a call that this host was told of waits for its answer.
func (c *Client) unanswered(call uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ours := c.serving[call]
	return ours
}
