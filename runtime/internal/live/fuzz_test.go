package live

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/polyipc/polyipc/codec"
)

// consistent checks what must hold of an object between any two calls.
func consistent(t testing.TB, o Object) {
	t.Helper()
	switch o := o.(type) {
	case *dict:
		consistentTable(t, &o.table)
	case *set:
		consistentTable(t, &o.table)
	case *list:
		for i, v := range o.values {
			if v == nil {
				t.Fatalf("place %d of the list is empty", i)
			}
		}
		if len(o.values) == 0 && o.refs {
			t.Fatal("an empty list says that it has references")
		}
	case *queue:
		consistentQueue(t, o)
	case *lock:
		consistentLock(t, o)
	case *condition:
		consistentLock(t, o.lock)
	case *semaphore:
		if o.value < 0 || o.value > o.most || o.value > 0 && o.waiting.n > 0 {
			t.Fatalf("a semaphore with %d of %d permits and %d who wait", o.value, o.most, o.waiting.n)
		}
		for c, n := range o.held {
			if n <= 0 || !holds(c, o) {
				t.Fatalf("a client with %d permits", n)
			}
		}
	case *flag:
		if o.set && o.waiting.n > 0 {
			t.Fatal("somebody waits for an event that is set")
		}
	case *barrier:
		if o.waiting.n >= o.parties || o.broken && o.waiting.n > 0 {
			t.Fatalf("%d of %d wait", o.waiting.n, o.parties)
		}
	}
}

func holds(c *Client, l Leaver) bool {
	_, ok := c.holds[l]
	return ok
}

func consistentTable(t testing.TB, o *table) {
	t.Helper()
	n := 0
	for i, e := range o.entries {
		if e.key == "" {
			continue
		}
		n++
		if at, ok := o.index[form(e.key)]; !ok || at-o.past != i {
			t.Fatalf("entry %d is found at %d", i, at)
		}
	}
	if n != len(o.index) || n == 0 && o.refs {
		t.Fatalf("%d entries, %d in the index, references %v", n, len(o.index), o.refs)
	}
	for i, e := range o.entries[:o.first] {
		if e.key != "" {
			t.Fatalf("entry %d of %d holes", i, o.first)
		}
	}
	if last := len(o.entries) - 1; last >= 0 && o.entries[last].key == "" {
		t.Fatal("the last entry is a hole")
	}
}

func consistentQueue(t testing.TB, q *queue) {
	t.Helper()
	seq := uint64(0)
	for _, i := range q.items.slots[q.items.head:] {
		if i.seq <= seq || i.value == nil {
			t.Fatal("items are out of order")
		}
		seq = i.seq
	}
	held := map[*Client]int{}
	for _, l := range q.leases {
		held[l.client]++
	}
	for c, n := range held {
		if q.held[c] != n || !holds(c, q) {
			t.Fatalf("a client has %d leases, counted are %d", n, q.held[c])
		}
	}
	if len(q.held) != len(held) {
		t.Fatal("a client without leases is counted")
	}
	if q.getters.n > 0 && q.items.len() > 0 || q.putters.n > 0 && (q.down || q.fits(len(q.putters.first.place.items))) ||
		q.joiners.n > 0 && q.unfinished == 0 {
		t.Fatal("somebody waits for what there is")
	}
}

func consistentLock(t testing.TB, l *lock) {
	t.Helper()
	if (l.count > 0) != (l.owner.Client != nil) || l.count == 0 && l.waiting.n > 0 {
		t.Fatalf("a lock held %d times by %v while %d wait", l.count, l.owner, l.waiting.n)
	}
	if l.count > 0 && !holds(l.owner.Client, l) {
		t.Fatal("the owner does not hold the lock")
	}
}

// tape gives a fuzz target what it asks for.
type tape []byte

func (p *tape) next(n int) int {
	if len(*p) == 0 {
		return 0
	}
	b := int((*p)[0])
	*p = (*p)[1:]
	return b % n
}

// value returns any value: one that the bytes spell, or one of a few.
func (p *tape) value(t testing.TB, h *hall) (v codec.Raw, refs bool) {
	favourites := []any{
		0, 1, -1, 1.0, true, false, nil, "a", "b", []byte("a"), 2.5, math.NaN(), math.Inf(-1), int64(math.MinInt64), uint64(math.MaxUint64),
		[]any{}, []any{1, 2, "a"}, []any{[]any{"a", 1}}, map[string]any{"a": 1}, codec.Tuple{1, "a"}, codec.Set{1, "a"}, codec.FrozenSet{1, 2.0},
		h.ref("x"), []any{h.ref("x"), h.ref("y")}, codec.Tuple{h.ref("x")}, codec.Ref{Kind: 4, Name: "dead"}, h.ref("lock"), 2, 3,
	}
	if i := p.next(len(favourites) + 4); i < len(favourites) {
		v = enc(t, favourites[i])
	} else {
		n := min(p.next(64), len(*p))
		v = append(codec.Raw{}, (*p)[:n]...)
		*p = (*p)[n:]
	}
	found, err := codec.Check(v)
	if err != nil || found.Pickle { // which is no value within another, as results have it
		return rawZero, false
	}
	return v, found.Refs
}

