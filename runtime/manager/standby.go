package manager

import (
	"time"

	"github.com/polyipc/polyipc/runtime/internal/object"
)

// Who takes a call for this host does it before he reads on, and meanwhile nobody reads. To wake another one for each call
// would cost more than most calls do: a switch of threads, and in Python two of its lock. So with a method that has always
// ended quickly he goes without handing on, and one of those who wait for calls, the deputy, looks now and then whether
// he is back:
//
//	puller                             deputy
//	takes a call; left = now           sleeps for standIn
//	does it, comes for the next one
//	...                                looks: somebody reads, or left a moment ago; sleeps again
//	takes a call; left = now
//	does not come back                 looks: nobody has read for standIn; reads
//
// When no call came since he last looked, he sleeps for good; who then leaves first wakes a deputy.

const (
	quick    = 50 * time.Microsecond // methods that take longer on average are handed on from at once: others are done beside them
	standIn  = 5 * time.Millisecond  // how long nobody reads; shorter ones keep Go's sysmon awake, which looks 50,000 times a second then
	waryNew  = 8                     // calls of a method that are handed on from until it is known
	waryLong = 1000                  // and after one that took longer than standIn
	habits   = 1024                  // methods that are told apart
)

// habit is how long the calls of a method take. Under the client's mu, as all here.
type habit struct {
	takes int64 // lately, on average, in nanoseconds
	wary  int   // how many calls more are handed on from
}

// took notes how long a call took.
func (h *habit) took(ns int64) {
	h.takes += (ns - h.takes) / 8
	if ns >= int64(standIn) {
		h.wary = waryLong
	} else if h.wary > 0 {
		h.wary--
	}
}

// doing is a call that a host does.
type doing struct {
	since int64
	habit *habit
}

// standby is who reads when a host's puller is away with a call.
type standby struct {
	pulls  bool    // a puller reads, or takes what it has read
	deputy *waiter // while he sleeps
	left   int64   // when a puller left without handing on; 0: somebody came since
	leaves int     // how often one did
	seen   int     // of them, when the deputy last looked
	habits map[string]*habit
}

// habit is that of a method; name is what tells it from others.
func (s *standby) habit(name []byte) *habit {
	if h := s.habits[string(name)]; h != nil {
		return h
	}
	if s.habits == nil {
		s.habits = map[string]*habit{}
	}
	h := &habit{wary: waryNew}
	if len(s.habits) < habits {
		s.habits[string(name)] = h
	}
	return h
}

// leave is handOn for a puller, who takes the first thing that this host was told of.
func (c *Client) leave() {
	s := &c.standby
	if len(c.hosted) > 0 {
		if h := c.hosted[0].habit; h != nil && (h.wary > 0 || h.takes >= int64(quick)) {
			c.handOn()
			return
		}
	}
	if c.reading || len(c.idle) != len(c.callees) {
		c.handOn() // somebody waits for an answer
		return
	}
	s.left = object.Now()
	s.leaves++
	if s.deputy == nil && len(c.callees) > 0 {
		c.callees[0].wake()
	}
}

// stands reports whether a puller that was woken goes on sleeping, and for how long: 0 is for good.
func (c *Client) stands(w *waiter) (bool, time.Duration) {
	s := &c.standby
	if s.deputy != nil {
		return c.reading || s.left != 0, 0
	}
	if c.reading && s.leaves == s.seen {
		return true, 0
	}
	if !c.reading && (s.left == 0 || object.Now()-s.left >= int64(standIn)) {
		return false, 0
	}
	s.deputy, s.seen = w, s.leaves
	return true, standIn
}
