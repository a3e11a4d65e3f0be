package fifo

import (
	"runtime/debug"

	"github.com/polyipc/polyipc/runtime/internal/doorbell"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Readable is what waits until a get would not say ipcerr.Empty.
func (q *Fifo) Readable() *doorbell.Point { return q.bells.At(layout.BellReadable) }

// Writable is what waits until a put of a small message would not say ipcerr.Full.
func (q *Fifo) Writable() *doorbell.Point { return q.bells.At(layout.BellWritable) }

// wakeReaders tells who waits for messages that there are n more. Behind the commit, without locks.
func (q *Fifo) wakeReaders(n int) {
	park.Wake(&q.h.Readable, n)
	q.bells.Ring(layout.BellReadable)
}

// wakeWriters tells who waits for room that there is some.
func (q *Fifo) wakeWriters() {
	park.WakeAll(&q.h.Writable)
	q.bells.Ring(layout.BellWritable)
}

// ready tells a bell whether a get, or a put of a small message, would do something else than wait. It takes the
// lock, and does all that a failed get or put does for the dead.
func (q *Fifo) ready(kind int) (ready bool, err error) {
	o := op{q: q, name: "poll", asks: true}
	if err = o.begin(); err != nil {
		return false, err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	if kind == layout.BellReadable {
		if q.bare() && !q.lost(true) {
			return false, nil
		}
		err = o.orReclaim(ipcerr.Empty, func() error { return o.look(noWait) })
	} else {
		err = o.orReclaim(ipcerr.Full, o.probe)
	}
	switch err {
	case ipcerr.Empty, ipcerr.Full:
		return false, nil
	case ipcerr.Shutdown, ipcerr.EndOfFile, ipcerr.Broken: // a get or put says so at once
		return true, nil
	}
	return err == nil, err
}

// probe is a put that puts nothing.
func (o *op) probe() error {
	full, err := o.full(noWait)
	if err == nil && full {
		err = ipcerr.Full
	}
	return err
}
