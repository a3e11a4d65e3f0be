package psync

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/wait"
	"github.com/polyipc/polyipc/tests/testroot"
)

var ctx = context.Background()

// kept is what a test made: closed at its end, when its guard must be free and its places empty.
func kept[T Object](t testing.TB, o T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b := o.self()
		if !b.obj.Calls.IsShut() {
			if v := b.h.Guard.Load(); v != 0 {
				t.Errorf("the guard is left at %x", v)
			}
			for i := range b.places {
				if who := b.places[i].Who.Load(); who != 0 {
					t.Errorf("place %d is left at %x", i, who)
				}
			}
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustBe(t testing.TB, err error, code ipcerr.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("%v, not %v", err, code)
	}
}

// soon is a context that ends in a moment.
func soon() context.Context { return object.Until(time.Now().Add(20 * time.Millisecond)) }

// eventually waits until f says true.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// longSlices makes a lost wake a test that hangs.
func longSlices(t testing.TB) {
	old := slice
	slice = time.Hour
	t.Cleanup(func() { slice = old })
}

func TestOptions(t *testing.T) {
	dir := testroot.New(t)
	_, err := CreateSemaphore("x", -1, Options{Root: dir})
	mustBe(t, err, ipcerr.Invalid)
	_, err = CreateSemaphore("x", MaxValue+1, Options{Root: dir})
	mustBe(t, err, ipcerr.Invalid)
	_, err = CreateBarrier("x", 0, Options{Root: dir})
	mustBe(t, err, ipcerr.Invalid)
	_, err = CreateBarrier("x", MaxParties+1, Options{Root: dir})
	mustBe(t, err, ipcerr.Invalid)
	_, err = CreateLock("x", Options{Root: dir, Reclaim: true})
	mustBe(t, err, ipcerr.Invalid)
	_, err = CreateLock("x", Options{Root: dir, Kept: true, Transient: true})
	mustBe(t, err, ipcerr.Invalid)
	_, err = OpenLock("", Options{Root: dir})
	mustBe(t, err, ipcerr.Invalid)
	_, err = OpenLock("nosuch", Options{Root: dir})
	mustBe(t, err, ipcerr.NotFound)

	s, err := CreateSemaphore("x", 3, Options{Root: dir})
	must(t, err)
	defer Unlink(dir, "x")
	defer s.Close()
	_, err = CreateSemaphore("x", 3, Options{Root: dir})
	mustBe(t, err, ipcerr.Exists)
	_, err = OpenOrCreateSemaphore("x", 4, Options{Root: dir})
	mustBe(t, err, ipcerr.Mismatch)
	_, err = OpenSemaphore("x", Options{Root: dir, Reclaim: true})
	mustBe(t, err, ipcerr.Mismatch)
	_, err = OpenOrCreateSemaphore("x", 3, Options{Root: dir, Transient: true})
	mustBe(t, err, ipcerr.Mismatch)
	_, err = OpenBoundedSemaphore("x", Options{Root: dir})
	mustBe(t, err, ipcerr.WrongKind)
	if !strings.Contains(err.Error(), "it is a semaphore, not a bounded semaphore") {
		t.Error(err)
	}
	again, err := OpenOrCreateSemaphore("x", 3, Options{Root: dir})
	must(t, err)
	must(t, again.Acquire(ctx))
	n, err := s.Value()
	if n != 2 || err != nil {
		t.Fatal(n, err)
	}
	must(t, again.Close())
	must(t, again.Close())
	defer func() { must(t, again.Unlink()) }() // though it is closed
	mustBe(t, again.Acquire(ctx), ipcerr.Closed)
}

func TestLock(t *testing.T) {
	l, err := CreateLock("", Options{Root: testroot.New(t)})
	l = kept(t, l, err)
	mustBe(t, l.Release(), ipcerr.Invalid)
	_, err = l.Acquire(ctx)
	must(t, err)
	if locked, _ := l.Locked(); !locked {
		t.Fatal("not locked")
	}
	_, err = l.Acquire(soon())
	mustBe(t, err, ipcerr.Timeout)
	if ok, _, err := l.TryAcquire(); ok || err != nil {
		t.Fatal(ok, err)
	}
	hs, err := l.Holders()
	if err != nil || len(hs) != 1 || hs[0].Pid != os.Getpid() || hs[0].What != "lock" || hs[0].For <= 0 {
		t.Fatalf("%+v %v", hs, err)
	}
	go func() { _ = l.Release() }() // by another goroutine
	_, err = l.Acquire(ctx)
	must(t, err)
	must(t, l.Release())
}

func TestRLock(t *testing.T) {
	l, err := CreateRLock("", Options{Root: testroot.New(t)})
	l = kept(t, l, err)
	a, b := NewOwner(), NewOwner()
	for range 2 {
		_, err = l.Acquire(ctx, a)
		must(t, err)
	}
	mustBe(t, l.Release(b), ipcerr.Invalid)
	_, err = l.Acquire(soon(), b)
	mustBe(t, err, ipcerr.Timeout)
	must(t, l.Release(a))
	if owned, _ := l.Owned(a); !owned {
		t.Fatal("freed too early")
	}
	must(t, l.Release(a))
	mustBe(t, l.Release(a), ipcerr.Invalid)
	if ok, _, err := l.TryAcquire(b); !ok || err != nil {
		t.Fatal(ok, err)
	}
	must(t, l.Release(b))
}

func TestSemaphore(t *testing.T) {
	for _, reclaim := range []bool{false, true} {
		longSlices(t)
		s, err := CreateBoundedSemaphore("", 2, Options{Root: testroot.New(t), Reclaim: reclaim})
		s = kept(t, s, err)
		must(t, s.Acquire(ctx))
		must(t, s.Acquire(ctx))
		mustBe(t, s.Acquire(soon()), ipcerr.Timeout)
		if ok, err := s.TryAcquire(); ok || err != nil {
			t.Fatal(ok, err)
		}
		mustBe(t, s.Release(3), ipcerr.Invalid)
		var wg sync.WaitGroup
		for range 2 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if err := s.Acquire(ctx); err != nil {
					t.Error(err)
				}
			}()
		}
		eventually(t, "two wait", func() bool { ws, _ := s.Waiters(); return len(ws) == 2 })
		must(t, s.Release(2))
		wg.Wait()
		must(t, s.Release(2))
		mustBe(t, s.Release(1), ipcerr.Invalid)
		mustBe(t, s.Release(0), ipcerr.Invalid)
		if n, err := s.Value(); n != 2 || err != nil {
			t.Fatal(n, err)
		}

		u, err := CreateSemaphore("", 0, Options{Root: testroot.New(t), Reclaim: reclaim})
		u = kept(t, u, err)
		must(t, u.Release(5))
		must(t, u.Acquire(ctx))
		if n, err := u.Value(); n != 4 || err != nil {
			t.Fatal(n, err)
		}
		mustBe(t, u.Release(MaxValue), ipcerr.Invalid)
	}
}

