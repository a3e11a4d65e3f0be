package fifo

import (
	"sync"
	"sync/atomic"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/ring"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// A queue is a chain of rings: header.First, then each ring's Next. Normally it is ring 0 alone,
// which lies in the queue's own file. Producers append at the end of the chain, under their lock;
// rings leave it only under both locks. So whoever holds either lock may walk the chain and use
// its rings. Outside the locks a ring stays because one of its records is in the caller's hands,
// and mapped because the caller has counted itself in.

// mapped is a ring of the chain as this process has it mapped.
type mapped struct {
	ring.Ring
	part *shm.Part // nil for ring 0
	// hands counts the calls that have a record of the ring in hand, outside the locks; it is shut
	// when the ring has left the chain.
	hands object.Gate
}

func newMapped(r ring.Ring, part *shm.Part) *mapped {
	m := &mapped{Ring: r, part: part}
	m.hands.Free = func() {
		if part != nil {
			_ = part.Close()
		}
	}
	return m
}

// largestRing is the most bytes of data of a ring that growth adds.
const largestRing = 64 << 20

// longestChain bounds the walk along a chain that damage has made a circle.
const longestChain = 4096

// rings is what this process has mapped of the chain.
type rings struct {
	q    *Fifo
	hot  atomic.Pointer[mapped] // the first ring, last time somebody looked
	mu   sync.Mutex
	list []*mapped // guarded by mu; list[0] is ring 0
}

func (rs *rings) init(q *Fifo) error {
	rs.q = q
	data := q.h.Data
	if err := q.check(data, q.h.Capacity, len(q.obj.File.Mem)); err != nil {
		return err
	}
	m := newMapped(q.ring(q.obj.File.Mem, 0, data), nil)
	rs.list = []*mapped{m}
	rs.hot.Store(m)
	return nil
}

func (rs *rings) close() {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, m := range rs.list {
		m.hands.Shut()
	}
	rs.list = nil
}

// first is the oldest ring of the chain. Either lock.
func (rs *rings) first() (*mapped, error) {
	n := rs.q.h.First.Load()
	if m := rs.hot.Load(); m.Number == n {
		return m, nil
	}
	m, err := rs.number(n)
	if err != nil {
		return nil, err
	}
	rs.hot.Store(m)
	return m, rs.prune()
}

// next is the ring behind m, nil if there is none. Either lock.
func (rs *rings) next(m *mapped) (*mapped, error) {
	n := m.H.Next.Load()
	if n == 0 {
		return nil, nil
	}
	return rs.number(n)
}

// last is the newest ring of the chain, the one to put to, and whether it is also the first.
// Either lock.
func (rs *rings) last() (m *mapped, only bool, err error) {
	if m, err = rs.first(); err != nil {
		return nil, false, err
	}
	for hops := 0; ; hops++ {
		next, err := rs.next(m)
		if err != nil || next == nil {
			return m, hops == 0, err
		}
		if hops == longestChain {
			return nil, false, ring.ErrCorrupt
		}
		m = next
	}
}

// all calls f for each ring of the chain, oldest first. Either lock.
func (rs *rings) all(f func(*mapped) error) error {
	m, err := rs.first()
	for hops := 0; err == nil && m != nil; hops++ {
		if hops == longestChain {
			return ring.ErrCorrupt
		}
		if err = f(m); err == nil {
			m, err = rs.next(m)
		}
	}
	return err
}

// oldest looks once more at the rings before m, in which it was found: a record in them that was being
// written then may have been committed since, and before the one in m was put. Consumer lock.
func (rs *rings) oldest(m *mapped, it *ring.Item) (*mapped, error) {
	r, err := rs.first()
	for hops := 0; err == nil && r != nil && r != m; hops++ {
		if hops == longestChain {
			return nil, ring.ErrCorrupt
		}
		var older ring.Item
		ok, err := r.Find(&older)
		if err != nil {
			return nil, err
		}
		if ok {
			*it = older
			return r, nil
		}
		if r, err = rs.next(r); err != nil {
			return nil, err
		}
	}
	return m, err
}

// peek calls f with the ring that was the first last time, for a guess without a lock; true if
// that ring is just going.
func (rs *rings) peek(f func(*mapped) bool) bool {
	m := rs.hot.Load()
	if m.Number == 0 {
		return f(m) // lies in the queue's own file, which the call under way keeps mapped
	}
	if !m.hands.Enter() {
		return true
	}
	defer m.hands.Leave()
	return f(m)
}

// number is ring n, mapped now if it was not yet.
func (rs *rings) number(n uint64) (*mapped, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.find(n)
}

// find is number with rs.mu held.
func (rs *rings) find(n uint64) (*mapped, error) {
	for _, m := range rs.list {
		if m.Number == n {
			return m, nil
		}
	}
	q := rs.q
	part, err := q.obj.Root.OpenPart(q.obj.File.UUID, q.RingLetter, n, layout.KindRing, q.obj.Member.UUID(), true)
	if ipcerr.CodeOf(err) == ipcerr.NotFound {
		return nil, ring.ErrCorrupt // the chain leads nowhere
	}
	if err != nil {
		return nil, err
	}
	return rs.add(n, part)
}

// add lists a newly mapped ring. rs.mu is held.
func (rs *rings) add(n uint64, part *shm.Part) (*mapped, error) {
	data := uint64(len(part.Mem)-layout.HeaderArea) / 2
	if len(part.Mem) <= layout.HeaderArea || data&(data-1) != 0 {
		_ = part.Close()
		return nil, ring.ErrCorrupt
	}
	m := newMapped(alone.ring(part.Mem, n, data), part)
	rs.list = append(rs.list, m)
	return m, nil
}

// lend finds ring n for a call without a lock, and counts the caller in.
func (rs *rings) lend(n uint64) (*mapped, error) {
	m, err := rs.number(n)
	if err != nil {
		return nil, err
	}
	if !m.hands.Enter() {
		return nil, ipcerr.LeaseLost
	}
	return m, nil
}

// prune unmaps the rings that are not in the chain any more. Either lock.
//
// The walk and the clean-up are one piece under rs.mu, as are publishing a ring and listing it in
// grow: else the holder of the other lock, a goroutine of this process, could append a ring between
// the two and find it unmapped.
func (rs *rings) prune() error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	in := map[uint64]bool{0: true}
	for n := rs.q.h.First.Load(); ; {
		in[n] = true
		m, err := rs.find(n)
		if err != nil {
			return err
		}
		if n = m.H.Next.Load(); n == 0 {
			break
		}
		if in[n] || len(in) > longestChain {
			return ring.ErrCorrupt
		}
	}
	keep := rs.list[:0]
	for _, m := range rs.list {
		if in[m.Number] {
			keep = append(keep, m)
		} else {
			m.hands.Shut()
		}
	}
	clear(rs.list[len(keep):])
	rs.list = keep
	return nil
}

