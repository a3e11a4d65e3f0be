package live

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// shelf is the simplest Keeper.
type shelf struct {
	h       *hall
	head    codec.Raw
	entries map[uint64]Entry
	told    int // changes
}

func newShelf(h *hall) *shelf { return &shelf{h: h, entries: map[uint64]Entry{}} }

func (s *shelf) Head(v codec.Raw) { s.head = v; s.told++ }

func (s *shelf) Set(number uint64, key string, value codec.Raw) {
	e := Entry{First: codec.Raw(key), Second: value}
	if key == "" {
		e = Entry{First: value}
	}
	s.entries[number] = e
	s.told++
}

func (s *shelf) Delete(number uint64) {
	if _, ok := s.entries[number]; !ok {
		s.h.t.Fatalf("entry %d goes, which is not there", number)
	}
	delete(s.entries, number)
	s.told++
}

func (s *shelf) Clear() { clear(s.entries); s.told++ }

func (s *shelf) Allow(v codec.Raw) error {
	if len(s.h.refs(v)) > 0 {
		return &ipcerr.Error{Op: "keep value", Code: ipcerr.Invalid}
	}
	return nil
}

// restore makes an object of what there is.
func (s *shelf) restore(t testing.TB, o Keepable) {
	t.Helper()
	err := o.Restore(nil, s.head, func(yield func(uint64, Entry) bool) {
		for _, n := range slices.Sorted(maps.Keys(s.entries)) {
			if !yield(n, s.entries[n]) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// compare restores another object and looks whether it is the same.
func (s *shelf) compare(t testing.TB, o Keepable) {
	t.Helper()
	again := Empty(o.Type(), s.h)
	s.restore(t, again)
	consistent(t, again)
	if got, want := contents(again), contents(o); got != want {
		t.Fatalf("a %s was restored as\n%.300s\ninstead of\n%.300s", o.Type(), got, want)
	}
}

// contents are what a Keepable has to have again.
func contents(o Keepable) string {
	switch o := o.(type) {
	case *queue:
		items := slices.Clone(o.items.slots[o.items.head:])
		for _, l := range o.leases {
			items = append(items, l.item)
		}
		slices.SortFunc(items, func(a, b item) int { return int(a.seq) - int(b.seq) })
		s := fmt.Sprint(o.maxsize, o.down, o.immediate)
		if o.joinable() {
			s += fmt.Sprint(" unfinished ", o.unfinished)
		}
		for _, i := range items {
			s += fmt.Sprintf(" %d: % x", i.seq, i.value)
		}
		return s
	case *list:
		return fmt.Sprintf("%q % x", o.code, array(o.values...))
	case *cell:
		return fmt.Sprintf("%q % x", o.code, o.now)
	}
	all, _ := o.(Watchable).Snapshot()
	return fmt.Sprintf("% x", all)
}

// TestKeptModel calls objects that are kept with anything; what was told of them makes the same object at any time.
func TestKeptModel(t *testing.T) {
	r := random(t)
	names := slices.Sorted(maps.Keys(empties))
	for range modelSteps() / 100 {
		data := make([]byte, 400)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		callAnything(t, names, data, true)
	}
}

// TestKeptList puts values where the numbers of others leave no room, again and again.
func TestKeptList(t *testing.T) {
	r := random(t)
	for _, where := range []func(n int) int{
		func(int) int { return 0 }, func(int) int { return 1 }, func(n int) int { return n - 1 }, func(n int) int { return n }, func(n int) int { return r.IntN(n + 1) },
	} {
		h := newHall(t)
		c, on := h.caller(), newShelf(h)
		l := c.make("list", []any{"first", "last"}).(*list)
		l.KeepBy(on)
		on.told = 0
		const inserts = 3000
		for i := range inserts {
			c.do(l, "insert", where(len(l.values)), i)
		}
		on.compare(t, l)
		if on.told > 20*inserts {
			t.Errorf("%d inserts changed %d entries", inserts, on.told)
		}
		c.do(l, "set_slice", 1, 2, nil, slices.Repeat([]any{7}, 5000))
		c.do(l, "delete_slice", 10, nil, 3)
		c.do(l, "multiply", 2)
		on.compare(t, l)
		on.told = 0
		for len(l.values) > 0 {
			c.do(l, "pop", 0)
		}
		if on.compare(t, l); on.told > 30_000 {
			t.Errorf("values that go changed %d entries", on.told)
		}
	}
}

// TestChangesAreSmall: a change of one value is one entry, whatever the size of the rest.
func TestChangesAreSmall(t *testing.T) {
	h := newHall(t)
	c := h.caller()
	many := make([]any, 1000)
	for i := range many {
		many[i] = i
	}
	for _, s := range []struct {
		typ, method string
		args        []any
		most        int
	}{
		{"list", "append", a("x"), 1}, {"list", "insert", a(500, "x"), 1}, {"list", "insert", a(0, "x"), 1}, {"list", "pop", a(0), 1}, {"list", "set", a(9, "x"), 1},
		{"list", "set_slice", a(500, 501, nil, a("x", "y")), 3}, {"list", "delete_slice", a(1, 3), 2}, {"list", "increment", a(5), 1},
		{"list", "sort", a(true), 1000}, {"list", "reverse", nil, 1000}, {"list", "multiply", a(2), 1000}, {"list", "clear", nil, 1},
		{"set", "add", a("x"), 1}, {"set", "discard", a(5), 1}, {"set", "update", a(a(1, 2, "x")), 1},
		{"queue", "put", a("x"), 1}, {"queue", "get", nil, 1}, {"queue", "lease", nil, 0}, {"joinable_queue", "put", a("x"), 2}, {"joinable_queue", "task_done", nil, 1},
		{"dict", "set", a(5, "x"), 1}, {"dict", "increment", a(5), 1}, {"dict", "pop", a(7), 1}, {"dict", "clear", nil, 1}, {"dict", "setdefault", a(5), 0},
	} {
		var o Keepable
		switch s.typ {
		case "queue", "joinable_queue":
			o = c.make(s.typ).(Keepable)
			c.do(o, "put_many", many)
		case "dict":
			o = c.make(s.typ).(Keepable)
			for _, n := range many {
				c.do(o, "set", n, n)
			}
		default:
			o = c.make(s.typ, many).(Keepable)
		}
		on := newShelf(h)
		o.KeepBy(on)
		on.told = 0
		c.do(o, s.method, s.args...)
		if on.compare(t, o); on.told > s.most {
			t.Errorf("%s.%s(%v) changed %d entries; %d is enough", s.typ, s.method, s.args, on.told, s.most)
		}
	}
}

// TestRestoreGoesOn: an object that is restored in the middle of its life goes on as if it had not been.
func TestRestoreGoesOn(t *testing.T) {
	h := newHall(t)
	c, other := h.caller(), h.caller()
	q := c.make("joinable_queue").(*queue)
	on := newShelf(h)
	q.KeepBy(on)
	c.do(q, "put_many", a("a", "b"))
	if got := c.do(q, "lease"); got != "[1 \"a\" 1]" {
		t.Fatal(got)
	}
	before := *on
	before.entries = maps.Clone(on.entries)
	c.do(q, "put", "lost")
	c.do(q, "get")
	c.do(q, "get")
	if got := other.do(q, "get"); got != "parked" {
		t.Fatal(got)
	}
	waits := other.last
	before.restore(t, q)
	consistent(t, q)
	if got := h.answers[waits]; got != "\"b\"" {
		t.Errorf("who waits got %s, when an item was there again", got)
	}
	if got := c.do(q, "ack", 1); got != "nil" {
		t.Errorf("a lease from before: %s", got)
	}
}

// TestTakenBack: what is taken back, since its caller does not confirm it, is kept again.
func TestTakenBack(t *testing.T) {
	h := newHall(t)
	c := h.caller()
	q := c.make("queue").(*queue)
	on := newShelf(h)
	q.KeepBy(on)
	c.do(q, "put_many", a("a", "b", "c"))
	for _, method := range []string{"get", "lease"} {
		c.do(q, method)
		on.compare(t, q)
		c.last.Undo()
		on.compare(t, q)
		if q.items.len() != 3 {
			t.Errorf("%d items behind a %s that was taken back", q.items.len(), method)
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	one, text := enc(t, 1), enc(t, "a")
	for _, s := range []struct {
		typ   string
		head  codec.Raw
		entry Entry
	}{
		{"dict", nil, Entry{one, nil}}, {"dict", nil, Entry{enc(t, map[string]any{}), one}}, {"set", nil, Entry{one, one}}, {"list", nil, Entry{one, one}}, {"list", one, Entry{one, nil}},
		{"array", enc(t, "i"), Entry{text, nil}}, {"value", enc(t, "i"), Entry{text, nil}}, {"counter", enc(t, "q"), Entry{one, one}},
		{"queue", nil, Entry{one, nil}}, {"queue", enc(t, a(1, 2, 3, "x")), Entry{one, nil}}, {"queue", enc(t, a(0, 0, false, false)), Entry{one, one}},
	} {
		o := Empty(s.typ, newHall(t))
		err := o.Restore(nil, s.head, func(yield func(uint64, Entry) bool) { yield(1, s.entry) })
		if ipcerr.CodeOf(err) != ipcerr.Corrupt {
			t.Errorf("%s of % x, %v: %v", s.typ, s.head, s.entry, err)
		}
		consistent(t, o)
	}
	d := Empty("dict", newHall(t))
	if err := d.Restore(nil, nil, func(yield func(uint64, Entry) bool) {
		_ = yield(1, Entry{one, one}) && yield(2, Entry{enc(t, 1.0), text})
	}); ipcerr.CodeOf(err) != ipcerr.Corrupt {
		t.Errorf("a key twice: %v", err)
	}
	if Empty("lock", nil) != nil || CanKeep("lock") || !bytes.Equal(orNil(nil), rawNil) {
		t.Error("locks cannot be kept")
	}
}
