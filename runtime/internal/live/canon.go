package live

import (
	"bytes"
	"math"
	"math/big"
	"slices"

	"github.com/polyipc/polyipc/codec"
)

// Two values are equal, as Python sees it, if their canonical forms are the same bytes:
//
//	bool, integer, float   the integer, if it is one, in its shortest form; else a float of 8 bytes; one NaN for all
//	text, bytes, moments, UUIDs, references, n-dimensional arrays, pickles, extensions   the shortest form of their heads
//	array, tuple           their members in canonical form; within a key an array is a tuple
//	set, frozenset         a frozenset of the members' canonical forms, sorted, without doubles
//	map                    a map of canonical forms, sorted by key; of equal keys the last one
//
// A NaN is equal to itself here. Python, too, finds a NaN that it put somewhere, by its identity.

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
	case 0xce:
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
	b, _ := appendCanonical(make([]byte, 0, len(v)), v, false)
	return b
}

// canonicalKey is canonical for a key or a member of a set; unhashable names what can't be one.
func canonicalKey(v codec.Raw) (b []byte, unhashable string) {
	if plain(v) {
		return v, ""
	}
	return appendCanonical(make([]byte, 0, len(v)), v, true)
}

// equal compares two values.
func equal(a, b codec.Raw) bool {
	return bytes.Equal(a, b) || !(plain(a) && plain(b)) && bytes.Equal(canonical(a), canonical(b))
}

func appendCanonical(dst []byte, v codec.Raw, key bool) (b []byte, unhashable string) {
	h := codec.HeadOf(v)
	switch h.Kind {
	case codec.KindNil:
		return append(dst, v...), ""
	case codec.KindBool, codec.KindUint:
		return codec.AppendUint(dst, h.N), ""
	case codec.KindInt:
		return codec.AppendInt(dst, int64(h.N)), ""
	case codec.KindFloat:
		return appendFloat(dst, math.Float64frombits(h.N)), ""
	case codec.KindStr:
		return codec.AppendText(dst, string(v[h.Size:])), ""
	case codec.KindBin:
		return codec.AppendBin(dst, v[h.Size:]), ""
	case codec.KindArray:
		if key {
			return appendTuple(dst, v, key)
		}
		return appendMembers(codec.AppendArray(dst, int(h.N)), v, key)
	case codec.KindMap:
		if key {
			return dst, "a map"
		}
		return appendMap(dst, v), ""
	}
	switch h.Ext {
	case codec.ExtTuple:
		return appendTuple(dst, v, key)
	case codec.ExtSet, codec.ExtFrozenSet:
		if key && h.Ext == codec.ExtSet {
			return dst, "a set"
		}
		return appendFrozenSet(dst, v)
	case codec.ExtNDArray:
		if key {
			return dst, "an n-dimensional array"
		}
	case codec.ExtTimestamp:
		return codec.AppendTime(dst, codec.TimeOf(v)), ""
	}
	return codec.AppendExt(dst, h.Ext, v[h.Size:]), ""
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

func appendMembers(dst []byte, v codec.Raw, key bool) (b []byte, unhashable string) {
	all, _, _ := members(v)
	for m := range all {
		if dst, unhashable = appendCanonical(dst, m, key); unhashable != "" {
			return dst, unhashable
		}
	}
	return dst, ""
}

func appendTuple(dst []byte, v codec.Raw, key bool) ([]byte, string) {
	_, n, _ := members(v)
	body, unhashable := appendMembers(codec.AppendArray(nil, n), v, key)
	return codec.AppendExt(dst, codec.ExtTuple, body), unhashable
}

func appendFrozenSet(dst []byte, v codec.Raw) ([]byte, string) {
	all, n, _ := members(v)
	forms := make([][]byte, 0, n)
	for m := range all {
		form, unhashable := canonicalKey(m)
		if unhashable != "" {
			return dst, unhashable
		}
		forms = append(forms, form)
	}
	slices.SortFunc(forms, bytes.Compare)
	forms = slices.CompactFunc(forms, bytes.Equal)
	body := codec.AppendArray(nil, len(forms))
	return codec.AppendExt(dst, codec.ExtFrozenSet, append(body, bytes.Join(forms, nil)...)), ""
}

func appendMap(dst []byte, v codec.Raw) []byte {
	type entry struct{ key, value []byte }
	var entries []entry
	all, _ := pairs(v)
	for k, v := range all {
		key, _ := canonicalKey(k) // what can't be a key was refused with the message
		entries = append(entries, entry{key, canonical(v)})
	}
	slices.Reverse(entries) // of equal ones the last comes first
	slices.SortStableFunc(entries, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	entries = slices.CompactFunc(entries, func(a, b entry) bool { return bytes.Equal(a.key, b.key) })
	dst = codec.AppendMap(dst, len(entries))
	for _, e := range entries {
		dst = append(append(dst, e.key...), e.value...)
	}
	return dst
}
