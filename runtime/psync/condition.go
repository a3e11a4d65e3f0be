package psync

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Condition lets those who hold a lock wait for others to notify them. It has a lock of its own, an RLock;
// WaitWith takes another one.
//
// A notification goes to the one who waits longest and lives; if that process dies before it has the lock
// again, the next one gets it. More than those notified may wake, as with any condition: wait in a
// loop, or with WaitFor.
type Condition struct{ base }

// CreateCondition makes a condition.
func CreateCondition(name string, o Options) (*Condition, error) {
	return open(&Condition{}, create, name, what{o, layout.SyncCondition, 0})
}

// OpenCondition opens an existing condition.
func OpenCondition(name string, o Options) (*Condition, error) {
	return open(&Condition{}, openOnly, name, what{o, layout.SyncCondition, 0})
}

// OpenOrCreateCondition opens the condition or makes it.
func OpenOrCreateCondition(name string, o Options) (*Condition, error) {
	return open(&Condition{}, openOrCreate, name, what{o, layout.SyncCondition, 0})
}

// Acquire takes the condition's own lock, as RLock.Acquire.
func (c *Condition) Acquire(ctx context.Context, owner Owner) (ownerDied bool, err error) {
	return c.acquireAs(ctx, owner)
}

// TryAcquire takes the condition's own lock if it is free, its owner died, or owner has it.
func (c *Condition) TryAcquire(owner Owner) (acquired, ownerDied bool, err error) {
	return c.tryAcquireAs(owner)
}

// Release undoes one acquire of owner; ipcerr.Invalid if owner does not have the lock.
func (c *Condition) Release(owner Owner) error { return c.releaseAs(owner) }

// Owned reports whether owner has the condition's own lock.
func (c *Condition) Owned(owner Owner) (bool, error) { return c.ownedBy(owner) }

// Of is the condition's own lock as owner's, for WaitWith.
func (c *Condition) Of(owner Owner) Locker { return owned{&c.base, owner} }

// Wait frees the condition's own lock, which owner must have, waits to be notified, and takes the lock again as
// often as it was acquired. Unless the lock cannot be had any more (CLOSED, CORRUPT), owner has it when Wait
// returns, whatever ended the wait; for that Wait may outlast ctx. ownerDied is as for Acquire.
func (c *Condition) Wait(ctx context.Context, owner Owner) (ownerDied bool, err error) {
	return c.WaitWith(ctx, c.Of(owner))
}

// WaitFor waits until holds says true, which is asked with the lock held.
func (c *Condition) WaitFor(ctx context.Context, owner Owner, holds func() bool) (ownerDied bool, err error) {
	for !holds() {
		died, err := c.Wait(ctx, owner)
		ownerDied = ownerDied || died
		if err != nil && !holds() {
			return ownerDied, err
		}
	}
	return ownerDied, nil
}

// WaitWith is Wait with another lock than the condition's own.
func (c *Condition) WaitWith(ctx context.Context, l Locker) (ownerDied bool, err error) {
	var w Waiting
	if err := c.Begin(l, &w); err != nil {
		return false, err
	}
	waited := c.Await(ctx, &w)
	notified, ownerDied, err := c.End(context.Background(), l, &w)
	if err == nil && !notified {
		err = waited
	}
	return ownerDied, err
}

// Waiting is a wait under way, for bindings that have to interrupt and resume one: Begin, then Await until it
// does not return INTERRUPTED, then End until it does not. It is plain data, checked at each use.
type Waiting struct {
	Place  uint32
	Depth  uint32 // how often the lock was acquired
	Ticket uint64
}

// Begin takes a place and frees the lock. LIMIT without a place, INVALID without the lock.
func (c *Condition) Begin(l Locker, w *Waiting) (err error) {
	var o op
	if err = o.begin(&c.base, "wait for"); err != nil {
		return err
	}
	defer o.End(&err)
	defer o.leave()
	// The place comes first: whoever changes what is waited for does that with the lock, and then finds it.
	if err = o.guardSoon(); err != nil {
		return err
	}
	c.h.Ticket++
	ticket := c.h.Ticket
	p, err := o.seat(ticket)
	o.unguard()
	if err != nil {
		return err
	}
	crash.Point("psync.wait.seated")
	w.Place, w.Ticket = uint32(p), ticket
	if w.Depth, err = l.ReleaseAll(); err != nil {
		c.places[p].Who.Store(0)
	}
	return err
}

// place returns where w waits: w comes from the caller.
func (o *op) place(w *Waiting) (*layout.Place, error) {
	if int(w.Place) >= len(o.b.places) {
		return nil, o.misuse("its place is none: it was not made by this condition")
	}
	p := &o.b.places[w.Place]
	if _, token := split(p.Who.Load()); token != o.b.obj.Me || p.Ticket != w.Ticket {
		return nil, o.misuse("its place is not this wait's: it has ended already")
	}
	return p, nil
}

// Await waits to be notified. Whatever it returns but INTERRUPTED, the wait is over but for the lock.
func (c *Condition) Await(ctx context.Context, w *Waiting) (err error) {
	var o op
	if err = o.begin(&c.base, "wait for"); err != nil {
		return err
	}
	defer o.End(&err)
	defer o.leave()
	p, err := o.place(w)
	if err != nil {
		return err
	}
	wait := c.waiter(waitsForNotify)
	wait.Word = &p.Word
	wait.Try = func() (bool, error) {
		switch state, token := split(p.Who.Load()); {
		case token != c.obj.Me:
			return false, ipcerr.Corrupt
		case state == layout.PlaceCalled:
			return true, nil
		}
		o.passCalls()
		return false, nil
	}
	return park.Wait(ctx, &wait)
}

