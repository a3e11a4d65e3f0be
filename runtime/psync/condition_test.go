package psync

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

func waiting(t testing.TB, c *Condition, n int) {
	t.Helper()
	eventually(t, "they wait", func() bool { s, err := c.Stat(); return err == nil && s.Waiters == n && s.Value == int64(n) })
}

func TestCondition(t *testing.T) {
	longSlices(t)
	c, err := CreateCondition("", Options{Root: testroot.New(t)})
	c = kept(t, c, err)
	o := NewOwner()
	_, err = c.Wait(ctx, o)
	mustBe(t, err, ipcerr.Invalid) // not acquired
	for range 3 {
		_, err = c.Acquire(ctx, o)
		must(t, err)
	}
	_, err = c.Wait(soon(), o)
	mustBe(t, err, ipcerr.Timeout)
	if h := c.lock().Holder(); h.Depth != 3 {
		t.Fatalf("the lock is %d deep", h.Depth)
	}
	for range 3 {
		must(t, c.Release(o))
	}

	// One after the other, in the order in which they came.
	order := make(chan int, 10)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			me := NewOwner()
			if _, err := c.Acquire(ctx, me); err != nil {
				t.Error(err)
			}
			if _, err := c.Wait(ctx, me); err != nil {
				t.Error(err)
			}
			order <- i
			if err := c.Release(me); err != nil {
				t.Error(err)
			}
		}()
		waiting(t, c, i+1)
	}
	for i := range 2 {
		must(t, c.Notify(1))
		if got := <-order; got != i {
			t.Fatalf("%d woke, not %d", got, i)
		}
	}
	must(t, c.NotifyAll())
	wg.Wait()
	must(t, c.Notify(5)) // nobody
	mustBe(t, c.Notify(-1), ipcerr.Invalid)
}

// TestWaitFor: a buffer of one, several producers and consumers, and no slice that would heal a lost call.
func TestWaitFor(t *testing.T) {
	longSlices(t)
	dir := testroot.New(t)
	c, err := CreateCondition("", Options{Root: dir})
	c = kept(t, c, err)
	full := layout.View[uint32](c.obj.File.Mem, 3000)
	var wg sync.WaitGroup
	var got atomic.Int32
	const each = 500
	for w := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			o := NewOwner()
			for range each {
				_, err := c.Acquire(ctx, o)
				if err == nil {
					_, err = c.WaitFor(ctx, o, func() bool { return *full == uint32(w%2) })
				}
				if err != nil {
					t.Error(err)
				}
				*full = 1 - *full
				if w%2 == 1 {
					got.Add(1)
				}
				if err := c.NotifyAll(); err != nil {
					t.Error(err)
				}
				if err := c.Release(o); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
	if got.Load() != 4*each {
		t.Fatalf("%d of %d", got.Load(), 4*each)
	}
}

func TestWaitWith(t *testing.T) {
	dir := testroot.New(t)
	c, err := CreateCondition("", Options{Root: dir})
	c = kept(t, c, err)
	l, err := CreateLock("", Options{Root: dir})
	l = kept(t, l, err)
	r, err := CreateRLock("", Options{Root: dir})
	r = kept(t, r, err)
	o := NewOwner()
	_, err = c.WaitWith(ctx, l)
	mustBe(t, err, ipcerr.Invalid)
	_, err = c.WaitWith(ctx, r.Of(o))
	mustBe(t, err, ipcerr.Invalid)
	_, err = l.Acquire(ctx)
	must(t, err)
	go func() {
		_, _ = l.Acquire(ctx) // only when the other waits
		_ = c.Notify(1)
		_ = l.Release()
	}()
	_, err = c.WaitWith(ctx, l)
	must(t, err)
	must(t, l.Release())
}

// TestPlaces: over the limit there is an error that says so, and nobody's lock is lost.
func TestPlaces(t *testing.T) {
	c, err := CreateCondition("", Options{Root: testroot.New(t)})
	c = kept(t, c, err)
	var op op
	must(t, op.begin(&c.base, "test"))
	for i := range c.places {
		if _, err := op.seat(uint64(i)); err != nil {
			t.Fatal(err)
		}
	}
	o := NewOwner()
	_, err = c.Acquire(ctx, o)
	must(t, err)
	_, err = c.Wait(ctx, o)
	mustBe(t, err, ipcerr.Limit)
	must(t, c.Release(o))
	for i := range c.places {
		c.places[i].Who.Store(0)
	}
	op.End(&err)
}

// TestDeadPlaces: whoever is dead is passed over, and the call that it did not hear goes on to the next.
func TestDeadPlaces(t *testing.T) {
	dead := layout.Token(4000, 7)
	c, err := CreateCondition("", Options{Root: testroot.New(t)})
	c = kept(t, c, err)
	for state := layout.PlaceWaiting; state <= layout.PlaceCalled; state++ {
		p := &c.places[0]
		p.Ticket = 0 // the oldest
		p.Who.Store(join(state, dead))
		c.h.Top.Store(1)
		done := make(chan error)
		go func() {
			o := NewOwner()
			_, err := c.Acquire(ctx, o)
			if err == nil {
				_, err = c.Wait(ctx, o)
			}
			if err == nil {
				err = c.Release(o)
			}
			done <- err
		}()
		if state == layout.PlaceWaiting {
			waiting(t, c, 1)
			must(t, c.Notify(1))
		}
		must(t, <-done)
	}
}
