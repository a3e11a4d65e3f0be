package psync

import (
	"context"
	"log/slog"
	"math/bits"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/trace"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// The ledger says how many permits, or read locks, each process has: an entry {count, token} for each slot of
// the root's registry. One store of an entry is the commit of every change; Value follows from the entries
// and is counted anew when somebody died between the two. All under the guard.
//
// A count is never negative: who releases more permits than it acquired makes Added larger instead, which
// is one store too.

// each calls f for each entry that is not zero. f returns the entry's new value.
func (b *base) each(f func(e uint64) uint64) {
	l := b.ledger
	for i := range l.Used {
		for left := l.Used[i].Load(); left != 0; left &= left - 1 {
			at := i*64 + bits.TrailingZeros64(left)
			e := l.Entry[at].Load()
			if e == 0 {
				continue
			}
			if now := f(e); now != e {
				l.Entry[at].Store(now)
			}
		}
	}
}

// recount makes Value of what the entries say.
func (b *base) recount() {
	if b.ledger == nil {
		return
	}
	held := uint64(0)
	b.each(func(e uint64) uint64 {
		count, _ := split(e)
		held += uint64(count)
		return e
	})
	if b.kind == layout.SyncRWLock {
		b.h.Value.Store(held)
		return
	}
	b.h.Value.Store(max(b.h.Limit+b.h.Added.Load(), held) - held)
}

// reclaim takes back what dead processes have, and reports whether that was anything.
func (o *op) reclaim() bool {
	b := o.b
	lost := uint64(0)
	b.each(func(e uint64) uint64 {
		count, token := split(e)
		if b.obj.Member.Alive(token) {
			return e
		}
		lost += uint64(count)
		if count > 0 && trace.On(slog.LevelWarn) {
			trace.Note(slog.LevelWarn, "reclaim", b.Name(), "count", count, "from", b.obj.Process(token).Pid)
		}
		return 0
	})
	if lost == 0 {
		return false
	}
	crash.Point("psync.reclaim.returned") // Value is too small (of an rwlock: too large) until the next recount
	b.h.Reclaimed.Add(lost)
	b.recount()
	return true
}

// mine is this process's entry. A former process with its slot is dead, and what it had returns.
func (o *op) mine() (slot int, count uint32) {
	b := o.b
	slot, _ = layout.SplitToken(b.obj.Me)
	count, token := split(b.ledger.Entry[slot].Load())
	if token == b.obj.Me {
		return slot, count
	}
	if count > 0 {
		b.ledger.Entry[slot].Store(0)
		b.h.Reclaimed.Add(uint64(count))
		b.recount()
	}
	if word := &b.ledger.Used[slot/64]; word.Load()&(1<<(slot%64)) == 0 {
		word.Store(word.Load() | 1<<(slot%64))
		crash.Point("psync.ledger.used")
	}
	return slot, 0
}

func (o *op) enter(slot int, count uint32) { o.b.ledger.Entry[slot].Store(join(count, o.b.obj.Me)) }

// takeFromLedger takes a permit, and looks for those of the dead if there is none.
func (o *op) takeFromLedger(ctx context.Context) (bool, error) {
	h := o.b.h
	search := false
	if h.Value.Load() == 0 {
		// If the guard is held, its holder may be dead and have left Value too small.
		if search = o.b.search(); !search && h.Guard.Load() == 0 {
			return false, nil
		}
	}
	if err := o.guard(ctx); err != nil {
		return false, err
	}
	defer o.unguard()
	slot, count := o.mine()
	v := h.Value.Load()
	if v == 0 && search && o.reclaim() {
		v = h.Value.Load()
	}
	switch {
	case v == 0:
		return false, nil
	case v > 2*MaxValue || count >= MaxValue:
		return false, ipcerr.Corrupt
	}
	o.enter(slot, count+1)
	crash.Point("psync.acquire.entered")
	h.Value.Store(v - 1)
	return true, nil
}

// returnPermits gives n permits back, this process's own first.
func (o *op) returnPermits(n uint32) error {
	if err := o.guardSoon(); err != nil {
		return err
	}
	defer o.unguard()
	h := o.b.h
	slot, count := o.mine()
	v := h.Value.Load()
	if err := o.room(v, uint64(n)); err != nil {
		return err
	}
	own := min(count, n)
	if n > own {
		// First what is added: killed in between, all that this process has returns anyway.
		h.Added.Store(h.Added.Load() + uint64(n-own))
		crash.Point("psync.release.added")
	}
	if own > 0 {
		o.enter(slot, count-own)
		crash.Point("psync.release.entered")
	}
	h.Value.Store(v + uint64(n))
	return nil
}
