package fifo

import (
	"context"
	"runtime/debug"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/ring"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Layout.Queue.Shutdown.
const (
	shutdownDrain = 1
	shutdownNow   = 2
)

// TaskDone says that the work on one message taken by a plain get is done. ipcerr.Invalid if it is
// called more often than messages were put.
func (q *Fifo) TaskDone() (err error) {
	o := op{q: q, name: "task done on"}
	if err = o.begin(); err != nil {
		return err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	if err = o.lock(consumers, context.Background()); err != nil {
		return err
	}
	left, err := o.unfinished()
	switch {
	case err != nil:
	case left == 0:
		err = &ipcerr.Error{Op: "task done on queue", Name: q.obj.Name(), Code: ipcerr.Invalid,
			Hint: "called more often than messages were put"}
	default:
		q.h.Tasks.Add(1) // the commit
		crash.Point("fifo.task_done.counted")
		o.wake |= joiners
	}
	if e := o.unlockConsumers(); err == nil {
		err = e
	}
	return err
}

// unfinished is 0 exactly when every message ever put is done; what else it is tells only that some
// are not. Consumer lock.
//
// While a live record is in the chain there is something unfinished, and no need to count. Else
// every record that was ever put is behind the heads: it was abandoned, acked, or gotten and owes
// one task_done.
func (o *op) unfinished() (uint64, error) {
	q, h := o.q, o.q.h
	h.Dirty.Store(0)
	if err := o.sweep(); err != nil {
		return 0, err
	}
	live, puts := false, uint64(0)
	err := q.rings.all(func(m *mapped) error {
		tail, seq := m.End()
		live = live || tail != m.H.Head.Load()
		puts = seq - 1
		return nil
	})
	if err != nil {
		return 0, err
	}
	if live {
		return 1, nil
	}
	return puts - h.Finished - h.Abandoned - h.Tasks.Load(), nil
}

// Join waits until every message that was put is done: acked, or gotten and told with TaskDone.
// Consumers that die between a plain get and TaskDone leave it waiting.
func (q *Fifo) Join(ctx context.Context) (err error) {
	o := op{q: q, name: "join"}
	if err = o.begin(); err != nil {
		return err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	w := q.waiter(&o, &q.h.Joinable, nil, waitsForJoin)
	w.Try = func() (bool, error) {
		if err := o.lock(consumers, ctx); err != nil {
			return false, err
		}
		left, err := o.unfinished()
		if e := o.unlockConsumers(); err == nil {
			err = e
		}
		if err == nil && left != 0 {
			// What a dead producer was writing is never done, and maybe nobody else is there to see it.
			// A message that this gives back goes on to who gets it; the word is moved by its wake.
			_, err = o.reclaim()
		}
		return left == 0, err
	}
	return park.Wait(ctx, &w)
}

// Shutdown ends the queue for good. When it has returned no put commits any more. Gets take what
// is left and then fail with ipcerr.Shutdown; if immediate, what is left is discarded at once and
// counts as done. Leases may still be acked or nacked. It may be called again, also to add
// immediate.
func (q *Fifo) Shutdown(immediate bool) (err error) {
	o := op{q: q, name: "shut down"}
	if err = o.begin(); err != nil {
		return err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	how := uint32(shutdownDrain)
	if immediate {
		how = shutdownNow
	}
	ctx := context.Background()
	if err = o.lock(producers, ctx); err != nil {
		return err
	}
	if q.h.Shutdown.Load() < how {
		q.h.Shutdown.Store(how) // the commit: from here on no record is reserved
	}
	crash.Point("fifo.shutdown.flagged")
	o.unlockProducers()
	// Puts of large messages that are under way fail at their commit.
	if err = o.lock(consumers, ctx); err != nil {
		return err
	}
	err = q.rings.all(func(m *mapped) error {
		return m.Each(func(it *ring.Item) bool {
			if it.S.Phase() == layout.Reserved && it.Rec.Move(it.S, layout.Abandoned) {
				m.Reached(it) // so that whoever empties the ring up to here sweeps it
			}
			return true
		})
	})
	crash.Point("fifo.shutdown.abandoned")
	q.h.Dirty.Store(1)
	if err == nil && immediate {
		if err = o.discard(); err == ipcerr.Shutdown {
			err = nil
		}
	}
	o.wake |= readers | writers | joiners
	if e := o.unlockConsumers(); err == nil {
		err = e
	}
	return err
}

// discard marks what is ready as done, after an immediate shutdown, and says ipcerr.Shutdown.
// Whoever comes to get does it again: a lease may have come back. Consumer lock.
func (o *op) discard() error {
	err := o.q.rings.all(func(m *mapped) error {
		return m.Each(func(it *ring.Item) bool {
			if it.S.Phase() == layout.Ready && it.Rec.Move(it.S, layout.Acked) {
				crash.Point("fifo.discard.one")
				o.q.h.Dirty.Store(1)
			}
			return true
		})
	})
	if err != nil {
		return err
	}
	return ipcerr.Shutdown
}

// ended is what a get says that found nothing after a shutdown: Shutdown, or Empty while a message
// may still come: back, because another process has it on lease, or forth, because whoever shut
// the queue down has not come to the message being written, or died on the way. Consumer lock.
func (o *op) ended() error {
	back := false
	err := o.q.rings.all(func(m *mapped) error {
		return m.Each(func(it *ring.Item) bool {
			back = it.S.Phase() == layout.Leased && it.S.Owner() != o.q.obj.Me || it.S.Phase() == layout.Reserved
			return !back
		})
	})
	switch {
	case err != nil:
		return err
	case back:
		return ipcerr.Empty
	}
	return ipcerr.Shutdown
}
