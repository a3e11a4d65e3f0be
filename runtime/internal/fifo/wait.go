package fifo

import (
	"sync/atomic"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/trace"
)

// The longest sleeps, chosen so that a death which no wake tells of is found within 100 ms: a
// waker killed between its commit and the wake, or an owner of something the sleeper waits for.
var ( // Tests lengthen them, so that a lost wake is a hang.
	sliceIdle = 90 * time.Millisecond // nobody else owns anything here
	sliceBusy = 50 * time.Millisecond // a lease, a reservation or a lock may be a dead one's
	// The first sleep of a wait: where there was work a moment ago, it may be a death that stops it. It costs one
	// more wake-up a wait. And a get that has an other side does not ask for it before that sleep: whoever gets an
	// answer in that time need not, which is a system call.
	sliceFirst = 20 * time.Millisecond
)

// waiter is the part of o's wait that is the same for every verb.
func (q *Fifo) waiter(o *op, word *atomic.Uint32, spin *park.Spin, what uint32) park.Waiter {
	return park.Waiter{
		Word: word, Spin: spin, Gone: q.obj.Gone,
		Sit: func() func() { return q.sit(what) },
		Slice: func() time.Duration {
			trace.Flush() // what the try met; the sleep may be long
			if !o.slept {
				o.slept, o.unsure = true, false
				return min(q.slice(), sliceFirst)
			}
			return q.slice()
		},
		Pass: func() {
			if what != waitsForMessage || q.readable() {
				park.Wake(word, 1)
			}
		},
	}
}

// slice is how long it is safe to sleep now.
func (q *Fifo) slice() time.Duration {
	busy := q.h.Producers.Load() != 0 || q.h.Consumers.Load() != 0
	if busy || q.rings.peek(func(m *mapped) bool { return !m.Empty() || m.H.Next.Load() != 0 }) {
		return sliceBusy
	}
	return sliceIdle
}
