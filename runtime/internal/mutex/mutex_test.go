package mutex

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

var ctx = context.Background()

// dead is a token that no process of a fresh root has.
var dead = layout.Token(4000, 7)

func fresh(t testing.TB) Lock {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	o := &object.Object{}
	nothing := func() error { return nil }
	err = o.Open(&object.Want{
		Op: "create lock", Noun: "lock", Kind: layout.KindSync, Root: dir, Create: true,
		Spec: func(members [16]byte) shm.Spec {
			return shm.Spec{Kind: layout.KindSync, Flags: layout.Transient, Members: members, Header: 4096, Init: func([]byte) {}}
		},
		Attach: nothing, Matches: nothing,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close(nil, func() {}) })
	return Lock{Obj: o, H: layout.View[layout.Mutex](o.File.Mem, layout.HeaderSize), Sit: func() func() { return func() {} }}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLock(t *testing.T) {
	l := fresh(t)
	if err := l.Unlock(); err != ipcerr.Invalid {
		t.Fatalf("unlock of a free lock: %v", err)
	}
	died, err := l.Lock(ctx)
	if died || err != nil {
		t.Fatal(died, err)
	}
	if ok, _, err := l.TryLock(); ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := l.Lock(object.Until(time.Now().Add(10 * time.Millisecond))); err != ipcerr.Timeout {
		t.Fatal(err)
	}
	if h := l.Holder(); h.Token != l.Obj.Me || h.For < 10*time.Millisecond || h.For > time.Minute {
		t.Fatalf("%+v", h)
	}
	must(t, l.Unlock())
	if ok, died, err := l.TryLock(); !ok || died || err != nil {
		t.Fatal(ok, died, err)
	}
	if l.H.Since.Load() != 0 {
		t.Fatal("the age of another's hold")
	}
	must(t, l.Unlock())
	if h := l.Holder(); h != (Holder{}) {
		t.Fatalf("%+v", h)
	}
}

func TestDeadOwner(t *testing.T) {
	l := fresh(t)
	l.H.Word.Store(dead)
	if ok, died, err := l.TryLock(); !ok || !died || err != nil {
		t.Fatal(ok, died, err)
	}
	must(t, l.Unlock())
	l.H.Word.Store(dead)
	if died, err := l.Lock(ctx); !died || err != nil {
		t.Fatal(died, err)
	}
	if died, err := l.Lock(object.Until(time.Now())); died || err != ipcerr.Timeout {
		t.Fatal("told again", died, err)
	}
	if n := l.H.TakeOvers.Load(); n != 2 {
		t.Fatalf("%d take-overs", n)
	}
}

func TestExclusion(t *testing.T) {
	l := fresh(t)
	r := RLock(fresh(t))
	// In the mapping, where the race detector does not look: it knows nothing of these locks either.
	plain := layout.View[uint64](l.Obj.File.Mem, 2048)
	deep := layout.View[uint64](r.Obj.File.Mem, 2048)
	var wg sync.WaitGroup
	const workers, each = 8, 2000
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range each {
				if _, err := l.Lock(ctx); err != nil {
					t.Error(err)
				}
				*plain++
				if err := l.Unlock(); err != nil {
					t.Error(err)
				}
				for range 2 {
					if _, err := r.Lock(ctx, uint32(w+1)); err != nil {
						t.Error(err)
					}
				}
				*deep++
				for range 2 {
					if err := r.Unlock(uint32(w + 1)); err != nil {
						t.Error(err)
					}
				}
			}
		}()
	}
	wg.Wait()
	if *plain != workers*each || *deep != workers*each {
		t.Fatalf("%d and %d of %d", *plain, *deep, workers*each)
	}
}

func TestRLock(t *testing.T) {
	r := RLock(fresh(t))
	const mine, other = 1000, 1001
	for range 3 {
		_, err := r.Lock(ctx, mine)
		must(t, err)
	}
	if err := r.Unlock(other); err != ipcerr.Invalid {
		t.Fatal(err)
	}
	if ok, _, err := r.TryLock(other); ok || err != nil {
		t.Fatal(ok, err)
	}
	if ok, _, err := r.TryLock(mine); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if h := r.Holder(); h.Thread != mine || h.Depth != 4 || !r.Owned(mine) || r.Owned(other) {
		t.Fatalf("%+v", h)
	}
	depth, err := r.UnlockAll(mine)
	if depth != 4 || err != nil {
		t.Fatal(depth, err)
	}
	if err := r.Unlock(mine); err != ipcerr.Invalid {
		t.Fatal(err)
	}
	_, err = r.LockAgain(ctx, mine, depth)
	must(t, err)
	if _, err := r.LockAgain(ctx, mine, depth); err != ipcerr.Invalid {
		t.Fatal(err)
	}
	for range 4 {
		must(t, r.Unlock(mine))
	}
	if token := r.H.Word.Load(); token != 0 {
		t.Fatalf("left at %x", token)
	}
	r.H.Word.Store(r.Obj.Me)
	r.H.Owner.Store(uint64(r.Obj.Me)<<32 | mine)
	r.H.Depth.Store(MaxDepth)
	if _, err := r.Lock(ctx, mine); err != ipcerr.Limit {
		t.Fatal(err)
	}
}

// TestStaleThread: what a dead owner left says nothing about a living thread with the same number.
func TestStaleThread(t *testing.T) {
	r := RLock(fresh(t))
	const mine = 1000
	r.H.Word.Store(dead)
	r.H.Owner.Store(uint64(dead)<<32 | mine)
	r.H.Depth.Store(3)
	if err := r.Unlock(mine); err != ipcerr.Invalid {
		t.Fatal(err)
	}
	if died, err := r.Lock(ctx, mine); !died || err != nil {
		t.Fatal(died, err)
	}
	if h := r.Holder(); h.Depth != 1 {
		t.Fatalf("%+v", h)
	}
	must(t, r.Unlock(mine))
}

func BenchmarkLock(b *testing.B) {
	l := fresh(b)
	for b.Loop() {
		_, _ = l.Lock(ctx)
		_ = l.Unlock()
	}
}

func BenchmarkRLock(b *testing.B) {
	l := RLock(fresh(b))
	for b.Loop() {
		_, _ = l.Lock(ctx, 5)
		_ = l.Unlock(5)
	}
}
