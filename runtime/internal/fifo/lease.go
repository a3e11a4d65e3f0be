package fifo

import (
	"context"
	"runtime/debug"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/ring"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Lease names a message in the hands of this process. It is plain data; only Ack, Nack and the end
// of the process end it.
type Lease struct {
	Ring, Position, State uint64
	Deliveries            uint32 // 1 the first time; stays at 4095
}

// TryLeaseInto leases the next message and copies it into buf, without waiting. Errors as for
// TryGetInto.
func (q *Fifo) TryLeaseInto(buf []byte) (l Lease, n int, f Format, err error) {
	o := op{q: q, name: "lease from"}
	if err = o.begin(); err != nil {
		return l, 0, 0, err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	if l, n, f, err = o.lease(noWait, buf); err == ipcerr.Empty {
		err = o.orReclaim(err, func() (err error) { l, n, f, err = o.lease(noWait, buf); return err })
	}
	return l, n, f, err
}

// LeaseInto is TryLeaseInto that waits for a message until ctx ends. Errors as for GetInto.
func (q *Fifo) LeaseInto(ctx context.Context, buf []byte) (l Lease, n int, f Format, err error) {
	l, n, f, err = q.TryLeaseInto(buf)
	if err != q.errEmpty {
		return l, n, f, err
	}
	return q.leaseIntoWait(ctx, buf)
}

//go:noinline
func (q *Fifo) leaseIntoWait(ctx context.Context, buf []byte) (l Lease, n int, f Format, err error) {
	err = q.getWait(ctx, func(o *op) (err error) { l, n, f, err = o.lease(ctx, buf); return err })
	return l, n, f, err
}

// lease claims the oldest message that is ready, and copies it outside the lock: the lease itself
// keeps it in its place.
func (o *op) lease(ctx context.Context, buf []byte) (l Lease, n int, f Format, err error) {
	if err := o.lock(consumers, ctx); err != nil {
		return l, 0, 0, busy(ctx, err, ipcerr.Empty)
	}
	var it ring.Item
	m, err := o.find(&it)
	if err != nil {
		return l, 0, 0, o.fault(err)
	}
	n, f = int(it.Length), Format(it.Format)
	if n > len(buf) {
		return l, n, f, o.fault(ipcerr.TooSmall)
	}
	if err := o.claim(m, &it); err != nil {
		return l, 0, 0, err
	}
	defer m.hands.Leave()
	if f, err = o.read(m, &it, buf[:n]); err != nil {
		return l, 0, 0, err
	}
	crash.Point("fifo.lease.read")
	return Lease{m.Number, it.Pos, uint64(it.S), it.S.Deliveries() + 1}, n, f, nil
}

// Ack finishes a leased message: it goes, and counts as one task done. ipcerr.LeaseLost if this
// process does not hold the lease any more.
func (q *Fifo) Ack(l Lease) error { return q.endLease("ack message of", l, layout.Acked) }

// Nack gives a leased message back, to be delivered again before newer ones, with a higher delivery
// count. Errors as for Ack.
func (q *Fifo) Nack(l Lease) error {
	return q.endLease("nack message of", l, layout.State(l.State).Return())
}

func (q *Fifo) endLease(name string, l Lease, to layout.State) (err error) {
	o := op{q: q, name: name}
	if err = o.begin(); err != nil {
		return err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	s := layout.State(l.State)
	if s.Phase() != layout.Leased || s.Owner() != q.obj.Me {
		return ipcerr.LeaseLost // made up, or inherited from before a fork
	}
	m, err := q.rings.lend(l.Ring)
	if err != nil {
		return ipcerr.LeaseLost
	}
	defer m.hands.Leave()
	// While the state is exactly the lease's, the record is in its place: its second, count and
	// owner make a mix-up with later contents of the same bytes as good as impossible.
	rec, ok := m.At(l.Position)
	if !ok || !rec.Move(s, to) {
		return ipcerr.LeaseLost
	}
	crash.Point("fifo.lease.ended")
	if to == layout.Acked {
		return o.settle()
	}
	q.h.Redelivered.Add(1)
	q.h.Rescan.Store(1)
	crash.Point("fifo.nack.rescan")
	q.wakeReaders(1)
	return nil
}

// ReturnLeases gives back what this process holds on lease, as its death would. It goes before the close of
// the last handle: nobody could ack any more.
func (q *Fifo) ReturnLeases() (err error) {
	o := op{q: q, name: "close"}
	if err = o.begin(); err != nil {
		return err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	if err = o.lock(consumers, noWait); err != nil {
		return err // held up: they come back when this process ends
	}
	c, err := q.count(false)
	if err == nil && c.Leased > 0 {
		_, err = o.reclaimLocked(false, true)
	}
	if e := o.unlockConsumers(); err == nil {
		err = e
	}
	return err
}
