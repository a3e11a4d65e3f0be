package segment

import (
	"encoding/binary"
	"math"
	"reflect"
	"testing"

	"github.com/polyipc/polyipc/tests/testroot"
)

func TestValues(t *testing.T) {
	dir := testroot.New(t)
	for _, x := range []struct {
		format string
		shape  []int64
		bytes  []byte
		want   []any
	}{
		{"<q", []int64{2}, append(binary.LittleEndian.AppendUint64(nil, 1<<63), 1, 0, 0, 0, 0, 0, 0, 0), []any{int64(math.MinInt64), int64(1)}},
		{">H", []int64{2}, []byte{1, 2, 255, 255}, []any{uint64(258), uint64(65535)}},
		{"b", []int64{3}, []byte{255, 0, 127}, []any{int64(-1), int64(0), int64(127)}},
		{"?", []int64{2}, []byte{0, 7}, []any{false, true}},
		{"<f", nil, binary.LittleEndian.AppendUint32(nil, math.Float32bits(1.5)), []any{1.5}},
		{"<e", []int64{5}, []byte{0, 0x3c, 1, 0, 0, 0xfc, 0xff, 0x7b, 0, 0x80}, []any{1.0, math.Ldexp(1, -24), math.Inf(-1), 65504.0, math.Copysign(0, -1)}},
		{"<Zd", nil, append(binary.LittleEndian.AppendUint64(nil, math.Float64bits(2)), binary.LittleEndian.AppendUint64(nil, math.Float64bits(-3))...), []any{[]any{2.0, -3.0}}},
		{"<w", []int64{2}, []byte{'a', 0, 0, 0, 0xe9, 0, 0, 0}, []any{"a", "é"}},
		{"5s", nil, []byte("hello"), []any{[]byte("hello")}},
		{"5p", nil, []byte{3, 'a', 'b', 'c', 'd'}, []any{[]byte("abc")}},
		{"(2,2)<h", nil, []byte{1, 0, 2, 0, 3, 0, 4, 0}, []any{[]any{[]any{int64(1), int64(2)}, []any{int64(3), int64(4)}}}},
		{"T{<i:x:4x<d:y:3c:name:}", nil, append([]byte{7, 0, 0, 0, 0, 0, 0, 0}, append(binary.LittleEndian.AppendUint64(nil, math.Float64bits(0.5)), "abc"...)...),
			[]any{map[string]any{"x": int64(7), "y": 0.5, "name": []byte("abc")}}},
	} {
		s, err := Create("", Options{Root: dir, Format: x.format, Shape: x.shape})
		if err != nil {
			t.Fatalf("%s: %v", x.format, err)
		}
		b, err := s.Bytes()
		if err != nil || copy(b, x.bytes) != len(b) {
			t.Fatalf("%s has %d bytes, the test %d: %v", x.format, len(b), len(x.bytes), err)
		}
		got, err := s.Values(0, 1<<40)
		if err != nil || !reflect.DeepEqual(got, x.want) {
			t.Errorf("%s: %#v, not %#v: %v", x.format, got, x.want, err)
		}
		if got, err = s.Values(1, 1); err != nil || len(x.want) > 1 && !reflect.DeepEqual(got, x.want[1:2]) || len(x.want) == 1 && len(got) != 0 {
			t.Errorf("%s, the second: %#v: %v", x.format, got, err)
		}
		if _, err := s.Values(-1, 1); err == nil {
			t.Error("a negative number")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
