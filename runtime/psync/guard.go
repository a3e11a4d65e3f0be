package psync

import (
	"context"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/trace"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// The guard is the inner lock of the types whose state is more than one word: semaphores that reclaim,
// conditions, barriers, rwlocks. It is held for some 50 ns. What a dead holder leaves, and who mends it:
//
//	the guard                    the next who wants it: mend, and then goes on
//	a count of the ledger        one store is the commit; Value is counted anew by mend
//	a round half ended           Ending is the journal; mend ends it
//	a place, waiting             whoever counts or calls drops it
//	a place, called              the next notification, or a waiter within a slice, passes the call on
//	a wake that never came       the sleeper's own slice
//
// Every repair may be broken off anywhere by death and begun again by the next.

// op is one call under way.
type op struct {
	object.Call
	b       *base
	guarded bool // the guard is held
}

// begin lets a call in. Who was let in defers End, and behind it leave if it takes the guard.
func (o *op) begin(b *base, verb string) error {
	o.Object, o.b, o.Verb = &b.obj, b, verb
	return o.Begin()
}

// again is o for a wait that goes on: what a wait remembers lies on the heap, and a call that need not wait
// allocates nothing.
func (o *op) again() *op { return &op{Call: object.Call{Object: o.Object, Verb: o.Verb}, b: o.b} }

// leave gives the guard back after a panic, in any case: what it guards may be truncated away, and the guard not,
// for which other threads of this living process would wait for ever.
func (o *op) leave() {
	if o.guarded {
		object.Attempt(o.b.mend)
		object.Attempt(o.unguard)
	}
}

// guard takes the guard, waiting until ctx ends; nil waits for no more than object.TryGrace.
func (o *op) guard(ctx context.Context) error {
	b := o.b
	if park.TryLock(&b.h.Guard, b.obj.Me) {
		o.guarded = true
		return nil
	}
	dead, err := b.obj.Lock(ctx, &b.h.Guard, b.sit(waitsForGuard))
	if err != nil {
		return err
	}
	o.guarded = true
	if dead != 0 {
		b.obj.TookOver("guard", dead)
		b.mend()
	}
	return nil
}

// guardSoon takes the guard for verbs without a context, that only a holder who is stopped can hold up.
func (o *op) guardSoon() error {
	if park.TryLock(&o.b.h.Guard, o.b.obj.Me) {
		o.guarded = true
		return nil
	}
	return o.guard(object.Until(time.Now().Add(time.Second)))
}

// guardAtOnce takes the guard if that needs no waiting, also from the dead.
func (o *op) guardAtOnce() bool { return o.guard(atOnce) == nil }

func (o *op) unguard() {
	o.guarded = false
	park.Unlock(&o.b.h.Guard)
}

// mend puts right what a dead holder of the guard may have left half done.
func (b *base) mend() {
	switch b.kind {
	case layout.SyncBarrier:
		b.endRound()
	case layout.SyncSemaphore, layout.SyncBoundedSemaphore, layout.SyncRWLock:
		b.recount()
	}
}

// noWait is the context of verbs that do not wait.
var noWait context.Context

// atOnce is the context of what is worth taking over from the dead, but not worth waiting for.
var atOnce = object.Until(time.Unix(0, 0))

// The longest sleep of one who waits for what the dead may hold, or have left undone: a permit, a call, a
// round. Tests lengthen it, so that a lost wake is a hang.
var slice = 50 * time.Millisecond

// searchEvery bounds how often the dead are looked for on behalf of those who wait, by all processes
// together: with hundreds of them each would else ask for each.
const searchEvery = 10 * time.Millisecond

// search reports whether it is time to look for the dead, and that the caller does. Who dies in the search
// leaves it to the next, searchEvery later. A mark in the future is as good as none.
func (b *base) search() bool {
	last, now := b.h.Searched.Load(), object.Now()
	if d := time.Duration(now - last); d >= 0 && d < searchEvery {
		return false
	}
	return b.h.Searched.CompareAndSwap(last, now)
}

// living tells who is alive, asking once for each process.
func (b *base) living() func(token uint32) bool {
	known := map[uint32]bool{}
	return func(token uint32) bool {
		alive, ok := known[token]
		if !ok {
			alive = b.obj.Member.Alive(token)
			known[token] = alive
		}
		return alive
	}
}

// waiter is the part of a wait that is the same for every verb.
func (b *base) waiter(what uint32) park.Waiter {
	return park.Waiter{
		Word: &b.h.Word, Gone: b.obj.Gone, Sit: b.sit(what),
		Slice: func() time.Duration {
			trace.Flush()
			return slice
		},
	}
}

// What a sleeper waits for, as a seat says it.
const (
	waitsForLock uint32 = iota + 1
	waitsForPermit
	waitsForEvent
	waitsForNotify
	waitsForParties
	waitsToRead
	waitsToWrite
	waitsForGuard
)

func (b *base) sit(what uint32) func() func() {
	return func() func() { return b.obj.Sit(b.h.Seat[:], what) }
}

// split takes a {high:32, token:32} word apart.
func split(w uint64) (high, token uint32) { return uint32(w >> 32), uint32(w) }

func join(high, token uint32) uint64 { return uint64(high)<<32 | uint64(token) }

// misuse is the error of a call that the state of the object does not allow.
func (o *op) misuse(hint string) error {
	return &ipcerr.Error{Op: o.Verb + " " + o.b.obj.Noun, Name: o.b.Name(), Code: ipcerr.Invalid, Hint: hint}
}
