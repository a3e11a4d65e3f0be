package serve_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/serve"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/manager"
)

// keeping is a world with a journal, once with commits that wait, once with such that do not.
func keeping(t *testing.T, f func(w *world, m *memory)) {
	keepingSlowly(t, f)
	keepingWith(t, false, f)
}

// keepingSlowly is that for what others do meanwhile: commits that do not wait hold up the loop.
func keepingSlowly(t *testing.T, f func(w *world, m *memory)) { keepingWith(t, true, f) }

func keepingWith(t *testing.T, waits bool, f func(w *world, m *memory)) {
	both(t, manager.Options{}, func(w *world) {
		must(w, w.server.Close())
		m := newMemory()
		m.waits = waits
		o := manager.Options{Root: w.root, Journal: m}
		if w.remote {
			o.Key, o.Listen = key, "127.0.0.1:0"
		}
		var err error
		w.server, err = manager.Serve("test", o)
		must(w, err)
		w.good = w.connect(o.Key)
		f(w, m)
	})
}

// open opens an object by its name.
func (w *world) open(c *manager.Client, name, typ string, args ...any) uint64 {
	w.Helper()
	return number(w.do(c, 0, "open", append([]any{name, typ}, args...)...))
}

// fails has a client call, and wants it to fail.
func (w *world) fails(c *manager.Client, code ipcerr.Code, object uint64, method string, args ...any) {
	w.Helper()
	if _, err := c.Do(soon(w), &manager.Call{Object: object, Method: method, Args: pack(args...)}); ipcerr.CodeOf(err) != code {
		w.Errorf("%s: %v, want %v", method, err, code)
	}
}

// want compares what a call returns.
func (w *world) want(want any, object uint64, method string, args ...any) {
	w.Helper()
	if got := fmt.Sprint(w.do(w.good, object, method, args...)); got != fmt.Sprint(want) {
		w.Errorf("%s returns %s, want %v", method, got, want)
	}
}

// TestKeptAnswersWait, and only those: what rests on nothing that waits is answered at once.
func TestKeptAnswersWait(t *testing.T) {
	keepingSlowly(t, func(w *world, m *memory) {
		d, other := w.open(w.good, "d", "dict"), w.open(w.good, "other", "dict")
		lock := w.open(w.good, "lock", "lock")
		q := w.open(w.good, "q", "queue")
		w.want(nil, other, "set", 1, 1)
		second := w.connect(map[bool][]byte{true: key}[w.remote])
		open := m.shut()
		defer open()
		answered := make(chan string, 8)
		call := func(c *manager.Client, object uint64, method string, args ...any) {
			_, err := c.Do(context.Background(), &manager.Call{Object: object, Method: method, Args: pack(args...)})
			answered <- fmt.Sprint(method, " ", err)
		}
		go call(w.good, d, "set", 1, 2)
		for began := time.Now(); w.waiting() == "0" && time.Since(began) < promptly; {
			time.Sleep(time.Millisecond)
		}
		go call(second, d, "get", 1)
		go call(second, d, "set", 3, 4)
		go call(second, q, "get") // parked, until the put below
		go call(second, 0, "names")
		go call(w.good, q, "put", 5)
		w.want(1, other, "get", 1)
		w.want(1, lock, "acquire")
		w.want("x", 0, "ping", "x")
		select {
		case s := <-answered:
			w.Fatalf("before the commit there was an answer: %s", s)
		case <-time.After(50 * time.Millisecond):
		}
		if m.count() > 4 {
			w.Errorf("%d commits", m.count())
		}
		open()
		for range 6 {
			select {
			case s := <-answered:
				if !strings.HasSuffix(s, "<nil>") {
					w.Error(s)
				}
			case <-time.After(patience):
				w.Fatal("a commit did not bring the answers that waited for it")
			}
		}
		if n := m.count(); n > 6 {
			w.Errorf("%d commits for what two can hold", n)
		}
	})
}

// waiting is how many answers wait for commits.
func (w *world) waiting() string {
	w.Helper()
	return fmt.Sprint(w.do(w.good, 0, "stat").(map[string]any)["data"].(map[string]any)["waiting"])
}

