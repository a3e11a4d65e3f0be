package psync

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

func atBarrier(t testing.TB, b *Barrier, n int) {
	t.Helper()
	eventually(t, "they wait", func() bool { w, _, err := b.Waiting(); return err == nil && w == n })
}

// TestBarrier: many rounds; in each everybody passes once, with a number of its own.
func TestBarrier(t *testing.T) {
	longSlices(t)
	const parties, rounds = 5, 300
	b, err := CreateBarrier("", parties, Options{Root: testroot.New(t)})
	b = kept(t, b, err)
	var seen [rounds][parties]atomic.Int32
	var wg sync.WaitGroup
	for range parties {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for r := range rounds {
				i, err := b.Wait(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				seen[r][i].Add(1)
			}
		}()
	}
	wg.Wait()
	for r := range seen {
		for i := range seen[r] {
			if n := seen[r][i].Load(); n != 1 {
				t.Fatalf("round %d: number %d was given %d times", r, i, n)
			}
		}
	}
}

func TestAction(t *testing.T) {
	longSlices(t)
	b, err := CreateBarrier("", 2, Options{Root: testroot.New(t)})
	b = kept(t, b, err)
	done := make(chan error)
	ran := 0
	go func() { _, err := b.Wait(ctx); done <- err }()
	atBarrier(t, b, 1)
	_, err = b.WaitThen(ctx, func() error { ran++; return nil })
	must(t, err)
	must(t, <-done)
	if ran != 1 {
		t.Fatal("the action did not run")
	}
	boom := errors.New("boom")
	go func() { _, err := b.Wait(ctx); done <- err }()
	atBarrier(t, b, 1)
	if _, err = b.WaitThen(ctx, func() error { return boom }); err != boom {
		t.Fatal(err)
	}
	mustBe(t, <-done, ipcerr.Broken)
	_, err = b.Wait(ctx)
	mustBe(t, err, ipcerr.Broken)
	must(t, b.Reset())
	if n, broken, err := b.Waiting(); n != 0 || broken || err != nil {
		t.Fatal(n, broken, err)
	}
	// Who comes while the action runs belongs to the next round.
	go func() { _, err := b.Wait(ctx); done <- err }()
	atBarrier(t, b, 1)
	next := make(chan error)
	_, err = b.WaitThen(ctx, func() error {
		go func() { _, err := b.Wait(ctx); next <- err }()
		eventually(t, "a third", func() bool { return park3(b) })
		return nil
	})
	must(t, err)
	must(t, <-done)
	_, err = b.Wait(ctx)
	must(t, err)
	must(t, <-next)
}

func park3(b *Barrier) bool { return len(b.obj.Waiters(b.h.Seat[:], waitNames)) >= 2 }

func TestBarrierBreaks(t *testing.T) {
	longSlices(t)
	b, err := CreateBarrier("", 3, Options{Root: testroot.New(t)})
	b = kept(t, b, err)
	done := make(chan error)
	for _, breaks := range []func(){
		func() { _, err := b.Wait(soon()); mustBe(t, err, ipcerr.Timeout) },
		func() { must(t, b.Abort()) },
		func() { must(t, b.Reset()) },
	} {
		go func() { _, err := b.Wait(ctx); done <- err }()
		atBarrier(t, b, 1)
		breaks()
		mustBe(t, <-done, ipcerr.Broken)
		must(t, b.Reset())
	}
	// Cancelled: as if it had not come.
	c, cancel := context.WithCancel(ctx)
	go func() { _, err := b.Wait(c); done <- err }()
	atBarrier(t, b, 1)
	cancel()
	mustBe(t, <-done, ipcerr.Cancelled)
	if n, broken, err := b.Waiting(); n != 0 || broken || err != nil {
		t.Fatal(n, broken, err)
	}
}

// TestDeadParty: who died while it waited has not arrived.
func TestDeadParty(t *testing.T) {
	b, err := CreateBarrier("", 2, Options{Root: testroot.New(t)})
	b = kept(t, b, err)
	p := &b.places[0]
	p.Ticket = 0
	p.Who.Store(join(layout.PlaceWaiting, layout.Token(4000, 7)))
	b.h.Top.Store(1)
	done := make(chan error)
	go func() { _, err := b.Wait(ctx); done <- err }()
	eventually(t, "one waits", func() bool { s, err := b.Stat(); return err == nil && s.Waiters == 1 }) // drops nobody
	select {
	case err := <-done:
		t.Fatal("passed with a dead one", err)
	case <-time.After(100 * time.Millisecond):
	}
	_, err = b.Wait(ctx)
	must(t, err)
	must(t, <-done)
	// In its action: another runs it.
	b.h.Turn.Store(layout.Token(4000, 7))
	go func() { _, err := b.Wait(ctx); done <- err }()
	atBarrier(t, b, 1)
	_, err = b.Wait(ctx)
	must(t, err)
	must(t, <-done)
}

// TestHalfEndedRound: whoever takes the guard from one who died while it ended a round ends it.
func TestHalfEndedRound(t *testing.T) {
	b, err := CreateBarrier("", 2, Options{Root: testroot.New(t)})
	b = kept(t, b, err)
	done := make(chan error)
	go func() { _, err := b.Wait(ctx); done <- err }()
	atBarrier(t, b, 1)
	b.h.Guard.Store(layout.Token(4000, 7))
	b.h.Ending.Store(b.h.Round<<2 | passed)
	must(t, <-done)
	if b.h.Round != 1 || b.h.Ending.Load() != 0 {
		t.Fatalf("round %d, journal %x", b.h.Round, b.h.Ending.Load())
	}
}
