package live

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/polyipc/polyipc/codec"
)

func TestList(t *testing.T) {
	c := newHall(t).caller()
	l := c.make("list", []any{1, 2, 3})
	steps(t, c, l, []step{
		{"get", a(-1), "3"},
		{"get", a(3), "IndexError"},
		{"get", a(-4), "IndexError"},
		{"get", a("x"), "TypeError"},
		{"get", a(1.0), "TypeError"},
		{"set", a(0, "one"), "nil"},
		{"set", a(3, 0), "IndexError"},
		{"append", a(4), "4"},
		{"extend", a(codec.Tuple{5, 6}), "6"},
		{"extend", a(5), "TypeError"},
		{"insert", a(-100, "first"), "7"},
		{"insert", a(100, "last"), "8"},
		{"insert", a(-1, "before last"), "9"},
		{"copy", nil, `["first" "one" 2 3 4 5 6 "before last" "last"]`},
		{"pop", nil, `"last"`},
		{"pop", a(0), `"first"`},
		{"pop", a(50), "IndexError"},
		{"delete", a(-1), "nil"},
		{"remove", a("one"), "nil"},
		{"remove", a("one"), "ValueError"},
		{"index", a(3.0), "1"},
		{"index", a(3, 2), "ValueError"},
		{"index", a(3, -100, 100), "1"},
		{"index", a(6, 0, -1), "ValueError"},
		{"count", a(2), "1"},
		{"contains", a(7), "false"},
		{"len", nil, "5"},
		{"equals", a([]any{2, 3, 4, 5, 6.0}), "true"},
		{"equals", a(codec.Tuple{2, 3, 4, 5, 6}), "false"},
		{"equals", a([]any{2, 3, 4, 5}), "false"},
		{"reverse", nil, "nil"},
		{"increment", a(0, 10), "16"},
		{"increment", a(9, 10), "IndexError"},
		{"compare_and_set", a(0, 16, "x"), "true"},
		{"compare_and_set", a(0, 16, "y"), "false"},
		{"pop_if", a(0, 16), "false"},
		{"pop_if", a(0, "x"), "true"},
		{"scan", a(0, 3), "[3 [5 4 3]]"},
		{"scan", a(3, 3), "[nil [2]]"},
		{"scan", a(300), "[nil []]"},
		{"multiply", a(2), "nil"},
		{"copy", nil, "[5 4 3 2 5 4 3 2]"},
		{"multiply", a(1 << 40), "TOO_LARGE"},
		{"multiply", a(-1), "nil"},
		{"len", nil, "0"},
		{"pop", nil, "IndexError"},
		{"multiply", a(1 << 40), "nil"},
		{"extend", a([]any{}), "0"},
		{"clear", nil, "nil"},
	})
}

func TestSlices(t *testing.T) {
	c := newHall(t).caller()
	l := c.make("list", []any{0, 1, 2, 3, 4, 5})
	steps(t, c, l, []step{
		{"slice", a(nil, nil, nil), "[0 1 2 3 4 5]"},
		{"slice", nil, "[0 1 2 3 4 5]"},
		{"slice", a(1, -1), "[1 2 3 4]"},
		{"slice", a(nil, nil, -1), "[5 4 3 2 1 0]"},
		{"slice", a(nil, nil, -2), "[5 3 1]"},
		{"slice", a(-100, 100, 2), "[0 2 4]"},
		{"slice", a(100, -100, -3), "[5 2]"},
		{"slice", a(4, 1), "[]"},
		{"slice", a(1, 4, -1), "[]"},
		{"slice", a(4, nil, -1), "[4 3 2 1 0]"},
		{"slice", a(0, 6, math.MaxInt64), "[0]"},
		{"slice", a(5, nil, math.MinInt64), "[5]"},
		{"slice", a(new(big.Int).Lsh(big.NewInt(-1), 90), uint64(math.MaxUint64)), "[0 1 2 3 4 5]"},
		{"slice", a(0, 1, 0), "ValueError"},
		{"slice", a("x"), "TypeError"},
		{"set_slice", a(1, 3, nil, []any{"a", "b", "c"}), "nil"},
		{"copy", nil, `[0 "a" "b" "c" 3 4 5]`},
		{"set_slice", a(5, 2, 1, []any{"in"}), "nil"},
		{"copy", nil, `[0 "a" "b" "c" 3 "in" 4 5]`},
		{"set_slice", a(nil, nil, 2, []any{1, 1, 1}), "ValueError"},
		{"set_slice", a(nil, nil, -1, []any{7, 6, 5, 4, 3, 2, 1, 0}), "nil"},
		{"copy", nil, "[0 1 2 3 4 5 6 7]"},
		{"set_slice", a(0, 1, nil, 7), "TypeError"},
		{"delete_slice", a(nil, nil, 3), "nil"},
		{"copy", nil, "[1 2 4 5 7]"},
		{"delete_slice", a(-2, nil, -2), "nil"},
		{"copy", nil, "[1 4 7]"},
		{"delete_slice", a(2, 1), "nil"},
		{"delete_slice", nil, "nil"},
		{"len", nil, "0"},
	})
}

