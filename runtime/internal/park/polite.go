package park

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Courtesy is how to spin where more than two processes take part, as a caller, a manager's server and a host do. On two
// processors a third one has none as long as two of them spin; so who spins gives its processor away now and then.
//
// If the three sleep instead, each of them has to be woken in turn, on a processor that has gone to sleep itself: a round took
// 57 us instead of 3.4 (C, nothing else running). Two that spin and keep their processors took 110.
//
// One per handle or loop; shared by threads without harm, since it only steers.
type Courtesy struct {
	budget atomic.Int64 // how long to spin, in nanoseconds; 0 at first
	off    atomic.Int32 // how many more waits do not spin
	next   atomic.Int32 // for how many the next time
}

// How a polite spin goes.
const (
	politeEvery = 20                     // rounds between two times that it gives way, and at most spinLeast
	politeMost  = 100 * time.Microsecond // a spin
	politeWorth = 200 * time.Microsecond // a wait: what a round of three takes if each has to be woken
	politeLong  = 100 * time.Microsecond // to be away from a processor that others need
	offLeast    = 16                     // waits
	offMost     = 1024
)

// Pays reports whether a wait may spin. It may not for some time after giving way took long.
func (c *Courtesy) Pays() bool {
	off := c.off.Load()
	if off > 0 {
		c.off.Store(off - 1)
	}
	return off <= 0
}

// GiveWay lets others have this processor, and reports whether they soon gave it back. Else somebody works on it: to spin
// would only be in his way, and he in ours, while a sleeper that is woken is let in at once.
func (c *Courtesy) GiveWay() bool {
	began := time.Now()
	_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	if time.Since(began) < politeLong {
		return true
	}
	c.tookLong()
	return false
}

func (c *Courtesy) tookLong() {
	off := max(c.next.Load(), offLeast)
	c.off.Store(off)
	c.next.Store(min(2*off, offMost))
}

// Paid notes that a spin came to something.
func (c *Courtesy) Paid() {
	if next := c.next.Load(); next > offLeast {
		c.next.Store(next - 1)
	}
}

// spin tries as soon as hint gives hope, until the budget is used up.
func (c *Courtesy) spin(hint func() bool, try func() (bool, error)) (bool, error) {
	if !c.Pays() {
		return false, nil
	}
	budget, began := time.Duration(c.budget.Load()), time.Now()
	for time.Since(began) < budget && c.GiveWay() {
		for range politeEvery {
			pause(10)
			if !hint() {
				continue
			}
			if done, err := try(); done || err != nil {
				c.Paid()
				return done, err
			}
		}
	}
	return false, nil
}

// learn steers by a wait that ended in a sleep.
func (c *Courtesy) learn(waited time.Duration) {
	if waited < politeWorth {
		c.budget.Store(int64(politeMost))
	} else {
		c.budget.Store(c.budget.Load() / 2)
	}
}
