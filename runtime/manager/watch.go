package manager

import (
	"context"
	"fmt"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// subscription is an object that is watched.
type subscription struct {
	events  [][]byte // at most as many as there was credit for
	taken   uint64   // since credit was last given
	ended   bool     // by unwatch
	minded  bool     // News is to tell of the next event
	waiters waiters
}

// subscription is the one of that number. Its first event may come before the answer that tells the number.
func (c *Client) subscription(id uint64) *subscription {
	sub := c.subs[id]
	if sub == nil {
		sub = &subscription{}
		c.subs[id] = sub
	}
	return sub
}

// unwatched ends a subscription. Under mu. References in events that nobody gets are given back.
func (c *Client) unwatched(id uint64) {
	sub := c.subs[id]
	if sub == nil {
		return
	}
	delete(c.subs, id)
	sub.ended = true
	sub.waiters.wakeAll()
	c.noteEvents(id, sub)
	for _, e := range sub.events {
		c.discard(e)
	}
	sub.events = nil
}

func (sub *subscription) came(event []byte) {
	sub.events = append(sub.events, event)
	if len(sub.waiters) > 0 {
		sub.waiters[0].wake()
	}
}

// NextEvent waits for the next event of a subscription, which the manager's method "watch" returned: an array,
// docs/spec/manager.md. ipcerr.TooSmall, as in Finish, leaves it there. ipcerr.Timeout, ipcerr.Cancelled,
// ipcerr.Interrupted, ipcerr.PeerDied, ipcerr.Closed; ipcerr.Invalid if there is no such subscription.
func (c *Client) NextEvent(ctx context.Context, subscription uint64, limit int) (event []byte, size int, err error) {
	return c.nextEvent(ctx, 0, subscription, limit)
}

// nextEvent is NextEvent on the line of that version only; 0 is any.
func (c *Client) nextEvent(ctx context.Context, on, subscription uint64, limit int) (event []byte, size int, err error) {
	c.mu.Lock()
	sub := c.subs[subscription]
	switch {
	case c.changed(on):
		err = c.gone(ipcerr.PeerDied)
	case sub == nil && c.line == nil:
		err = c.lost
	case sub == nil:
		err = &ipcerr.Error{Op: "wait for event", Name: c.name, Code: ipcerr.Invalid, Hint: fmt.Sprintf("there is no subscription of number %d", subscription)}
	default:
		over := func() bool { return c.subs[subscription] != sub } // unwatched, or of a line that is lost
		err = c.wait(ctx, &sub.waiters, func() bool { return len(sub.events) > 0 || over() })
		if err == nil && len(sub.events) == 0 {
			err = c.gone(ipcerr.PeerDied)
			if sub.ended {
				err = &ipcerr.Error{Op: "wait for event", Name: c.name, Code: ipcerr.Invalid, Hint: "it was unwatched"}
			}
		}
	}
	if err != nil {
		c.mu.Unlock()
		return nil, 0, err
	}
	if size = len(sub.events[0]); limit >= 0 && size > limit {
		c.mu.Unlock()
		return nil, size, &ipcerr.Error{Op: "wait for event", Name: c.name, Code: ipcerr.TooSmall, Hint: fmt.Sprintf("the event has %d bytes", size)}
	}
	event = sub.events[0]
	sub.events = sub.events[1:]
	sub.taken++
	give := uint64(0)
	if sub.taken >= frame.FirstCredit/2 {
		give, sub.taken = sub.taken, 0
	}
	version := c.version
	c.mu.Unlock()
	if give > 0 {
		err := c.sendOn(ctx, version, func(dst []byte) []byte {
			return codec.AppendUint(frame.Open(dst, frame.Credit, 3, subscription), give)
		})
		if err != nil { // with the next event
			c.mu.Lock()
			sub.taken += give
			c.mu.Unlock()
		}
	}
	return event, size, nil
}
