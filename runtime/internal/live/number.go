package live

import (
	"math"
	"math/big"
	"math/bits"

	"github.com/polyipc/polyipc/codec"
)

// number is an integer of 65 bits, hi and lo as of an integer of 128; or a float; or a big integer.
type number struct {
	kind  codec.Kind // KindInt for integers, KindFloat, KindExt for big ones
	hi    int64      // -1 for negative integers
	lo    uint64
	float float64
	raw   codec.Raw
}

// numberOf reads a number; a bool is one if bools says so.
func numberOf(v codec.Raw, bools bool) (n number, ok bool) {
	switch h := codec.HeadOf(v); {
	case h.Kind == codec.KindUint, h.Kind == codec.KindBool && bools:
		return number{kind: codec.KindInt, lo: h.N}, true
	case h.Kind == codec.KindInt:
		return number{kind: codec.KindInt, hi: -1, lo: h.N}, true
	case h.Kind == codec.KindFloat:
		return number{kind: codec.KindFloat, float: math.Float64frombits(h.N)}, true
	case h.Kind == codec.KindExt && h.Ext == codec.ExtBigInt:
		return number{kind: codec.KindExt, raw: v}, true
	}
	return number{}, false
}

// big returns an integer.
func (n number) big() *big.Int {
	switch {
	case n.kind == codec.KindExt:
		return codec.BigOf(n.raw)
	case n.hi < 0:
		return big.NewInt(int64(n.lo))
	}
	return new(big.Int).SetUint64(n.lo)
}

// asFloat returns the nearest float, infinite for what is beyond.
func (n number) asFloat() float64 {
	switch {
	case n.kind == codec.KindFloat:
		return n.float
	case n.kind == codec.KindExt:
		f, _ := new(big.Float).SetInt(n.big()).Float64()
		return f
	case n.hi < 0:
		return float64(int64(n.lo))
	}
	return float64(n.lo)
}

// add returns the sum; false for an integer that is beyond int64 and uint64.
func (n number) add(m number) (codec.Raw, bool) {
	var room [9]byte // so that what is kept is no larger than it is
	if n.kind == codec.KindFloat || m.kind == codec.KindFloat {
		a, b := n.asFloat(), m.asFloat()
		inf := math.IsInf(a, 0) && n.kind == codec.KindExt || math.IsInf(b, 0) && m.kind == codec.KindExt
		return keep(codec.AppendFloat(room[:0], a+b)), !inf
	}
	if n.kind == codec.KindExt || m.kind == codec.KindExt {
		return nil, false
	}
	lo, carry := bits.Add64(n.lo, m.lo, 0)
	switch hi := n.hi + m.hi + int64(carry); {
	case hi == 0:
		return keep(codec.AppendUint(room[:0], lo)), true
	case hi == -1 && lo >= 1<<63:
		return keep(codec.AppendInt(room[:0], int64(lo))), true
	}
	return nil, false
}

// compare orders two numbers by their exact values; false if one is NaN.
func (n number) compare(m number) (order int, ok bool) {
	switch nf, mf := n.kind == codec.KindFloat, m.kind == codec.KindFloat; {
	case nf && mf:
		return compareFloats(n.float, m.float)
	case nf:
		order, ok = m.compareFloat(n.float)
		return -order, ok
	case mf:
		return n.compareFloat(m.float)
	}
	if n.kind == codec.KindExt || m.kind == codec.KindExt {
		return n.big().Cmp(m.big()), true
	}
	switch {
	case n.hi < m.hi || n.hi == m.hi && n.lo < m.lo:
		return -1, true
	case n.hi == m.hi && n.lo == m.lo:
		return 0, true
	}
	return 1, true
}

// compareFloat compares an integer with a float.
func (n number) compareFloat(f float64) (order int, ok bool) {
	const exact = 1 << 53 // up to here each integer is a float
	small := n.kind == codec.KindInt && (n.hi == 0 && n.lo <= exact || n.hi < 0 && n.lo >= -exact&math.MaxUint64)
	if small || f != f || math.IsInf(f, 0) {
		return compareFloats(n.asFloat(), f)
	}
	return new(big.Float).SetInt(n.big()).Cmp(big.NewFloat(f)), true
}

func compareFloats(a, b float64) (order int, ok bool) {
	switch {
	case a < b:
		return -1, true
	case a > b:
		return 1, true
	}
	return 0, a == b
}

// increment returns value + by.
func increment(c call, value, by codec.Raw) (codec.Raw, error) {
	if by == nil {
		by = small[1]
	}
	n, ok := numberOf(value, false)
	if !ok {
		return nil, c.fault("TypeError", "there is %s, which can't be incremented; only integers and floats can", typeName(value))
	}
	m, ok := numberOf(by, false)
	if !ok {
		return nil, c.wrongType("by", "an integer or a float", by)
	}
	sum, ok := n.add(m)
	if !ok {
		return nil, c.fault("OverflowError", "%s and %s are more than 64 bits hold; use a float", show(value), show(by))
	}
	return sum, nil
}
