package live

import (
	"testing"

	"github.com/polyipc/polyipc/codec"
)

// Each method that keeps or drops a value counts the references in it.
func TestReferences(t *testing.T) {
	h := newHall(t)
	c := h.caller()
	x, y := h.ref("x"), h.ref("y")
	both := []any{x, y}
	for _, s := range []struct {
		typ   string
		steps []step
		want  map[string]int
	}{
		{"dict", []step{{"set", a(1, x), "nil"}}, map[string]int{"x": 1}},
		{"dict", []step{{"set", a(codec.Tuple{x}, both), "nil"}, {"set", a(codec.Tuple{x}, 1), "nil"}}, map[string]int{"x": 1}},
		{"dict", []step{{"set", a(1, x), "nil"}, {"set", a(1, y), "nil"}}, map[string]int{"y": 1}},
		{"dict", []step{{"set", a(1, x), "nil"}, {"pop", a(1), "@x"}}, nil},
		{"dict", []step{{"set", a(1, x), "nil"}, {"popitem", nil, "[1 @x]"}}, nil},
		{"dict", []step{{"set", a(1, x), "nil"}, {"compare_and_set", a(1, x, both), "true"}}, map[string]int{"x": 1, "y": 1}},
		{"dict", []step{{"update", a([]any{[]any{1, x}, []any{1, y}, []any{2, y}}, named{"n", x}), "nil"}}, map[string]int{"x": 1, "y": 2}},
		{"dict", []step{{"setdefault", a(1, x), "@x"}, {"setdefault", a(1, y), "@x"}, {"get", a(2, y), "@y"}, {"add", a(1, y), "false"}, {"pop", a(5, y), "@y"}}, map[string]int{"x": 1}},
		{"dict", []step{{"set", a(1, x), "nil"}, {"clear", nil, "nil"}}, nil},
		{"dict", []step{{"set", a(1, x), "nil"}, {"pop_if", a(1, y), "false"}, {"pop_if", a(1, x), "true"}}, nil},
		{"namespace", []step{{"set", a("a", x), "nil"}, {"update", a(named{"a", y}, named{"b", y}), "nil"}}, map[string]int{"y": 2}},
		{"list", []step{{"append", a(x), "1"}, {"extend", a(both), "3"}, {"insert", a(0, y), "4"}}, map[string]int{"x": 2, "y": 2}},
		{"list", []step{{"extend", a(both), "2"}, {"set", a(0, y), "nil"}}, map[string]int{"y": 2}},
		{"list", []step{{"extend", a(both), "2"}, {"multiply", a(3), "nil"}, {"pop", nil, "@y"}}, map[string]int{"x": 3, "y": 2}},
		{"list", []step{{"extend", a(both), "2"}, {"set_slice", a(0, 1, nil, both), "nil"}, {"delete_slice", a(1), "nil"}}, map[string]int{"x": 1}},
		{"list", []step{{"extend", a(both), "2"}, {"set_slice", a(nil, nil, -1, both), "nil"}, {"remove", a(x), "nil"}}, map[string]int{"y": 1}},
		{"list", []step{{"extend", a(both), "2"}, {"sort", nil, "TypeError"}, {"reverse", nil, "nil"}, {"delete", a(0), "nil"}, {"multiply", a(0), "nil"}}, nil},
		{"set", []step{{"add", a(x), "true"}, {"add", a(x), "false"}, {"update", a(both, both), "nil"}}, map[string]int{"x": 1, "y": 1}},
		{"set", []step{{"update", a(both), "nil"}, {"symmetric_difference_update", a(both), "nil"}}, nil},
		{"set", []step{{"update", a(both), "nil"}, {"difference_update", a([]any{x}), "nil"}, {"pop", nil, "@y"}}, nil},
		{"set", []step{{"update", a(both), "nil"}, {"intersection_update", a([]any{x}), "nil"}}, map[string]int{"x": 1}},
		{"value", []step{{"set", a(x), "nil"}, {"exchange", a(both), "@x"}}, map[string]int{"x": 1, "y": 1}},
		{"value", []step{{"set", a(x), "nil"}, {"set", a(5), "nil"}}, nil},
		{"queue", []step{{"put", a(x), "nil"}, {"put_many", a(both), "nil"}, {"get", nil, "@x"}}, map[string]int{"x": 1, "y": 1}},
		{"queue", []step{{"put", a(x), "nil"}, {"lease", nil, "[1 @x 1]"}}, map[string]int{"x": 1}},
		{"queue", []step{{"put", a(x), "nil"}, {"lease", nil, "[1 @x 1]"}, {"ack", a(1), "nil"}}, nil},
		{"queue", []step{{"put_many", a(both), "nil"}, {"shutdown", a(true), "nil"}}, nil},
	} {
		o := c.make(s.typ)
		steps(t, c, o, s.steps)
		for _, name := range []string{"x", "y"} {
			if h.kept[name] != s.want[name] {
				t.Errorf("%s after %v: %s is kept %d times, want %d", s.typ, s.steps, name, h.kept[name], s.want[name])
			}
		}
		o.Drop()
		if h.all() != 0 {
			t.Errorf("%s after %v: dropped, and keeps %v", s.typ, s.steps, h.kept)
			clear(h.kept)
		}
		// One that does not exist leaves everything as it was.
		dead := codec.Ref{Kind: 4, Name: "dead"}
		for _, s := range s.steps {
			for i := range s.args {
				args := append([]any{}, s.args...)
				args[i] = []any{x, []any{y, dead}}
				c.do(o, s.method, args...)
			}
		}
		o.Drop()
		if h.all() != 0 {
			t.Errorf("%s after %v with a dead reference keeps %v", s.typ, s.steps, h.kept)
			clear(h.kept)
		}
	}
}

