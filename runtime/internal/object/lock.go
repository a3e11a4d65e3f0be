package object

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// TryGrace is how long a verb that does not wait waits for an inner lock, which is normally held for
// less than a microsecond.
const TryGrace = 100 * time.Millisecond

// Lock takes a lock word that is held, waiting until ctx ends; with a nil ctx TryGrace bounds the
// wait. If the owner had died, dead is its token, and the caller holds the lock and must repair what it
// protects; else dead is 0. sit is called before the first sleep, its result at the end.
func (o *Object) Lock(ctx context.Context, w *atomic.Uint32, sit func() func()) (dead uint32, err error) {
	deadline, interruptible := time.Time{}, false
	if ctx == nil {
		deadline = time.Now().Add(TryGrace)
	} else {
		deadline, _ = ctx.Deadline()
		if i, ok := ctx.(park.Interruptible); ok {
			interruptible = i.Interruptible()
		}
	}
	began := time.Now()
	stop := func(signalled bool) error {
		switch {
		case interruptible && (signalled || time.Since(began) > park.InterruptEvery):
			return ipcerr.Interrupted
		case ctx != nil && ctx.Err() != nil:
			return park.Ended(ctx)
		}
		return o.Gone()
	}
	var last uint32 // the last one that was found dead
	alive := func(token uint32) bool {
		if o.Member.Alive(token) {
			return true
		}
		last = token
		return false
	}
	tookOver, err := park.Lock(w, o.Me, alive, deadline, stop, sit)
	if err != nil || !tookOver {
		return 0, err
	}
	return last, nil
}

// Sit takes a seat, so that an operator sees who waits; the result gives it back.
func (o *Object) Sit(seats []layout.Seat, what uint32) func() {
	n := o.TakeSeat(seats, what)
	if n < 0 {
		return func() {}
	}
	return func() { seats[n].Who.CompareAndSwap(o.sitting(what), 0) }
}

// sitting is what a seat says of this process.
func (o *Object) sitting(what uint32) uint64 { return uint64(what)<<32 | uint64(o.Me) }

// TakeSeat takes a seat and returns its number, -1 if there is none. Without one the sleeper is not named,
// and nothing else is different. A process that dies sitting leaves its seat to the next one who
// looks for a place.
func (o *Object) TakeSeat(seats []layout.Seat, what uint32) int {
	for round := range 2 {
		for i := range seats {
			n := (uint32(i) + o.Me) % uint32(len(seats))
			s := &seats[n]
			old := s.Who.Load()
			if old != 0 && (round == 0 || o.Member.Alive(uint32(old))) {
				continue
			}
			if s.Who.CompareAndSwap(old, o.sitting(what)) {
				s.Since.Store(Now())
				return int(n)
			}
		}
	}
	return -1
}