// in reports whether ring n is in the chain. Either lock.
func (rs *rings) in(n uint64) (yes bool, err error) {
	err = rs.all(func(m *mapped) error { yes = yes || m.Number == n; return nil })
	return yes, err
}

// grow appends a ring of the given size behind last, whose next record would have had sequence
// number seq. Producer lock.
//
// The ring is made under the lock: whoever else wants to put would have to wait for it anyway, and
// a token that lets others in meanwhile would be one more thing to take over. Death before Next
// is stored leaves a part that nobody knows; Growing names it to the next owner of the lock.
func (rs *rings) grow(last *mapped, seq, size uint64) (*mapped, error) {
	q, h := rs.q, rs.q.h
	n := h.NextRing
	h.Growing = n
	h.NextRing = n + 1
	crash.Point("fifo.grow.named")
	part, err := q.obj.Root.CreatePart(q.obj.File.UUID, q.RingLetter, n, shm.Spec{
		Kind: layout.KindRing, Members: q.obj.Member.UUID(), Header: layout.RingOffset + 4096, Data: int64(size), Twice: true,
		Init: func(mem []byte) {
			r := alone.ring(mem, n, size)
			r.Init(seq)
		},
	})
	if err != nil {
		h.Growing = 0
		return nil, err
	}
	crash.Point("fifo.grow.linked")
	m, err := rs.append(last, n, part)
	if err != nil {
		return nil, err
	}
	crash.Point("fifo.grow.published")
	h.Growing = 0
	h.Grown++
	q.grew(n, size)
	return m, nil
}

// append lists ring n and makes it the one behind last. If last was truncated away that is a fault.
func (rs *rings) append(last *mapped, n uint64, part *shm.Part) (*mapped, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	m, err := rs.add(n, part)
	if err == nil {
		last.H.Next.Store(n) // the commit
	}
	return m, err
}

// hold reports whether a fault's address is in what the queue has mapped, which then was truncated.
func (rs *rings) hold(at uintptr) bool {
	in := func(mem []byte) bool {
		start, length := layout.Address(mem)
		return at-start < uintptr(length)
	}
	if in(rs.q.obj.File.Mem) {
		return true
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, m := range rs.list {
		if m.part != nil && in(m.part.Mem) {
			return true
		}
	}
	return false
}

// retire takes m out of the chain if all its records are finished; before is the ring in front of
// it, nil if m is the first. It reports whether m went. Consumer lock; takes the producer lock too,
// if it is free, and else leaves m for another time.
//
// Ring 0 stays where it is, and when the last ring of a chain is empty the queue goes back to it:
// at rest a queue is one small ring again.
func (o *op) retire(before, m *mapped) (bool, error) {
	q, h := o.q, o.q.h
	crash.Point("fifo.retire.seen_empty") // and a put may come now: so it is looked at again below
	if !park.TryLock(&h.Producers, q.obj.Me) {
		return false, nil
	}
	o.held |= producers
	defer o.unlockProducers()
	if !m.Empty() {
		return false, nil
	}
	next := m.H.Next.Load()
	if next == 0 && (before != nil || m.Number == 0) {
		return false, nil
	}
	if m.Number != 0 {
		h.Retiring = m.Number
	}
	crash.Point("fifo.retire.named")
	switch {
	case before != nil:
		before.H.Next.Store(next)
	case next != 0:
		h.First.Store(next)
	default:
		// Ring 0 is in nobody's hands: making it ready and dying leaves the chain as it was.
		q.rings.zero().Init(m.NextSeq())
		h.First.Store(0)
	}
	crash.Point("fifo.retire.unchained")
	var err error
	if m.Number != 0 {
		err = q.obj.Root.RemovePart(q.obj.File.UUID, q.RingLetter, m.Number)
		crash.Point("fifo.retire.removed")
		h.Retiring = 0
		q.shrank(m.Number)
	}
	if err != nil {
		return true, err
	}
	return true, q.rings.prune()
}

func (rs *rings) zero() *mapped {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.list[0]
}
