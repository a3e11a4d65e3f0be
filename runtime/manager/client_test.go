package manager

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/tls"
	"github.com/polyipc/polyipc/tests/certs"
)

// both runs a test over a pipe, over TCP, and over TLS. connect makes a client, dies when it has to.
func both(t *testing.T, o Options, f func(t *testing.T, s *Server, connect func() *Client)) {
	for _, name := range []string{"local", "remote", "tls"} {
		o, remote := o, name != "local"
		var theirs TLS
		if o.Root = newRoot(t); remote {
			o.Key, o.Listen = []byte("secret"), "127.0.0.1:0"
		}
		if name == "tls" {
			dir := certs.New(t) + "/"
			o.TLS = &tls.Files{CA: dir + "ca.pem", Cert: dir + "server.pem", Key: dir + "server.key"}
			theirs = &tls.Files{CA: dir + "ca.pem", Cert: dir + "client.pem", Key: dir + "client.key"}
		}
		t.Run(name, func(t *testing.T) {
			s := serveIn(t, o)
			f(t, s, func() *Client {
				at := "test"
				if remote {
					at = s.Address()
				}
				c, err := Connect(soon(t), at, Options{Root: o.Root, Key: o.Key, Pickle: o.Pickle, TLS: theirs})
				must(t, err)
				t.Cleanup(func() { _ = c.Close() })
				return c
			})
		})
	}
}

func short() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// TestBlockingDelaysNobody has one call wait while others of the same client, and of another one, go on.
func TestBlockingDelaysNobody(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		a, b := connect(), connect()
		q := numberOf(t, do(t, a, 0, "open", "q", "queue"))
		got := make(chan any)
		go func() { got <- do(t, a, q, "get") }()
		for i := range 200 {
			if v := do(t, a, 0, "ping", i); v != int64(i) {
				t.Fatal(v)
			}
			do(t, b, 0, "ping", i)
		}
		do(t, b, numberOf(t, do(t, b, 0, "open", "q")), "put", "item")
		if v := <-got; v != "item" {
			t.Error(v)
		}
	})
}

// TestManyThreads has many goroutines share a client, each of which must get its own answers.
func TestManyThreads(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		c := connect()
		n := numberOf(t, do(t, c, 0, "create", "counter"))
		var all sync.WaitGroup
		for g := range 16 {
			all.Go(func() {
				for i := range 200 {
					if v := do(t, c, 0, "ping", fmt.Sprint(g, i)); v != fmt.Sprint(g, i) {
						t.Error(v)
					}
					do(t, c, n, "increment")
				}
			})
		}
		all.Wait()
		if v := do(t, c, n, "get"); v != int64(16*200) {
			t.Error(v)
		}
	})
}

// TestDeadline gives a blocking call up; what comes later is for others.
func TestDeadline(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		a, b := connect(), connect()
		q := numberOf(t, do(t, a, 0, "open", "q", "queue"))
		began := time.Now()
		_, err := a.Do(short(), &Call{Object: q, Method: "get"})
		mustBe(t, err, ipcerr.Timeout)
		if d := time.Since(began); d > 2*time.Second {
			t.Error(d)
		}
		do(t, b, q, "put", 1)
		if v := do(t, b, q, "get", false); v != int64(1) {
			t.Error("the call that was given up took it:", v)
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		go func() { time.Sleep(20 * time.Millisecond); cancel(errors.New("enough")) }()
		_, err = a.Do(ctx, &Call{Object: q, Method: "get"})
		mustBe(t, err, ipcerr.Cancelled)
	})
}

