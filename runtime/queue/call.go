package queue

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/trace"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// op is one call under way: which locks it holds, so that a fault in the middle gives them back,
// and whom it has to wake when it has let go of them.
type op struct {
	q    *Queue
	name string // for errors: "put to"
	held uint8  // producers, consumers
	wake uint8  // readers, writers, joiners
}

// The two locks; of who needs both, producers come first.
const (
	producers uint8 = 1 << iota
	consumers
)

// Whom to wake.
const (
	readers uint8 = 1 << iota
	writers
	joiners
)

// noWait is the context of the verbs that do not wait.
var noWait context.Context

// until is a context that ends at its deadline, which only this runtime sees: Go's own would start a
// timer, and with it the poller, whose descriptors a forked host would inherit.
func until(t time.Time) context.Context { return deadline{context.Background(), t} }

type deadline struct {
	context.Context
	t time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.t, true }

// atOnce is the context of a lock that is worth taking over from the dead, but not worth waiting
// for.
var atOnce = until(time.Unix(0, 0))

// tryGrace is how long a verb that does not wait for messages or room waits for a lock, which is
// normally held for less than a microsecond.
const tryGrace = 100 * time.Millisecond

// begin lets a call in, unless the queue is closed.
func (o *op) begin() error {
	if !o.q.calls.enter() {
		return o.q.wrap(o.name, ipcerr.Closed)
	}
	return nil
}

// end is deferred by every verb that began. fault is what SetPanicOnFault was before: within a
// call, touching a page that was truncated away is a panic here and an error there.
func (o *op) end(fault bool, err *error) {
	r := recover()
	debug.SetPanicOnFault(fault)
	if r != nil {
		o.rescue(r, err)
	}
	o.q.calls.leave()
	if *err != nil {
		*err = o.q.wrap(o.name, *err)
		o.q.noteCorrupt(*err)
	}
	trace.Flush()
}

// rescue runs after a panic: locks that are held get the repair a dead owner's would get, and go.
// A fault in the mapping or in the caller's memory becomes an error, everything else goes on up: it is
// a defect.
func (o *op) rescue(r any, err *error) {
	o.repairHeld()
	fault, ok := r.(interface{ Addr() uintptr })
	if !ok {
		o.q.calls.leave()
		panic(r)
	}
	if !o.q.rings.hold(fault.Addr()) {
		*err = &ipcerr.Error{Op: o.name + " queue", Name: o.q.name, Code: ipcerr.Invalid,
			Hint: fmt.Sprintf("memory at %#x cannot be accessed: a pointer or size given to the call is wrong", fault.Addr())}
		return
	}
	*err = &ipcerr.Error{Op: o.name + " queue", Name: o.q.name, Code: ipcerr.Corrupt,
		Hint: "its file was truncated while it was open: unlink it and make it anew", Err: fmt.Errorf("%v", r)}
}

func (o *op) repairHeld() {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { _ = recover() }() // the header's own page is gone: nothing left to repair
	o.wake = 0
	if o.held&producers != 0 {
		o.repairProducers()
		o.unlockProducers()
	}
	if o.held&consumers != 0 {
		o.repairConsumers()
		o.held &^= consumers
		park.Unlock(&o.q.h.Consumers)
	}
}

// wrap turns a code into the error that the caller sees.
func (q *Queue) wrap(name string, err error) error {
	switch err {
	case ipcerr.Full:
		return q.errFull
	case ipcerr.Empty:
		return q.errEmpty
	}
	code, ok := err.(ipcerr.Code)
	if !ok {
		return err
	}
	e := &ipcerr.Error{Op: name + " queue", Name: q.name, Code: code}
	switch code {
	case ipcerr.Corrupt:
		e.Hint = "its contents make no sense: damaged by another program; unlink it and make it anew"
	case ipcerr.Shutdown:
		e.Hint = "it was shut down"
	case ipcerr.Closed:
		e.Hint = "it was closed in this process"
	case ipcerr.LeaseLost:
		e.Hint = "the lease is not held any more: acked, returned or discarded"
	}
	return e
}