// End takes the lock again and gives the place up. A wait that was not notified is withdrawn first; one
// that was, and dies before it has the lock, passes the call on.
func (c *Condition) End(ctx context.Context, l Locker, w *Waiting) (notified, ownerDied bool, err error) {
	notified = !c.vacate(w, layout.PlaceWaiting)
	ownerDied, err = l.AcquireAgain(ctx, w.Depth)
	if notified && ipcerr.CodeOf(err) != ipcerr.Interrupted {
		crash.Point("psync.wait.locked")
		c.vacate(w, layout.PlaceCalled)
	}
	return notified, ownerDied, err
}

// vacate gives the place up, unless it is in another state.
func (c *Condition) vacate(w *Waiting, state uint32) (ok bool) {
	var (
		o   op
		err error
	)
	if o.begin(&c.base, "wait for") != nil {
		return true
	}
	defer o.End(&err)
	p, err := o.place(w)
	return err != nil || p.Who.CompareAndSwap(join(state, c.obj.Me), 0)
}

// Notify wakes up to n of those who wait, the longest first. The caller should have the lock.
func (c *Condition) Notify(n int) (err error) {
	var o op
	if err = o.begin(&c.base, "notify"); err != nil {
		return err
	}
	defer o.End(&err)
	defer o.leave()
	if n < 0 {
		return o.misuse("n must be 0 or more")
	}
	if err = o.guardSoon(); err != nil {
		return err
	}
	defer o.unguard()
	for living := c.living(); n > 0 && o.call(living); n-- {
	}
	return nil
}

// NotifyAll wakes all who wait.
func (c *Condition) NotifyAll() (err error) {
	var o op
	if err = o.begin(&c.base, "notify"); err != nil {
		return err
	}
	defer o.End(&err)
	defer o.leave()
	if err = o.guardSoon(); err != nil {
		return err
	}
	var woken []*atomic.Uint32
	places := c.taken()
	for i := range places {
		p := &places[i]
		if state, token := split(p.Who.Load()); state == layout.PlaceWaiting &&
			p.Who.CompareAndSwap(join(state, token), join(layout.PlaceCalled, token)) {
			woken = append(woken, &p.Word)
		}
	}
	o.unguard() // the wakes take long
	for _, w := range woken {
		park.WakeAll(w)
	}
	return nil
}

// seat takes a free place under a ticket. Guard.
func (o *op) seat(ticket uint64) (int, error) {
	b := o.b
	for range 2 {
		for i := range b.places {
			p := &b.places[i]
			if p.Who.Load() != 0 {
				continue
			}
			p.Ticket = ticket
			p.Since.Store(uint32(object.Now() / 1e9))
			if top := uint32(i) + 1; top > b.h.Top.Load() {
				b.h.Top.Store(top)
			}
			crash.Point("psync.seat.filled")
			p.Who.Store(join(layout.PlaceWaiting, b.obj.Me)) // the commit
			return i, nil
		}
		o.dropDead(b.living())
	}
	return 0, &ipcerr.Error{Op: o.Verb + " " + b.obj.Noun, Name: b.Name(), Code: ipcerr.Limit,
		Hint: fmt.Sprintf("all %d places are taken: let fewer threads wait at once", len(b.places))}
}

// taken are the places that may be. What Top says is not trusted.
func (b *base) taken() []layout.Place { return b.places[:min(int(b.h.Top.Load()), len(b.places))] }

// call calls the one who waits longest, and reports whether there is one. Guard.
//
// Killed behind the store, before the wake: the one who was called sees it when its slice ends.
func (o *op) call(living func(uint32) bool) bool {
	for {
		var oldest *layout.Place
		places := o.b.taken()
		for i := range places {
			state, _ := split(places[i].Who.Load())
			if p := &places[i]; state == layout.PlaceWaiting && (oldest == nil || p.Ticket < oldest.Ticket) {
				oldest = p
			}
		}
		if oldest == nil {
			return false
		}
		who := oldest.Who.Load()
		state, token := split(who)
		if state != layout.PlaceWaiting {
			continue // it has just given up
		}
		if !living(token) {
			oldest.Who.CompareAndSwap(who, 0)
			continue
		}
		if oldest.Who.CompareAndSwap(who, join(layout.PlaceCalled, token)) {
			crash.Point("psync.notify.called")
			park.WakeAll(&oldest.Word)
			return true
		}
	}
}

// dropDead frees the places of the dead, and passes on the calls that they did not live to hear. Guard.
//
// First the next one is called, then the place is free: killed in between, one too many is called, which
// a condition may do, and never one too few.
func (o *op) dropDead(living func(uint32) bool) {
	places := o.b.taken()
	for i := range places {
		who := places[i].Who.Load()
		state, token := split(who)
		if who == 0 || living(token) {
			continue
		}
		if state == layout.PlaceCalled {
			o.call(living)
			crash.Point("psync.pass.called")
		}
		places[i].Who.CompareAndSwap(who, 0)
		o.b.h.Reclaimed.Add(1)
	}
}

// passCalls does that on behalf of one who waits, if it was not done a moment ago.
func (o *op) passCalls() {
	if o.b.search() && o.guardAtOnce() {
		o.dropDead(o.b.living())
		o.unguard()
	}
}
