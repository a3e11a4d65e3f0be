//go:build crash

package chaos

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/psync"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/tests/peers"
)

// TestSyncKills kills peers of all three languages that take one thing from each other as fast as they can, at
// random moments. What they held is free within the bound, and nothing is left held when all are dead. (Kills of
// processes that use all types at once: TestKills of runtime/psync.)
func TestSyncKills(t *testing.T) {
	kills := repetitions(t, "POLYIPC_CHAOS_KILLS", 30, 1000)
	kinds := []string{"lock", "rlock", "bounded_semaphore", "condition", "rwlock"}
	languages := []peers.Language{peers.Go, peers.C, peers.Python}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			flags, value := "", 0
			if kind == "bounded_semaphore" {
				flags, value = "r", 1
			}
			file := filepath.Join(t.TempDir(), "n")
			if err := os.WriteFile(file, make([]byte, 8), 0o600); err != nil {
				t.Fatal(err)
			}
			on(kind, value, flags, "kills", func(s *scene) {
				var took []time.Duration
				for range max(1, kills/len(kinds)/len(languages)) {
					var team []*peers.Peer
					for _, l := range languages {
						p := peers.Start(t, l, s.root)
						p.Do("sync.open %s s", kind)
						p.Send("sync.count 0 %s 1000000000", file)
						team = append(team, p)
					}
					for _, p := range team {
						time.Sleep(time.Duration(rand.IntN(5000)) * time.Microsecond)
						p.Kill()
						began := time.Now()
						s.takeAndGive()
						took = append(took, time.Since(began))
					}
				}
				tally("sync", len(took))
				report(t, "from a kill among rivals until another had the "+kind, took)
			}).run(newWorld(t, peers.Go, queue.Options{}))
		})
	}
}

// takeAndGive has the test process take the object and give it back, within the bound.
func (s *scene) takeAndGive() {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	var err error
	switch o := s.s.(type) {
	case *psync.Lock:
		if _, err = o.Acquire(ctx); err == nil {
			err = o.Release()
		}
	case *psync.RLock:
		if _, err = o.Acquire(ctx, s.me); err == nil {
			err = o.Release(s.me)
		}
	case *psync.BoundedSemaphore:
		if err = o.Acquire(ctx); err == nil {
			err = o.Release(1)
		}
	case *psync.Condition:
		if _, err = o.Acquire(ctx, s.me); err == nil {
			err = o.Release(s.me)
		}
	case *psync.RWLock:
		if _, err = o.WriteLock(ctx); err == nil {
			err = o.WriteUnlock()
		}
	}
	if err != nil {
		s.Fatal(err)
	}
}