// await waits until so many answers wait for commits.
func (w *world) await(answers int) {
	w.Helper()
	for began := time.Now(); w.waiting() != fmt.Sprint(answers); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			w.Fatalf("%s answers wait for commits, not %d", w.waiting(), answers)
		}
	}
}

// TestKeptNothing: calls that change nothing that is kept cost no commit.
func TestKeptNothing(t *testing.T) {
	keeping(t, func(w *world, m *memory) {
		d := w.open(w.good, "d", "dict", map[string]any{"a": 1})
		before := m.count()
		w.want(1, d, "get", "a")
		w.want(1, d, "setdefault", "a", 2)
		w.want("<nil>", w.open(w.good, "event", "event"), "set")
		w.want("<nil>", number(w.do(w.good, 0, "create", "list")), "clear")
		w.do(w.good, 0, "create", "dict", map[string]any{"a": 1})
		w.open(w.good, "d", "dict")
		if m.count() != before || before != 1 {
			w.Errorf("%d commits, then %d", before, m.count())
		}
	})
}

// TestKeptNoSpace: what cannot be committed was not done, and the server goes on.
func TestKeptNoSpace(t *testing.T) {
	keeping(t, func(w *world, m *memory) {
		d := w.open(w.good, "d", "dict", map[string]any{"a": 1})
		l := w.open(w.good, "l", "list", []any{1, 2, 3})
		s := w.open(w.good, "s", "set", []any{1})
		n := w.open(w.good, "n", "counter", 5)
		q := w.open(w.good, "q", "joinable_queue")
		held := w.open(w.good, "held", "queue")
		w.do(w.good, q, "put_many", []any{"a", "b"})
		w.do(w.good, held, "put_many", []any{"a", "b"})
		w.want("[1 a 1]", q, "lease")
		stat := w.do(w.good, 0, "stat").(map[string]any)
		m.fail(full)
		for i := range 2 {
			w.fails(w.good, ipcerr.NoSpace, d, "set", "a", 2)
			w.fails(w.good, ipcerr.NoSpace, d, "clear")
			w.fails(w.good, ipcerr.NoSpace, l, "sort", true)
			w.fails(w.good, ipcerr.NoSpace, l, "pop", 0)
			w.fails(w.good, ipcerr.NoSpace, s, "add", 2)
			w.fails(w.good, ipcerr.NoSpace, n, "increment")
			w.fails(w.good, ipcerr.NoSpace, q, "put", "c")
			w.fails(w.good, ipcerr.NoSpace, q, "get")
			w.fails(w.good, ipcerr.NoSpace, q, "task_done")
			w.fails(w.good, ipcerr.NoSpace, q, "shutdown", true)
			w.fails(w.good, ipcerr.NoSpace, 0, "open", "new", "dict")
			w.fails(w.good, ipcerr.NoSpace, 0, "unlink", "d")
			w.want("map[a:1]", d, "copy")
			w.want("[1 2 3]", l, "copy")
			w.want(1, s, "len")
			w.want(5, n, "get")
			w.want(1, q, "qsize")
			w.want(fmt.Sprintf("[%d a %d]", i+1, i+1), held, "lease") // changes nothing that is kept
			w.want("<nil>", held, "nack", i+1)
		}
		w.want("map[d:dict held:queue l:list n:counter q:joinable_queue s:set]", 0, "names")
		now := w.do(w.good, 0, "stat").(map[string]any)
		if now["objects"] != stat["objects"] || now["references"] != stat["references"] {
			w.Errorf("%v objects and %v references became %v and %v", stat["objects"], stat["references"], now["objects"], now["references"])
		}
		w.fails(w.good, ipcerr.NoSpace, q, "ack", 1)
		w.want(2, q, "qsize") // the lease is gone, its item is there
		m.fail(nil)
		w.want("<nil>", d, "set", "a", 3)
		w.want("a", q, "get")
		w.want(true, 0, "unlink", "s")
		must(w, w.server.Close())
		if o := m.objects[q]; len(o.entries) != 1 || m.objects[s] != nil {
			w.Errorf("in the journal there are %d items, and the set: %v", len(o.entries), m.objects[s])
		}
	})
}

