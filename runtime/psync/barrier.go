package psync

import (
	"context"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Barrier lets nobody pass until as many wait as it has parties; then it lets them all pass and is ready for
// the next round. One whose wait times out breaks it, until Reset.
//
// Who dies while it waits has not arrived: another takes its part.
type Barrier struct{ base }

// CreateBarrier makes a barrier for that many parties, at most MaxParties.
func CreateBarrier(name string, parties int, o Options) (*Barrier, error) {
	return open(&Barrier{}, create, name, what{o, layout.SyncBarrier, int64(parties)})
}

// OpenBarrier opens an existing barrier.
func OpenBarrier(name string, o Options) (*Barrier, error) {
	return open(&Barrier{}, openOnly, name, what{o, layout.SyncBarrier, 0})
}

// OpenOrCreateBarrier opens the barrier, which must be for as many parties, or makes it.
func OpenOrCreateBarrier(name string, parties int, o Options) (*Barrier, error) {
	return open(&Barrier{}, openOrCreate, name, what{o, layout.SyncBarrier, int64(parties)})
}

// How a round ends.
const (
	passed uint64 = iota + 1
	broke         // until it is reset
	reset         // those who waited find it broken, the next ones don't
)

const roundBits, indexBits = 48, 16

// Wait waits for the others. The parties of a round get the numbers from 0 to parties-1, one each.
// TIMEOUT breaks the barrier. BROKEN: it was broken, or somebody broke or reset it meanwhile. Cancelling ctx takes
// the arrival back.
func (b *Barrier) Wait(ctx context.Context) (index int, err error) {
	return b.WaitThen(ctx, nil)
}

// WaitThen is Wait, and if this is the last to arrive it runs action before it lets all pass. An error or
// panic of action breaks the barrier.
func (b *Barrier) WaitThen(ctx context.Context, action func() error) (index int, err error) {
	index, turn, err := b.Arrive(ctx, action != nil)
	if err != nil || turn == 0 {
		return index, err
	}
	done := false
	defer func() {
		if !done {
			_ = b.Abort()
		}
	}()
	if err = action(); err == nil {
		done = true
		err = b.Pass(turn)
	}
	return index, err
}

// Turn is the right to end the round, for whoever arrived last; 0 is none.
type Turn uint64

// Arrive is Wait; but with hold, whoever arrives last gets a turn instead of letting all pass, and does that
// by Pass or Abort.
func (b *Barrier) Arrive(ctx context.Context, hold bool) (index int, turn Turn, err error) {
	var o op
	if err = o.begin(&b.base, "wait at"); err != nil {
		return 0, 0, err
	}
	defer o.End(&err)
	defer o.leave()
	a := arrival{op: &o, ctx: ctx, hold: hold}
	done, err := a.arrive()
	if !done && err == nil {
		// While another runs its action the next round has not begun.
		w := b.waiter(waitsForParties)
		w.Try = a.arrive
		err = park.Wait(ctx, &w)
	}
	if err == nil && a.place != nil {
		w := b.waiter(waitsForParties)
		w.Try = a.over
		err = a.ended(park.Wait(ctx, &w))
	}
	return a.index, a.turn, err
}

// arrival is one party on its way through the barrier.
type arrival struct {
	*op
	ctx   context.Context
	hold  bool
	round uint64
	index int
	place *layout.Place // nil: it arrived last
	turn  Turn
}

// arrive takes a place, or ends the round; false while it has to wait for an action to end.
func (a *arrival) arrive() (bool, error) {
	h := a.b.h
	if err := a.guard(a.ctx); err != nil {
		return false, err
	}
	defer a.unguard()
	if h.Broken.Load() != 0 {
		return false, a.broken()
	}
	if token := h.Turn.Load(); token != 0 {
		if a.b.obj.Member.Alive(token) {
			return false, nil
		}
		h.Turn.Store(0) // it died in its action: another arrives last
	}
	a.round = h.Round
	parties := int(min(h.Limit, MaxParties))
	free, n := a.b.arrived(a.round, parties, nil)
	if n+1 >= parties {
		free, n = a.b.arrived(a.round, parties, a.b.living())
	}
	a.index = free
	if n+1 < parties {
		at, err := a.seat(a.round<<indexBits | uint64(free))
		if err == nil {
			a.place = &a.b.places[at]
		}
		return err == nil, err
	}
	if a.hold {
		h.Turn.Store(a.b.obj.Me)
		a.turn = Turn(a.round + 1)
		crash.Point("psync.barrier.turn")
	} else {
		a.finish(a.round, passed)
	}
	return true, nil
}

// arrived counts who waits in a round, and finds the smallest number that none of them has. With living it
// drops the dead. Guard.
func (b *base) arrived(round uint64, parties int, living func(uint32) bool) (free, n int) {
	var has [MaxParties]bool
	places := b.taken()
	for i := range places {
		p := &places[i]
		who := p.Who.Load()
		state, token := split(who)
		if state != layout.PlaceWaiting || p.Ticket>>indexBits != round&(1<<roundBits-1) {
			continue
		}
		if living != nil && !living(token) {
			p.Who.CompareAndSwap(who, 0)
			b.h.Reclaimed.Add(1)
			continue
		}
		if index := p.Ticket & (1<<indexBits - 1); index < uint64(parties) {
			has[index] = true
			n++
		}
	}
	for free < parties-1 && has[free] {
		free++
	}
	return free, n
}

// finish ends a round. Guard. The journal is the commit: whoever takes the guard from one who died here
// ends the round as it says.
func (o *op) finish(round, how uint64) {
	o.b.h.Ending.Store(round<<2 | how)
	crash.Point("psync.barrier.ending")
	o.b.endRound()
}

// endRound carries the journal out, if there is something in it. Twice is as good as once. Guard.
func (b *base) endRound() {
	h := b.h
	ending := h.Ending.Load()
	if ending == 0 {
		return
	}
	round, how := ending>>2, ending&3
	state := layout.PlaceBroken
	if how == passed {
		state = layout.PlaceCalled
	}
	places := b.taken()
	for i := range places {
		p := &places[i]
		was, token := split(p.Who.Load())
		if was == layout.PlaceWaiting && p.Ticket>>indexBits == round&(1<<roundBits-1) {
			p.Who.CompareAndSwap(join(was, token), join(state, token))
		}
	}
	crash.Point("psync.barrier.told")
	broken := uint32(0)
	if how == broke {
		broken = 1
	}
	h.Broken.Store(broken)
	h.Turn.Store(0)
	h.Round = round + 1
	h.Ending.Store(0)
	crash.Point("psync.barrier.ended")
	park.WakeAll(&h.Word)
}

// over reports whether the round is: called and broken places say so, and a journal that its writer did not
// live to carry out.
func (a *arrival) over() (bool, error) {
	state, token := split(a.place.Who.Load())
	switch {
	case token != a.b.obj.Me:
		return false, ipcerr.Corrupt
	case state != layout.PlaceWaiting:
		return true, nil
	}
	// The guard's holder may be dead, in the middle of ending this round.
	if holder := a.b.h.Guard.Load(); holder != 0 && a.guardAtOnce() {
		a.unguard()
		state, _ = split(a.place.Who.Load())
		return state != layout.PlaceWaiting, nil
	}
	return false, nil
}

// ended gives the place up and says how the wait went.
func (a *arrival) ended(err error) error {
	if ipcerr.CodeOf(err) == ipcerr.Timeout && a.guard(noWait) == nil {
		if state, _ := split(a.place.Who.Load()); state == layout.PlaceWaiting {
			a.place.Who.Store(0)
			a.finish(a.round, broke)
			a.unguard()
			return err
		}
		a.unguard()
	}
	for {
		who := a.place.Who.Load()
		state, token := split(who)
		if token != a.b.obj.Me {
			return ipcerr.Corrupt
		}
		if !a.place.Who.CompareAndSwap(who, 0) {
			continue
		}
		switch state {
		case layout.PlaceCalled:
			return nil
		case layout.PlaceBroken:
			return a.broken()
		}
		return err // the arrival is taken back
	}
}

func (o *op) broken() error {
	return &ipcerr.Error{Op: o.Verb + " " + o.b.obj.Noun, Name: o.b.Name(), Code: ipcerr.Broken,
		Hint: "a wait timed out, or somebody aborted or reset it: reset it when all are ready"}
}

// Pass ends the round that turn is for: all pass.
func (b *Barrier) Pass(turn Turn) (err error) {
	var o op
	if err = o.begin(&b.base, "pass"); err != nil {
		return err
	}
	defer o.End(&err)
	defer o.leave()
	if err = o.guardSoon(); err != nil {
		return err
	}
	defer o.unguard()
	if b.h.Round+1 != uint64(turn) || b.h.Turn.Load() != b.obj.Me {
		return o.broken()
	}
	o.finish(b.h.Round, passed)
	return nil
}

// Abort breaks the barrier: all who wait, and all who come, get BROKEN until somebody resets it.
func (b *Barrier) Abort() error { return b.end("abort", broke) }

// Reset makes the barrier as new. Who waits gets BROKEN.
func (b *Barrier) Reset() error { return b.end("reset", reset) }

func (b *Barrier) end(verb string, how uint64) (err error) {
	var o op
	if err = o.begin(&b.base, verb); err != nil {
		return err
	}
	defer o.End(&err)
	defer o.leave()
	if err = o.guardSoon(); err != nil {
		return err
	}
	defer o.unguard()
	o.finish(b.h.Round, how)
	return nil
}

// Parties is how many have to wait.
func (b *Barrier) Parties() int { return int(min(b.h.Limit, MaxParties)) }

// Waiting is how many wait now, and whether the barrier is broken.
func (b *Barrier) Waiting() (n int, broken bool, err error) {
	var o op
	if err = o.begin(&b.base, "look at"); err != nil {
		return 0, false, err
	}
	defer o.End(&err)
	defer o.leave()
	if err = o.guardSoon(); err != nil {
		return 0, false, err
	}
	defer o.unguard()
	_, n = b.arrived(b.h.Round, int(min(b.h.Limit, MaxParties)), b.living())
	return n, b.h.Broken.Load() != 0, nil
}
