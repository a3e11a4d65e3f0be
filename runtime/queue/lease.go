package queue

import (
	"context"
	"sync"

	"github.com/polyipc/polyipc/runtime/internal/fifo"
)

// Lease names a message in the hands of this process. It is plain data; only Ack, Nack and the end
// of the process end it.
type Lease = fifo.Lease

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
	l.Message, err = fifo.Fit(func(buf []byte) (n int, f Format, err error) {
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
	return q.fifo.TryLeaseInto(buf)
}

// LeaseInto is TryLeaseInto that waits for a message until ctx ends. Errors as for GetInto.
func (q *Queue) LeaseInto(ctx context.Context, buf []byte) (l Lease, n int, f Format, err error) {
	return q.fifo.LeaseInto(ctx, buf)
}

// Ack finishes a leased message: it goes, and counts as one task done. ipcerr.LeaseLost if this
// process does not hold the lease any more.
func (q *Queue) Ack(l Lease) error { return q.fifo.Ack(l) }

// Nack gives a leased message back, to be delivered again before newer ones, with a higher delivery
// count. Errors as for Ack.
func (q *Queue) Nack(l Lease) error { return q.fifo.Nack(l) }

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
