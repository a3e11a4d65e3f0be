package manager

import (
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// TestPipelined begins more calls than there is room for, with results as large, before it finishes any.
func TestPipelined(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		ctx, c := soon(t), connect()
		big := make([]byte, 60_000)
		var ids []uint64
		for range 1000 {
			id, err := c.Start(ctx, &Call{Method: "ping", Args: pack(big)})
			must(t, err)
			ids = append(ids, id)
		}
		for _, id := range ids {
			_, size, err := c.Finish(ctx, id, -1)
			must(t, err)
			if size < len(big) {
				t.Fatal(size)
			}
		}
	})
}

// TestOtherLine has hosts and watchers of a connection that was lost end, although there is another one: its numbers are
// others.
func TestOtherLine(t *testing.T) {
	root := newRoot(t)
	s := serveIn(t, Options{Root: root})
	c := connectTo(t, root)
	ctx := soon(t)
	d, err := NewDict[string, int](ctx, c, nil)
	must(t, err)
	must(t, c.Register(ctx, "Account", newAccount))
	ended := make(chan error, 2)
	former := c.hosts()
	go func() { ended <- c.Serve(ctx) }()
	watching := make(chan struct{})
	go func() {
		for _, err := range d.Watch(ctx) {
			if err != nil {
				ended <- err
				return
			}
			close(watching)
		}
	}()
	<-watching
	_, err = c.New(ctx, "Account", "anna", 5) // Serve has begun
	must(t, err)
	must(t, s.Close())
	serveIn(t, Options{Root: root})
	must(t, c.Reconnect(ctx))
	for range 2 {
		mustBe(t, <-ended, ipcerr.PeerDied)
	}
	must(t, c.Register(ctx, "Account", newAccount))
	mustBe(t, c.serve(ctx, former), ipcerr.PeerDied)
	go func() { ended <- c.Serve(ctx) }()
	a, err := c.New(ctx, "Account", "anna", 5)
	must(t, err)
	is[any](t, int64(6))(a.Call(ctx, "deposit", 1))
}

// TestUnwatched ends who waits for an event of a subscription that ends: who reads, and who sleeps while another one reads.
func TestUnwatched(t *testing.T) {
	root := newRoot(t)
	s := serveIn(t, Options{Root: root})
	c := connectTo(t, root)
	ctx := soon(t)
	sleep := func(ws *waiters, n int) func() bool {
		return func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.reading && len(*ws) == n
		}
	}
	waits := func(sleepers int) (sub uint64, ended chan error) {
		d, err := NewDict[string, int](ctx, c, nil)
		must(t, err)
		sub = uint64(do(t, c, 0, "watch", d.Number()).(int64))
		_, _, err = c.NextEvent(ctx, sub, -1)
		must(t, err)
		ended = make(chan error, 2)
		for range 2 {
			go func() {
				_, _, err := c.NextEvent(ctx, sub, -1)
				ended <- err
			}()
		}
		waitFor(t, sleep(&c.subs[sub].waiters, sleepers))
		return sub, ended
	}
	both := func(ended chan error, code ipcerr.Code) {
		t.Helper()
		for range 2 {
			mustBe(t, <-ended, code)
		}
		if ctx.Err() != nil {
			t.Fatal("they heard of it when their time was over")
		}
	}
	sub, ended := waits(1)
	do(t, c, 0, "unwatch", sub)
	both(ended, ipcerr.Invalid)
	q := numberOf(t, do(t, c, 0, "create", "queue"))
	go func() { _, _ = c.Do(ctx, &Call{Object: q, Method: "get"}) }()
	waitFor(t, sleep(&waiters{}, 0)) // that call reads from now on
	sub, ended = waits(2)
	do(t, c, 0, "unwatch", sub)
	both(ended, ipcerr.Invalid)
	_, ended = waits(2)
	must(t, s.Close())
	serveIn(t, Options{Root: root})
	must(t, c.Reconnect(ctx))
	both(ended, ipcerr.PeerDied)
}

// TestBehindAnother has a call keep its deadline although another goroutine sends, and waits for a server that is stopped.
func TestBehindAnother(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		c := connect()
		must(t, c.sending.lock(soon(t)))
		mustBe(t, c.Ping(short()), ipcerr.Timeout)
		done := make(chan error)
		go func() { done <- c.Ping(soon(t)) }()
		waitFor(t, func() bool { return c.sending.word.Load() != 0 })
		c.sending.unlock()
		must(t, <-done)
	})
}

// TestGivenUpBehindAnother gives calls up while another goroutine sends for long: the lock that they got goes back all the same.
func TestGivenUpBehindAnother(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		ctx, c := soon(t), connect()
		l, err := NewLock(ctx, c)
		must(t, err)
		acquire := func() uint64 {
			id, err := c.Start(ctx, &Call{Object: l.Number(), Method: "acquire"})
			must(t, err)
			return id
		}
		answered := func(id uint64) func() bool {
			return func() bool {
				must(t, c.Ping(ctx)) // reads what has come
				c.mu.Lock()
				defer c.mu.Unlock()
				return c.calls[id].done
			}
		}
		ends := map[string]func(id uint64){
			"forget":   func(id uint64) { must(t, c.Forget(id)) },
			"complete": func(id uint64) { _, _, _ = c.Complete(short(), id, -1) }, // has no room for its ack
		}
		for name, end := range ends {
			id := acquire()
			waitFor(t, answered(id))
			must(t, c.sending.lock(ctx))
			end(id)
			time.Sleep(2 * cancelGrace) // for longer than anybody waits for
			c.sending.unlock()
			if _, err := l.Acquire(ctx); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			must(t, l.Release(ctx))
		}
	})
}
