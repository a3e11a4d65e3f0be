package fifo

import (
	"sync/atomic"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/ring"
)

// What a dead process leaves, and who mends it:
//
//	a lock                     the next who wants it, before its first sleep: repairProducers,
//	                           repairConsumers
//	a record being written     whoever finds nothing to take or no room: reclaim, at most every
//	                           reclaimEvery
//	a lease                    the same
//	a wake that never came     the sleeper's own slice
//	a part without a record    the same repairs, or the reaper when the queue is gone
//
// Every repair may be broken off anywhere by death and begun again by the next.

// repairProducers puts right what a dead owner of the producer lock may have left half done. Its
// staged records were never published, and NextSeq copes with that; a ring it was about to append
// is in the chain or goes.
func (o *op) repairProducers() {
	q, h := o.q, o.q.h
	if n := h.Growing; n != 0 {
		if in, err := q.rings.in(n); err == nil && !in {
			_ = q.obj.Root.RemovePart(q.obj.File.UUID, q.RingLetter, n)
			crash.Point("fifo.repair.growing")
		}
		h.Growing = 0
	}
}

// repairConsumers does the same for the consumer lock: the sweep in the journal is carried out,
// a ring that left the chain loses its part, and the cursors begin at the heads.
func (o *op) repairConsumers() {
	q, h := o.q, o.q.h
	if h.Sweep.Valid.Load() != 0 {
		o.applySweep()
	}
	if n := h.Retiring; n != 0 {
		if in, err := q.rings.in(n); err == nil && !in {
			_ = q.obj.Root.RemovePart(q.obj.File.UUID, q.RingLetter, n)
			crash.Point("fifo.repair.retiring")
		}
		h.Retiring = 0
	}
	h.Rescan.Store(1)
	h.Dirty.Store(1)
}

// sweep moves the heads over finished records. Consumer lock.
func (o *op) sweep() error {
	q, h := o.q, o.q.h
	empty := true
	err := q.rings.all(func(m *mapped) error {
		sw, err := m.Sweep(q.removeParts)
		if err != nil {
			return err
		}
		crash.Point("fifo.sweep.parts_removed")
		switch {
		case sw.Head == m.H.Head.Load():
		case sw.Finished == 0 && sw.Abandoned == 0:
			m.H.Head.Store(sw.Head) // nothing to count: one store is commit enough
			o.wake |= writers
		default:
			h.Sweep.Ring = m.Number
			h.Sweep.Head = sw.Head
			h.Sweep.Finished = h.Finished + sw.Finished
			h.Sweep.Abandoned = h.Abandoned + sw.Abandoned
			crash.Point("fifo.sweep.written")
			h.Sweep.Valid.Store(1) // the commit
			crash.Point("fifo.sweep.valid")
			o.applySweep()
			o.wake |= writers
		}
		empty = empty && m.Empty()
		return nil
	})
	if empty {
		o.wake |= joiners
		if h.Shutdown.Load() != 0 {
			o.wake |= readers // those who waited for leases to come back
		}
	}
	return err
}

// applySweep carries out the journal. Twice is as good as once. Consumer lock.
func (o *op) applySweep() {
	h := o.q.h
	j := &h.Sweep
	h.Finished, h.Abandoned = j.Finished, j.Abandoned
	crash.Point("fifo.sweep.counted")
	if m, err := o.q.rings.number(j.Ring); err == nil {
		if d := j.Head - m.H.Head.Load(); d <= m.H.Tail.Load()-m.H.Head.Load() {
			m.H.Head.Store(j.Head)
		}
	}
	crash.Point("fifo.sweep.moved")
	j.Valid.Store(0)
}

// reclaimEvery and reclaimShare bound how often a handle looks for dead owners of records: it may
// take one part in reclaimShare of the time, for the search passes over all that was claimed.
const (
	reclaimEvery = 10 * time.Millisecond
	reclaimShare = 20
)

// due says that it is time to look for dead owners, who were last looked for at the given time, and
// what time it is. The caller does, and then calls looked.
func (q *Fifo) due(looked *atomic.Int64) (began int64, yes bool) {
	began = object.Now()
	last := looked.Load()
	wait := max(int64(reclaimEvery), reclaimShare*q.reclaimTook.Load())
	return began, began-last >= wait && looked.CompareAndSwap(last, began)
}