// TestKeptNoSpaceForMany: what was done behind a commit that fails, resting on it, was not done either; all others go on.
func TestKeptNoSpaceForMany(t *testing.T) {
	keepingSlowly(t, func(w *world, m *memory) {
		d := w.open(w.good, "d", "dict", map[string]any{"a": 1})
		q := w.open(w.good, "q", "queue")
		w.do(w.good, q, "put", "first")
		w.want(1, 0, "watch", d)
		var events []string
		event := func() string {
			b, _, err := w.good.NextEvent(soon(w), 1, 1<<20)
			must(w, err)
			v, err := codec.Decode(b)
			must(w, err)
			return fmt.Sprint(v)
		}
		events = append(events, event())
		open := m.shut()
		defer open()
		m.fail(full)
		results := make(chan error, 8)
		call := func(object uint64, method string, args ...any) {
			id, err := w.good.Start(soon(w), &manager.Call{Object: object, Method: method, Args: pack(args...)})
			must(w, err)
			go func() {
				_, _, err := w.good.Finish(soon(w), id, 1<<20)
				results <- err
			}()
		}
		call(d, "set", "a", 2)
		call(0, "open", "new", "list", []any{1})
		call(d, "set", "b", 2)
		call(q, "get")
		call(0, "unlink", "q")
		call(0, "open", "q", "dict")
		call(d, "get", "a")
		w.want("x", 0, "ping", "x")
		open()
		for range 7 {
			if err := <-results; !errors.Is(err, ipcerr.NoSpace) || !strings.Contains(err.Error(), "make room") {
				w.Errorf("a call that rests on what failed: %v", err)
			}
		}
		w.want("map[d:dict q:queue]", 0, "names")
		w.want("map[a:1]", d, "copy")
		m.fail(nil)
		w.want("<nil>", d, "set", "a", 4)
		w.want("first", q, "get")
		for len(events) < 4 {
			events = append(events, event())
		}
		if got := fmt.Sprint(events[0], events[2], events[3]); got != "[snapshot map[a:1]][snapshot map[a:1]][set a 4]" || !strings.HasPrefix(events[1], "[lagged ") {
			w.Errorf("who watches was told %v", events)
		}
	})
}

// TestKeptJournalFails: a journal that fails for another reason ends the server; nobody is told anything that may be wrong.
func TestKeptJournalFails(t *testing.T) {
	keeping(t, func(w *world, m *memory) {
		d := w.open(w.good, "d", "dict")
		m.fail(errors.New("the disk is gone"))
		w.fails(w.good, ipcerr.PeerDied, d, "set", 1, 1)
		<-w.server.Done()
		if m.closed != 1 {
			w.Errorf("the journal was closed %d times", m.closed)
		}
	})
}

// TestKeptBatchIsWhole: what a batch changes is one commit.
func TestKeptBatchIsWhole(t *testing.T) {
	keeping(t, func(w *world, m *memory) {
		d, q := w.open(w.good, "d", "dict"), w.open(w.good, "q", "queue")
		w.want("<nil>", q, "put", 1)
		before := m.count()
		calls := codec.AppendArray(nil, 3)
		for _, c := range [][]any{{d, "set", pack("a", 1)}, {d, "increment", pack("a")}, {q, "get", pack()}} {
			calls = codec.AppendArray(calls, 3)
			calls = codec.AppendText(codec.AppendUint(calls, c[0].(uint64)), c[1].(string))
			calls = append(calls, c[2].(codec.Raw)...)
		}
		m.fail(full)
		_, err := w.good.DoBatch(soon(w), calls, 0)
		if !errors.Is(err, ipcerr.NoSpace) {
			w.Errorf("a batch without space: %v", err)
		}
		w.want("map[]", d, "copy")
		w.want(1, q, "qsize")
		m.fail(nil)
		_, err = w.good.DoBatch(soon(w), calls, 0)
		must(w, err)
		must(w, w.server.Close())
		if got := m.commits[before:]; len(got) != 1 || len(got[0]) != 3 {
			w.Errorf("a batch made the commits %v", got)
		}
	})
}

