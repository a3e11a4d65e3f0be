package fifo

import (
	"context"
	"runtime/debug"
	"sync"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/ring"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Part is a message within the buffer of GetManyInto.
type Part struct {
	Offset, Size int
	Format       Format
}

// TryGetInto gets the next message into buf without waiting, and returns its size and format.
// ipcerr.Empty if there is none; ipcerr.TooSmall leaves it in the queue, with its size in n.
func (q *Fifo) TryGetInto(buf []byte) (n int, f Format, err error) { return q.tryGetInto(buf, true) }

// tryGetInto asks for the other side, which is a system call, only if it is to.
func (q *Fifo) tryGetInto(buf []byte, ask bool) (n int, f Format, err error) {
	o := op{q: q, name: q.GetFrom}
	if err = o.begin(); err != nil {
		return 0, 0, err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	if q.bare() && !(ask && q.lost(true)) {
		return 0, 0, ipcerr.Empty
	}
	if n, f, err = o.get(noWait, buf); err == ipcerr.Empty {
		err = o.orReclaim(err, func() (err error) { n, f, err = o.get(noWait, buf); return err })
	}
	return n, f, err
}

// GetInto is TryGetInto that waits for a message until ctx ends.
//
// Errors: ipcerr.TooSmall; ipcerr.Shutdown when the queue was shut down and nothing is left;
// ipcerr.Timeout (also context.DeadlineExceeded), ipcerr.Cancelled (also context.Canceled),
// ipcerr.Closed. No message was taken then.
func (q *Fifo) GetInto(ctx context.Context, buf []byte) (n int, f Format, err error) {
	n, f, err = q.tryGetInto(buf, false)
	if err != q.errEmpty {
		return n, f, err
	}
	return q.getIntoWait(ctx, buf)
}

// TryGet gets the next message without waiting; ipcerr.Empty if there is none.
func (q *Fifo) TryGet() (Message, error) {
	return Fit(func(buf []byte) (int, Format, error) { return q.TryGetInto(buf) })
}

// Get gets the next message, waiting until ctx ends. Errors as for GetInto, but never TooSmall.
func (q *Fifo) Get(ctx context.Context) (Message, error) {
	return Fit(func(buf []byte) (int, Format, error) { return q.GetInto(ctx, buf) })
}

var scratch = sync.Pool{New: func() any { return new([inline]byte) }}

// Fit gets into a buffer of the right size. The message that was too large for one try may be
// gone at the next: until one fits.
func Fit(get func(buf []byte) (int, Format, error)) (Message, error) {
	small := scratch.Get().(*[inline]byte)
	defer scratch.Put(small)
	n, f, err := get(small[:])
	if err == nil {
		return Message{append(make([]byte, 0, n), small[:n]...), f}, nil
	}
	for ipcerr.CodeOf(err) == ipcerr.TooSmall {
		buf := make([]byte, n)
		if n, f, err = get(buf); err == nil {
			return Message{buf[:n:n], f}, nil
		}
	}
	return Message{}, err
}

// TryGetManyInto gets what is there, without waiting: at most len(msgs) messages and len(buf)
// bytes, one behind the other. It returns how many, at least 1 without an error. ipcerr.TooSmall if
// not even the first fits; its size is then in msgs[0].Size.
func (q *Fifo) TryGetManyInto(buf []byte, msgs []Part) (n int, err error) {
	o := op{q: q, name: q.GetFrom}
	if err = o.begin(); err != nil {
		return 0, err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	err = o.orReclaim(ipcerr.Empty, func() (err error) { n, err = o.getMany(noWait, buf, msgs); return err })
	return n, err
}

// GetManyInto waits for one message until ctx ends, then takes what else is there as
// TryGetManyInto does.
func (q *Fifo) GetManyInto(ctx context.Context, buf []byte, msgs []Part) (n int, err error) {
	n, err = q.TryGetManyInto(buf, msgs)
	if err != q.errEmpty {
		return n, err
	}
	return q.getManyWait(ctx, buf, msgs)
}

//go:noinline
func (q *Fifo) getManyWait(ctx context.Context, buf []byte, msgs []Part) (n int, err error) {
	err = q.getWait(ctx, func(o *op) (err error) { n, err = o.getMany(ctx, buf, msgs); return err })
	return n, err
}

// GetMany waits for one message until ctx ends, then takes what else is there, at most most
// messages and about a mebibyte.
func (q *Fifo) GetMany(ctx context.Context, most int) ([]Message, error) {
	if most <= 0 {
		return nil, nil
	}
	parts := make([]Part, min(most, 4096))
	buf := make([]byte, 1<<20)
	n, err := q.GetManyInto(ctx, buf, parts)
	if ipcerr.CodeOf(err) == ipcerr.TooSmall {
		m, err := q.Get(ctx)
		if err != nil {
			return nil, err
		}
		return []Message{m}, nil
	}
	ms := make([]Message, n)
	for i, p := range parts[:n] {
		ms[i] = Message{append(make([]byte, 0, p.Size), buf[p.Offset:p.Offset+p.Size]...), p.Format}
	}
	return ms, err
}

// get takes the oldest message that is ready.
func (o *op) get(ctx context.Context, buf []byte) (int, Format, error) {
	if err := o.lock(consumers, ctx); err != nil {
		return 0, 0, busy(ctx, err, ipcerr.Empty)
	}
	if h, m := o.q.h, o.q.rings.hot.Load(); h.First.Load() == m.Number && h.Rescan.Load() == 0 && h.Shutdown.Load() == 0 {
		if n, f, more, ok := m.TakeFront(buf, inline); ok {
			crash.Point("fifo.get.front")
			if more {
				h.Dirty.Store(1)
			}
			o.wake |= writers
			return n, Format(f), o.unlockConsumers()
		}
	}
	var it ring.Item
	m, err := o.find(&it)
	n := int(it.Length)
	switch {
	case err != nil:
	case n > len(buf):
		err = ipcerr.TooSmall
	case it.Side || it.Links > 0 || n > inline:
		return o.getLarge(m, &it, buf)
	default:
		err = o.take(m, &it, buf)
	}
	if e := o.unlockConsumers(); err == nil {
		err = e
	}
	return n, Format(it.Format), err
}

// take copies a small message and finishes its record. Consumer lock.
func (o *op) take(m *mapped, it *ring.Item, buf []byte) error {
	copy(buf, m.Payload(it))
	crash.Point("fifo.get.copied")
	h := m.H
	if it.Pos == h.Head.Load() {
		end := it.Pos + it.Size
		h.Head.Store(end) // the commit
		if h.Reach > end && h.Reach-end <= m.Data.Size() {
			o.q.h.Dirty.Store(1) // records behind it may be finished already
		}
	} else {
		if !m.Claim(it, layout.Done) { // the commit
			return ring.ErrCorrupt
		}
		o.q.h.Dirty.Store(1)
	}
	crash.Point("fifo.get.taken")
	o.wake |= writers
	return nil
}

// getLarge claims a large message, copies it outside the lock, and finishes it: as a lease that
// lasts for the call. If this process dies in it, the message is delivered again.
func (o *op) getLarge(m *mapped, it *ring.Item, buf []byte) (int, Format, error) {
	if err := o.claim(m, it); err != nil {
		return 0, 0, err
	}
	defer m.hands.Leave()
	n := int(it.Length)
	f, err := o.read(m, it, buf[:n])
	if err != nil {
		return 0, 0, err
	}
	crash.Point("fifo.get_large.read")
	if !it.Rec.Move(it.S, layout.Done) {
		object.Return(f.Receipt())
		return 0, 0, ipcerr.Shutdown // discarded meanwhile
	}
	crash.Point("fifo.get_large.done")
	o.q.removeParts(it)
	return n, f, o.settle()
}

// claim leases a record that was found and lets go of the consumer lock. The ring stays mapped
// until the caller leaves m.hands.
func (o *op) claim(m *mapped, it *ring.Item) error {
	if !m.Claim(it, it.S.Lease(o.q.obj.Me, object.Second())) {
		return o.fault(ring.ErrCorrupt)
	}
	crash.Point("fifo.claim.leased")
	m.hands.Enter()
	if err := o.unlockConsumers(); err != nil {
		m.hands.Leave()
		return err
	}
	return nil
}

// fault lets go of the consumer lock and passes on why.
func (o *op) fault(err error) error {
	_ = o.unlockConsumers()
	return err
}

// read copies a claimed record's payload, and receives what it refers to; it returns the format. It leaves the
// record as it was, ready, if it can't.
func (o *op) read(m *mapped, it *ring.Item, buf []byte) (Format, error) {
	err := o.payload(m, it, buf)
	if ipcerr.CodeOf(err) == ipcerr.NotFound { // somebody deleted its part: say so once, and go on
		it.Rec.Move(it.S, layout.Done)
		return 0, o.finish(&ipcerr.Error{Op: o.q.GetFrom + " " + o.q.obj.Noun, Name: o.q.obj.Name(), Code: ipcerr.Corrupt,
			Hint: "a large message's file was deleted by another program: the message is lost", Err: err})
	}
	var f Format
	if err == nil {
		f, err = o.receive(it)
	}
	if err == nil {
		return f, nil
	}
	if it.Rec.Move(it.S, it.S.Return()) {
		o.q.h.Rescan.Store(1)
		return 0, err
	}
	return 0, ipcerr.Shutdown
}

func (o *op) payload(m *mapped, it *ring.Item, buf []byte) error {
	if !it.Side {
		ring.Copy(buf, m.Payload(it))
		return nil
	}
	return o.q.obj.Root.ReadPart(o.q.obj.File.UUID, o.q.MessageLetter, it.Seq, o.q.obj.Member.UUID(), buf)
}

// getMany takes messages until the buffer, msgs or the queue ends. A large one comes alone.
func (o *op) getMany(ctx context.Context, buf []byte, msgs []Part) (n int, err error) {
	if len(msgs) == 0 {
		return 0, nil
	}
	if err = o.lock(consumers, ctx); err != nil {
		return 0, busy(ctx, err, ipcerr.Empty)
	}
	n, used := o.takeFront(buf, msgs)
	var it ring.Item
	for n < len(msgs) && used < batchBytes {
		var m *mapped
		if m, err = o.find(&it); err != nil {
			break
		}
		size := int(it.Length)
		if size > len(buf)-used {
			err = ipcerr.TooSmall
			if n == 0 {
				msgs[0] = Part{Size: size, Format: Format(it.Format)}
			}
			break
		}
		if it.Side || it.Links > 0 || size > inline {
			if n > 0 {
				break
			}
			n, f, err := o.getLarge(m, &it, buf)
			if err != nil {
				return 0, err
			}
			msgs[0] = Part{0, n, f}
			return 1, nil
		}
		if err = o.take(m, &it, buf[used:]); err != nil {
			break
		}
		n, used = took(msgs, n, used, size, it.Format)
	}
	if e := o.unlockConsumers(); err == nil {
		err = e
	}
	if n > 0 {
		err = nil
	}
	return n, err
}

// takeFront takes small messages from the head of the only ring as long as nothing else needs
// looking at. Consumer lock.
func (o *op) takeFront(buf []byte, msgs []Part) (n, used int) {
	h, m := o.q.h, o.q.rings.hot.Load()
	if h.First.Load() != m.Number || h.Rescan.Load() != 0 || h.Shutdown.Load() != 0 {
		return 0, 0
	}
	for n < len(msgs) && used < batchBytes {
		size, f, more, ok := m.TakeFront(buf[used:], inline)
		if !ok {
			break
		}
		if more {
			h.Dirty.Store(1)
		}
		o.wake |= writers
		n, used = took(msgs, n, used, size, f)
	}
	return n, used
}

// took notes a message of a getMany.
func took(msgs []Part, n, used, size int, format uint16) (int, int) {
	crash.Point("fifo.get_many.took")
	msgs[n] = Part{used, size, Format(format)}
	return n + 1, used + size
}

// find reads into it the oldest message that is ready, and returns its ring; ipcerr.Empty if there is none,
// ipcerr.Shutdown if there can be none any more. Consumer lock.
func (o *op) find(it *ring.Item) (m *mapped, err error) {
	q, h := o.q, o.q.h
	if m, err = q.rings.first(); err != nil {
		return nil, err
	}
	if err = o.reclaimPassed(m); err != nil {
		return nil, err
	}
	if h.Rescan.Load() != 0 {
		if err = q.rings.all(func(m *mapped) error { m.Rewind(); return nil }); err != nil {
			return nil, err
		}
		// Cleared behind the rewind and before the search: whoever sets it from now on has made
		// his record ready before, and the search sees it or is repeated.
		h.Rescan.Store(0)
	}
	if h.Shutdown.Load() == shutdownNow {
		return nil, o.discard()
	}
	var before *mapped
	for hops := 0; ; hops++ {
		next := m.H.Next.Load()
		ok, err := m.Find(it)
		if ok && before != nil {
			return q.rings.oldest(m, it)
		}
		if ok || err != nil {
			return m, err
		}
		// next was read before the search: if it is set the tail was final and nothing was missed.
		if next == 0 {
			break
		}
		if hops == longestChain {
			return nil, ring.ErrCorrupt
		}
		n, err := q.rings.number(next)
		if err != nil {
			return nil, err
		}
		gone := false
		if m.Empty() {
			if gone, err = o.retire(before, m); err != nil {
				return nil, err
			}
		}
		if !gone {
			before = m
		}
		m = n
	}
	if h.Dirty.Load() != 0 {
		h.Dirty.Store(0)
		if err := o.sweep(); err != nil {
			return nil, err
		}
	}
	if m.Number != 0 && before == nil && m.Empty() {
		if _, err := o.retire(nil, m); err != nil {
			return nil, err
		}
	}
	if h.Shutdown.Load() != 0 {
		return nil, o.ended()
	}
	return nil, ipcerr.Empty
}

// bare reports, without a lock, that there is not one record, so nothing to take and nothing that the dead
// might hold; nor a consumer lock, whose dead owner may have left something to mend.
//
// The head is read first: it never passes the tail, so a tail that is read later and no further was
// the head then, too.
func (q *Fifo) bare() bool {
	h, m := q.h, q.rings.hot.Load()
	if m.Number != 0 {
		return false // may be unmapped under our hands
	}
	head := m.H.Head.Load()
	if m.Known(head) {
		return false // and the producers' cache line is left alone
	}
	return m.H.Tail.Load() == head && m.H.Next.Load() == 0 && h.First.Load() == 0 && h.Consumers.Load() == 0 && h.Shutdown.Load() == 0
}

// Bare reports, within a call or as the object is opened, that there is not one message.
func (q *Fifo) Bare() bool { return q.bare() }

// Hint is readable, within a call.
func (q *Fifo) Hint() bool { return q.readable() }

// readable is a guess, without a lock, whether a get might find something.
func (q *Fifo) readable() bool {
	h := q.h
	return h.Rescan.Load() != 0 || h.Shutdown.Load() != 0 || q.rings.peek(func(m *mapped) bool {
		return m.MaybeReady() || m.H.Next.Load() != 0 || h.First.Load() != m.Number
	})
}
