package park

import (
	"sync"
	"sync/atomic"
	"testing"
)

// TestCourtesyOff has giving way take long: waits do not spin for a while, each time for longer, until spins pay again.
func TestCourtesyOff(t *testing.T) {
	var c Courtesy
	for _, off := range []int{offLeast, 2 * offLeast, 4 * offLeast} {
		c.tookLong()
		for i := range off {
			if c.Pays() {
				t.Fatalf("wait %d of %d spins", i, off)
			}
		}
		if !c.Pays() {
			t.Fatal("no wait spins any more")
		}
	}
	for range offMost {
		c.tookLong()
	}
	if off := c.off.Load(); off != offMost {
		t.Errorf("%d waits do not spin", off)
	}
	for range 2 * offMost {
		c.Paid()
	}
	if c.tookLong(); c.off.Load() != offLeast {
		t.Errorf("%d waits do not spin", c.off.Load())
	}
}

// spins has waits spin in a test, on one processor too.
func spins(t *testing.T) {
	was := alone
	alone = false
	t.Cleanup(func() { alone = was })
}

// TestPoliteRing passes a token around between four who spin politely and sleep: more than there are processors here.
func TestPoliteRing(t *testing.T) {
	spins(t)
	const parties, rounds = 4, 3000
	var stores [parties]store
	var spun atomic.Int64
	var wg sync.WaitGroup
	for i := range parties {
		w := stores[i].waiter()
		w.Spin = &Spin{Polite: func() bool { spun.Add(1); return true }}
		wg.Go(func() {
			for range rounds {
				if err := Wait(ctx, w); err != nil {
					t.Error(err)
				}
				stores[(i+1)%parties].put(1)
			}
		})
	}
	stores[0].put(1)
	wg.Wait()
	if spun.Load() == 0 {
		t.Error("nobody was polite")
	}
}

// TestPoliteLearns steers by waits that ended in a sleep.
func TestPoliteLearns(t *testing.T) {
	spins(t)
	s := Spin{Polite: func() bool { return true }}
	never := func() bool { return false }
	if done, err := s.run(never, nil); done || err != nil {
		t.Fatal(done, err)
	}
	s.learn(politeWorth / 2)
	if s.courtesy.budget.Load() != int64(politeMost) {
		t.Error("a short wait is not worth a spin")
	}
	for range 64 {
		s.learn(politeWorth)
	}
	if b := s.courtesy.budget.Load(); b != 0 {
		t.Errorf("who waits for long spins for %d ns", b)
	}
}