// TestSemaphoreTraffic: no permit and no wake is lost.
func TestSemaphoreTraffic(t *testing.T) {
	for _, reclaim := range []bool{false, true} {
		longSlices(t)
		s, err := CreateSemaphore("", 3, Options{Root: testroot.New(t), Reclaim: reclaim})
		s = kept(t, s, err)
		var in atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range 2000 {
					if err := s.Acquire(ctx); err != nil {
						t.Error(err)
					}
					if in.Add(1) > 3 {
						t.Error("more than 3 are in")
					}
					in.Add(-1)
					if err := s.Release(1); err != nil {
						t.Error(err)
					}
				}
			}()
		}
		wg.Wait()
		if n, _ := s.Value(); n != 3 {
			t.Fatalf("%d permits are left", n)
		}
	}
}

func TestEvent(t *testing.T) {
	longSlices(t)
	e, err := CreateEvent("", Options{Root: testroot.New(t)})
	e = kept(t, e, err)
	mustBe(t, e.Wait(soon()), ipcerr.Timeout)
	for range 20 { // on a busy machine they may be quick enough to see it set, once
		var wg sync.WaitGroup
		for range 5 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if err := e.Wait(ctx); err != nil {
					t.Error(err)
				}
			}()
		}
		eventually(t, "five wait", func() bool { ws, _ := e.Waiters(); return len(ws) == 5 })
		must(t, e.Set())
		must(t, e.Clear()) // at once: all five have seen it nevertheless
		wg.Wait()
	}
	if is, _ := e.IsSet(); is {
		t.Fatal("set")
	}
	must(t, e.Set())
	must(t, e.Set())
	must(t, e.Wait(soon()))
}

