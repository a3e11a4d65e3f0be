package live

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/codec"
)

// The objects beside the simplest thing that does the same: slices that are searched from their start.

func modelSteps() int {
	if testing.Short() {
		return 5_000
	}
	return 100_000
}

// random is a source whose seed a failure prints.
func random(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// keys are such that some are equal to others, and same is what they have in common then.
func keyOf(r *rand.Rand) (key any, same string) {
	n := r.IntN(12)
	switch r.IntN(8) {
	case 0:
		return float64(n), fmt.Sprint(n)
	case 1:
		return n%2 == 1, fmt.Sprint(n % 2)
	case 2:
		return fmt.Sprint(n), fmt.Sprintf("%q", fmt.Sprint(n))
	case 3:
		return []byte(fmt.Sprint(n)), fmt.Sprintf("b%d", n)
	case 4:
		return codec.Tuple{float64(n), "x"}, fmt.Sprintf("(%d x)", n)
	case 5:
		members := codec.FrozenSet{n, float64(n), "y"}
		r.Shuffle(3, func(i, j int) { members[i], members[j] = members[j], members[i] })
		return members, fmt.Sprintf("{%d y}", n)
	}
	return n, fmt.Sprint(n)
}

// pairOf is an entry of the model of a dict.
type pairOf struct {
	same  string
	key   any
	value int
}

func TestDictModel(t *testing.T) {
	r := random(t)
	c := newHall(t).caller()
	d := c.make("dict")
	var model []pairOf
	for i := range modelSteps() {
		key, same := keyOf(r)
		at := slices.IndexFunc(model, func(p pairOf) bool { return p.same == same })
		value := r.IntN(5)
		set := func() {
			if at >= 0 {
				model[at].value = value
			} else {
				model = append(model, pairOf{same, key, value})
			}
		}
		was := func(missing string) string {
			if at < 0 {
				return missing
			}
			return fmt.Sprint(model[at].value)
		}
		var s step
		switch r.IntN(14) {
		case 0, 1, 2, 3:
			s = step{"set", a(key, value), "nil"}
			set()
		case 4:
			s = step{"get", a(key), was("nil")}
		case 5:
			s = step{"contains", a(key), fmt.Sprint(at >= 0)}
		case 6, 7:
			s = step{"pop", a(key), was("KeyError")}
			if at >= 0 {
				model = slices.Delete(model, at, at+1)
			}
		case 8:
			s = step{"popitem", nil, "KeyError"}
			if n := len(model); n > 0 {
				s.want = fmt.Sprintf("[%s %d]", notation(model[n-1].key), model[n-1].value)
				model = model[:n-1]
			}
		case 9:
			s = step{"increment", a(key, value), ""}
			if at >= 0 {
				value += model[at].value
			}
			s.want = fmt.Sprint(value)
			set()
		case 10:
			s = step{"add", a(key, value), fmt.Sprint(at < 0)}
			if at < 0 {
				set()
			}
		case 11:
			s = step{"compare_and_set", a(key, 2, value), "false"}
			if at >= 0 && model[at].value == 2 {
				s.want = "true"
				set()
			}
		case 12:
			s = step{"setdefault", a(key, value), fmt.Sprint(value)}
			if at >= 0 {
				s.want = was("")
			} else {
				set()
			}
		case 13:
			if s = (step{"len", nil, fmt.Sprint(len(model))}); r.IntN(50) == 0 {
				s = step{"clear", nil, "nil"}
				model = nil
			}
		}
		if got := c.do(d, s.method, s.args...); got != s.want {
			t.Fatalf("step %d, %s(%v): %s, want %s", i, s.method, s.args, got, s.want)
		}
		if i%100 == 0 {
			var want []string
			for _, p := range model {
				want = append(want, fmt.Sprintf("[%s %d]", notation(p.key), p.value))
			}
			if got := c.do(d, "items"); got != "["+strings.Join(want, " ")+"]" {
				t.Fatalf("step %d: %s, want %s", i, got, want)
			}
		}
	}
}

func TestSetModel(t *testing.T) {
	r := random(t)
	c := newHall(t).caller()
	s := c.make("set")
	model := map[string]bool{}
	group := func() (all []any, same []string) {
		all = []any{}
		for range r.IntN(4) {
			k, s := keyOf(r)
			all, same = append(all, k), append(same, s)
		}
		return all, same
	}
	for i := range modelSteps() {
		key, same := keyOf(r)
		some, sames := group()
		var x step
		switch r.IntN(8) {
		case 0, 1:
			x = step{"add", a(key), fmt.Sprint(!model[same])}
			model[same] = true
		case 2:
			x = step{"discard", a(key), fmt.Sprint(model[same])}
			delete(model, same)
		case 3:
			x = step{"contains", a(key), fmt.Sprint(model[same])}
		case 4:
			x = step{"update", a(some), "nil"}
			for _, s := range sames {
				model[s] = true
			}
		case 5:
			x = step{"difference_update", a(some), "nil"}
			for _, s := range sames {
				delete(model, s)
			}
		case 6:
			x = step{"issuperset", a(some), fmt.Sprint(!slices.ContainsFunc(sames, func(s string) bool { return !model[s] }))}
		case 7:
			x = step{"symmetric_difference_update", a(some), "nil"}
			slices.Sort(sames)
			for _, s := range slices.Compact(sames) {
				if model[s] {
					delete(model, s)
				} else {
					model[s] = true
				}
			}
		}
		if got := c.do(s, x.method, x.args...); got != x.want {
			t.Fatalf("step %d, %s(%v): %s, want %s", i, x.method, x.args, got, x.want)
		}
		if got := c.do(s, "len"); got != fmt.Sprint(len(model)) {
			t.Fatalf("step %d, %s(%v): %s members, want %d", i, x.method, x.args, got, len(model))
		}
	}
}

// places are those of a slice, found one by one.
func places(n int, start, stop, step any) (all []int) {
	by := 1
	if step != nil {
		by = step.(int)
	}
	from, to := 0, n
	if by < 0 {
		from, to = n-1, -1
	}
	if start != nil {
		if from = start.(int); from < 0 {
			from += n
		}
		if by > 0 {
			from = max(from, 0)
		} else {
			from = min(from, n-1)
		}
	}
	if stop != nil {
		if to = stop.(int); to < 0 {
			to = max(to+n, -1)
		}
	}
	for i := from; i >= 0 && i < n && (by > 0 && i < to || by < 0 && i > to); i += by {
		all = append(all, i)
	}
	return all
}

func TestListModel(t *testing.T) {
	r := random(t)
	c := newHall(t).caller()
	l := c.make("list")
	model := []any{}
	bound := func() any {
		if r.IntN(4) == 0 {
			return nil
		}
		return r.IntN(26) - 13
	}
	some := func(n int) []any {
		all := make([]any, n)
		for i := range all {
			all[i] = r.IntN(9)
		}
		return all
	}
	for i := range modelSteps() {
		n, value := len(model), r.IntN(9)
		index := r.IntN(26) - 13
		at := index
		if at < 0 {
			at += n
		}
		in := at >= 0 && at < n
		start, stop, by := bound(), bound(), bound()
		if by == 0 {
			by = nil
		}
		span := places(n, start, stop, by)
		var s step
		switch r.IntN(12) {
		case 0, 1, 2:
			s = step{"append", a(value), fmt.Sprint(n + 1)}
			model = append(model, value)
		case 3:
			s = step{"insert", a(index, value), fmt.Sprint(n + 1)}
			model = slices.Insert(model, min(max(at, 0), n), any(value))
		case 4:
			if s = (step{"set", a(index, value), "IndexError"}); in {
				s.want = "nil"
				model[at] = value
			}
		case 5:
			if s = (step{"pop", a(index), "IndexError"}); in {
				s.want = fmt.Sprint(model[at])
				model = slices.Delete(model, at, at+1)
			}
		case 6:
			if s = (step{"index", a(value), "ValueError"}); slices.Contains(model, any(value)) {
				s.want = fmt.Sprint(slices.Index(model, any(value)))
			}
		case 7:
			want := []any{}
			for _, p := range span {
				want = append(want, model[p])
			}
			s = step{"slice", a(start, stop, by), notation(want)}
		case 8:
			s = step{"delete_slice", a(start, stop, by), "nil"}
			rest := []any{}
			for p, v := range model {
				if !slices.Contains(span, p) {
					rest = append(rest, v)
				}
			}
			model = rest
		case 9:
			given := some(len(span))
			s = step{"set_slice", a(start, stop, by, given), "nil"}
			if by == nil && len(span) > 0 { // any number
				given = some(r.IntN(4))
				s.args[3] = given
				model = slices.Replace(model, span[0], span[len(span)-1]+1, given...)
				break
			}
			for i, p := range span {
				model[p] = given[i]
			}
		case 10:
			s = step{"sort", a(value%2 == 0), "nil"}
			slices.SortStableFunc(model, func(a, b any) int {
				if value%2 == 0 {
					a, b = b, a
				}
				return a.(int) - b.(int)
			})
		case 11:
			if s = (step{"reverse", nil, "nil"}); n > 30 {
				s = step{"clear", nil, "nil"}
				model = []any{}
			}
			slices.Reverse(model)
		}
		if got := c.do(l, s.method, s.args...); got != s.want {
			t.Fatalf("step %d, %s(%v): %s, want %s", i, s.method, s.args, got, s.want)
		}
		if got := c.do(l, "copy"); got != notation(model) {
			t.Fatalf("step %d, %s(%v): %s, want %s", i, s.method, s.args, got, notation(model))
		}
	}
}

// TestQueueModel lets clients put, get and give up, and looks that no item is lost or comes twice, and
// that they lie in the order in which they were put.
func TestQueueModel(t *testing.T) {
	r := random(t)
	h := newHall(t)
	clients := []*caller{h.caller(), h.caller(), h.caller()}
	q := clients[0].make("queue", 5).(*queue)
	next := 0
	inside := map[int]bool{} // put and not given for good
	type gift struct {
		r     *Request
		items []int
	}
	var gifts []*gift      // not yet confirmed
	var waiting []*Request // parked
	var order []int        // what is in the queue, as a model: sorted, since items are numbered as they are put
	parse := func(s string) (items []int) {
		for f := range strings.FieldsSeq(strings.Trim(s, "[]")) {
			var n int
			_, _ = fmt.Sscan(f, &n)
			items = append(items, n)
		}
		return items
	}
	got := func(req *Request, s string) {
		switch req.Method {
		case "get", "get_many":
			g := &gift{r: req, items: parse(s)}
			gifts = append(gifts, g)
			for _, n := range g.items {
				if !inside[n] {
					t.Fatalf("item %d came twice", n)
				}
				delete(inside, n)
			}
		}
	}
	answers := func() {
		for req, s := range h.answers {
			delete(h.answers, req)
			waiting = slices.DeleteFunc(waiting, func(x *Request) bool { return x == req })
			if s != "nil" && s != "EMPTY" && s != "FULL" {
				got(req, s)
			}
		}
	}
	for i := range modelSteps() / 4 {
		c := clients[r.IntN(len(clients))]
		switch r.IntN(7) {
		case 0, 1:
			var items []any
			for range 1 + r.IntN(3) {
				items = append(items, next)
				inside[next] = true
				next++
			}
			if c.do(q, "put_many", items, true, 1) == "parked" {
				waiting = append(waiting, c.last)
			}
		case 2, 3:
			args := []any{}
			method := "get"
			if r.IntN(2) == 0 {
				method, args = "get_many", a(1+r.IntN(3))
			}
			if s := c.do(q, method, args...); s == "parked" {
				waiting = append(waiting, c.last)
			} else {
				got(c.last, s)
			}
		case 4: // a parked call is given up
			if len(waiting) > 0 {
				w := waiting[r.IntN(len(waiting))]
				for _, it := range w.place.items {
					n := parse(notationOf(t, it.value))
					delete(inside, n[0])
				}
				w.Parked.Cancel(w)
				waiting = slices.DeleteFunc(waiting, func(x *Request) bool { return x == w })
			}
		case 5: // a grant is not taken
			if len(gifts) > 0 {
				g := gifts[r.IntN(len(gifts))]
				gifts = slices.DeleteFunc(gifts, func(x *gift) bool { return x == g })
				for _, n := range g.items {
					inside[n] = true
				}
				g.r.Undo()
			}
		case 6: // all grants are taken
			gifts = nil
		}
		answers()
		order = order[:0]
		for n := range q.items.len() {
			order = append(order, parse(notationOf(t, q.items.slots[q.items.head+n].value))...)
		}
		if !slices.IsSorted(order) {
			t.Fatalf("step %d: the queue is %v", i, order)
		}
		count := len(order)
		for w := q.putters.first; w != nil; w = w.place.next {
			count += len(w.place.items)
		}
		if count != len(inside) {
			t.Fatalf("step %d: %d items, want %d", i, count, len(inside))
		}
		if q.getters.n > 0 && len(order) > 0 || q.putters.n > 0 && q.fits(len(q.putters.first.place.items)) {
			t.Fatalf("step %d: somebody waits for nothing", i)
		}
	}
}

func notationOf(t *testing.T, v codec.Raw) string { return text(t, v, nil) }