// lock takes one of the two locks, and repairs what it protects if the former owner is dead. With a
// nil ctx the wait is bounded by tryGrace.
func (o *op) lock(side uint8, ctx context.Context) error {
	w := &o.q.h.Producers
	if side == consumers {
		w = &o.q.h.Consumers
	}
	if !park.TryLock(w, o.q.me) {
		if err := o.lockSlow(side, ctx); err != nil {
			return err
		}
	}
	o.held |= side
	return nil
}

func (o *op) lockSlow(side uint8, ctx context.Context) error {
	q, w, what := o.q, &o.q.h.Producers, waitsForProducers
	if side == consumers {
		w, what = &o.q.h.Consumers, waitsForConsumers
	}
	deadline, interruptible := time.Time{}, false
	if ctx == nil {
		deadline = time.Now().Add(tryGrace)
	} else {
		deadline, _ = ctx.Deadline()
		if i, ok := ctx.(park.Interruptible); ok {
			interruptible = i.Interruptible()
		}
	}
	stop := func(signalled bool) error {
		switch {
		case signalled && interruptible:
			return ipcerr.Interrupted
		case ctx != nil && ctx.Err() != nil:
			return park.Ended(ctx)
		}
		return q.gone()
	}
	var dead uint32 // the last one that was found to be
	alive := func(token uint32) bool {
		if q.mem.Alive(token) {
			return true
		}
		dead = token
		return false
	}
	tookOver, err := park.Lock(w, q.me, alive, deadline, stop, func() func() { return q.sit(what) })
	if err != nil {
		return err
	}
	if tookOver {
		o.held |= side
		q.h.TakeOvers.Add(1)
		q.tookOver(side, dead)
		if side == producers {
			o.repairProducers()
		} else {
			o.repairConsumers()
		}
	}
	return nil
}

func (o *op) unlockProducers() {
	o.held &^= producers
	park.Unlock(&o.q.h.Producers)
}

// unlockConsumers also carries out the sweep for those who finished a record without the lock and
// could not get it: whoever sets Dirty and fails to lock knows that the holder looks at Dirty
// behind its unlock.
func (o *op) unlockConsumers() error {
	h := o.q.h
	for {
		var err error
		if h.Dirty.Load() != 0 {
			h.Dirty.Store(0)
			err = o.sweep()
		}
		o.held &^= consumers
		park.Unlock(&h.Consumers)
		if err != nil {
			return err
		}
		if h.Dirty.Load() == 0 || !park.TryLock(&h.Consumers, o.q.me) {
			break
		}
		o.held |= consumers
	}
	if o.wake != 0 {
		o.flushWakes()
	}
	return nil
}

// flushWakes wakes whom the call found reason to wake, after the locks are free.
func (o *op) flushWakes() {
	h := o.q.h
	if o.wake&readers != 0 {
		park.WakeAll(&h.Readable)
	}
	if o.wake&writers != 0 {
		park.WakeAll(&h.Writable)
	}
	if o.wake&joiners != 0 {
		park.WakeAll(&h.Joinable)
	}
	o.wake = 0
}

// What a sleeper waits for, as a seat says it.
const (
	waitsForMessage uint32 = iota + 1
	waitsForRoom
	waitsForJoin
	waitsForProducers
	waitsForConsumers
)

// sit takes a seat, so that an operator sees who waits; the result gives it back.
func (q *Queue) sit(what uint32) func() {
	seat := q.take(what)
	if seat < 0 {
		return func() {}
	}
	return func() { q.h.Seat[seat].Who.CompareAndSwap(q.sitting(what), 0) }
}

// sitting is what a seat says of this process.
func (q *Queue) sitting(what uint32) uint64 { return uint64(what)<<32 | uint64(q.me) }

// take takes a seat and returns its number, -1 if there is none. Without one the sleeper is not named,
// and nothing else is different. A process that dies sitting leaves its seat to the next one who
// looks for a place.
func (q *Queue) take(what uint32) int {
	seats := &q.h.Seat
	for round := range 2 {
		for i := range seats {
			n := (uint32(i) + q.me) % layout.Seats
			s := &seats[n]
			old := s.Who.Load()
			if old != 0 && (round == 0 || q.mem.Alive(uint32(old))) {
				continue
			}
			if s.Who.CompareAndSwap(old, q.sitting(what)) {
				s.Since.Store(now())
				return int(n)
			}
		}
	}
	return -1
}
