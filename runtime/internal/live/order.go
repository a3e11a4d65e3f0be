package live

import (
	"bytes"

	"github.com/polyipc/polyipc/codec"
)

// relation is how one value stands to another.
type relation int8

const (
	before    relation = -1
	same      relation = 0
	after     relation = 1
	neither   relation = 2 // they have an order, but one is NaN
	unordered relation = 3 // they are not equal, and have no order
)

// compare orders two values as Python's < does: numbers by their exact value; text, bytes, moments and UUIDs; arrays
// among themselves, and tuples, by the first members that are not equal. ok is false for all else, which has no
// order. A NaN comes neither before nor after anything.
func compare(a, b codec.Raw) (order int, ok bool) {
	switch h := codec.HeadOf(a); h.Kind {
	case codec.KindNil, codec.KindMap:
		return 0, false // equal ones among themselves, too
	case codec.KindExt:
		if h.Ext != codec.ExtBigInt && h.Ext != codec.ExtTuple && h.Ext != codec.ExtTimestamp && h.Ext != codec.ExtUUID {
			return 0, false
		}
	}
	switch r, _, _ := relate(a, b); r {
	case neither:
		return 0, true
	case unordered:
		return 0, false
	default:
		return int(r), true
	}
}

// relate relates the first values of a and b and returns, if they are the same, what follows them. Nested values are
// read as they come, each once.
func relate(a, b []byte) (r relation, as, bs []byte) {
	h, g := codec.HeadOf(a), codec.HeadOf(b)
	if h.Kind == codec.KindArray && g.Kind == codec.KindArray {
		return relateMembers(a, b)
	}
	a, as = codec.Split(a)
	b, bs = codec.Split(b)
	if h.Kind == codec.KindExt && g.Kind == codec.KindExt && h.Ext == codec.ExtTuple && g.Ext == codec.ExtTuple {
		r, _, _ := relateMembers(a[h.Size:], b[g.Size:])
		return r, as, bs
	}
	return relateScalars(a, b, h, g), as, bs
}

func relateScalars(a, b codec.Raw, h, g codec.Head) relation {
	n, isNumber := numberOf(a, true)
	m, bothAre := numberOf(b, true)
	switch {
	case isNumber && bothAre:
		if order, ok := n.compare(m); ok {
			return relation(order)
		}
		if !equal(a, b) {
			return neither
		}
	case h.Kind != g.Kind || h.Kind == codec.KindExt && h.Ext != g.Ext:
	case h.Kind == codec.KindStr, h.Kind == codec.KindBin, h.Kind == codec.KindExt && h.Ext == codec.ExtUUID:
		return relation(bytes.Compare(a[h.Size:], b[g.Size:]))
	case h.Kind == codec.KindExt && h.Ext == codec.ExtTimestamp:
		return relation(codec.TimeOf(a).Compare(codec.TimeOf(b)))
	}
	if equal(a, b) {
		return same
	}
	return unordered
}

// relateMembers relates arrays: decided by the first members that are not equal, or else by their number.
func relateMembers(a, b []byte) (r relation, as, bs []byte) {
	h, g := codec.HeadOf(a), codec.HeadOf(b)
	as, bs = a[h.Size:], b[g.Size:]
	for range min(h.N, g.N) {
		if r, as, bs = relate(as, bs); r != same {
			return r, nil, nil
		}
	}
	switch {
	case h.N < g.N:
		return before, nil, nil
	case h.N > g.N:
		return after, nil, nil
	}
	return same, as, bs
}
