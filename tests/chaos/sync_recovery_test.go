//go:build crash

package chaos

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/psync"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/tests/peers"
)

// TestSyncRecovery measures how long it takes from the kill of somebody who holds something until the one who
// waits for it has it. Tests bound it at 2 s; the aim is 100 ms on an idle machine.
func TestSyncRecovery(t *testing.T) {
	n := repetitions(t, "POLYIPC_CHAOS_RECOVERIES", 5, 100)
	for _, c := range []struct {
		name, kind, flags, take string
		value                   int
		wait                    func(ctx context.Context, o psync.Object) error
	}{
		{"lock", "lock", "", "sync.acquire 0 0", 0, func(ctx context.Context, o psync.Object) error {
			_, err := o.(*psync.Lock).Acquire(ctx)
			return err
		}},
		{"permit", "semaphore", "r", "sync.acquire 0 0", 1, func(ctx context.Context, o psync.Object) error {
			return o.(*psync.Semaphore).Acquire(ctx)
		}},
		{"write_lock", "rwlock", "", "sync.write_lock 0 0", 0, func(ctx context.Context, o psync.Object) error {
			return o.(*psync.RWLock).ReadLock(ctx)
		}},
		{"read_lock", "rwlock", "", "sync.read_lock 0 0", 0, func(ctx context.Context, o psync.Object) error {
			_, err := o.(*psync.RWLock).WriteLock(ctx)
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var took []time.Duration
			for range n {
				on(c.kind, c.value, c.flags, "recovery", func(s *scene) {
					took = append(took, s.recovery(c.take, c.wait))
				}).run(newWorld(t, peers.Go, queue.Options{}))
			}
			report(t, "from the kill of who held the "+c.name, took)
			for _, d := range took {
				if d > bound {
					t.Errorf("recovery after %v", d)
				}
			}
		})
	}
}

func (s *scene) recovery(take string, wait func(context.Context, psync.Object) error) time.Duration {
	s.Helper()
	p := s.peer("sync.open "+s.kind+" s", take)
	ctx, cancel := context.WithTimeout(context.Background(), peers.Bound)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- wait(ctx, s.s) }()
	s.waiters(1)
	began := time.Now()
	p.Signal(syscall.SIGKILL)
	if err := <-done; err != nil {
		s.Fatal(err)
	}
	d := time.Since(began)
	p.Kill()
	return d
}
