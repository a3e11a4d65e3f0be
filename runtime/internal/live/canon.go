package live

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"slices"

	"github.com/polyipc/polyipc/codec"
)

// Two values are equal, as Python sees it, if their canonical forms are the same bytes:
//
//	bool, integer, float   the integer, if it is one, in its shortest form; else a float of 8 bytes; one NaN for all
//	text, bytes, moments, UUIDs, references, n-dimensional arrays, pickles, extensions   the shortest form of their heads
//	array                  its members in canonical form; within a key it is a tuple
//	tuple                  a mark, and the same as an array
//	set, frozenset         a mark, and an array of the members' canonical forms, sorted, without doubles
//	map                    a map of canonical forms, sorted by key; of equal keys the last one
//
// So what a canonical form takes to make is bounded by the size of the value, and for nested sets and maps, which are
// copied when they are sorted, by that times their depth.
//
// A NaN is equal to itself here. Python, too, finds a NaN that it put somewhere, by its identity.

// marks begin with a byte that begins no value.
const (
	markTuple = "\xc1t"
	markSet   = "\xc1s"
)

// plain reports whether v is its own canonical form, for the commonest of values: what a key is nearly always.
func plain[T codec.Raw | string](v T) bool {
	c := v[0]
	if c < 0x80 || c >= 0xe0 || c >= 0xa0 && c <= 0xc0 { // small integers, short text, nil
		return true
	}
	switch c {
	case 0xc4, 0xd8: // bin 8, and the extension of 16 bytes that a UUID is
		return true
	case 0xd9: // str 8
		return v[1] >= 32
	case 0xda, 0xc5: // str 16, bin 16
		return v[1] > 0
	case 0xcc: // uint 8, 16, 32, 64
		return v[1] >= 0x80
	case 0xcd:
		return v[1] > 0
	case 0xce, 0xdb, 0xc6: // also str 32, bin 32
		return v[1]|v[2] > 0
	case 0xcf:
		return v[1]|v[2]|v[3]|v[4] > 0
	case 0xd0: // int 8, 16, 32, 64; those that are not negative have a shorter form
		return v[1] >= 0x80 && v[1] < 0xe0
	case 0xd1:
		return v[1] >= 0x80 && !(v[1] == 0xff && v[2] >= 0x80)
	case 0xd2:
		return v[1] >= 0x80 && !(v[1]&v[2] == 0xff && v[3] >= 0x80)
	case 0xd3:
		return v[1] >= 0x80 && !(v[1]&v[2]&v[3]&v[4] == 0xff && v[5] >= 0x80)
	}
	return false
}

// canonical returns the canonical form of a value, which may be the value itself.
func canonical(v codec.Raw) []byte {
	if plain(v) {
		return v
	}
	f := former{dst: make([]byte, 0, len(v))}
	f.form(v)
	return f.dst
}

// canonicalKey is canonical for a key or a member of a set; unhashable names what can't be one.
func canonicalKey(v codec.Raw) (b []byte, unhashable string) {
	if plain(v) {
		return v, ""
	}
	f := former{dst: make([]byte, 0, len(v)), key: true}
	f.form(v)
	return f.dst, f.unhashable
}

// equal compares two values.
func equal(a, b codec.Raw) bool {
	return bytes.Equal(a, b) || !(plain(a) && plain(b)) && bytes.Equal(canonical(a), canonical(b))
}

// former appends canonical forms to dst.
type former struct {
	dst        []byte
	key        bool   // within a key
	unhashable string // what can't be in a key was met
}

