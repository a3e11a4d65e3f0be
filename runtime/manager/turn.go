package manager

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/park"
)

// turn is a lock that is waited for no longer than a context lasts: who has it may wait for a server that is stopped.
type turn struct {
	held atomic.Bool
	word atomic.Uint32 // wait word of those who want it
}

func (t *turn) tryLock() bool { return t.held.CompareAndSwap(false, true) }

func (t *turn) lock(ctx context.Context) error {
	if t.tryLock() {
		return nil
	}
	return park.Wait(ctx, &park.Waiter{
		Word: &t.word, Try: func() (bool, error) { return t.tryLock(), nil },
		Slice: func() time.Duration { return time.Minute }, Gone: func() error { return nil },
	})
}

func (t *turn) unlock() {
	t.held.Store(false)
	park.Wake(&t.word, 1)
}
