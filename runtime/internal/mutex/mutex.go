// Package mutex has the locks that users hold: Lock belongs to a process and may be released by any
// thread of any process, RLock belongs to a thread, which may take it again. Both work on a
// layout.Mutex, wherever that lies: in a sync object, or in the header of another one.
//
//	l := mutex.RLock{Obj: &s.obj, H: &s.h.Lock, Sit: func() func() { return s.obj.Sit(seats, waitsForLock) }}
//	ownerDied, err := l.Lock(ctx, thread)
//	...
//	err = l.Unlock(thread)
//
// The next to lock what a dead process held gets it and is told (ownerDied): what the lock protects
// may be half changed. The word goes from the dead to the living by one compare-and-swap, so it is
// never without an owner in between, and nothing here needs a repair.
//
// The verbs are called within an object.Call, and their errors are bare codes, which that makes
// sentences of.
package mutex

import (
	"context"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Lock is a lock of processes.
type Lock struct {
	Obj *object.Object
	H   *layout.Mutex
	Sit func() func() // takes a seat for a sleeper; see object.Sit
}

// Lock takes the lock, waiting for it until ctx ends. A lock that is free is taken whatever ctx says.
// ownerDied: the former owner died with it.
//
// TIMEOUT, CANCELLED, INTERRUPTED, CLOSED, CORRUPT.
func (l Lock) Lock(ctx context.Context) (ownerDied bool, err error) {
	if park.TryLock(&l.H.Word, l.Obj.Me) {
		l.taken()
		return false, nil
	}
	return l.lockSlow(ctx)
}

// atOnce is the context of a lock that is worth taking over from the dead, but not worth waiting for.
var atOnce = object.Until(time.Unix(0, 0))

// TryLock takes the lock if it is free or its owner is dead.
func (l Lock) TryLock() (locked, ownerDied bool, err error) {
	if park.TryLock(&l.H.Word, l.Obj.Me) {
		l.taken()
		return true, false, nil
	}
	if token, _ := park.Holder(&l.H.Word); token == l.Obj.Me || token != 0 && l.Obj.Member.Alive(token) {
		return false, false, nil // and nobody is made to believe that there are waiters
	}
	ownerDied, err = l.lockSlow(atOnce)
	if err == ipcerr.Timeout {
		return false, false, nil
	}
	return err == nil, ownerDied, err
}

// Unlock frees the lock, whoever has it. INVALID if nobody does.
func (l Lock) Unlock() error {
	if !park.Release(&l.H.Word) {
		return ipcerr.Invalid
	}
	return nil
}

func (l Lock) lockSlow(ctx context.Context) (ownerDied bool, err error) {
	dead, err := l.Obj.Lock(ctx, &l.H.Word, func() func() {
		l.noticed()
		return l.Sit()
	})
	if err != nil {
		return false, err
	}
	// Killed from here on, the owner is dead once more, and the next one is told instead.
	l.taken()
	if dead == 0 {
		return false, nil
	}
	l.H.TakeOvers.Add(1)
	crash.Point("mutex.lock.took_over")
	l.Obj.TookOver("lock", dead)
	return true, nil
}

// taken forgets since when the former owner was seen.
func (l Lock) taken() {
	if l.H.Since.Load() != 0 {
		l.H.Since.Store(0)
	}
}

// noticed remembers when somebody first saw the lock held. To read the clock whenever it is taken would
// cost more than the lock.
//
//	A unlocks, B locks     looks at since: 0
//	                       sets since
//
// is the worst that can happen: the mark of one who saw A is B's then, and it is no older than B's.
func (l Lock) noticed() {
	if l.H.Since.Load() == 0 {
		l.H.Since.CompareAndSwap(0, object.Now())
	}
}

// Holder is who holds a lock.
type Holder struct {
	Token  uint32        // 0 nobody
	Thread uint32        // of an RLock, else 0
	Depth  uint32        // of an RLock: how often it was taken, else 0
	For    time.Duration // at least: since somebody first waited for it, or asked
}

// Holder tells who holds the lock now.
func (l Lock) Holder() (h Holder) {
	h.Token, _ = park.Holder(&l.H.Word)
	if h.Token == 0 {
		return h
	}
	if owner := l.H.Owner.Load(); uint32(owner>>32) == h.Token {
		h.Thread, h.Depth = uint32(owner), l.H.Depth.Load()
	}
	l.noticed()
	h.For = max(0, time.Duration(object.Now()-l.H.Since.Load()))
	return h
}