func TestFutures(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		c := connect()
		q := numberOf(t, do(t, c, 0, "create", "queue"))
		get, err := c.Start(soon(t), &Call{Object: q, Method: "get"})
		must(t, err)
		_, _, err = c.Finish(short(), get, -1)
		mustBe(t, err, ipcerr.Timeout)
		do(t, c, q, "put", "a")
		_, size, err := c.Finish(soon(t), get, 1)
		if mustBe(t, err, ipcerr.TooSmall); size != 2 {
			t.Error(size)
		}
		v, _, err := c.Finish(soon(t), get, 2)
		must(t, err)
		if string(v) != "\xa1a" {
			t.Error(v)
		}
		_, _, err = c.Finish(soon(t), get, -1)
		mustBe(t, err, ipcerr.Invalid)
		mustBe(t, c.Cancel(get), ipcerr.Invalid)

		get, err = c.Start(soon(t), &Call{Object: q, Method: "get"})
		must(t, err)
		must(t, c.Cancel(get))
		_, _, err = c.Finish(soon(t), get, -1)
		mustBe(t, err, ipcerr.Cancelled)

		// An item that was given to a call which is cancelled before it was read goes back.
		do(t, c, q, "put", "b")
		get, err = c.Start(soon(t), &Call{Object: q, Method: "get"})
		must(t, err)
		do(t, c, 0, "ping", nil)
		if v := do(t, c, q, "qsize"); v != int64(0) {
			t.Error(v)
		}
		must(t, c.send(soon(t), func(b []byte) []byte { return frame.Open(b, frame.Cancel, 2, get) }))
		if v := do(t, c, q, "qsize"); v != int64(1) {
			t.Error("the item did not go back:", v)
		}
	})
}

func TestBatch(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		c := connect()
		d := numberOf(t, do(t, c, 0, "create", "dict"))
		q := numberOf(t, do(t, c, 0, "create", "queue"))
		calls := []any{[]any{d, "set", []any{"k", 1}}, []any{d, "increment", []any{"k"}, map[string]any{"by": 4}}, []any{d, "getitem", []any{"no"}}, []any{q, "get", []any{}}, []any{77, "x", []any{}}}
		b, err := codec.Marshal(calls)
		must(t, err)
		b, err = c.DoBatch(soon(t), b, 0)
		must(t, err)
		v, err := codec.Decode(b)
		must(t, err)
		list := v.([]any)
		if len(list) != 5 || list[1].([]any)[1] != int64(5) || list[2].([]any)[2] != "KeyError" || list[3].([]any)[1] != int64(ipcerr.Empty) || list[4].([]any)[1] != int64(ipcerr.Gone) {
			t.Error(v)
		}
		_, err = c.Batch(soon(t), []byte{0xc1}, 0)
		mustBe(t, err, ipcerr.Invalid)
	})
}

func TestReferences(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		a, b := connect(), connect()
		objects := func() any { return do(t, b, 0, "stat").(map[string]any)["objects"] }
		d := numberOf(t, do(t, a, 0, "open", "d", "dict"))
		list := do(t, a, 0, "create", "list")
		do(t, a, d, "set", "list", list)
		must(t, a.Release(numberOf(t, list), 1))
		if n := objects(); n != int64(2) {
			t.Error("a list in a dict is gone:", n)
		}
		same := do(t, b, numberOf(t, do(t, b, 0, "open", "d")), "get", "list")
		do(t, b, numberOf(t, same), "append", 5)
		if v := do(t, a, numberOf(t, list), "copy"); !slices.Equal(v.([]any), []any{int64(5)}) {
			t.Error("not live:", v)
		}
		do(t, a, d, "delete", "list")
		if n := objects(); n != int64(2) {
			t.Error("b still has it:", n)
		}
		must(t, b.Release(numberOf(t, same), 1))
		if n := objects(); n != int64(1) {
			t.Error("nobody has it:", n)
		}
		_, err := try(t, b, numberOf(t, same), "len")
		mustBe(t, err, ipcerr.Gone)
		for range 10 { // a chain that falls all at once
			outer := do(t, a, 0, "create", "list")
			do(t, a, numberOf(t, outer), "append", list2(t, a, outer))
		}
		must(t, a.Close())
		waitFor(t, func() bool { return objects() == int64(1) })
		if do(t, b, 0, "unlink", "d") != true || objects() != int64(1) {
			t.Error("b has it open")
		}
	})
}

// list2 makes a list that a fresh list refers to.
func list2(t *testing.T, c *Client, _ any) any {
	inner := do(t, c, 0, "create", "list")
	do(t, c, numberOf(t, inner), "append", do(t, c, 0, "create", "dict"))
	return inner
}

func waitFor(t *testing.T, so func() bool) {
	t.Helper()
	for began := time.Now(); !so(); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatal("never so")
		}
	}
}

