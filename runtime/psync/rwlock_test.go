package psync

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

var dead = layout.Token(4000, 7)

func TestRWLock(t *testing.T) {
	longSlices(t)
	l, err := CreateRWLock("", Options{Root: testroot.New(t)})
	l = kept(t, l, err)
	mustBe(t, l.ReadUnlock(), ipcerr.Invalid)
	mustBe(t, l.WriteUnlock(), ipcerr.Invalid)
	must(t, l.ReadLock(ctx))
	must(t, l.ReadLock(ctx))
	if ok, _, err := l.TryWriteLock(); ok || err != nil {
		t.Fatal(ok, err)
	}
	_, err = l.WriteLock(soon())
	mustBe(t, err, ipcerr.Timeout)
	if ok, err := l.TryReadLock(); !ok || err != nil { // the writer gave up
		t.Fatal(ok, err)
	}
	done := make(chan error)
	go func() { _, err := l.WriteLock(ctx); done <- err }()
	eventually(t, "a writer keeps readers out", func() bool {
		ok, err := l.TryReadLock()
		must(t, err)
		if ok {
			must(t, l.ReadUnlock())
		}
		return !ok
	})
	mustBe(t, l.WriteUnlock(), ipcerr.Invalid) // it waits, it is not in
	for range 3 {
		must(t, l.ReadUnlock())
	}
	must(t, <-done)
	mustBe(t, l.ReadLock(soon()), ipcerr.Timeout)
	must(t, l.WriteUnlock())
	if ok, died, err := l.TryWriteLock(); !ok || died || err != nil {
		t.Fatal(ok, died, err)
	}
	must(t, l.WriteUnlock())
}

// TestRWExclusion: readers never see a writer, nor writers each other; neither starves.
func TestRWExclusion(t *testing.T) {
	longSlices(t)
	l, err := CreateRWLock("", Options{Root: testroot.New(t)})
	l = kept(t, l, err)
	var readers, writers atomic.Int32
	var stop atomic.Bool
	var reads, writes atomic.Int64
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for !stop.Load() {
				if w < 3 {
					if err := l.ReadLock(ctx); err != nil {
						t.Error(err)
					}
					readers.Add(1)
					if writers.Load() != 0 {
						t.Error("a reader with a writer")
					}
					readers.Add(-1)
					if err := l.ReadUnlock(); err != nil {
						t.Error(err)
					}
					reads.Add(1)
					continue
				}
				if _, err := l.WriteLock(ctx); err != nil {
					t.Error(err)
				}
				if writers.Add(1) != 1 || readers.Load() != 0 {
					t.Error("a writer with another")
				}
				writers.Add(-1)
				if err := l.WriteUnlock(); err != nil {
					t.Error(err)
				}
				writes.Add(1)
			}
		}()
	}
	eventually(t, "both get on", func() bool { return reads.Load() > 500 && writes.Load() > 500 })
	stop.Store(true)
	wg.Wait()
}

// TestWaitingReadersFirst: who waited to read while a writer was in comes before the next writer.
func TestWaitingReadersFirst(t *testing.T) {
	defer func(d time.Duration) { admitFor = d }(admitFor)
	admitFor = time.Hour
	l, err := CreateRWLock("", Options{Root: testroot.New(t)})
	l = kept(t, l, err)
	for range 20 {
		_, err := l.WriteLock(ctx)
		must(t, err)
		order := make(chan string, 2)
		var done sync.WaitGroup
		done.Add(2)
		go func() {
			defer done.Done()
			err := l.ReadLock(ctx)
			order <- "reader"
			if err == nil {
				err = l.ReadUnlock()
			}
			if err != nil {
				t.Error(err)
			}
		}()
		eventually(t, "a reader waits", func() bool { ws, err := l.Waiters(); return err == nil && len(ws) == 1 })
		go func() {
			defer done.Done()
			_, err := l.WriteLock(ctx)
			order <- "writer"
			if err == nil {
				err = l.WriteUnlock()
			}
			if err != nil {
				t.Error(err)
			}
		}()
		eventually(t, "a writer waits", func() bool { ws, err := l.Waiters(); return err == nil && len(ws) == 2 })
		must(t, l.WriteUnlock())
		if first := <-order; first != "reader" {
			t.Fatalf("the %s was first", first)
		}
		done.Wait()
	}
}

func TestDeadReaderAndWriter(t *testing.T) {
	l, err := CreateRWLock("", Options{Root: testroot.New(t)})
	l = kept(t, l, err)
	l.ledger.Entry[4000].Store(join(2, dead))
	l.ledger.Used[4000/64].Store(1 << (4000 % 64))
	l.h.Value.Store(2)
	began := time.Now()
	died, err := l.WriteLock(ctx)
	if died || err != nil || time.Since(began) > 2*time.Second {
		t.Fatal(died, err)
	}
	must(t, l.WriteUnlock())

	for _, reader := range []bool{false, true} {
		l.h.Lock.Word.Store(dead)
		l.h.Active.Store(1)
		if reader {
			must(t, l.ReadLock(ctx))
			must(t, l.ReadUnlock())
		}
		died, err = l.WriteLock(ctx)
		if !died || err != nil {
			t.Fatal(reader, died, err)
		}
		must(t, l.WriteUnlock())
		died, err = l.WriteLock(ctx)
		if died || err != nil {
			t.Fatal(reader, died, err)
		}
		must(t, l.WriteUnlock())
	}
}

func TestReclaim(t *testing.T) {
	for _, bounded := range []bool{false, true} {
		dir := testroot.New(t)
		var s *Semaphore
		if bounded {
			b, err := CreateBoundedSemaphore("", 3, Options{Root: dir, Reclaim: true})
			s = &kept(t, b, err).Semaphore
		} else {
			u, err := CreateSemaphore("", 3, Options{Root: dir, Reclaim: true})
			s = kept(t, u, err)
		}
		must(t, s.Acquire(ctx))
		s.ledger.Entry[4000].Store(join(2, dead))
		s.ledger.Used[4000/64].Store(1 << (4000 % 64))
		s.h.Value.Store(0)
		must(t, s.Acquire(ctx))
		if n, _ := s.Value(); n != 1 {
			t.Fatalf("%d are free", n)
		}
		if st, err := s.Stat(); err != nil || st.Reclaimed != 2 {
			t.Fatalf("%+v %v", st, err)
		}
		// A death behind the commit and before Value follows.
		s.ledger.Entry[4000].Store(join(1, dead))
		s.h.Guard.Store(dead)
		must(t, s.Release(1))
		if n, _ := s.Value(); n != 1 { // 3, less one that is held, less the dead one's
			t.Fatalf("%d are free", n)
		}
		must(t, s.Acquire(ctx))
		must(t, s.Acquire(ctx)) // the dead one's
		must(t, s.Release(3))
	}
}