func TestSort(t *testing.T) {
	c := newHall(t).caller()
	big1 := new(big.Int).Lsh(big.NewInt(1), 70)
	for _, s := range []struct {
		values  []any
		reverse bool
		want    string
	}{
		{[]any{3, 1.5, true, -2}, false, "[-2 true 1.5 3]"},
		{[]any{"b", "a", "ab"}, true, `["b" "ab" "a"]`},
		{[]any{[]byte("b"), []byte("a")}, false, `[b"a" b"b"]`},
		{[]any{1, true, 1.0}, true, "[1 true 1.0]"}, // stable
		{[]any{[]any{1, 2}, []any{1}, []any{0, 9}}, false, "[[0 9] [1] [1 2]]"},
		{[]any{codec.Tuple{1, []any{2, 1}}, codec.Tuple{1.0, []any{2}}, codec.Tuple{true, []any{2, 0, 9}}}, false, "[(1.0 [2]) (true [2 0 9]) (1 [2 1])]"},
		{[]any{[]any{map[string]any{"a": 1}, 2}, []any{map[string]any{"a": 1.0}, 1}}, false, "[[map[a:1] 1] [map[a:1] 2]]"},
		{[]any{[]any{map[string]any{"a": 1}, 2}, []any{map[string]any{"a": 2}, 1}}, false, "TypeError"},
		{[]any{[]any{math.NaN(), 2}, []any{math.NaN(), 1}}, false, "[[NaN 1] [NaN 2]]"},
		{[]any{math.NaN(), 1}, false, "[NaN 1]"},
		{[]any{uuid.UUID{2}, uuid.UUID{1}}, false, "[01000000-0000-0000-0000-000000000000 02000000-0000-0000-0000-000000000000]"},
		{[]any{codec.Tuple{nil, 2}, codec.Tuple{nil, 1}}, false, "[(nil 1) (nil 2)]"},
		{[]any{int64(1)<<53 + 1, math.Ldexp(1, 53)}, false, "[9.007199254740992e+15 9007199254740993]"},
		{[]any{big1, math.Inf(1), math.Ldexp(1, 69), uint64(1) << 63}, false, "[9223372036854775808 5.902958103587057e+20 1180591620717411303424 +Inf]"},
		{[]any{time.Unix(5, 0), time.Unix(-5, 1)}, false, "[1969-12-31 23:59:55.000000001 +0000 UTC 1970-01-01 00:00:05 +0000 UTC]"},
		{[]any{1, "x"}, false, "TypeError"},
		{[]any{nil, nil}, false, "TypeError"},
		{[]any{[]any{1}, codec.Tuple{1}}, false, "TypeError"},
		{[]any{map[string]any{}, map[string]any{}}, false, "TypeError"},
		{[]any{codec.Set{1}, codec.Set{2}}, false, "TypeError"},
		{[]any{nil}, false, "[nil]"},
	} {
		l := c.make("list", s.values)
		before := c.do(l, "copy")
		got := c.do(l, "sort", s.reverse)
		switch {
		case got == "nil":
			got = c.do(l, "copy")
		case c.do(l, "copy") != before:
			t.Errorf("sort of %v failed and changed it", s.values)
		}
		if got != s.want {
			t.Errorf("sort(%v, reverse=%v): %s, want %s", s.values, s.reverse, got, s.want)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, e := range []struct {
		a, b any
		want bool
	}{
		{1, 1.0, true}, {1, true, true}, {0, false, true}, {1, "1", false}, {"a", []byte("a"), false}, {nil, false, false},
		{int64(1)<<53 + 1, math.Ldexp(1, 53), false},
		{[]any{1, 2}, []any{1.0, 2}, true}, {[]any{1, 2}, codec.Tuple{1, 2}, false}, {codec.Tuple{1}, codec.Tuple{true}, true},
		{codec.Set{1, 2}, codec.FrozenSet{2.0, 1}, true}, {codec.Set{1, 2}, codec.Set{1, 3}, false}, {codec.Set{1, 1.0}, codec.Set{1}, true},
		{map[string]any{"a": 1, "b": []any{}}, codec.Pairs{{Key: "b", Value: []any{}}, {Key: "a", Value: 1.0}}, true},
		{codec.Pairs{{Key: 1, Value: "x"}}, codec.Pairs{{Key: 1.0, Value: "y"}, {Key: true, Value: "x"}}, true},
		{codec.Pairs{{Key: 1, Value: "x"}}, codec.Pairs{{Key: 1, Value: "y"}}, false},
		{[]any{}, map[string]any{}, false},
		{time.Unix(1, 0), time.Unix(1, 0), true}, {time.Unix(1, 0), time.Unix(1, 1), false},
		{math.NaN(), math.NaN(), true}, {float32(0.5), 0.5, true},
	} {
		a, b := enc(t, e.a), enc(t, e.b)
		if equal(a, b) != e.want || equal(b, a) != e.want {
			t.Errorf("%v == %v is not %v", e.a, e.b, e.want)
		}
	}
	// Longer forms than the shortest are equal to it.
	for _, same := range [][2]string{
		{"\xd9\x01x", "\xa1x"}, {"\xda\x00\x01x", "\xa1x"}, {"\xc5\x00\x01x", "\xc4\x01x"}, {"\xcc\x01", "\x01"}, {"\xcf\x00\x00\x00\x00\x00\x00\x00\x01", "\x01"},
		{"\xd0\x01", "\x01"}, {"\xd0\xff", "\xff"}, {"\xd1\xff\xff", "\xff"}, {"\xd2\xff\xff\xff\x80", "\xd0\x80"}, {"\xd3\xff\xff\xff\xff\x80\x00\x00\x00", "\xd2\x80\x00\x00\x00"},
		{"\xdc\x00\x01\x01", "\x91\x01"}, {"\xc7\x01\x07x", "\xd4\x07x"},
	} {
		if !equal(codec.Raw(same[0]), codec.Raw(same[1])) {
			t.Errorf("% x is not % x", same[0], same[1])
		}
	}
}

func TestIncrementBounds(t *testing.T) {
	c := newHall(t).caller()
	for _, s := range []struct {
		value, by any
		want      string
	}{
		{int64(math.MaxInt64), 1, "9223372036854775808"},
		{uint64(math.MaxUint64), 1, "OverflowError"},
		{uint64(math.MaxUint64), -1, "18446744073709551614"},
		{uint64(math.MaxUint64), int64(math.MinInt64), "9223372036854775807"},
		{int64(math.MinInt64), -1, "OverflowError"},
		{int64(math.MinInt64), uint64(math.MaxUint64), "9223372036854775807"},
		{int64(math.MinInt64), int64(math.MinInt64), "OverflowError"},
		{-1, 1, "0"},
		{1, 0.25, "1.25"},
		{float32(0.5), 1, "1.5"},
		{uint64(math.MaxUint64), 0.0, "1.8446744073709552e+19"},
		{new(big.Int).Lsh(big.NewInt(1), 90), 1, "OverflowError"},
		{new(big.Int).Lsh(big.NewInt(1), 90), 0.5, "1.2379400392853803e+27"},
		{new(big.Int).Lsh(big.NewInt(1), 2000), 0.5, "OverflowError"},
		{true, 1, "TypeError"},
		{1, true, "TypeError"},
		{nil, 1, "TypeError"},
	} {
		l := c.make("list", []any{s.value})
		if got := c.do(l, "increment", 0, s.by); got != s.want {
			t.Errorf("%v + %v: %s, want %s", s.value, s.by, got, s.want)
		}
	}
}

// TestMultiplyLarge makes much out of little: what shares its bytes is written out for who asks for all of it.
func TestMultiplyLarge(t *testing.T) {
	c := newHall(t).caller()
	l := c.make("list", []any{make([]byte, 1<<20)})
	steps(t, c, l, []step{
		{"multiply", a(300), "TOO_LARGE"},
		{"multiply", a(100), "nil"},
		{"multiply", a(3), "TOO_LARGE"},
		{"multiply", a(1), "nil"},
		{"len", nil, "100"},
	})
}