// TestKeptReferences: they would mean nothing when the server starts again.
func TestKeptReferences(t *testing.T) {
	keeping(t, func(w *world, _ *memory) {
		d, l := w.open(w.good, "d", "dict"), w.open(w.good, "l", "list")
		q, s := w.open(w.good, "q", "queue"), w.open(w.good, "s", "set")
		ref := w.do(w.good, 0, "create", "list")
		w.fails(w.good, ipcerr.Invalid, d, "set", "a", ref)
		w.fails(w.good, ipcerr.Invalid, d, "update", map[string]any{"a": []any{1, ref}})
		w.fails(w.good, ipcerr.Invalid, l, "append", ref)
		w.fails(w.good, ipcerr.Invalid, q, "put", ref)
		w.fails(w.good, ipcerr.Invalid, s, "add", ref)
		w.fails(w.good, ipcerr.Invalid, 0, "open", "x", "list", []any{ref})
		w.want("<nil>", d, "set", "a", codec.Ref{Kind: 1, Name: "queue"}) // another object of the root, which is only told of
		w.want("map[d:dict l:list q:queue s:set]", 0, "names")
		w.do(w.good, 0, "unlink", "d")
		w.want("<nil>", d, "set", "b", ref) // it is kept no longer
	})
}

// TestKeptManyWait: a client that calls on and on, and waits for no answer, is stopped by what waits for commits, and goes on after.
func TestKeptManyWait(t *testing.T) {
	keepingSlowly(t, func(w *world, m *memory) {
		l := w.open(w.good, "l", "list")
		open := m.shut()
		defer open()
		r := w.raw()
		const calls = 20_000
		sent := make(chan int)
		go func() {
			n := 0
			for n < calls && r.send(call(uint64(n+1), l, "append", make([]byte, 1000))) {
				n++
			}
			sent <- n
		}()
		n := <-sent
		if n == calls {
			w.Errorf("%d calls were taken without a commit", n)
		}
		w.want("x", 0, "ping", "x")
		open()
		for i := range n {
			if k, _ := r.answer(uint64(i + 1)); k != frame.Result {
				w.Fatalf("call %d is answered by a frame of kind %v", i, k)
			}
		}
		if got := w.do(w.good, l, "len"); fmt.Sprint(got) != fmt.Sprint(n) {
			w.Errorf("%v of %d", got, n)
		}
		if m.count() > n/100+10 {
			w.Errorf("%d commits for %d calls", m.count(), n)
		}
	})
}

// TestKeptLastCalls: those that the server has when a client is stopped go on although nothing comes behind them.
func TestKeptLastCalls(t *testing.T) {
	keepingSlowly(t, func(w *world, m *memory) {
		l := w.open(w.good, "l", "list")
		open := m.shut()
		defer open()
		r := w.raw()
		send := func(from, to uint64) { // at one go by TCP: nothing of it may come later
			var all []byte
			for id := from; id <= to; id++ {
				f := call(id, l, "append", id)
				all = append(all, frame.Block(f)...)
				for began := time.Now(); !w.remote && !r.send(f); {
					if time.Since(began) > patience {
						w.Fatal("no room")
					}
				}
			}
			if w.remote && !r.write(all) {
				w.Fatal("no room")
			}
		}
		send(1, serve.MostHeld-1)
		w.await(serve.MostHeld - 1)
		send(serve.MostHeld, serve.MostHeld+1) // one is taken, one waits
		w.await(serve.MostHeld)
		open()
		r.answer(serve.MostHeld + 1)
		w.want(serve.MostHeld+1, l, "len")
	})
}

// TestKeptDeadClients: what a client that is gone was given, and had not acked, is put back, in the journal, too.
func TestKeptDeadClients(t *testing.T) {
	keeping(t, func(w *world, m *memory) {
		q := w.open(w.good, "q", "queue")
		w.do(w.good, q, "put_many", []any{"a", "b", "c"})
		r := w.raw()
		r.send(call(1, q, "get"))
		if k, _ := r.answer(1); k != frame.Grant {
			w.Fatal(k)
		}
		w.want(2, q, "qsize")
		r.close()
		for fmt.Sprint(w.do(w.good, q, "qsize")) != "3" {
			time.Sleep(time.Millisecond)
		}
		w.want("a", q, "get")
		last := w.raw()
		last.send(call(1, q, "get"))
		last.answer(1) // and does not ack it
		must(w, w.server.Close())
		if n := len(m.objects[q].entries); n != 1 || m.closed != 1 {
			w.Errorf("%d items are kept, closed %d times", n, m.closed)
		}
	})
}

