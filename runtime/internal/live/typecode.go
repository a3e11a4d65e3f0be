package live

import (
	"math"
	"unicode/utf8"

	"github.com/polyipc/polyipc/codec"
)

// typecode is one of those of Python's array, "bBhHiIlLqQfdu"; with any other, also none, values may be anything.
type typecode string

// ranges of the typecodes for integers.
var ranges = map[typecode]struct {
	least int64
	most  uint64
}{
	"b": {math.MinInt8, math.MaxInt8}, "B": {0, math.MaxUint8},
	"h": {math.MinInt16, math.MaxInt16}, "H": {0, math.MaxUint16},
	"i": {math.MinInt32, math.MaxInt32}, "I": {0, math.MaxUint32},
	"l": {math.MinInt64, math.MaxInt64}, "L": {0, math.MaxUint64},
	"q": {math.MinInt64, math.MaxInt64}, "Q": {0, math.MaxUint64},
}

// typecodeOf reads the first argument of a value or an array.
func typecodeOf(c call) (typecode, error) {
	if c.left(0) {
		return "", nil
	}
	s, err := c.text(0)
	return typecode(s), err
}

// raw is the typecode as a value.
func (t typecode) raw() codec.Raw {
	if t == "" {
		return rawNil
	}
	return rawText(string(t))
}

// zero is what a value is at first.
func (t typecode) zero() codec.Raw {
	switch _, integer := ranges[t]; {
	case integer:
		return rawZero
	case t == "f", t == "d":
		return codec.AppendFloat(nil, 0)
	case t == "u":
		return rawText("\x00")
	}
	return rawNil
}

// take returns what is kept of an argument.
func (t typecode) take(c call, v codec.Raw) (codec.Raw, error) {
	if t == "" {
		return keep(v), nil
	}
	r, integer := ranges[t]
	switch {
	case integer:
		n, ok := numberOf(v, true)
		if !ok || n.kind == codec.KindFloat {
			return nil, c.wrongType("value", "an integer, for typecode "+string(t), v)
		}
		if n.kind == codec.KindExt || n.hi < 0 && int64(n.lo) < r.least || n.hi == 0 && n.lo > r.most {
			return nil, c.fault("OverflowError", "%s is not in %d to %d, the range of typecode %s", show(v), r.least, r.most, t)
		}
		if n.hi < 0 {
			return codec.AppendInt(nil, int64(n.lo)), nil
		}
		return codec.AppendUint(nil, n.lo), nil
	case t == "f", t == "d":
		n, ok := numberOf(v, true)
		if !ok {
			return nil, c.wrongType("value", "a number, for typecode "+string(t), v)
		}
		f := n.asFloat()
		if math.IsInf(f, 0) && n.kind != codec.KindFloat {
			return nil, c.fault("OverflowError", "the integer is too large for a float")
		}
		if t == "f" {
			f = float64(float32(f))
		}
		return codec.AppendFloat(nil, f), nil
	case t == "u":
		if h := codec.HeadOf(v); h.Kind != codec.KindStr || utf8.RuneCount(v[h.Size:]) != 1 {
			return nil, c.wrongType("value", "text of one character, for typecode u", v)
		}
	}
	return keep(v), nil
}