// TestClientGone gives everything back that a client held.
func TestClientGone(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		a, b := connect(), connect()
		lock, sem, q := numberOf(t, do(t, a, 0, "open", "lock", "lock")), numberOf(t, do(t, a, 0, "open", "s", "semaphore", 1)), numberOf(t, do(t, a, 0, "open", "q", "queue"))
		for name := range do(t, b, 0, "names").(map[string]any) {
			do(t, b, 0, "open", name)
		}
		do(t, a, lock, "acquire")
		do(t, a, sem, "acquire")
		for i := range 3 {
			do(t, a, q, "put", i)
		}
		do(t, a, q, "lease")
		_, err := a.Start(soon(t), &Call{Object: q, Method: "get"}) // and never reads it
		must(t, err)
		do(t, a, 0, "ping", 1)
		got := make(chan any, 1)
		go func() { got <- do(t, b, lock, "acquire") }()
		waitFor(t, func() bool { return do(t, b, 0, "stat").(map[string]any)["parked"] == int64(1) })
		a.mu.Lock()
		a.lose(ipcerr.Closed) // as if it had died: nothing is said
		a.mu.Unlock()
		if v := <-got; v != int64(2) {
			t.Error("the lock's owner died:", v)
		}
		if v := do(t, b, sem, "acquire", false); v == int64(0) {
			t.Error("the permit did not come back")
		}
		for i := range 3 {
			if v := do(t, b, q, "get", false); v != int64(i) {
				t.Errorf("item %d: %v", i, v)
			}
		}
	})
}

func TestServerGone(t *testing.T) {
	both(t, Options{}, func(t *testing.T, s *Server, connect func() *Client) {
		c := connect()
		q := numberOf(t, do(t, c, 0, "create", "queue"))
		failed := make(chan error)
		go func() {
			_, err := c.Do(soon(t), &Call{Object: q, Method: "get"})
			failed <- err
		}()
		time.Sleep(10 * time.Millisecond)
		must(t, s.Close())
		mustBe(t, <-failed, ipcerr.PeerDied)
		_, err := c.Do(soon(t), &Call{Object: q, Method: "get"})
		mustBe(t, err, ipcerr.PeerDied)
		err = c.Reconnect(soon(t))
		mustBe(t, err, ipcerr.NotFound)
		must(t, c.Close())
		_, err = c.Do(soon(t), &Call{Object: q, Method: "get"})
		mustBe(t, err, ipcerr.Closed)
	})
}

func TestReconnect(t *testing.T) {
	root := newRoot(t)
	s := serveIn(t, Options{Root: root})
	c := connectTo(t, root)
	d := numberOf(t, do(t, c, 0, "open", "d", "dict"))
	must(t, s.Close())
	_, err := c.Do(soon(t), &Call{Object: d, Method: "len"})
	mustBe(t, err, ipcerr.PeerDied)
	serveIn(t, Options{Root: root})
	must(t, c.Reconnect(soon(t)))
	d = numberOf(t, do(t, c, 0, "open", "d", "dict"))
	if v := do(t, c, d, "len"); v != int64(0) {
		t.Error(v)
	}
}

func TestWatch(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		a, b := connect(), connect()
		d := numberOf(t, do(t, a, 0, "open", "d", "dict"))
		do(t, a, d, "set", "x", 1)
		sub := uint64(do(t, b, 0, "watch", numberOf(t, do(t, b, 0, "open", "d"))).(int64))
		next := func() []any {
			t.Helper()
			e, _, err := b.NextEvent(soon(t), sub, -1)
			must(t, err)
			v, err := codec.Decode(e)
			must(t, err)
			return v.([]any)
		}
		if e := next(); e[0] != "snapshot" || e[1].(map[string]any)["x"] != int64(1) {
			t.Error(e)
		}
		do(t, a, d, "delete", "x")
		if e := next(); e[0] != "delete" || e[1] != "x" {
			t.Error(e)
		}
		// b reads nothing for a while: a is not slowed down, and b learns how much it missed.
		const many = 5000
		for i := range many {
			do(t, a, d, "set", "n", i)
		}
		seen, lost := 0, 0
		for seen+lost < many {
			switch e := next(); e[0] {
			case "set":
				seen++
			case "lagged":
				lost += int(e[1].(int64))
				if e := next(); e[0] != "snapshot" || e[1].(map[string]any)["n"] != int64(many-1) {
					t.Error(e)
				}
			}
		}
		if lost < many/2 || seen < frame.FirstCredit-2 {
			t.Errorf("%d seen, %d lost", seen, lost)
		}
		do(t, b, 0, "unwatch", sub)
		_, _, err := b.NextEvent(short(), sub, -1)
		mustBe(t, err, ipcerr.Invalid)
	})
}

