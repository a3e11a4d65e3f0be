package manager

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"testing"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// is fails unless a call returned that, and no error.
func is[T comparable](t testing.TB, want T) func(got T, err error) {
	return func(got T, err error) {
		t.Helper()
		must(t, err)
		if got != want {
			t.Errorf("%v, not %v", got, want)
		}
	}
}

// are is is for slices.
func are[T comparable](t testing.TB, want ...T) func(got []T, err error) {
	return func(got []T, err error) {
		t.Helper()
		must(t, err)
		if !slices.Equal(got, want) {
			t.Errorf("%v, not %v", got, want)
		}
	}
}

// opt is is for what may be missing.
func opt[T comparable](t testing.TB, want T, there bool) func(got T, ok bool, err error) {
	return func(got T, ok bool, err error) {
		t.Helper()
		must(t, err)
		if got != want || ok != there {
			t.Errorf("%v %v, not %v %v", got, ok, want, there)
		}
	}
}

func fails(t testing.TB, err error, typ string) {
	t.Helper()
	if !Failed(err, typ) {
		t.Errorf("%v, no %s", err, typ)
	}
}

func second[T any](_ T, err error) error { return err }

func TestTypedDict(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		ctx, c := soon(t), connect()
		d, err := OpenDict[string, int](ctx, c, "d")
		must(t, err)
		must(t, d.Set(ctx, "a", 1))
		must(t, d.Set(ctx, "ä", 2))
		opt(t, 1, true)(d.Get(ctx, "a"))
		opt(t, 2, true)(d.Get(ctx, "ä"))
		opt(t, 0, false)(d.Get(ctx, "b"))
		is(t, 7)(d.Increment(ctx, "a", 6))
		is(t, 7)(d.GetOrSet(ctx, "a", 9))
		is(t, false)(d.Add(ctx, "a", 9))
		is(t, true)(d.Add(ctx, "c", 9))
		is(t, true)(d.CompareAndSet(ctx, "c", 9, 10))
		is(t, false)(d.PopIf(ctx, "c", 9))
		opt(t, 10, true)(d.Pop(ctx, "c"))
		opt(t, 0, false)(d.Pop(ctx, "c"))
		is(t, 2)(d.Len(ctx))
		is(t, true)(d.Contains(ctx, "a"))
		are(t, "a", "ä")(d.Keys(ctx))
		are(t, 7, 2)(d.Values(ctx))
		is(t, true)(d.Equals(ctx, map[string]int{"ä": 2, "a": 7}))
		is(t, true)(d.Delete(ctx, "a"))
		is(t, false)(d.Delete(ctx, "a"))
		must(t, d.Update(ctx, map[string]int{"z": 5}))
		all, err := d.Copy(ctx)
		must(t, err)
		if !maps.Equal(all, map[string]int{"ä": 2, "z": 5}) {
			t.Error(all)
		}
		k, v, ok, err := d.PopItem(ctx)
		must(t, err)
		if k != "z" || v != 5 || !ok {
			t.Error(k, v, ok)
		}
		must(t, d.Clear(ctx))
		_, _, ok, err = d.PopItem(ctx)
		must(t, err)
		if ok {
			t.Error("popped from an empty dict")
		}
		fails(t, d.none(ctx, "set", noArgs()), "TypeError")
		mustBe(t, d.Set(ctx, "\xff", 1), ipcerr.Invalid)
		other, err := OpenDict[string, string](ctx, c, "d")
		must(t, err)
		must(t, other.Set(ctx, "text", "it is"))
		_, _, err = d.Get(ctx, "text")
		mustBe(t, err, ipcerr.Invalid)
		mustBe(t, second(OpenList[int](ctx, c, "d")), ipcerr.WrongKind)
	})
}

