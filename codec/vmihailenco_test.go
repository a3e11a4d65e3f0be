package codec

import (
	"reflect"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

type plain struct {
	ID    int64             `msgpack:"id"`
	Name  string            `msgpack:"name"`
	Score float64           `msgpack:"score"`
	Tags  []string          `msgpack:"tags"`
	Attrs map[string]string `msgpack:"attrs,omitempty"`
	Body  []byte            `msgpack:"body"`
}

var example = plain{12345, "alpha", 0.5, []string{"x", "y"}, map[string]string{"k": "v"}, []byte("0123456789")}

// On common ground, package msgpack and this one read each other's messages.
func TestExchangeWithPackageMsgpack(t *testing.T) {
	ours, err := Marshal(example)
	must(t, err)
	var got plain
	must(t, msgpack.Unmarshal(ours, &got))
	if !reflect.DeepEqual(got, example) {
		t.Errorf("package msgpack read %+v from ours", got)
	}
	theirs, err := msgpack.Marshal(example)
	must(t, err)
	got = plain{}
	must(t, Unmarshal(theirs, &got))
	if !reflect.DeepEqual(got, example) {
		t.Errorf("we read %+v from package msgpack's", got)
	}
}

// Why package msgpack's own Unmarshal is not enough: each of these changes a value, or accepts what
// is no message, without an error. If an entry fails, upstream was mended and the entry can go.
func TestWhatPackageMsgpackLetsPass(t *testing.T) {
	for _, c := range []struct {
		what string
		data string
		into any
	}{
		{"an integer cut to its low byte", "\xcd\x01\x2c", new(uint8)},
		{"a negative integer made huge", "\xff", new(uint64)},
		{"a uint64 made negative", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", new(int64)},
		{"bytes made text", "\xc4\x01\xff", new(string)},
		{"text made bytes", "\xa1a", new([]byte)},
		{"text that is not UTF-8", "\xa1\xff", new(string)},
		{"bytes after the value", "\x01\x01", new(int)},
	} {
		if err := msgpack.Unmarshal([]byte(c.data), c.into); err != nil {
			t.Errorf("%s: package msgpack now says %v", c.what, err)
		}
		checkCode(t, Unmarshal([]byte(c.data), c.into), "INVALID")
	}
}

func BenchmarkMarshal(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Marshal(&example); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		var err error
		if buf, err = Append(buf[:0], &example); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMarshalPackageMsgpack(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := msgpack.Marshal(&example); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	b.ReportAllocs()
	data, err := Marshal(example)
	must(b, err)
	for b.Loop() {
		var p plain
		if err := Unmarshal(data, &p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnmarshalPackageMsgpack(b *testing.B) {
	b.ReportAllocs()
	data, err := Marshal(example)
	must(b, err)
	for b.Loop() {
		var p plain
		if err := msgpack.Unmarshal(data, &p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	data, err := Marshal(example)
	must(b, err)
	for b.Loop() {
		if _, err := Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodePackageMsgpack(b *testing.B) {
	b.ReportAllocs()
	data, err := Marshal(example)
	must(b, err)
	for b.Loop() {
		var v any
		if err := msgpack.Unmarshal(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}