// TestHost hosts a type and calls it.
func TestHost(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		host, c := connect(), connect()
		do(t, host, 0, "register", "Echo", []any{"say", "wait"})
		ended := make(chan struct{})
		dropped := make(chan uint64, 1)
		go func() {
			defer close(ended)
			for {
				h, _, err := host.NextCall(soon(t), -1)
				if err != nil {
					return
				}
				switch {
				case h.What == HostedDrop:
					dropped <- h.Object
				case h.What == HostedCancel:
					must(t, host.Fail(soon(t), h.Call, &RemoteError{Type: "Given", Message: "up"}))
				case strings.Contains(string(h.Body), "wait"):
				case strings.Contains(string(h.Body), "fail"):
					must(t, host.Fail(soon(t), h.Call, &RemoteError{"ValueError", "no", "line 1"}))
				default:
					must(t, host.Reply(soon(t), h.Call, pack(h.Client == c.Info().Client, "heard")))
				}
			}
		}()
		e := numberOf(t, do(t, c, 0, "create", "Echo", 1, 2))
		if v := do(t, c, e, "say", "hello"); !slices.Equal(v.([]any), []any{true, "heard"}) {
			t.Error(v)
		}
		_, err := try(t, c, e, "fail")
		var remote *RemoteError
		if !errors.As(err, &remote) || *remote != (RemoteError{"ValueError", "no", "line 1"}) {
			t.Error(err)
		}
		_, err = c.Do(short(), &Call{Object: e, Method: "wait"})
		mustBe(t, err, ipcerr.Timeout)
		if v := do(t, c, e, "say", "again"); v.([]any)[1] != "heard" {
			t.Error(v)
		}
		must(t, c.Release(e, 1))
		if n := <-dropped; n != e {
			t.Error(n, e)
		}
		e = numberOf(t, do(t, c, 0, "open", "named", "Echo"))
		waiting, err := c.Start(soon(t), &Call{Object: e, Method: "wait"})
		must(t, err)
		do(t, c, 0, "ping", 1)
		must(t, host.Close())
		_, _, err = c.Finish(soon(t), waiting, -1)
		mustBe(t, err, ipcerr.PeerDied)
		_, err = try(t, c, e, "say")
		mustBe(t, err, ipcerr.PeerDied)
		<-ended
	})
}

func TestLimits(t *testing.T) {
	both(t, Options{Frame: 64 << 10, Objects: 3, Clients: 2}, func(t *testing.T, s *Server, connect func() *Client) {
		a, b := connect(), connect()
		_, err := Connect(soon(t), "test", Options{})
		if err == nil {
			t.Error("three clients")
		}
		l := numberOf(t, do(t, a, 0, "create", "list"))
		do(t, b, 0, "create", "list")
		do(t, b, 0, "create", "list")
		_, err = try(t, a, 0, "create", "list")
		mustBe(t, err, ipcerr.Limit)
		_, err = a.Do(soon(t), &Call{Object: l, Method: "append", Args: pack(make([]byte, 70_000))})
		mustBe(t, err, ipcerr.TooLarge)
		do(t, a, l, "append", make([]byte, 40_000))
		do(t, a, l, "append", make([]byte, 40_000))
		_, err = try(t, a, l, "copy")
		mustBe(t, err, ipcerr.TooLarge)
	})
}

func TestLarge(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		c := connect()
		d := numberOf(t, do(t, c, 0, "create", "dict"))
		big := make([]byte, 5<<20)
		big[4<<20] = 7
		do(t, c, d, "set", "big", big)
		if v := do(t, c, d, "get", "big"); !slices.Equal(v.([]byte), big) {
			t.Error("another value came back")
		}
	})
}
