package live

import (
	"testing"

	"github.com/polyipc/polyipc/codec"
)

func TestSet(t *testing.T) {
	c := newHall(t).caller()
	s := c.make("set", []any{1, 2, 1.0})
	steps(t, c, s, []step{
		{"copy", nil, "{1 2}"},
		{"add", a(3), "true"},
		{"add", a(3.0), "false"},
		{"add", a(map[string]any{}), "TypeError"},
		{"discard", a(9), "false"},
		{"discard", a(true), "true"},
		{"remove", a(1), "KeyError"},
		{"remove", a(2), "nil"},
		{"contains", a(3), "true"},
		{"contains", a(codec.Set{}), "TypeError"},
		{"len", nil, "1"},
		{"pop", nil, "3"},
		{"pop", nil, "KeyError"},
		{"update", a([]any{1, 2}, codec.Set{3}, codec.FrozenSet{2, 4}), "nil"},
		{"update", a([]any{8}, 5), "TypeError"},
		{"copy", nil, "{1 2 3 4}"},
		{"intersection_update", a([]any{1, 2, 3}, []any{2, 3, 4}), "nil"},
		{"copy", nil, "{2 3}"},
		{"symmetric_difference_update", a([]any{3, 5, 5}), "nil"},
		{"copy", nil, "{2 5}"},
		{"difference_update", a([]any{2}, []any{7}), "nil"},
		{"copy", nil, "{5}"},
		{"union", a([]any{6}, codec.Set{5.0, 7}), "{5 6 7}"},
		{"union", nil, "{5}"},
		{"intersection", a([]any{5, 6}), "{5}"},
		{"intersection", nil, "{5}"},
		{"difference", a([]any{5, 6}), "{}"},
		{"symmetric_difference", a([]any{5, 6}), "{6}"},
		{"isdisjoint", a([]any{6}), "true"},
		{"issubset", a([]any{5, 6}), "true"},
		{"issuperset", a([]any{5, 6}), "false"},
		{"issuperset", a([]any{}), "true"},
		{"issubset", a(1), "TypeError"},
		{"equals", a(codec.FrozenSet{5.0}), "true"},
		{"equals", a([]any{5}), "false"},
		{"scan", nil, "[16 nil [5]]"},
		{"scan", a(0, 1, 3), "RuntimeError"},
		{"intersection_update", nil, "nil"},
		{"clear", nil, "nil"},
		{"copy", nil, "{}"},
	})
}

func TestCells(t *testing.T) {
	c := newHall(t).caller()
	steps(t, c, c.make("counter"), []step{
		{"increment", nil, "1"},
		{"increment", a(-5), "-4"},
		{"increment", a(0.5), "TypeError"},
		{"set", a(int64(9223372036854775807)), "nil"},
		{"increment", nil, "OverflowError"},
		{"exchange", a(3), "9223372036854775807"},
		{"compare_and_set", a(3, 4), "true"},
		{"compare_and_set", a(3, 4), "false"},
		{"get", nil, "4"},
	})
	steps(t, c, c.make("value", "B", 250), []step{
		{"increment", a(5), "255"},
		{"increment", nil, "OverflowError"},
		{"set", a(-1), "OverflowError"},
		{"set", a(1.0), "TypeError"},
		{"set", a(true), "nil"},
		{"get", nil, "1"},
		{"typecode", nil, `"B"`},
		{"exchange", a("x"), "TypeError"},
	})
	steps(t, c, c.make("value", nil, []any{1}), []step{
		{"get", nil, "[1]"},
		{"exchange", a("x"), "[1]"},
		{"typecode", nil, "nil"},
		{"increment", nil, "TypeError"},
	})
	steps(t, c, c.make("value", "f", 0.1), []step{{"get", nil, "0.10000000149011612"}})
	steps(t, c, c.make("value", "u"), []step{{"set", a("ä"), "nil"}, {"set", a("ab"), "TypeError"}, {"get", nil, `"ä"`}})
	for _, bad := range [][]any{a("b", 128), a("q", 1.5), a("Q", -1), a(5)} {
		if _, err := New("value", c.request("", bad...)); err == nil {
			t.Errorf("value%v was made", bad)
		}
	}
}

func TestArray(t *testing.T) {
	c := newHall(t).caller()
	steps(t, c, c.make("array", "h", []any{1, 2, 3}), []step{
		{"get", a(-1), "3"},
		{"set", a(0, 32767), "nil"},
		{"increment", a(0), "OverflowError"},
		{"increment", a(1), "3"},
		{"set_slice", a(0, 2, nil, []any{5, 6}), "nil"},
		{"set_slice", a(0, 2, nil, []any{5}), "ValueError"},
		{"set_slice", a(0, 2, nil, []any{5, 1 << 20}), "OverflowError"},
		{"slice", a(nil, nil, -1), "[3 6 5]"},
		{"compare_and_set", a(0, 5, 9), "true"},
		{"copy", nil, "[9 6 3]"},
		{"len", nil, "3"},
		{"typecode", nil, `"h"`},
		{"append", a(1), "AttributeError"},
		{"get", a(3), "IndexError"},
	})
	steps(t, c, c.make("array", "d", 3), []step{{"copy", nil, "[0.0 0.0 0.0]"}})
	steps(t, c, c.make("array", "struct", []any{"x", nil}), []step{{"copy", nil, `["x" nil]`}})
	for _, bad := range [][]any{a("b", []any{200}), a("b", -1), a("b", 1<<40), a("b", "x"), a()} {
		if _, err := New("array", c.request("", bad...)); err == nil {
			t.Errorf("array%v was made", bad)
		}
	}
}
