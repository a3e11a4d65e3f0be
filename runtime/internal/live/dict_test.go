package live

import (
	"math"
	"math/big"
	"testing"

	"github.com/polyipc/polyipc/codec"
)

func TestDict(t *testing.T) {
	c := newHall(t).caller()
	d := c.make("dict", map[string]any{"a": 1}, named{"b", 2})
	steps(t, c, d, []step{
		{"get", a("a"), "1"},
		{"get", a("x"), "nil"},
		{"get", a("x", 7), "7"},
		{"get", a("x", named{"default", 8}), "8"},
		{"get", a(named{"key", "b"}), "2"},
		{"getitem", a("b"), "2"},
		{"getitem", a("x"), "KeyError"},
		{"set", a("c", []any{1, "x"}), "nil"},
		{"keys", nil, `["a" "b" "c"]`},
		{"values", nil, `[1 2 [1 "x"]]`},
		{"items", nil, `[["a" 1] ["b" 2] ["c" [1 "x"]]]`},
		{"len", nil, "3"},
		{"contains", a("a"), "true"},
		{"contains", a("x"), "false"},
		{"delete", a("a"), "nil"},
		{"delete", a("a"), "KeyError"},
		{"set", a("a", 5), "nil"},
		{"keys", nil, `["b" "c" "a"]`},
		{"pop", a("b"), "2"},
		{"pop", a("b"), "KeyError"},
		{"pop", a("b", nil), "nil"},
		{"popitem", nil, `["a" 5]`},
		{"setdefault", a("n"), "nil"},
		{"setdefault", a("m", 3), "3"},
		{"setdefault", a("m", 4), "3"},
		{"add", a("m", 4), "false"},
		{"add", a("o", 4), "true"},
		{"compare_and_set", a("o", 4.0, 5), "true"},
		{"compare_and_set", a("o", 4, 6), "false"},
		{"compare_and_set", a("absent", nil, 6), "false"},
		{"pop_if", a("o", 4), "false"},
		{"pop_if", a("o", 5), "true"},
		{"increment", a("i"), "1"},
		{"increment", a("i", -3), "-2"},
		{"increment", a("i", 0.5), "-1.5"},
		{"increment", a("c"), "TypeError"},
		{"increment", a("i", "x"), "TypeError"},
		{"update", a([]any{codec.Tuple{"z", 1}, []any{"y", 2}}, named{"x", 3}), "nil"},
		{"update", a([]any{[]any{"y"}}), "TypeError"},
		{"update", a(3), "TypeError"},
		{"update", nil, "nil"},
		{"set", a(map[string]any{}, 1), "TypeError"},
		{"set", a(codec.Tuple{codec.Set{1}}, 1), "TypeError"},
		{"set", a("a"), "TypeError"},
		{"set", a("a", 1, 2), "TypeError"},
		{"set", a("a", named{"key", 1}), "TypeError"},
		{"set", a("a", named{"valu", 1}), "TypeError"},
		{"nonsense", nil, "AttributeError"},
		{"equals", a(map[string]any{}), "false"},
		{"clear", nil, "nil"},
		{"equals", a(map[string]any{}), "true"},
		{"popitem", nil, "KeyError"},
		{"len", nil, "0"},
	})
}

func TestEqualKeysOfOtherForms(t *testing.T) {
	c := newHall(t).caller()
	d := c.make("dict")
	huge := new(big.Int).Lsh(big.NewInt(1), 100)
	steps(t, c, d, []step{
		{"set", a(1, "one"), "nil"},
		{"get", a(1.0), `"one"`},
		{"get", a(true), `"one"`},
		{"set", a(true, "yes"), "nil"},
		{"items", nil, `[[1 "yes"]]`}, // the key as first given
		{"get", a("1"), "nil"},
		{"set", a(math.Copysign(0, -1), "zero"), "nil"},
		{"get", a(false), `"zero"`},
		{"set", a("x", "text"), "nil"},
		{"get", a([]byte("x")), "nil"},
		{"set", a(huge, "huge"), "nil"},
		{"get", a(math.Ldexp(1, 100)), `"huge"`},
		{"set", a(uint64(1)<<63, "u"), "nil"},
		{"get", a(math.Ldexp(1, 63)), `"u"`},
		{"set", a(int64(math.MinInt64), "i"), "nil"},
		{"get", a(-math.Ldexp(1, 63)), `"i"`},
		{"set", a(int64(1)<<53+1, "odd"), "nil"},
		{"get", a(math.Ldexp(1, 53)), "nil"},
		{"set", a(codec.Tuple{1, codec.FrozenSet{"b", 2.0, "a"}}, "deep"), "nil"},
		{"get", a(codec.Tuple{1.0, codec.FrozenSet{"a", "b", 2, 2}}), `"deep"`},
		{"get", a([]any{true, codec.FrozenSet{"a", "b", 2}}), `"deep"`},
		{"set", a(math.NaN(), "nan"), "nil"},
		{"pop", a(math.NaN()), `"nan"`},
		{"set", a(nil, "none"), "nil"},
		{"get", a(nil), `"none"`},
		{"get", a(0.5, "no"), `"no"`},
	})
	if b := c.request("get", "x"); !plain(b.Args[0]) {
		t.Error("a short text is not plain")
	}
}

