package fifo

import (
	"context"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/ring"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Stat is what a queue holds and has done.
type Stat struct {
	Name                          string
	MaxSize                       int64 // as made, 0 no limit
	Capacity                      int64 // bytes, rounded up; 0 grows
	Transient                     bool
	Pickle                        bool
	Messages                      int64  // a get could take
	Bytes                         int64  // of live records, headers included
	Leased                        int64  // in the hands of consumers
	Reserved                      int64  // being written
	Unfinished                    int64  // put and not done
	Put                           uint64 // committed or being written, since creation
	Taken                         uint64 // gotten or acked
	Abandoned                     uint64 // puts whose producer died or gave up while writing
	Redelivered, TakeOvers, Grown uint64
	Rings                         int
	Shutdown                      int // 0 no, 1 draining, 2 immediate
}

// Process is a process in the root, as an operator knows it.
type Process = object.Process

// Holder is a process and what it holds or waits for: "producer lock", "consumer lock", "lease", "message
// being written", "message", "room", "join". Leases know since which second; for how long a lock is held is
// known from those who wait for it.
type Holder = object.Holder

// Stat counts under the queue's locks, so the numbers fit together.
func (q *Fifo) Stat() (s Stat, err error) {
	s, _, err = q.stat(false)
	return s, err
}

// Detail is Stat, with every lease and message being written, oldest first.
func (q *Fifo) Detail() (s Stat, leases []Holder, err error) { return q.stat(true) }

func (q *Fifo) stat(detail bool) (s Stat, leases []Holder, err error) {
	o := op{q: q, name: "stat"}
	if err = o.begin(); err != nil {
		return s, nil, err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	patience := object.Until(time.Now().Add(time.Second))
	// If the consumers' lock is stuck, that shows before the producers' is in hand: waiting for it
	// with that would hold up everybody.
	if err = o.lock(consumers, patience); err != nil {
		return s, nil, err
	}
	if err = o.unlockConsumers(); err != nil {
		return s, nil, err
	}
	if err = o.lock(producers, patience); err != nil {
		return s, nil, err
	}
	defer o.unlockProducers()
	if err = o.lock(consumers, noWait); err != nil {
		return s, nil, err
	}
	h := q.h
	var c ring.Counts
	acked, abandoned, next := h.Finished, h.Abandoned, uint64(1)
	err = q.rings.all(func(m *mapped) error {
		s.Rings++
		next = m.NextSeq()
		if err := m.Count(&c); err != nil {
			return err
		}
		return m.Each(func(it *ring.Item) bool {
			switch it.S.Phase() {
			case layout.Acked:
				acked++
			case layout.Abandoned:
				abandoned++
			case layout.Leased, layout.Reserved:
				if detail {
					leases = append(leases, q.holderOf(it))
				}
			}
			return true
		})
	})
	flags := q.obj.File.Header().Flags()
	s = Stat{
		Name: q.obj.Name(), MaxSize: int64(h.MaxSize), Capacity: int64(h.Capacity),
		Transient: flags&layout.Transient != 0, Pickle: flags&layout.Pickle != 0,
		Messages: int64(c.Ready), Bytes: int64(c.Bytes), Leased: int64(c.Leased), Reserved: int64(c.Reserved),
		Put: next - 1, Taken: next - 1 - abandoned - c.Live(), Abandoned: abandoned,
		Unfinished:  int64(next - 1 - abandoned - acked - h.Tasks.Load()),
		Redelivered: h.Redelivered.Load(), TakeOvers: h.TakeOvers.Load(), Grown: h.Grown,
		Rings: s.Rings, Shutdown: int(h.Shutdown.Load()),
	}
	if e := o.unlockConsumers(); err == nil {
		err = e
	}
	return s, leases, err
}

func (q *Fifo) holderOf(it *ring.Item) Holder {
	x := Holder{Process: q.obj.Process(it.S.Owner()), What: "message being written",
		Bytes: int64(it.Length), Sequence: it.Seq, Deliveries: int(it.S.Deliveries())}
	if it.S.Phase() == layout.Leased {
		x.What = "lease"
		x.Deliveries++
		x.For = time.Duration(it.S.Age(object.Second())) * time.Second
	}
	return x
}

// Locks tells who holds the queue's locks, without taking them; for a lock that is held normally
// the moment is over before it can be told.
func (q *Fifo) Locks() (holders []Holder, err error) {
	o := op{q: q, name: "stat"}
	if err = o.begin(); err != nil {
		return nil, err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	for _, l := range []struct {
		word *atomic.Uint32
		what string
		wait uint32
	}{
		{&q.h.Producers, "producer lock", waitsForProducers},
		{&q.h.Consumers, "consumer lock", waitsForConsumers},
	} {
		token, _ := park.Holder(l.word)
		if token == 0 {
			continue
		}
		x := Holder{Process: q.obj.Process(token), What: l.what}
		for i := range q.h.Seat {
			if s := &q.h.Seat[i]; uint32(s.Who.Load()>>32) == l.wait {
				x.For = max(x.For, time.Duration(object.Now()-s.Since.Load()))
			}
		}
		holders = append(holders, x)
	}
	return holders, nil
}

var waitNames = map[uint32]string{
	waitsForMessage: "message", waitsForRoom: "room", waitsForJoin: "join",
	waitsForProducers: "producer lock", waitsForConsumers: "consumer lock",
}

// Waiters tells who sleeps on the queue, and for what. It knows layout.Seats of them.
func (q *Fifo) Waiters() (ws []Holder, err error) {
	o := op{q: q, name: "stat"}
	if err = o.begin(); err != nil {
		return nil, err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	return q.obj.Waiters(q.h.Seat[:], waitNames), nil
}

// Size is how many messages a get could take now. Stale as soon as it returns.
func (q *Fifo) Size() (n int64, err error) {
	o := op{q: q, name: "size of"}
	if err = o.begin(); err != nil {
		return 0, err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	if err = o.lock(consumers, context.Background()); err != nil {
		return 0, err
	}
	c, err := q.count(false)
	if e := o.unlockConsumers(); err == nil {
		err = e
	}
	return int64(c.Ready), err
}

// Empty reports whether a get would find nothing now.
func (q *Fifo) Empty() (bool, error) {
	n, err := q.Size()
	return n == 0, err
}

// Full reports whether a small put would find no room now.
func (q *Fifo) Full() (full bool, err error) {
	o := op{q: q, name: "size of"}
	if err = o.begin(); err != nil {
		return false, err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	return o.full(context.Background())
}

func (o *op) full(ctx context.Context) (bool, error) {
	if err := o.lock(producers, ctx); err != nil {
		return false, busy(ctx, err, ipcerr.Full)
	}
	defer o.unlockProducers()
	r, seq, err := o.newest()
	if err != nil {
		return false, err
	}
	size := layout.RecordSize(1)
	_, err = o.place(r, r.H.Tail.Load(), seq, size, size, false)
	if err == ipcerr.Full {
		return o.q.h.MaxSize != 0 || o.q.h.Capacity != 0, nil
	}
	return false, err
}
