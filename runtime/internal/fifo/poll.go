package fifo

import (
	"runtime/debug"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/doorbell"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
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
//
// Without sure, it asks for the other side, which is two system calls, only if the wait word has moved since somebody
// was found there: who closes an end kicks that, and only then looks for bells to ring.
//
//	who closes the other end      owner of a bell
//	lets go of it                 sets its bit
//	kicks the wait word           looks at the wait word
//	clears the bits, rings
//
// One of the two sees the other. Who dies kicks nothing: that is for the watch, which is sure.
func (q *Fifo) ready(kind int, sure bool) (ready bool, err error) {
	word, there := &q.h.Readable, &q.there[kind]
	if kind == layout.BellWritable {
		word = &q.h.Writable
	}
	o := op{q: q, name: "poll", asks: true}
	if err = o.begin(); err != nil {
		return false, err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	seen := uint64(word.Load()) | 1<<32 // never 0, what nobody has seen
	o.trusts = !sure && there.Load() == seen
	switch {
	case kind == layout.BellWritable:
		err = o.orReclaim(ipcerr.Full, o.probe)
	case q.bare() && !o.lost(true):
		err = ipcerr.Empty
	default:
		err = o.orReclaim(ipcerr.Empty, func() error { return o.look(noWait) })
	}
	if o.found {
		there.Store(seen)
	}
	switch err {
	case ipcerr.Empty, ipcerr.Full:
		return false, nil
	case ipcerr.Shutdown, ipcerr.EndOfFile, ipcerr.Broken: // a get or put says so at once
		return true, nil
	}
	return err == nil, err
}

// wanted tells who rings, behind his commit, whether there is still a message, or room. A lock that is busy for so long
// that he would keep others waiting means yes.
func (q *Fifo) wanted(kind int) (yes bool) {
	if kind == layout.BellReadable && q.bare() {
		return false
	}
	yes = true
	o := op{q: q, name: "ring", asks: true}
	err := o.begin()
	if err != nil {
		return yes
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	ctx, full := object.Until(time.Now().Add(patience)), false
	if kind == layout.BellReadable {
		err = o.look(ctx)
		yes = err != ipcerr.Empty
	} else if full, err = o.full(ctx); err == nil {
		yes = !full
	}
	return yes
}

// patience is how long who rings waits for a lock.
const patience = time.Millisecond

// probe is a put that puts nothing.
func (o *op) probe() error {
	full, err := o.full(noWait)
	if err == nil && full {
		err = ipcerr.Full
	}
	return err
}
