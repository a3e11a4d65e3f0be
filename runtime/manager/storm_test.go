package manager

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// TestStorm has goroutines do all kinds of things with one client at once, give them up and be reconnected in the middle.
// In the end nothing waits at the server, nothing is held, and every item that was put is there or was gotten.
func TestStorm(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		ctx, c, steady := soon(t), connect(), connect()
		q, err := OpenQueue[int](ctx, steady, "q", 0)
		must(t, err)
		seed := rand.Uint64()
		t.Log("seed", seed)
		over := time.Now().Add(time.Second)
		var all sync.WaitGroup
		for g := range uint64(12) {
			all.Go(func() {
				r := rand.New(rand.NewPCG(seed, g))
				for time.Now().Before(over) {
					ctx, cancel := context.WithTimeout(ctx, time.Duration(r.IntN(3000))*time.Microsecond)
					if r.IntN(4) == 0 {
						cancel()
					}
					switch err := storm(ctx, c, r); ipcerr.CodeOf(err) {
					case 0, ipcerr.Timeout, ipcerr.Cancelled, ipcerr.PeerDied, ipcerr.Gone, ipcerr.Empty:
					default:
						t.Error(err)
					}
					cancel()
				}
			})
		}
		all.Go(func() {
			for time.Now().Before(over) {
				time.Sleep(30 * time.Millisecond)
				must(t, c.Reconnect(ctx))
			}
		})
		all.Wait()
		must(t, c.Close())
		waitFor(t, func() bool {
			s, err := steady.Stat(ctx)
			must(t, err)
			return s.Parked == 0 && s.Clients == 1 && s.Objects == len(s.Types)
		})
		l, err := OpenLock(ctx, steady, "l")
		must(t, err)
		must(t, second(l.Acquire(ctx)))
		n, err := q.Len(ctx)
		must(t, err)
		for range n {
			if v, err := q.TryGet(ctx); err != nil || v != 7 {
				t.Fatal(v, err)
			}
		}
	})
}

// storm does something.
func storm(ctx context.Context, c *Client, r *rand.Rand) error {
	q, err := OpenQueue[int](ctx, c, "q", 0)
	if err != nil {
		return err
	}
	switch r.IntN(7) {
	case 0:
		return q.Put(ctx, 7)
	case 1:
		return second(q.Get(ctx))
	case 2:
		l, err := q.Lease(ctx)
		if err == nil {
			err = l.Nack(ctx)
		}
		if ipcerr.CodeOf(err) == ipcerr.LeaseLost {
			err = nil
		}
		return err
	case 3:
		l, err := OpenLock(ctx, c, "l")
		if err == nil {
			if _, err = l.Acquire(ctx); err == nil {
				err = l.Release(context.WithoutCancel(ctx))
			}
		}
		if Failed(err, "RuntimeError") { // lost with a line in between
			err = nil
		}
		return err
	case 4:
		f, err := c.Go(ctx, q.Object, "get")
		if err == nil {
			_ = f.Cancel()
			_, err = f.Result(ctx)
		}
		return err
	case 5:
		d, err := OpenDict[string, *List[int]](ctx, c, "d")
		if err != nil {
			return err
		}
		for _, err := range d.Watch(ctx) {
			if err != nil {
				return err
			}
			l, err := NewList(ctx, c, 1)
			if err == nil {
				err = d.Set(ctx, "l", l)
			}
			return err
		}
	}
	b := c.NewBatch()
	for range 10 {
		b.Add(q.Object, "put", 7)
		b.Add(q.Object, "get", false)
	}
	return second(b.Do(ctx))
}
