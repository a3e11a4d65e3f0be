package fifo

import (
	"context"
	"runtime/debug"

	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// getIntoWait is apart from GetInto, and not inlined there, so that only who waits pays for it.
//
//go:noinline
func (q *Fifo) getIntoWait(ctx context.Context, buf []byte) (n int, f Format, err error) {
	g := q.getting.Swap(nil)
	if g == nil {
		g = q.newGetting()
	}
	g.o = op{q: q, name: q.GetFrom, unsure: q.Other != nil}
	g.ctx, g.buf, g.n, g.f = ctx, buf, 0, 0
	err = g.wait()
	n, f = g.n, g.f
	g.ctx, g.buf = nil, nil
	q.getting.Store(g)
	return n, f, err
}

// getting is a get that waits. One is kept for the next: to make the functions that park calls takes as long as to wait
// for a message that is about to come.
type getting struct {
	o   op
	w   park.Waiter
	ctx context.Context
	buf []byte
	n   int
	f   Format
}

func (q *Fifo) newGetting() *getting {
	g := &getting{}
	g.w = q.getWaiter(&g.o, func() (err error) { g.n, g.f, err = g.o.get(g.ctx, g.buf); return err })
	return g
}

func (g *getting) wait() (err error) {
	if err = g.o.begin(); err != nil {
		return err
	}
	defer g.o.end(debug.SetPanicOnFault(true), &err)
	return park.Wait(g.ctx, &g.w)
}

// getWait waits until get succeeds or fails with something other than Empty.
func (q *Fifo) getWait(ctx context.Context, get func(*op) error) (err error) {
	o := op{q: q, name: q.GetFrom, unsure: q.Other != nil}
	if err = o.begin(); err != nil {
		return err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	w := q.getWaiter(&o, func() error { return get(&o) })
	return park.Wait(ctx, &w)
}

// getWaiter waits until get, which is o's, succeeds or fails with something other than Empty.
func (q *Fifo) getWaiter(o *op, get func() error) park.Waiter {
	w := q.waiter(o, &q.h.Readable, &q.spinGet, waitsForMessage)
	w.Hint = q.readable
	w.Try = func() (bool, error) {
		if q.bare() && !q.lost(!o.unsure) {
			return false, nil
		}
		err := o.orReclaim(ipcerr.Empty, get)
		if err == ipcerr.Empty {
			return false, nil
		}
		return err == nil, err
	}
	return w
}

// SpinPolitely has waits for messages give their processor to others as they spin, if when says so. Before the first one.
func (q *Fifo) SpinPolitely(when func() bool) { q.spinGet.Polite = when }
