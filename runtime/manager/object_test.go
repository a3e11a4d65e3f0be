package manager

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

func TestNested(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		ctx, a, b := soon(t), connect(), connect()
		d, err := OpenDict[string, *List[int]](ctx, a, "d")
		must(t, err)
		l, err := NewList[int](ctx, a)
		must(t, err)
		must(t, d.Set(ctx, "l", l))
		must(t, l.Close())
		mustBe(t, second(l.Len(ctx)), ipcerr.Closed)
		mustBe(t, d.Set(ctx, "l", l), ipcerr.Invalid)
		same, err := OpenDict[string, *List[int]](ctx, b, "d")
		must(t, err)
		it, ok, err := same.Get(ctx, "l")
		must(t, err)
		if !ok {
			t.Fatal("it is not there")
		}
		is(t, 1)(it.Append(ctx, 5))
		all, err := d.Copy(ctx)
		must(t, err)
		are(t, 5)(all["l"].Copy(ctx))
		wrong, err := OpenDict[string, *Set[int]](ctx, b, "d")
		must(t, err)
		_, _, err = wrong.Get(ctx, "l")
		mustBe(t, err, ipcerr.Invalid)
		o, err := same.Call(ctx, "items")
		must(t, err)
		pair := o.([]any)[0]
		if p, ok := pair.(codec.Tuple); ok {
			pair = []any(p)
		}
		is[any](t, int64(1))(pair.([]any)[1].(Object).Call(ctx, "len"))
		raw, err := OpenDict[string, codec.Ref](ctx, b, "d")
		must(t, err)
		ref, _, err := raw.Get(ctx, "l")
		must(t, err)
		obj, err := b.Object(ref)
		must(t, err)
		is[any](t, int64(1))(obj.Call(ctx, "len"))
		mustBe(t, codec.Unmarshal(pack1(t, ref), &it), ipcerr.Invalid)

		// What is not used any more is given back: by Close, by the garbage collector, and what could not be decoded.
		var r *List[int]
		r, it, all, pair, o = nil, nil, nil, nil, nil
		_, _, _, _, _ = r, it, all, pair, o
		must(t, obj.Close())
		must(t, obj.Close())
		stat := func() Stat {
			s, err := a.Stat(ctx)
			must(t, err)
			return s
		}
		waitFor(t, func() bool { runtime.GC(); return stat().References == 1+1+1+3 }) // name, value, d, same, wrong and raw
		runtime.KeepAlive(same)
		runtime.KeepAlive(wrong)
		runtime.KeepAlive(raw)
		runtime.KeepAlive(d)
	})
}

func pack1(t testing.TB, v any) []byte {
	b, err := codec.Marshal(v)
	must(t, err)
	return b
}

func TestTypedFutures(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		ctx, c := soon(t), connect()
		q, err := NewQueue[int](ctx, c, 0)
		must(t, err)
		f, err := c.Go(ctx, q.Object, "get")
		must(t, err)
		mustBe(t, second(f.Result(short())), ipcerr.Timeout)
		must(t, q.Put(ctx, 5))
		<-f.Done()
		is(t, 5)(Await[int](ctx, f))
		is[any](t, int64(5))(f.Result(ctx))
		must(t, f.Cancel())
		f, err = c.Go(ctx, q.Object, "get")
		must(t, err)
		must(t, f.Cancel())
		mustBe(t, second(f.Result(ctx)), ipcerr.Cancelled)
		f, err = c.Go(ctx, c.Manager(), "create", "list")
		must(t, err)
		o, err := Await[*List[int]](ctx, f)
		must(t, err)
		is(t, 0)(o.Len(ctx))
		mustBe(t, second(Await[*List[int]](ctx, f)), ipcerr.Invalid)

		must(t, second(c.Go(ctx, q.Object, "get"))) // nobody asks for it: it is given up
		waitFor(t, func() bool {
			runtime.GC()
			s, err := c.Stat(ctx)
			must(t, err)
			return s.Parked == 0
		})
		b := c.NewBatch()
		b.Add(o.Object, "append", 1)
		b.Add(o.Object, "get", 7)
		b.Add(c.Manager(), "create", "dict")
		b.Add(q.Object, "get")
		results, err := b.Do(ctx)
		must(t, err)
		is[any](t, int64(1))(results[0].Value())
		fails(t, results[1].Err, "IndexError")
		var d *Dict[int, int]
		must(t, results[2].Into(&d))
		is(t, 0)(d.Len(ctx))
		mustBe(t, results[3].Err, ipcerr.Empty)
		b.Add(Object{}, "x")
		mustBe(t, second(b.Do(ctx)), ipcerr.Invalid)
	})
}

