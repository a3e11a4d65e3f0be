package codec

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// A message that claims much but holds little must cost little.
func TestClaimsAllocateNothing(t *testing.T) {
	huge := []string{
		"\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff", "\xdb\xff\xff\xff\xff", "\xc6\xff\xff\xff\xff",
		"\xc9\xff\xff\xff\xff\x68", "\xc9\xff\xff\xff\xff\x67",
	}
	// Each level claims as many elements as there are bytes left.
	var nested []byte
	for range 200 {
		nested = append(nested, 0xdd, 0, 0x0f, 0, 0)
	}
	nested = append(nested, make([]byte, 1<<20)...)
	type fat [1 << 20]byte
	for _, into := range []func() any{
		func() any { return new(any) }, func() any { return new([]any) }, func() any { return new([]fat) },
		func() any { return new(map[int]fat) }, func() any { return new(struct{ A int }) },
	} {
		for _, m := range append(huge, string(nested)) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := Unmarshal([]byte(m), into())
			runtime.ReadMemStats(&after)
			checkCode(t, err, "INVALID")
			// The honest parts of the message may cost a few times its size.
			if spent := after.TotalAlloc - before.TotalAlloc; spent > 8<<20+40*uint64(len(m)) {
				t.Errorf("%T: %d bytes allocated for a message of %d", into(), spent, len(m))
			}
		}
	}
}

// Each level has a str key first and another kind of key last, and must still be read only once.
func TestNestedMixedMapsTakeLinearTime(t *testing.T) {
	data := []byte{0xc0}
	for range MaxDepth {
		data = append(append([]byte{0x82, 0xa1, 'a'}, data...), 1, 1)
	}
	v, err := Decode(data) // 2^255 steps if it were exponential
	must(t, err)
	if p, ok := v.(Pairs); !ok || p[0].Key != "a" || p[1] != (Pair{int64(1), int64(1)}) {
		t.Errorf("got %T", v)
	}
}

func TestMessageOverTheSizeLimit(t *testing.T) {
	// Address space without memory behind it: only the length is looked at.
	data, err := unix.Mmap(-1, 0, MaxSize+1, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	must(t, err)
	defer func() { must(t, unix.Munmap(data)) }()
	_, err = Decode(data)
	checkCode(t, err, "TOO_LARGE")
	checkCode(t, Unmarshal(data, new(any)), "TOO_LARGE")
	_, err = Marshal(data)
	checkCode(t, err, "TOO_LARGE")
}

// FuzzDecode holds that no input panics, that Decode, Unmarshal and skip agree on what is a
// message, and that what was read can be written and read again with the same meaning.
func FuzzDecode(f *testing.F) {
	for _, v := range readVectors(f) {
		if len(v.data) < 1000 {
			f.Add(v.data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Decode(data)
		var typed any
		if err2 := Unmarshal(data, &typed); (err == nil) != (err2 == nil) {
			t.Fatalf("Decode: %v; Unmarshal: %v", err, err2)
		}
		if err3 := skipAll(data); (err == nil) != (err3 == nil) && len(data) > 0 {
			t.Fatalf("Decode: %v; skip: %v", err, err3)
		}
		var structured everything
		_ = Unmarshal(data, &structured) // must not panic; mostly fails
		if err != nil {
			return
		}
		b, err := Marshal(v)
		if err != nil {
			t.Fatalf("read %#v but cannot write it: %v", v, err)
		}
		again, err := Decode(b)
		if err != nil || format(t, again) != format(t, v) {
			t.Fatalf("read %#v, wrote it, and read %#v, %v", v, again, err)
		}
	})
}
