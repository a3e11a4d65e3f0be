package segment

import (
	"sync"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// TestLock: goroutines of Go and threads of a library exclude each other.
func TestLock(t *testing.T) {
	a := create(t, "a", Options{Format: "q"})
	b := again(t, a, Options{})
	n, _ := Slice[int64](a)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s, thread := []*Segment{a, b}[i%2], uint32(i)
			for range 2000 {
				var err error
				if i < 3 {
					_, err = s.Lock(ctx)
				} else if _, err = s.LockThread(ctx, thread); err == nil {
					_, err = s.LockThread(ctx, thread) // again
				}
				if err != nil {
					t.Error(err)
					return
				}
				n[0]++
				if i < 3 {
					err = s.Unlock()
				} else if err = s.UnlockThread(thread); err == nil {
					err = s.UnlockThread(thread)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	wg.Wait()
	if n[0] != 12000 {
		t.Errorf("%d increments", n[0])
	}
	want(t, a.Unlock(), ipcerr.Invalid)
	want(t, a.UnlockThread(1), ipcerr.Invalid)
	if _, err := a.LockThread(ctx, 1); err != nil {
		t.Fatal(err)
	}
	want(t, b.Unlock(), ipcerr.Invalid)
	want(t, b.UnlockThread(2), ipcerr.Invalid)
	if locked, _, err := b.TryLock(); locked || err != nil {
		t.Error(locked, err)
	}
	if locked, _, err := b.TryLockThread(1); !locked || err != nil {
		t.Error(locked, err)
	}
	_, err := b.Lock(object.Until(time.Now().Add(10 * time.Millisecond)))
	want(t, err, ipcerr.Timeout)
	if hs, err := b.Locks(); err != nil || len(hs) != 1 || hs[0].What != "lock" || hs[0].Language != "go" || hs[0].For <= 0 {
		t.Errorf("%+v, %v", hs, err)
	}
}

func TestLockOfTheDead(t *testing.T) {
	a := create(t, "a", Options{Format: "q"})
	a.h.Lock.Word.Store(layout.Token(4000, 1)) // nobody has that slot
	a.h.Lock.Owner.Store(uint64(layout.Token(4000, 1))<<32 | 77)
	if hs, _ := a.Locks(); len(hs) != 1 || hs[0].Alive {
		t.Errorf("%+v", hs)
	}
	if died, err := a.Lock(ctx); !died || err != nil {
		t.Error(died, err)
	}
	if err := a.Unlock(); err != nil {
		t.Error(err)
	}
	if died, err := a.Lock(ctx); died || err != nil {
		t.Error(died, err)
	}
	if st, _ := a.Stat(); st.TakeOvers != 1 {
		t.Error(st.TakeOvers)
	}
	// Closing ends a wait for it.
	b := again(t, a, Options{})
	ended := make(chan error)
	go func() {
		_, err := b.LockThread(ctx, 5)
		ended <- err
	}()
	for {
		if ws, _ := a.Waiters(); len(ws) == 1 && ws[0].What == "lock" {
			break
		}
	}
	_ = b.Close()
	want(t, <-ended, ipcerr.Closed)
	if err := a.Unlock(); err != nil {
		t.Error(err)
	}
}
