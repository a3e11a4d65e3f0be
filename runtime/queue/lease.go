package queue

import (
	"context"
	"runtime/debug"
	"sync"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/ring"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Lease names a message in the hands of this process. It is plain data; only Ack, Nack and the end
// of the process end it.
type Lease struct {
	Ring, Position, State uint64
	Deliveries            uint32 // 1 the first time; stays at 4095
}

// Leased is a message with its lease.
type Leased struct {
	Message
	Lease
	q *Queue
}

// Ack finishes the message; it counts as one task done. ipcerr.LeaseLost if the lease is not held
// any more.
func (l *Leased) Ack() error { return l.q.Ack(l.Lease) }

// Nack gives the message back, to be delivered again before newer ones.
func (l *Leased) Nack() error { return l.q.Nack(l.Lease) }

// Lease gets the next message but leaves it in the queue's care: until it is acked it counts as
// unfinished, and when this process dies it is delivered again, before newer messages. Errors as
// for Get.
func (q *Queue) Lease(ctx context.Context) (*Leased, error) {
	return q.leaseAny(func(buf []byte) (Lease, int, Format, error) { return q.LeaseInto(ctx, buf) })
}

// TryLease is Lease without waiting; ipcerr.Empty if there is no message.
func (q *Queue) TryLease() (*Leased, error) { return q.leaseAny(q.TryLeaseInto) }

func (q *Queue) leaseAny(get func([]byte) (Lease, int, Format, error)) (*Leased, error) {
	l := &Leased{q: q}
	var err error
	l.Message, err = getAny(func(buf []byte) (n int, f Format, err error) {
		l.Lease, n, f, err = get(buf)
		return n, f, err
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// TryLeaseInto leases the next message and copies it into buf, without waiting. Errors as for
// TryGetInto.
func (q *Queue) TryLeaseInto(buf []byte) (l Lease, n int, f Format, err error) {
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
func (q *Queue) LeaseInto(ctx context.Context, buf []byte) (l Lease, n int, f Format, err error) {
	l, n, f, err = q.TryLeaseInto(buf)
	if err != q.errEmpty {
		return l, n, f, err
	}
	return q.leaseIntoWait(ctx, buf)
}

//go:noinline
func (q *Queue) leaseIntoWait(ctx context.Context, buf []byte) (l Lease, n int, f Format, err error) {
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
	if err := o.read(m, &it, buf[:n]); err != nil {
		return l, 0, 0, err
	}
	crash.Point("queue.lease.read")
	return Lease{m.Number, it.Pos, uint64(it.S), it.S.Deliveries() + 1}, n, f, nil
}

// Ack finishes a leased message: it goes, and counts as one task done. ipcerr.LeaseLost if this
// process does not hold the lease any more.
func (q *Queue) Ack(l Lease) error { return q.endLease("ack message of", l, layout.Acked) }

// Nack gives a leased message back, to be delivered again before newer ones, with a higher delivery
// count. Errors as for Ack.
func (q *Queue) Nack(l Lease) error {
	return q.endLease("nack message of", l, layout.State(l.State).Return())
}

func (q *Queue) endLease(name string, l Lease, to layout.State) (err error) {
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
	crash.Point("queue.lease.ended")
	if to == layout.Acked {
		return o.settle()
	}
	q.h.Redelivered.Add(1)
	q.h.Rescan.Store(1)
	crash.Point("queue.nack.rescan")
	park.Wake(&q.h.Readable, 1)
	return nil
}

// handles counts this process's handles of each queue by its UUID.
var handles = struct {
	sync.Mutex
	n map[[16]byte]int
}{n: map[[16]byte]int{}}

// countIn adds a handle.
func (q *Queue) countIn() {
	handles.Lock()
	defer handles.Unlock()
	handles.n[q.obj.File.UUID]++
}

// countOut takes a handle away and reports whether it was the process's last.
func (q *Queue) countOut() bool {
	handles.Lock()
	defer handles.Unlock()
	id := q.obj.File.UUID
	if handles.n[id]--; handles.n[id] > 0 {
		return false
	}
	delete(handles.n, id)
	return true
}

// returnLeases gives back what this process holds on lease, as its death would. Close calls it for
// the last handle: nobody could ack any more.
func (q *Queue) returnLeases() (err error) {
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
