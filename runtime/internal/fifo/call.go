package fifo

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/trace"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// op is one call under way: which locks it holds, so that a fault in the middle gives them back,
// and whom it has to wake when it has let go of them.
type op struct {
	q      *Fifo
	name   string // for errors: "put to"
	held   uint8  // producers, consumers
	wake   uint8  // readers, writers, joiners
	unsure bool   // of the other side it need not know more than a moment ago: it will look again soon
	slept  bool   // its wait has begun its first sleep
	asks   bool   // for a bell: changes nothing that bells would have to tell
	trusts bool   // that somebody is at the other side
	found  bool   // somebody there

	links []*object.Object // what the message to put refers to
	rest  [][]byte         // what follows the body of the message to put
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

// atOnce is the context of a lock that is worth taking over from the dead, but not worth waiting
// for.
var atOnce = object.Until(time.Unix(0, 0))

// begin lets a call in, unless the queue is closed.
func (o *op) begin() error {
	if !o.q.obj.Calls.Enter() {
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
	if !o.asks {
		o.q.bells.Settle()
	}
	o.q.obj.Calls.Leave()
	if *err != nil {
		*err = o.q.wrap(o.name, *err)
		o.q.obj.NoteCorrupt(*err)
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
		o.q.obj.Calls.Leave()
		panic(r)
	}
	*err = o.q.obj.Fault(o.name, fault.Addr(), o.q.rings.hold(fault.Addr()), r)
}

// repairHeld gives back the locks in any case: the ring to repair may be truncated away, and the lock not, for
// which other threads of this living process would wait for ever.
func (o *op) repairHeld() {
	o.wake = 0
	if o.held&producers != 0 {
		object.Attempt(o.repairProducers)
		object.Attempt(o.unlockProducers)
	}
	if o.held&consumers != 0 {
		object.Attempt(o.repairConsumers)
		o.held &^= consumers
		object.Attempt(func() { park.Unlock(&o.q.h.Consumers) })
	}
}

// wrap turns a code into the error that the caller sees.
func (q *Fifo) wrap(name string, err error) error {
	switch err {
	case ipcerr.Full:
		return q.errFull
	case ipcerr.Empty:
		return q.errEmpty
	}
	told := q.obj.Sentence(name, err)
	if e, ok := told.(*ipcerr.Error); ok {
		switch err {
		case ipcerr.Shutdown:
			e.Hint = "it was shut down"
		case ipcerr.LeaseLost:
			e.Hint = "the lease is not held any more: acked, returned or discarded"
		}
	}
	return told
}

// lock takes one of the two locks, and repairs what it protects if the former owner is dead. With a
// nil ctx the wait is bounded by object.TryGrace.
func (o *op) lock(side uint8, ctx context.Context) error {
	w := &o.q.h.Producers
	if side == consumers {
		w = &o.q.h.Consumers
	}
	if !park.TryLock(w, o.q.obj.Me) {
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
	dead, err := q.obj.Lock(ctx, w, func() func() { return q.sit(what) })
	if err != nil {
		return err
	}
	if dead != 0 {
		o.held |= side
		q.h.TakeOvers.Add(1)
		q.obj.TookOver(waitNames[what], dead)
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
		if h.Dirty.Load() == 0 || !park.TryLock(&h.Consumers, o.q.obj.Me) {
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
		o.q.wakeReaders(1 << 30)
	}
	if o.wake&writers != 0 {
		o.q.wakeWriters()
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
func (q *Fifo) sit(what uint32) func() { return q.obj.Sit(q.h.Seat[:], what) }
