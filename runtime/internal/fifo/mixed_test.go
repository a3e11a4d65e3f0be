package fifo

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// TestNoWakeIsLost is TestMixed without the slices that would heal a wake which went missing.
func TestNoWakeIsLost(t *testing.T) {
	defer func(a, b, c time.Duration) { sliceIdle, sliceBusy, sliceFirst = a, b, c }(sliceIdle, sliceBusy, sliceFirst)
	sliceIdle, sliceBusy, sliceFirst = time.Hour, time.Hour, time.Hour
	t.Run("mixed", TestMixed)
	t.Run("join", TestJoin)
	t.Run("close", TestCloseWakes)
	t.Run("cancel", TestCancel)
}

// TestWakerDiesEarly has a waker die before its wake, which is to take the flag away without it.
func TestWakerDiesEarly(t *testing.T) {
	defer func(a, b time.Duration) { sliceIdle, sliceBusy = a, b }(sliceIdle, sliceBusy)
	sliceIdle, sliceBusy = 2*time.Second, 2*time.Second
	q := fresh(t, Options{})
	for range 10 { // on a busy machine the waker may come too late, when the first sleep is over
		got := make(chan error, 1)
		go func() {
			_, err := q.Get(ctx)
			got <- err
		}()
		for asleep := false; !asleep; { // who was about to sleep sets the flag once more
			for !park.Sleeping(&q.h.Readable) {
				time.Sleep(100 * time.Microsecond)
			}
			q.h.Readable.And(^uint32(1))
			time.Sleep(2 * time.Millisecond)
			asleep = !park.Sleeping(&q.h.Readable)
		}
		put := time.Now()
		mustPut(t, q, "x")
		if err := <-got; err != nil {
			t.Fatal(err)
		}
		if time.Since(put) < time.Second {
			return
		}
	}
	t.Error("whoever begins to sleep as his waker dies sleeps a whole slice")
}

// TestMixed lets producers and consumers of every verb loose on one queue: each message arrives
// once, and those of one producer in order where they were not leased.
func TestMixed(t *testing.T) {
	for _, o := range []Options{{}, {MaxSize: 10}, {Capacity: 64 << 10}} {
		t.Run(fmt.Sprint(o), func(t *testing.T) {
			q := fresh(t, o)
			const producers, each = 4, 3000
			var wg, cg sync.WaitGroup
			for p := range producers {
				wg.Add(1)
				go func() {
					defer wg.Done()
					for i := 0; i < each; {
						b := [][]byte{fmt.Appendf(nil, "%d/%d/", p, i), fmt.Appendf(nil, "%d/%d/", p, i+1)}
						switch {
						case i%100 == 3:
							b[0] = append(b[0], body(20_000+i*7, p)...)
							fallthrough
						case i%3 == 0:
							if err := q.Put(ctx, b[0], Raw); err != nil {
								t.Error(err)
								return
							}
							i++
						default:
							if n, err := q.PutMany(ctx, b, Raw); n != 2 || err != nil {
								t.Error(n, err)
								return
							}
							i += 2
						}
					}
				}()
			}
			var mu sync.Mutex
			seen := map[string]int{}
			for c := range 4 {
				cg.Add(1)
				go func() {
					defer cg.Done()
					for i := 0; ; i++ {
						var ms []Message
						var err error
						switch (i + c) % 3 {
						case 0:
							var m Message
							m, err = q.Get(ctx)
							ms = []Message{m}
						case 1:
							ms, err = q.GetMany(ctx, 5)
						case 2:
							var l *Leased
							if l, err = q.Lease(ctx); err == nil {
								if i%5 == 0 {
									err = l.Nack()
								} else {
									ms = []Message{l.Message}
									err = l.Ack()
								}
							}
						}
						if errors.Is(err, ipcerr.Shutdown) {
							return
						}
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						for _, m := range ms {
							var p, k int
							if _, err := fmt.Sscanf(string(m.Body[:min(len(m.Body), 20)]), "%d/%d/", &p, &k); err != nil {
								t.Errorf("garbled: %.30q", m.Body)
							}
							seen[fmt.Sprint(p, "/", k)]++
						}
						mu.Unlock()
					}
				}()
			}
			wg.Wait()
			if err := q.Shutdown(false); err != nil {
				t.Error(err)
			}
			cg.Wait()
			for p := range producers {
				for i := range each {
					if k := fmt.Sprint(p, "/", i); seen[k] != 1 {
						t.Fatalf("message %s seen %d times", k, seen[k])
					}
				}
			}
		})
	}
}