func TestIteration(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		ctx, c := soon(t), connect()
		const n = 2500
		d, err := NewDict[int, int](ctx, c, map[int]int{0: 0})
		must(t, err)
		b := c.NewBatch()
		for i := range n {
			b.Add(d.Object, "set", i, 2*i)
		}
		must(t, second(b.Do(ctx)))
		next := 0
		for p, err := range d.All(ctx) {
			must(t, err)
			if p.Key != next || p.Value != 2*next {
				t.Fatal(p)
			}
			next++
		}
		if next != n {
			t.Error(next)
		}
		var last error
		seen := 0
		for p, err := range d.All(ctx) {
			if last = err; err == nil {
				seen++
				if p.Key == 10 {
					must(t, d.Set(ctx, -1, 0))
				}
			}
		}
		if fails(t, last, "RuntimeError"); seen == 0 || seen > scanCount {
			t.Error(seen)
		}
		l, err := NewList(ctx, c, slices.Repeat([]string{"x"}, n)...)
		must(t, err)
		seen = 0
		for v, err := range l.All(ctx) {
			must(t, err)
			if seen++; v != "x" {
				t.Error(v)
			}
		}
		s, err := NewSet(ctx, c, 1, 2, 3)
		must(t, err)
		for v, err := range s.All(ctx) {
			must(t, err)
			seen += v
		}
		if seen != n+6 {
			t.Error(seen)
		}
	})
}

func TestTypedList(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		ctx, c := soon(t), connect()
		l, err := OpenList[int](ctx, c, "l")
		must(t, err)
		is(t, 1)(l.Append(ctx, 5))
		is(t, 4)(l.Extend(ctx, 6, 7, 8))
		is(t, 5)(l.Insert(ctx, 0, 4))
		are(t, 4, 5, 6, 7, 8)(l.Copy(ctx))
		is(t, 8)(l.Get(ctx, -1))
		fails(t, second(l.Get(ctx, 5)), "IndexError")
		must(t, l.Set(ctx, 0, 3))
		are(t, 3, 6, 8)(l.Slice(ctx, Omit, Omit, 2))
		are(t, 8, 7)(l.Slice(ctx, Omit, 2, -1))
		must(t, l.SetSlice(ctx, 1, 3, Omit, 50, 51, 52))
		must(t, l.DeleteSlice(ctx, 0, 1, Omit))
		are(t, 50, 51, 52, 7, 8)(l.Copy(ctx))
		is(t, 8)(l.Pop(ctx, -1))
		is(t, true)(l.Remove(ctx, 51))
		is(t, false)(l.Remove(ctx, 51))
		is(t, 1)(l.Index(ctx, 52))
		is(t, -1)(l.Index(ctx, 53))
		is(t, 1)(l.Count(ctx, 7))
		is(t, true)(l.Contains(ctx, 7))
		must(t, l.Sort(ctx, true))
		must(t, l.Reverse(ctx))
		are(t, 7, 50, 52)(l.Copy(ctx))
		must(t, l.Multiply(ctx, 2))
		is(t, 6)(l.Len(ctx))
		is(t, 10)(l.Increment(ctx, 0, 3))
		is(t, true)(l.CompareAndSet(ctx, 0, 10, 11))
		is(t, true)(l.PopIf(ctx, 0, 11))
		is(t, true)(l.Equals(ctx, []int{50, 52, 7, 50, 52}))
		must(t, l.Delete(ctx, 0))
		must(t, l.Clear(ctx))
		is(t, true)(l.Equals(ctx, nil))
	})
}