func TestTypedWatch(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		ctx, c := soon(t), connect()
		d, err := NewDict(ctx, c, map[string]int{"x": 1})
		must(t, err)
		step := 0
		for e, err := range d.Watch(ctx) {
			must(t, err)
			switch step++; {
			case step == 1 && e.What == "snapshot" && e.All["x"] == 1:
				must(t, d.Set(ctx, "y", 2))
			case step == 2 && e.What == "set" && e.Key == "y" && e.Value == 2:
				is(t, true)(d.Delete(ctx, "x"))
			case step == 3 && e.What == "delete" && e.Key == "x":
				must(t, d.Clear(ctx))
			case step == 4 && e.What == "clear":
			default:
				t.Fatal(step, e)
			}
			if step == 4 {
				break
			}
		}
		watching, cancel := context.WithCancel(ctx)
		k, err := NewCounter(ctx, c, 4)
		must(t, err)
		events := k.WatchChan(watching)
		if e := <-events; e.All != 4 {
			t.Error(e)
		}
		is(t, int64(5))(k.Increment(ctx, 1))
		if e := <-events; e.Value != 5 {
			t.Error(e)
		}
		cancel()
		for e := range events {
			mustBe(t, e.Err, ipcerr.Cancelled)
		}
		waitFor(t, func() bool { _, err := c.Manager().Call(ctx, "unwatch", 99); return err == nil && len(c.subs) == 0 })
		l, err := NewList(ctx, c, 1, 2)
		must(t, err)
		for e, err := range l.Watch(ctx) {
			must(t, err)
			if e.What == "replace" {
				are(t, 2, 1)(e.All, nil)
				break
			}
			must(t, l.Reverse(ctx))
		}
		fails(t, second(c.Manager().Call(ctx, "watch", d.Number(), 1)), "TypeError")
	})
}

// TestStale has objects of a former connection refused, whose numbers now may be others'.
func TestStale(t *testing.T) {
	root := newRoot(t)
	s := serveIn(t, Options{Root: root})
	c := connectTo(t, root)
	ctx := soon(t)
	d, err := OpenDict[string, int](ctx, c, "d")
	must(t, err)
	must(t, s.Close())
	mustBe(t, d.Set(ctx, "x", 1), ipcerr.PeerDied)
	serveIn(t, Options{Root: root})
	must(t, c.Reconnect(ctx))
	must(t, second(OpenDict[string, int](ctx, c, "d")))
	mustBe(t, d.Set(ctx, "x", 1), ipcerr.Gone)
	must(t, d.Close())
	time.Sleep(time.Millisecond)
	must(t, second(c.Open(ctx, "d", "dict")))
}

// TestForget gives calls up for good: what they are granted goes back, when and how soon it may come.
func TestForget(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		ctx, c := soon(t), connect()
		q, err := NewQueue[int](ctx, c, 0)
		must(t, err)
		for range 100 {
			id, err := c.Start(ctx, &Call{Object: q.Number(), Method: "get"})
			must(t, err)
			must(t, q.Put(ctx, 1))
			must(t, c.Forget(id))
			mustBe(t, c.Forget(id), ipcerr.Invalid)
			is(t, 1)(q.Get(ctx))
		}
		id, err := c.Start(ctx, &Call{Method: "create", Args: pack("list")})
		must(t, err)
		must(t, c.Ping(ctx))
		must(t, c.Forget(id))
		waitFor(t, func() bool { s, err := c.Stat(ctx); return err == nil && s.Objects == 1 })
		must(t, q.Close()) // a queue that nobody uses any more is given back
	})
}