func TestShared(t *testing.T) {
	h := newHall(t)
	c := h.caller()
	d := c.make("dict")
	c.do(d, "set", 1, 1)
	if c.do(d, "get", 1); c.last.Shared {
		t.Error("a dict without references shares")
	}
	c.do(d, "set", 2, h.ref("x"))
	for _, m := range []string{"copy", "items", "values", "keys", "scan"} {
		if c.do(d, m); !c.last.Shared {
			t.Error(m, "does not share")
		}
	}
	if c.do(d, "pop", 2); !c.last.Shared {
		t.Error("pop does not share")
	}
	c.do(d, "clear")
	c.do(d, "set", 1, 1)
	if c.do(d, "get", 1); c.last.Shared {
		t.Error("a dict that was empty shares still")
	}
	q := c.make("queue", 1)
	c.do(q, "put", h.ref("x"))
	p := c.parked(q, "put", h.ref("y"))
	if c.do(q, "get"); !c.last.Shared || h.kept["x"] != 0 || h.kept["y"] != 1 {
		t.Error("get:", h.kept)
	}
	c.expect(p, "nil")
	c.last.Undo()
	if h.kept["x"] != 1 {
		t.Error("what comes back is not kept")
	}
	p = c.parked(q, "put", h.ref("y"))
	p.Parked.Cancel(p)
	if h.kept["y"] != 1 {
		t.Error("a put that was given up is kept:", h.kept)
	}
}

type notes []string

func (n *notes) Changed(change codec.Raw, shared bool) {
	v, _ := codec.Decode(change)
	s := notation(v)
	if shared {
		s += "+"
	}
	*n = append(*n, s)
}

func TestWatch(t *testing.T) {
	h := newHall(t)
	c := h.caller()
	for _, s := range []struct {
		typ   string
		steps []step
		want  []string
	}{
		{"dict", []step{
			{"set", a("a", 1), "nil"}, {"increment", a("a"), "2"}, {"update", a(map[string]any{"b": 1}, named{"c", 2}), "nil"},
			{"delete", a("a"), "nil"}, {"pop", a("zz", 1), "1"}, {"popitem", nil, `["c" 2]`}, {"set", a("r", h.ref("x")), "nil"}, {"clear", nil, "nil"},
		}, []string{`["set" "a" 1]`, `["set" "a" 2]`, `["set" "b" 1]`, `["set" "c" 2]`, `["delete" "a"]`, `["delete" "c"]`, `["set" "r" @x]+`, `["clear"]+`}},
		{"list", []step{
			{"append", a(1), "1"}, {"extend", a([]any{2, 3}), "3"}, {"insert", a(0, 0), "4"}, {"set", a(1, 9), "nil"}, {"pop", a(0), "0"},
			{"sort", nil, "nil"}, {"delete_slice", a(0, 2), "nil"}, {"clear", nil, "nil"},
		}, []string{`["insert" 0 1]`, `["insert" 1 2]`, `["insert" 2 3]`, `["insert" 0 0]`, `["set" 1 9]`, `["delete" 0]`, `["replace" [2 3 9]]`, `["replace" [9]]`, `["clear"]`}},
		{"set", []step{{"add", a(1), "true"}, {"add", a(1), "false"}, {"update", a([]any{1, 2}), "nil"}, {"discard", a(1), "true"}, {"clear", nil, "nil"}},
			[]string{`["add" 1]`, `["add" 2]`, `["discard" 1]`, `["clear"]`}},
		{"counter", []step{{"increment", nil, "1"}, {"set", a(7), "nil"}}, []string{`["set" 1]`, `["set" 7]`}},
	} {
		o := c.make(s.typ)
		var seen notes
		w := o.(Watchable)
		w.Watch(&seen)
		steps(t, c, o, s.steps)
		all, shared := w.Snapshot()
		whole := "copy"
		if s.typ == "counter" {
			whole = "get"
		}
		if now := c.do(o, whole); now != text(t, all, nil) || shared {
			t.Errorf("%s: the snapshot is not %s", s.typ, now)
		}
		w.Unwatch(&seen)
		if len(seen) != len(s.want) {
			t.Errorf("%s: %q", s.typ, seen)
		}
		for i := range min(len(seen), len(s.want)) {
			if seen[i] != s.want[i] {
				t.Errorf("%s: change %d is %s, want %s", s.typ, i, seen[i], s.want[i])
			}
		}
	}
}