// FuzzCalls makes an object of any type and calls it with anything, by clients that wait, give up, don't take what they
// are given, and die. Nothing may panic, objects stay consistent, and in the end no reference is kept.
func FuzzCalls(f *testing.F) {
	f.Add([]byte("\x05\x01\x07\x02abcdefghijklmnopqrstuvwxyz"))
	for i := range 16 {
		seed := []byte{byte(i)}
		for j := range 400 {
			seed = append(seed, byte(j*j*7+i*13+j/3))
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) { callAnything(t, slices.Sorted(maps.Keys(types)), data, false) })
}

// callAnything is one run of FuzzCalls. kept: on a shelf, with which the object is compared after each step.
func callAnything(t *testing.T, names []string, data []byte, kept bool) {
	p := tape(data)
	h := newHall(t)
	clients := []*caller{h.caller(), h.caller(), h.caller()}
	h.objects["lock"] = clients[0].make("lock")
	typ := names[p.next(len(names))]
	request := func(method string, named []string) *Request {
		c := clients[p.next(len(clients))]
		r := &Request{Client: c.client, Thread: uint64(p.next(2)), Method: method, Room: h}
		for range p.next(5) {
			v, refs := p.value(t, h)
			r.Refs = r.Refs || refs
			if i := p.next(8 + len(named)); i < len(named) {
				r.Named = append(r.Named, Named{named[i], v})
			} else {
				r.Args = append(r.Args, v)
			}
		}
		return r
	}
	first := request("", types[typ].new.params)
	o, err := New(typ, first)
	if err != nil {
		if h.all() != 0 {
			t.Fatalf("a %s that was not made keeps %v", typ, h.kept)
		}
		o = clients[0].make(typ, map[string][]any{"array": a("h", []any{1, 2, 3}), "barrier": a(3)}[typ]...)
	}
	var on *shelf
	if kept && (err != nil || !first.Refs) {
		on = newShelf(h)
		o.(Keepable).KeepBy(on)
	}
	methods := Types()[typ]
	var parked []*Request
	var grants []func()
	for len(p) > 0 {
		switch p.next(8) {
		default:
			m := types[typ].methods[methods[p.next(len(methods))]]
			r := request(methods[0], m.params)
			for name, other := range types[typ].methods {
				if other == m {
					r.Method = name
				}
			}
			result, err := o.Call(r)
			switch {
			case IsParked(err):
				parked = append(parked, r)
			case err == nil:
				if _, err := codec.Check(result); err != nil {
					t.Fatalf("%s returns % x: %v", r.Method, result, err)
				}
				if r.Undo != nil {
					grants = append(grants, r.Undo)
				}
			}
		case 0:
			if len(grants) > 0 {
				grants[p.next(len(grants))]()
			}
		case 1:
			if len(parked) > 0 {
				r := parked[p.next(len(parked))]
				if r.Parked != nil && h.answers[r] == "" {
					if p.next(2) == 0 {
						r.Parked.Cancel(r)
						h.answers[r] = "cancelled"
					} else if result, err := r.Parked.Expire(r); !IsParked(err) {
						h.answers[r] = text(t, result, err)
					}
				}
			}
		case 2:
			c := clients[p.next(len(clients))]
			for _, r := range parked {
				if r.Client == c.client && h.answers[r] == "" {
					r.Parked.Cancel(r)
					h.answers[r] = "died"
				}
			}
			c.client.Leave()
			if len(c.client.holds) > 0 {
				t.Fatal("a client that left holds something")
			}
			c.client = &Client{}
		}
		consistent(t, o)
		if on != nil {
			on.compare(t, o.(Keepable))
		}
	}
	if on != nil {
		o.(Keepable).KeepBy(nil)
	}
	o.Drop()
	for _, r := range parked {
		if h.answers[r] == "" && typ != "condition" { // whose lock may live on
			t.Fatalf("%s waits in an object that is no more", r.Method)
		}
	}
	for _, undo := range grants {
		undo()
	}
	if h.all() != 0 {
		t.Fatalf("a %s that was dropped keeps %v", typ, h.kept)
	}
}
