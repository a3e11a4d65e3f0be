package fifo

import (
	"sync"
	"testing"
)

// A bounded queue gets further rings only where an old lease blocks its span. A producer that finds no room
// just as a consumer is about to move the head, or has moved it, needs none: made and removed by the hundred,
// they took most of the time of two processes that exchanged messages of 16 KiB.
func TestBoundedQueueDoesNotGrowInTraffic(t *testing.T) {
	q := fresh(t, Options{Capacity: 256 << 10})
	n := 200_000
	if testing.Short() {
		n /= 10
	}
	var all sync.WaitGroup
	all.Go(func() {
		body := make([]byte, 16<<10)
		for range n {
			if err := q.Put(ctx, body, Raw); err != nil {
				t.Error(err)
				return
			}
		}
	})
	buf := make([]byte, 16<<10)
	for range n {
		if _, _, err := q.GetInto(ctx, buf); err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
	if s, err := q.Stat(); err != nil || s.Grown != 0 {
		t.Errorf("%d rings were added (%v)", s.Grown, err)
	}
}
