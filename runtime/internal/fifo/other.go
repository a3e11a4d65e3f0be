package fifo

import (
	"context"
	"runtime/debug"

	"github.com/polyipc/polyipc/runtime/internal/ring"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// What a Fifo does that has an other side (Config.Other): its gets end when nobody is left to put, its
// puts when nobody is left to get.

// lost reports that nobody is at the other side any more.
func (q *Fifo) lost(sure bool) bool {
	if q.Other == nil || q.Other(sure) {
		return false
	}
	for kind := range q.there {
		q.there[kind].Store(0) // bells are to say so, too
	}
	return true
}

// lost is the same within a call.
func (o *op) lost(sure bool) bool {
	if o.trusts {
		return false
	}
	o.found = !o.q.lost(sure)
	return !o.found
}

// deserted is what a call comes to that found nothing, or no room, and then nobody at the other side. The order
// is the point: what was put is all there by now, so whoever looks once more and finds nothing knows the end.
// What the dead were writing must not look like something to come, so they are looked for at once.
func (o *op) deserted(no error, f func() error) error {
	if no == ipcerr.Full {
		return ipcerr.Broken
	}
	o.q.reclaimed.Store(0)
	if _, err := o.reclaim(); err != nil {
		return err
	}
	if err := f(); err != no {
		return err
	}
	// A large message that another gets just now comes back if he dies.
	if err := o.lock(consumers, noWait); err != nil {
		return busy(noWait, err, ipcerr.Empty)
	}
	err := o.ended()
	if e := o.unlockConsumers(); e != nil {
		err = e
	}
	if err == ipcerr.Shutdown {
		return ipcerr.EndOfFile
	}
	return err
}

// TryReady is nil if a get would find a message now, else what a get would say.
func (q *Fifo) TryReady() (err error) {
	o := op{q: q, name: q.GetFrom}
	if err = o.begin(); err != nil {
		return err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	if q.bare() && !q.lost(true) {
		return ipcerr.Empty
	}
	return o.orReclaim(ipcerr.Empty, func() error { return o.look(noWait) })
}

// Ready waits until a get would find a message, or fail with something other than Empty, until ctx ends.
func (q *Fifo) Ready(ctx context.Context) error {
	return q.getWait(ctx, func(o *op) error { return o.look(ctx) })
}

// look is nil if there is a message.
func (o *op) look(ctx context.Context) error {
	if err := o.lock(consumers, ctx); err != nil {
		return busy(ctx, err, ipcerr.Empty)
	}
	var it ring.Item
	_, err := o.find(&it)
	if e := o.unlockConsumers(); err == nil {
		err = e
	}
	return err
}