// TestKeptStop: what was answered, and what was not yet, is in the journal when the server has ended.
func TestKeptStop(t *testing.T) {
	keeping(t, func(w *world, m *memory) {
		l := w.open(w.good, "l", "list")
		open := m.shut()
		defer open()
		time.AfterFunc(20*time.Millisecond, open)
		for n := range 10 {
			_, err := w.good.Start(soon(w), &manager.Call{Object: l, Method: "append", Args: pack(n)})
			must(w, err)
		}
		_, _ = w.good.Start(soon(w), &manager.Call{Method: "stop"})
		<-w.server.Done()
		if n := len(m.objects[l].entries); n != 10 {
			w.Errorf("%d of 10 are kept", n)
		}
	})
}

// TestKeptRestore: what cannot be is refused when the server starts.
func TestKeptRestore(t *testing.T) {
	one := codec.AppendUint(nil, 1)
	pickle := codec.AppendExt(nil, codec.ExtPickle, []byte("x"))
	ref := codec.AppendRef(nil, codec.Ref{Kind: frame.RefKind, Name: "dict"})
	entry := func(b ...byte) map[uint64][]byte { return map[uint64][]byte{7: b} }
	for name, s := range map[string]struct {
		code    ipcerr.Code
		objects map[uint64]*stored
	}{
		"a type that is not kept": {ipcerr.Corrupt, map[uint64]*stored{1: {"a", "lock", nil, nil}}},
		"number 0":                {ipcerr.Corrupt, map[uint64]*stored{0: {"a", "dict", nil, nil}}},
		"a name twice":            {ipcerr.Corrupt, map[uint64]*stored{1: {"a", "dict", nil, nil}, 2: {"a", "dict", nil, nil}}},
		"a name that cannot be":   {ipcerr.Corrupt, map[uint64]*stored{1: {"a b", "dict", nil, nil}}},
		"no value":                {ipcerr.Corrupt, map[uint64]*stored{1: {"a", "list", nil, entry(0xc1)}}},
		"half a value":            {ipcerr.Corrupt, map[uint64]*stored{1: {"a", "list", nil, entry(0xa5, 'x')}}},
		"three values":            {ipcerr.Corrupt, map[uint64]*stored{1: {"a", "dict", nil, entry(1, 2, 3)}}},
		"half a head":             {ipcerr.Corrupt, map[uint64]*stored{1: {"a", "queue", []byte{0x94, 1}, nil}}},
		"two heads":               {ipcerr.Corrupt, map[uint64]*stored{1: {"a", "list", []byte{0xc0, 0xc0}, nil}}},
		"a pickle":                {ipcerr.Denied, map[uint64]*stored{1: {"a", "list", nil, entry(pickle...)}}},
		"a reference":             {ipcerr.Corrupt, map[uint64]*stored{1: {"a", "list", nil, entry(ref...)}}},
		"all is well":             {0, map[uint64]*stored{1: {"a", "dict", nil, entry(append(one, one...)...)}, 9: {"b", "set", nil, entry(one...)}}},
	} {
		m := newMemory()
		m.objects = s.objects
		server, err := manager.Serve("", manager.Options{Root: newWorld(t, false, manager.Options{}).root, Journal: m})
		if ipcerr.CodeOf(err) != s.code {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			must(t, server.Close())
		}
		if m.closed != 1 {
			t.Errorf("%s: the journal was closed %d times", name, m.closed)
		}
	}
}

// TestKeptDeadline: a call that waits for a slow disk keeps its caller's deadline; what it did is done all the same, and what it
// was given goes back.
func TestKeptDeadline(t *testing.T) {
	keepingSlowly(t, func(w *world, m *memory) {
		d, q := w.open(w.good, "d", "dict"), w.open(w.good, "q", "queue")
		w.want("<nil>", q, "put", "a")
		open := m.shut()
		defer open()
		for _, c := range []*manager.Call{{Object: d, Method: "set", Args: pack(1, 1)}, {Object: q, Method: "get"}} {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
			began := time.Now()
			if _, err := w.good.Do(ctx, c); !errors.Is(err, ipcerr.Timeout) || time.Since(began) > promptly {
				w.Errorf("%s: %v after %v", c.Method, err, time.Since(began))
			}
			cancel()
		}
		open()
		w.want(1, d, "get", 1)
		w.want(1, q, "qsize")
		w.want("a", q, "get")
	})
}
