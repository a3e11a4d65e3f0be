package codec

import (
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/vmihailenco/msgpack/v5"
)

type inner struct {
	A int8 `msgpack:"a"`
	B *inner
}

type hidden struct{ Deep string }

type everything struct {
	hidden
	Bool    bool
	I8      int8
	I64     int64
	U8      uint8
	U64     uint64
	F32     float32
	F64     float64
	Text    string
	Bytes   []byte
	Array   [3]uint16
	Key     [4]byte
	Slice   []inner
	Strings []string
	Map     map[string]int
	ByID    map[uint32]string
	ByUUID  map[uuid.UUID]bool
	Any     any
	Time    time.Time
	Dur     time.Duration
	ID      uuid.UUID
	Big     *big.Int
	Where   netip.Addr
	Link    *Ref
	Grid    NDArray
	Pair    Tuple
	Left    string `msgpack:"left,omitempty"`
	Gone    int    `msgpack:"-"`
	Custom  celsius
}

// celsius writes itself by vmihailenco's interfaces.
type celsius struct{ degrees float64 }

func (c celsius) EncodeMsgpack(e *msgpack.Encoder) error { return e.EncodeFloat64(c.degrees) }
func (c *celsius) DecodeMsgpack(d *msgpack.Decoder) (err error) {
	c.degrees, err = d.DecodeFloat64()
	return err
}

func full() everything {
	id := uuid.MustParse("00112233-4455-6677-8899-aabbccddeeff")
	return everything{
		hidden: hidden{"down"}, Bool: true, I8: -128, I64: math.MinInt64, U8: 255, U64: math.MaxUint64,
		F32: 1.5, F64: math.Inf(-1), Text: "héllo", Bytes: []byte{0, 255}, Array: [3]uint16{1, 2, 65535},
		Key: [4]byte{1, 2, 3, 4}, Slice: []inner{{A: 1, B: &inner{A: 2}}, {}}, Strings: []string{"", "x"},
		Map: map[string]int{"a": -1}, ByID: map[uint32]string{math.MaxUint32: "m"},
		ByUUID: map[uuid.UUID]bool{id: true}, Any: []any{int64(1), "s", []byte("b"), map[string]any{"k": nil}},
		Time: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Dur: time.Hour, ID: id,
		Big: new(big.Int).Lsh(big.NewInt(-3), 200), Where: netip.MustParseAddr("::1"),
		Link: &Ref{Kind: 1, UUID: id, Name: "jobs"}, Grid: NDArray{"<i2", []int{2}, []byte{1, 0, 2, 0}},
		Pair: Tuple{int64(1), "a"}, Gone: 0, Custom: celsius{36.6},
	}
}

func TestStruct(t *testing.T) {
	want := full()
	b, err := Marshal(want)
	must(t, err)
	var got everything
	must(t, Unmarshal(b, &got))
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
	if strings.Contains(string(b), "left") {
		t.Error("omitempty did not leave a zero field out")
	}
	// The same bytes by pointer, into a buffer that has something.
	b2, err := Append([]byte("head"), &want)
	must(t, err)
	if string(b2[:4]) != "head" || string(b2[4:]) != string(b) {
		t.Error("Append of a pointer differs from Marshal of the value")
	}
}

func TestUnknownAndMissingFields(t *testing.T) {
	b, err := Marshal(map[string]any{"extra": []any{1, map[string]any{"x": Tuple{1}}}, "a": 5})
	must(t, err)
	got := inner{A: 1, B: &inner{A: 3}}
	must(t, Unmarshal(b, &got))
	if got.A != 5 || got.B == nil || got.B.A != 3 {
		t.Errorf("got %+v", got)
	}
}

// Every conversion that would change a value is refused, and the text says where.
func TestRefusedConversions(t *testing.T) {
	var ring any
	ring = &ring
	type loop *loop
	for _, c := range []struct {
		value any
		into  any
		where string
	}{
		{300, new(uint8), "$: integer 300 does not fit uint8"},
		{-1, new(uint64), "$: integer -1 does not fit uint64"},
		{uint64(math.MaxUint64), new(int64), "18446744073709551615 does not fit"},
		{1 << 53, new(float32), "cannot represent"},
		{1<<53 + 1, new(float64), "cannot represent"},
		{1.0, new(int), "a float here, which int cannot take"},
		{math.MaxFloat64, new(float32), "does not fit float32"},
		{"text", new([]byte), "a str here"},
		{[]byte("b"), new(string), "a bin here"},
		{nil, new(int), "nil here"},
		{nil, new(string), "nil here"},
		{[]any{1, 2}, new([3]int), "2 elements"},
		{[]byte{1, 2}, new([3]byte), "2 bytes"},
		{map[string]any{"a": 1000}, new(inner), "$.a: integer 1000"},
		{map[string]any{"B": map[string]any{"a": "x"}}, new(inner), "$.B.a: "},
		{[]any{0, []any{1, "x"}}, new([]any), ""},
		{[][]any{{1}, {1, "x"}}, new([][]int), "$[1][1]: "},
		{map[int]string{1: "x"}, new(inner), "named by strs"},
		{Pairs{{Tuple{[]any{1}}, 1}}, new(map[any]any), "key that holds a slice"},
		{1, new(time.Time), "int64 here"},
		{"x", new(uuid.UUID), "string here"},
		{1, new(loop), "cannot take"},
		{1, new(fmt.Stringer), "cannot take"},
		{1, new(chan int), "cannot take"},
	} {
		b, err := Marshal(c.value)
		must(t, err)
		err = Unmarshal(b, c.into)
		if c.where == "" {
			must(t, err)
			continue
		}
		checkCode(t, err, "INVALID")
		if !strings.Contains(err.Error(), c.where) {
			t.Errorf("%v into %T: %v; want it to say %q", c.value, c.into, err, c.where)
		}
	}
	for _, v := range []any{nil, 5, (*int)(nil)} {
		checkCode(t, Unmarshal([]byte{1}, v), "INVALID")
	}
}