// looked notes how long the search took. One that the scheduler broke off must not put off the next,
// so the figure at most doubles.
func (q *Fifo) looked(began int64) {
	q.reclaimTook.Store(min(object.Now()-began, 2*q.reclaimTook.Load()+int64(50*time.Microsecond)))
}

// reclaim returns the leases of the dead and abandons what they were writing, unless that was
// looked for a moment ago. It reports whether something may have changed. No lock held.
func (o *op) reclaim() (bool, error) {
	q := o.q
	began, yes := q.due(&q.reclaimed)
	if !yes {
		return false, nil
	}
	if err := o.lock(consumers, atOnce); err != nil {
		return false, nil // the holder is busy with the same queue; there will be a next time
	}
	changed, err := o.reclaimLocked(false, false)
	q.looked(began)
	if e := o.unlockConsumers(); err == nil {
		err = e
	}
	return changed, err
}

// reclaimPassed returns the leases of the dead while messages abound: if nobody ever comes to an
// empty queue, what the dead held would wait for ever, and block the ring. Consumer lock.
func (o *op) reclaimPassed(m *mapped) error {
	if !m.Passed(m.H.Head.Load()) {
		return nil // everything was taken in order
	}
	// Not the same clock as reclaim's: else this search, which passes over less, would be all there
	// ever is while somebody holds a lease.
	began, yes := o.q.due(&o.q.passed)
	if !yes {
		return nil
	}
	_, err := o.reclaimLocked(true, false)
	o.q.looked(began)
	return err
}

// orReclaim calls f, and again as long as it says no and the dead had something to give back.
func (o *op) orReclaim(no error, f func() error) error {
	for {
		err := f()
		if err != no {
			return err
		}
		if changed, err := o.reclaim(); err != nil {
			return err
		} else if !changed {
			break
		}
	}
	if !o.lost(!o.unsure) {
		return no
	}
	return o.deserted(no, f)
}

// settle sweeps after a record was finished without the lock, or leaves that to whoever holds it.
// There is room for another message now, also where an older record keeps the head from moving.
func (o *op) settle() error {
	o.q.h.Dirty.Store(1)
	crash.Point("fifo.settle.dirty")
	o.wake |= writers
	if !park.TryLock(&o.q.h.Consumers, o.q.obj.Me) {
		o.flushWakes()
		return nil
	}
	o.held |= consumers
	return o.unlockConsumers()
}

// finish settles and passes on why.
func (o *op) finish(err error) error {
	_ = o.settle()
	return err
}

// reclaimLocked is reclaim under the consumer lock, for all records or for those that were claimed.
// With own, this process counts as dead too.
func (o *op) reclaimLocked(claimed, own bool) (changed bool, err error) {
	q, h := o.q, o.q.h
	alive := map[uint32]bool{q.obj.Me: !own}
	isDead := func(token uint32) bool {
		a, known := alive[token]
		if !known {
			a = q.obj.Member.Alive(token)
			alive[token] = a
		}
		return !a
	}
	lost := q.newLosses()
	err = q.rings.all(func(m *mapped) error {
		look := func(it *ring.Item) bool {
			switch it.S.Phase() {
			case layout.Leased:
				if isDead(it.S.Owner()) && it.Rec.Move(it.S, it.S.Return()) {
					crash.Point("fifo.reclaim.returned")
					h.Redelivered.Add(1)
					lost.lease(it.S.Owner())
					h.Rescan.Store(1)
					changed = true
				}
			case layout.Reserved:
				if isDead(it.S.Owner()) && it.Rec.Move(it.S, layout.Abandoned) {
					crash.Point("fifo.reclaim.abandoned")
					lost.write(it.S.Owner())
					m.Reached(it)
					h.Dirty.Store(1)
					o.wake |= writers
					changed = true
				}
			case layout.Ready:
				// Given back by somebody who died before he could say so.
				if m.Passed(it.Pos) && h.Rescan.Load() == 0 {
					h.Rescan.Store(1)
					changed = true
				}
			default:
				// Finished by somebody who died before he could say so, or given up by its producer:
				// it must not count against the bounds.
				if it.Pos == m.H.Head.Load() {
					h.Dirty.Store(1)
				}
				changed = m.Reached(it) || changed
			}
			return true
		}
		if claimed {
			return m.EachClaimed(look)
		}
		return m.Each(look)
	})
	lost.note()
	if changed && (park.Sleeping(&h.Readable) || q.bells.Armed(layout.BellReadable)) {
		o.wake |= readers
	}
	return changed, err
}