// form appends the form of the first value of b and returns what follows it. Nested values are read as they come,
// each once.
func (f *former) form(b []byte) (rest []byte) {
	h := codec.HeadOf(b)
	body := b[h.Size:]
	switch h.Kind {
	case codec.KindNil:
		f.dst = codec.AppendNil(f.dst)
	case codec.KindBool, codec.KindUint:
		f.dst = codec.AppendUint(f.dst, h.N)
	case codec.KindInt:
		f.dst = codec.AppendInt(f.dst, int64(h.N))
	case codec.KindFloat:
		f.dst = appendFloat(f.dst, math.Float64frombits(h.N))
	case codec.KindStr:
		f.dst = codec.AppendText(f.dst, string(body[:h.N]))
		return body[h.N:]
	case codec.KindBin:
		f.dst = codec.AppendBin(f.dst, body[:h.N])
		return body[h.N:]
	case codec.KindArray:
		if f.key {
			f.dst = append(f.dst, markTuple...)
		}
		return f.members(b)
	case codec.KindMap:
		f.refuse("a map")
		return f.entries(body, int(h.N))
	case codec.KindExt:
		f.extension(h, b[:h.Size+int(h.N)])
		return body[h.N:]
	}
	return body
}

// refuse notes what can't be in a key.
func (f *former) refuse(what string) {
	if f.key {
		f.unhashable = what
	}
}

func (f *former) extension(h codec.Head, v codec.Raw) {
	body := v[h.Size:]
	switch h.Ext {
	case codec.ExtTuple:
		f.dst = append(f.dst, markTuple...)
		f.members(body)
	case codec.ExtSet, codec.ExtFrozenSet:
		if h.Ext == codec.ExtSet {
			f.refuse("a set")
		}
		f.set(body)
	case codec.ExtTimestamp:
		f.dst = codec.AppendTime(f.dst, codec.TimeOf(v))
	default:
		if h.Ext == codec.ExtNDArray {
			f.refuse("an n-dimensional array")
		}
		f.dst = codec.AppendExt(f.dst, h.Ext, body)
	}
}

// members appends an array.
func (f *former) members(b []byte) (rest []byte) {
	h := codec.HeadOf(b)
	f.dst = codec.AppendArray(f.dst, int(h.N))
	b = b[h.Size:]
	for range h.N {
		b = f.form(b)
	}
	return b
}

// set appends an array of what is in a set, sorted.
func (f *former) set(b []byte) {
	h := codec.HeadOf(b)
	b = b[h.Size:]
	in := former{key: true}
	ends := make([]int, 0, h.N)
	for range h.N {
		b = in.form(b)
		ends = append(ends, len(in.dst))
	}
	f.unhashable = cmp.Or(f.unhashable, in.unhashable)
	forms := make([][]byte, 0, len(ends))
	begin := 0
	for _, end := range ends {
		forms = append(forms, in.dst[begin:end])
		begin = end
	}
	slices.SortFunc(forms, bytes.Compare)
	forms = slices.CompactFunc(forms, bytes.Equal)
	f.dst = codec.AppendArray(append(f.dst, markSet...), len(forms))
	for _, form := range forms {
		f.dst = append(f.dst, form...)
	}
}

// entries appends a map of the n entries in b, sorted.
func (f *former) entries(b []byte, n int) (rest []byte) {
	type entry struct{ begin, value, end int }
	var in former
	all := make([]entry, 0, n)
	for range n {
		e := entry{begin: len(in.dst)}
		in.key = true
		b = in.form(b)
		e.value = len(in.dst)
		in.key = false
		b = in.form(b)
		e.end = len(in.dst)
		all = append(all, e)
	}
	key := func(e entry) []byte { return in.dst[e.begin:e.value] }
	slices.Reverse(all) // of equal keys the last one comes first
	slices.SortStableFunc(all, func(a, b entry) int { return bytes.Compare(key(a), key(b)) })
	all = slices.CompactFunc(all, func(a, b entry) bool { return bytes.Equal(key(a), key(b)) })
	f.dst = codec.AppendMap(f.dst, len(all))
	for _, e := range all {
		f.dst = append(f.dst, in.dst[e.begin:e.end]...)
	}
	return b
}

func appendFloat(dst []byte, f float64) []byte {
	switch {
	case f != f:
		return codec.AppendFloat(dst, math.NaN())
	case f != math.Trunc(f) || math.IsInf(f, 0):
		return codec.AppendFloat(dst, f)
	case f >= -1<<63 && f < 1<<63:
		return codec.AppendInt(dst, int64(f))
	}
	n, _ := big.NewFloat(f).Int(nil)
	return codec.AppendBig(dst, n)
}