// TestEventInALoop: an event loop finds the descriptor readable while the event is set.
func TestEventInALoop(t *testing.T) {
	dir := testroot.New(t)
	e, err := CreateEvent("e", Options{Root: dir, Transient: true})
	e = kept(t, e, err)
	other, err := OpenEvent("e", Options{Root: dir})
	other = kept(t, other, err)
	_, err = wait.Any(soon(), e.Readable())
	mustBe(t, err, ipcerr.Timeout)
	done := make(chan error)
	go func() { _, err := wait.Any(ctx, e.Readable()); done <- err }()
	must(t, other.Set())
	must(t, <-done)
	must(t, other.Clear())
	_, err = wait.Any(soon(), e.Readable())
	mustBe(t, err, ipcerr.Timeout)
}

func TestCloseWakes(t *testing.T) {
	dir := testroot.New(t)
	e, err := CreateEvent("", Options{Root: dir})
	must(t, err)
	done := make(chan error)
	go func() { done <- e.Wait(ctx) }()
	eventually(t, "one waits", func() bool { ws, _ := e.Waiters(); return len(ws) == 1 })
	must(t, e.Close())
	mustBe(t, <-done, ipcerr.Closed)
}

func TestHostileHeader(t *testing.T) {
	for what, spoil := range map[string]func(h *layout.Sync){
		"type":   func(h *layout.Sync) { h.Type = 99 },
		"flags":  func(h *layout.Sync) { h.Flags = 8 },
		"places": func(h *layout.Sync) { h.Places = 1 << 30 },
		"limit":  func(h *layout.Sync) { h.Limit = 1 << 60 },
		"ledger": func(h *layout.Sync) { h.Type, h.Flags = layout.SyncSemaphore, layout.SyncReclaim },
	} {
		dir := testroot.New(t)
		b, err := CreateBarrier("x", 3, Options{Root: dir})
		must(t, err)
		spoil(b.h)
		_, err = OpenBarrier("x", Options{Root: dir})
		if code := ipcerr.CodeOf(err); code != ipcerr.Corrupt && code != ipcerr.WrongKind {
			t.Errorf("%s: %v", what, err)
		}
		must(t, b.Close())
		must(t, Unlink(dir, "x"))
	}
}

func BenchmarkLock(b *testing.B) {
	l, err := CreateLock("", Options{Root: testroot.New(b)})
	l = kept(b, l, err)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = l.Acquire(ctx)
		_ = l.Release()
	}
}

func BenchmarkRLock(b *testing.B) {
	l, err := CreateRLock("", Options{Root: testroot.New(b)})
	l = kept(b, l, err)
	o := NewOwner()
	b.ReportAllocs()
	for b.Loop() {
		_, _ = l.Acquire(ctx, o)
		_ = l.Release(o)
	}
}

func BenchmarkSemaphore(b *testing.B) {
	for _, reclaim := range []bool{false, true} {
		b.Run(map[bool]string{false: "plain", true: "reclaim"}[reclaim], func(b *testing.B) {
			s, err := CreateSemaphore("", 1, Options{Root: testroot.New(b), Reclaim: reclaim})
			s = kept(b, s, err)
			b.ReportAllocs()
			for b.Loop() {
				_ = s.Acquire(ctx)
				_ = s.Release(1)
			}
		})
	}
}

func BenchmarkRWLock(b *testing.B) {
	l, err := CreateRWLock("", Options{Root: testroot.New(b)})
	l = kept(b, l, err)
	b.ReportAllocs()
	for b.Loop() {
		_ = l.ReadLock(ctx)
		_ = l.ReadUnlock()
	}
}