func TestRefusedValues(t *testing.T) {
	type loop []loop
	self := loop{nil}
	self[0] = self
	var ring any
	ring = &ring
	cycle := map[string]any{}
	cycle["me"] = cycle
	for _, c := range []struct {
		value any
		code  string
		where string
	}{
		{make(chan int), "INVALID", "$: chan int cannot be carried"},
		{[]any{1, map[string]any{"a": func() {}}}, "INVALID", "$[1].a: func()"},
		{complex(1, 2), "INVALID", "complex128"},
		{"\xff", "INVALID", "not valid UTF-8"},
		{map[string]any{"\xff": 1}, "INVALID", "not valid UTF-8"},
		{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "INVALID", "years 1 to 9999"},
		{struct{ a int }{1}, "INVALID", "no exported field"},
		{struct {
			A int `msgpack:"x"`
			B int `msgpack:"x"`
		}{}, "INVALID", "two fields named"},
		{struct {
			A int `msgpack:"a,as_array"`
		}{}, "INVALID", "not supported"},
		{Ref{}, "INVALID", "kind 0"},
		{Ref{Kind: 1, Name: "a/b"}, "INVALID", "outside"},
		{Ext{Type: 96}, "INVALID", "0 to 95"},
		{Ext{Type: -1}, "INVALID", "0 to 95"},
		{NDArray{"<f8", []int{2}, nil}, "INVALID", "needs 16"},
		{NDArray{"<f8", []int{-1}, nil}, "INVALID", "dimension of -1"},
		{NDArray{"<f8", []int{0, MaxSize, MaxSize}, nil}, "", ""},
		{NDArray{"|u1", []int{1 << 31, 1 << 31}, nil}, "INVALID", "over the limit"},
		{Set{[]any{1}}, "", ""},
		{[]any{Pickle("x")}, "INVALID", "$[0]: a pickle inside"},
		{Set{map[string]any{}}, "INVALID", "member of a set"},
		{Pairs{{Set{}, 1}}, "INVALID", "key of a map"},
		{Pairs{{Tuple{NDArray{"|u1", nil, []byte{1}}}, 1}}, "INVALID", "key of a map"},
		{self, "TOO_LARGE", "deeper than 255"},
		{ring, "TOO_LARGE", "deeper than 255"},
		{cycle, "TOO_LARGE", "$.me.me"},
	} {
		b, err := Marshal(c.value)
		if c.code == "" {
			must(t, err)
			continue
		}
		if len(b) > 0 {
			t.Errorf("%T: bytes in spite of an error", c.value)
		}
		checkCode(t, err, c.code)
		if !strings.Contains(err.Error(), c.where) {
			t.Errorf("%T: %.300v; want it to say %q", c.value, err, c.where)
		}
	}
}

func TestDepthIsTheSameByEveryPath(t *testing.T) {
	for depth, code := range map[int]string{255: "", 256: "TOO_LARGE"} {
		var list any = []any{}
		var tuple any = Tuple{}
		typed := reflect.ValueOf([]int{})
		for range depth - 1 {
			list, tuple = []any{list}, Tuple{tuple}
			s := reflect.MakeSlice(reflect.SliceOf(typed.Type()), 1, 1)
			s.Index(0).Set(typed)
			typed = s
		}
		for _, v := range []any{list, tuple, typed.Interface()} {
			b, err := Marshal(v)
			if code == "" {
				must(t, err)
				must(t, Unmarshal(b, reflect.New(reflect.TypeOf(v)).Interface()))
			} else {
				checkCode(t, err, code)
				deep := strings.Repeat("\x91", depth-1) + "\x90"
				checkCode(t, Unmarshal([]byte(deep), reflect.New(typed.Type()).Interface()), code)
			}
		}
	}
}

func TestPairsGet(t *testing.T) {
	p := Pairs{{int64(1), "one"}, {"k", "text"}, {int64(1), "uno"}, {uint64(math.MaxUint64), "max"}}
	for key, want := range map[any]any{1: "uno", uint8(1): "uno", "k": "text", uint64(math.MaxUint64): "max", 2: nil, int64(-1): nil} {
		if got, ok := p.Get(key); got != want || ok != (want != nil) {
			t.Errorf("Get(%v) = %v, %v; want %v", key, got, ok, want)
		}
	}
}

func TestConvenientConversions(t *testing.T) {
	b, err := Marshal([]any{1, 2.5, Tuple{1, 2}, Set{3}, map[string]any{"a": 1}, 7})
	must(t, err)
	var got struct {
		V []any
	}
	var whole []any
	must(t, Unmarshal(b, &whole))
	got.V = whole
	var ints []int
	tuple, err := Marshal(got.V[2])
	must(t, err)
	must(t, Unmarshal(tuple, &ints))
	if !reflect.DeepEqual(ints, []int{1, 2}) {
		t.Errorf("a tuple into []int: %v", ints)
	}
	var f float64
	must(t, Unmarshal([]byte{7}, &f))
	var n big.Int
	must(t, Unmarshal([]byte{7}, &n))
	var p Pairs
	must(t, Unmarshal([]byte("\x81\xa1a\x01"), &p))
	if f != 7 || n.Int64() != 7 || len(p) != 1 || p[0] != (Pair{"a", int64(1)}) {
		t.Errorf("got %v, %v, %v", f, &n, p)
	}
}