func TestTypedRest(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		ctx, c := soon(t), connect()
		s, err := OpenSet[string](ctx, c, "s")
		must(t, err)
		is(t, true)(s.Add(ctx, "a"))
		is(t, false)(s.Add(ctx, "a"))
		must(t, s.Update(ctx, []string{"b", "c"}, []string{"d"}))
		must(t, s.IntersectionUpdate(ctx, []string{"a", "b", "c"}))
		must(t, s.DifferenceUpdate(ctx, []string{"c"}))
		must(t, s.SymmetricDifferenceUpdate(ctx, []string{"b", "e"}))
		is(t, true)(s.Equals(ctx, []string{"e", "a"}))
		are(t, "e")(s.Difference(ctx, []string{"a"}))
		are(t, "a")(s.Intersection(ctx, []string{"a"}))
		is(t, true)(s.IsSuperset(ctx, []string{"a"}))
		is(t, true)(s.IsSubset(ctx, []string{"a", "e", "f"}))
		is(t, true)(s.IsDisjoint(ctx, nil))
		is(t, true)(s.Discard(ctx, "e"))
		is(t, 1)(s.Len(ctx))
		opt(t, "a", true)(s.Pop(ctx))
		opt(t, "", false)(s.Pop(ctx))

		n, err := NewNamespace(ctx, c, map[string]any{"x": 1})
		must(t, err)
		must(t, n.Update(ctx, map[string]any{"y": "z"}))
		opt[any](t, "z", true)(n.Get(ctx, "y"))
		opt[any](t, nil, false)(n.Get(ctx, "no"))
		is[any](t, int64(3))(n.Increment(ctx, "x", 2))
		is(t, true)(n.CompareAndSet(ctx, "x", 3, nil))
		is(t, true)(n.Delete(ctx, "y"))
		are(t, "x")(n.Names(ctx))

		v, err := OpenValue(ctx, c, "v", "h", 7)
		must(t, err)
		is(t, 7)(v.Exchange(ctx, 8))
		is(t, 9)(v.Increment(ctx, 1))
		fails(t, v.Set(ctx, 1<<15), "OverflowError")
		is(t, "h")(v.TypeCode(ctx))
		free, err := NewValue(ctx, c, "", []int{1})
		must(t, err)
		are(t, 1)(free.Get(ctx))
		is(t, "")(free.TypeCode(ctx))

		a, err := NewArray(ctx, c, "d", 1.5, 2)
		must(t, err)
		is(t, 2.5)(a.Increment(ctx, 0, 1))
		must(t, a.SetSlice(ctx, 0, 1, Omit, 9))
		are(t, 9, 2.0)(a.Copy(ctx))
		zeros, err := NewArrayOf[int](ctx, c, "q", 3)
		must(t, err)
		is(t, 3)(zeros.Len(ctx))

		k, err := OpenCounter(ctx, c, "k", 5)
		must(t, err)
		is(t, int64(7))(k.Increment(ctx, 2))
		is(t, true)(k.CompareAndSet(ctx, 7, 1<<63-1))
		fails(t, second(k.Increment(ctx, 1)), "OverflowError")
		is(t, int64(1<<63-1))(k.Exchange(ctx, 0))
		names, err := c.Names(ctx)
		must(t, err)
		if !maps.Equal(names, map[string]string{"s": "set", "v": "value", "k": "counter"}) {
			t.Error(names)
		}
		is(t, true)(c.Unlink(ctx, "k"))
		is(t, int64(0))(k.Get(ctx))
		must(t, c.Ping(ctx))
		stat, err := c.Stat(ctx)
		must(t, err)
		for _, used := range []Object{n.Object, free.Object, a.Object, zeros.Object} {
			runtime.KeepAlive(used)
		}
		if stat.Names != 2 || stat.Clients != 1 || stat.Types["array"] != 2 {
			t.Errorf("%+v", stat)
		}
	})
}

func TestTypedQueue(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		ctx, a, b := soon(t), connect(), connect()
		q, err := OpenJoinableQueue[string](ctx, a, "q", 3)
		must(t, err)
		other, err := OpenJoinableQueue[string](ctx, b, "q", 0)
		must(t, err)
		mustBe(t, second(q.TryGet(ctx)), ipcerr.Empty)
		mustBe(t, second(q.Get(short())), ipcerr.Timeout)
		must(t, q.PutMany(ctx, "a", "b", "c"))
		mustBe(t, q.TryPut(ctx, "d"), ipcerr.Full)
		mustBe(t, q.Put(short(), "d"), ipcerr.Timeout)
		is(t, true)(q.Full(ctx))
		is(t, 3)(q.MaxSize(ctx))
		l, err := other.Lease(ctx)
		must(t, err)
		if l.Item != "a" || l.Deliveries != 1 {
			t.Error(l)
		}
		is(t, 2)(q.Len(ctx))
		must(t, l.Nack(ctx))
		mustBe(t, l.Ack(ctx), ipcerr.LeaseLost)
		l, err = other.Lease(ctx)
		must(t, err)
		if l.Item != "a" || l.Deliveries != 2 {
			t.Error(l)
		}
		must(t, l.Ack(ctx))
		are(t, "b", "c")(q.GetMany(ctx, 10))
		mustBe(t, q.Join(short()), ipcerr.Timeout)
		must(t, q.TaskDone(ctx))
		must(t, q.TaskDone(ctx))
		must(t, q.Join(ctx))
		fails(t, q.TaskDone(ctx), "ValueError")
		is(t, true)(q.Empty(ctx))
		must(t, q.Shutdown(ctx, false))
		mustBe(t, q.Put(ctx, "x"), ipcerr.Shutdown)
		mustBe(t, second(q.Get(ctx)), ipcerr.Shutdown)
	})
}

