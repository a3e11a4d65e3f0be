package psync

import (
	"context"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Semaphore has permits, which any process may acquire and release.
//
// With Options.Reclaim the permits that a process has acquired and not released return when it dies. A
// permit is then to be released by the process that acquired it; who releases more than it acquired adds permits.
type Semaphore struct{ base }

// BoundedSemaphore is a Semaphore that never has more permits free than it was made with: releasing more is
// ipcerr.Invalid.
type BoundedSemaphore struct{ Semaphore }

// CreateSemaphore makes a semaphore with that many permits.
func CreateSemaphore(name string, value int64, o Options) (*Semaphore, error) {
	return open(&Semaphore{}, create, name, what{o, layout.SyncSemaphore, value})
}

// OpenSemaphore opens an existing semaphore.
func OpenSemaphore(name string, o Options) (*Semaphore, error) {
	return open(&Semaphore{}, openOnly, name, what{o, layout.SyncSemaphore, 0})
}

// OpenOrCreateSemaphore opens the semaphore, which must have been made with the same value, or makes it.
func OpenOrCreateSemaphore(name string, value int64, o Options) (*Semaphore, error) {
	return open(&Semaphore{}, openOrCreate, name, what{o, layout.SyncSemaphore, value})
}

// CreateBoundedSemaphore makes a bounded semaphore with that many permits.
func CreateBoundedSemaphore(name string, value int64, o Options) (*BoundedSemaphore, error) {
	return open(&BoundedSemaphore{}, create, name, what{o, layout.SyncBoundedSemaphore, value})
}

// OpenBoundedSemaphore opens an existing bounded semaphore.
func OpenBoundedSemaphore(name string, o Options) (*BoundedSemaphore, error) {
	return open(&BoundedSemaphore{}, openOnly, name, what{o, layout.SyncBoundedSemaphore, 0})
}

// OpenOrCreateBoundedSemaphore opens the bounded semaphore, which must have been made with the same value, or
// makes it.
func OpenOrCreateBoundedSemaphore(name string, value int64, o Options) (*BoundedSemaphore, error) {
	return open(&BoundedSemaphore{}, openOrCreate, name, what{o, layout.SyncBoundedSemaphore, value})
}

// Acquire takes a permit, waiting for one until ctx ends.
func (s *Semaphore) Acquire(ctx context.Context) (err error) {
	var o op
	if err = o.begin(&s.base, "acquire"); err != nil {
		return err
	}
	defer o.End(&err)
	defer o.leave()
	if done, err := o.take(ctx); done || err != nil {
		return err
	}
	return s.wait(ctx, o.again())
}

func (s *Semaphore) wait(ctx context.Context, o *op) error {
	defer o.leave()
	w := s.waiter(waitsForPermit)
	w.Try = func() (bool, error) { return o.take(ctx) }
	w.Pass = func() {
		if s.h.Value.Load() > 0 {
			park.Wake(&s.h.Word, 1)
		}
	}
	return park.Wait(ctx, &w)
}

// TryAcquire takes a permit if one is free.
func (s *Semaphore) TryAcquire() (acquired bool, err error) {
	var o op
	if err = o.begin(&s.base, "acquire"); err != nil {
		return false, err
	}
	defer o.End(&err)
	defer o.leave()
	return o.take(noWait)
}

// Release gives n permits back.
func (s *Semaphore) Release(n int64) (err error) {
	var o op
	if err = o.begin(&s.base, "release"); err != nil {
		return err
	}
	defer o.End(&err)
	defer o.leave()
	if n < 1 || n > MaxValue {
		return o.misuse("n must be 1 or more")
	}
	if s.ledger != nil {
		err = o.returnPermits(uint32(n))
	} else {
		err = o.addPermits(uint64(n))
	}
	if err == nil {
		// Killed before, the waiters see the permits when their slices end.
		crash.Point("psync.release.stored")
		park.Wake(&s.h.Word, int(n))
	}
	return err
}

// Value is how many permits are free now.
func (s *Semaphore) Value() (n int64, err error) {
	var o op
	if err = o.begin(&s.base, "look at"); err != nil {
		return 0, err
	}
	defer o.End(&err)
	return int64(s.h.Value.Load()), nil
}

// take takes a permit if there is one. ctx is for the guard.
func (o *op) take(ctx context.Context) (bool, error) {
	if o.b.ledger != nil {
		return o.takeFromLedger(ctx)
	}
	for {
		v := o.b.h.Value.Load()
		if v == 0 {
			return false, nil
		}
		if v > MaxValue {
			return false, ipcerr.Corrupt
		}
		if o.b.h.Value.CompareAndSwap(v, v-1) {
			return true, nil
		}
	}
}

func (o *op) addPermits(n uint64) error {
	for {
		v := o.b.h.Value.Load()
		if v > MaxValue {
			return ipcerr.Corrupt
		}
		if err := o.room(v, n); err != nil {
			return err
		}
		if o.b.h.Value.CompareAndSwap(v, v+n) {
			return nil
		}
	}
}

// room refuses what would be too many permits.
func (o *op) room(free, n uint64) error {
	if o.b.kind == layout.SyncBoundedSemaphore && free+n > o.b.h.Limit {
		return o.misuse("it was released too many times: no more than its first value may be free")
	}
	if free+n > MaxValue {
		return o.misuse("its value would be over 2147483647")
	}
	return nil
}