func TestDictScan(t *testing.T) {
	c := newHall(t).caller()
	d := c.make("dict")
	for i := range 5 {
		c.do(d, "set", i, i*i)
	}
	c.do(d, "delete", 1)
	steps(t, c, d, []step{
		{"scan", a(0, 2), "[6 3 [[0 0] [2 4]]]"},
		{"set", a(2, 5), "nil"},
		{"scan", a(3, 2, 6), "[6 nil [[3 9] [4 16]]]"},
		{"set", a(9, 5), "nil"},
		{"scan", a(3, 2, 6), "RuntimeError"},
		{"scan", a(-1), "ValueError"},
		{"scan", a(0, 0), "ValueError"},
		{"scan", a(100), "[7 nil []]"},
	})
}

func TestDictGivesMemoryBack(t *testing.T) {
	c := newHall(t).caller()
	d := c.make("dict").(*dict)
	do := func(method string, args ...any) { // do would look at all entries each time
		if _, err := d.Call(c.request(method, args...)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10000 {
		do("set", i, i)
	}
	for i := range 9990 {
		do("delete", i)
	}
	if n := cap(d.entries); n > 1000 {
		t.Errorf("10 entries have room for %d", n)
	}
	for d.len() > 0 {
		do("popitem")
	}
	if cap(d.entries) > 8*loose {
		t.Errorf("no entries have room for %d", cap(d.entries))
	}
	// Where the oldest go, the index stays.
	for i := range 10000 {
		do("set", i, i)
		if i >= 100 {
			do("delete", i-100)
		}
	}
	if d.past < 9000 || cap(d.entries) > 1000 {
		t.Errorf("after 10,000 entries that went again: %d were slid over, room for %d", d.past, cap(d.entries))
	}
	steps(t, c, d, []step{
		{"scan", a(0, 1), "[39901 9901 [[9900 9900]]]"},
		{"scan", a(9901, 1, 39901), "[39901 9902 [[9901 9901]]]"},
		{"scan", a(9999, 1), "[39901 nil [[9999 9999]]]"},
		{"get", a(9950), "9950"},
	})
}

func TestDictEquals(t *testing.T) {
	c := newHall(t).caller()
	d := c.make("dict", codec.Pairs{{Key: 1, Value: []any{1, 2}}, {Key: "b", Value: nil}})
	steps(t, c, d, []step{
		{"equals", a(codec.Pairs{{Key: "b", Value: nil}, {Key: true, Value: []any{1.0, 2}}}), "true"},
		{"equals", a(codec.Pairs{{Key: "b", Value: 5}, {Key: 1, Value: []any{1, 2}}, {Key: "b", Value: nil}}), "true"}, // the last one counts
		{"equals", a(codec.Pairs{{Key: "b", Value: nil}, {Key: 1, Value: []any{1, 3}}}), "false"},
		{"equals", a(codec.Pairs{{Key: "b", Value: nil}, {Key: 2, Value: []any{1, 2}}}), "false"},
		{"equals", a(codec.Pairs{{Key: "b", Value: nil}}), "false"},
		{"equals", a([]any{[]any{1, []any{1, 2}}, []any{"b", nil}}), "false"},
	})
}

func TestNamespace(t *testing.T) {
	c := newHall(t).caller()
	n := c.make("namespace", named{"x", 1})
	steps(t, c, n, []step{
		{"get", a("x"), "1"},
		{"get", a("y"), "AttributeError"},
		{"set", a("y", "why"), "nil"},
		{"names", nil, `["x" "y"]`},
		{"copy", nil, "map[x:1 y:why]"},
		{"set", a(1, 2), "TypeError"},
		{"increment", a("x", 2), "3"},
		{"compare_and_set", a("x", 3, 4), "true"},
		{"update", a(named{"z", 1}), "nil"},
		{"update", a(map[string]any{}), "TypeError"},
		{"contains", a("z"), "true"},
		{"delete", a("z"), "nil"},
		{"delete", a("z"), "AttributeError"},
	})
}