func TestTypedSync(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		ctx, c := soon(t), connect()
		l, err := NewLock(ctx, c)
		must(t, err)
		is(t, false)(l.Acquire(ctx))
		mustBe(t, second(l.Acquire(short())), ipcerr.Timeout)
		got, _, err := l.TryAcquire(ctx)
		is(t, false)(got, err)
		is(t, true)(l.Locked(ctx))
		must(t, l.Release(ctx))
		fails(t, l.Release(ctx), "RuntimeError")

		me, you := NewOwner(), NewOwner()
		r, err := NewRLock(ctx, c)
		must(t, err)
		is(t, false)(r.Acquire(ctx, me))
		is(t, false)(r.Acquire(ctx, me))
		got, _, err = r.TryAcquire(ctx, you)
		is(t, false)(got, err)
		fails(t, r.Release(ctx, you), "AssertionError")
		must(t, r.Release(ctx, me))
		must(t, r.Release(ctx, me))

		s, err := NewBoundedSemaphore(ctx, c, 1)
		must(t, err)
		must(t, s.Acquire(ctx))
		is(t, false)(s.TryAcquire(ctx))
		mustBe(t, s.Acquire(short()), ipcerr.Timeout)
		must(t, s.Release(ctx, 1))
		fails(t, s.Release(ctx, 1), "ValueError")
		is(t, 1)(s.Value(ctx))

		e, err := NewEvent(ctx, c)
		must(t, err)
		mustBe(t, e.Wait(short()), ipcerr.Timeout)
		must(t, e.Set(ctx))
		must(t, e.Wait(ctx))
		is(t, true)(e.IsSet(ctx))

		cond, err := NewConditionOf(ctx, c, r.Object)
		must(t, err)
		fails(t, cond.Notify(ctx, me, 1), "RuntimeError")
		is(t, false)(cond.Acquire(ctx, me))
		is(t, false)(cond.Wait(short(), me))
		go func() {
			_, err := cond.Acquire(ctx, you)
			must(t, err)
			must(t, cond.Notify(ctx, you, 1))
			must(t, cond.Release(ctx, you))
		}()
		is(t, true)(cond.Wait(ctx, me))
		must(t, cond.Release(ctx, me))

		b, err := NewBarrier(ctx, c, 2)
		must(t, err)
		sum := make(chan int, 2)
		for range 2 {
			go func() {
				i, err := b.Wait(ctx)
				must(t, err)
				sum <- i
			}()
		}
		if n := <-sum + <-sum; n != 1 {
			t.Error(n)
		}
		mustBe(t, second(b.Wait(short())), ipcerr.Timeout)
		is(t, true)(b.Broken(ctx))
		fails(t, second(b.Wait(ctx)), "BrokenBarrierError")
		must(t, b.Reset(ctx))
		cancelled, cancel := context.WithCancel(ctx)
		go func() {
			waitFor(t, func() bool { n, err := b.Waiting(ctx); return err != nil || n == 1 })
			cancel()
		}()
		mustBe(t, second(b.Wait(cancelled)), ipcerr.Cancelled)
		is(t, false)(b.Broken(ctx))
		is(t, 2)(b.Parties(ctx))
	})
}
