package live

import (
	"bytes"

	"github.com/polyipc/polyipc/codec"
)

// compare orders two values as Python's < does: numbers by their exact value; text, bytes, moments and UUIDs; arrays
// among themselves, and tuples, by the first members that are not equal. ok is false for all else, which has no
// order. A NaN comes neither before nor after anything.
func compare(a, b codec.Raw) (order int, ok bool) {
	if n, is := numberOf(a, true); is {
		m, is := numberOf(b, true)
		if !is {
			return 0, false
		}
		order, _ := n.compare(m)
		return order, true
	}
	h, g := codec.HeadOf(a), codec.HeadOf(b)
	if h.Kind != g.Kind || h.Kind == codec.KindExt && h.Ext != g.Ext {
		return 0, false
	}
	switch h.Kind {
	case codec.KindStr, codec.KindBin:
		return bytes.Compare(a[h.Size:], b[g.Size:]), true
	case codec.KindArray:
		return compareMembers(a, b)
	case codec.KindExt:
		switch h.Ext {
		case codec.ExtTuple:
			return compareMembers(a, b)
		case codec.ExtTimestamp:
			return codec.TimeOf(a).Compare(codec.TimeOf(b)), true
		case codec.ExtUUID:
			return bytes.Compare(a[h.Size:], b[g.Size:]), true
		}
	}
	return 0, false
}

func compareMembers(a, b codec.Raw) (order int, ok bool) {
	all, n, _ := members(a)
	others, m, _ := members(b)
	rest := make([]codec.Raw, 0, m)
	for v := range others {
		rest = append(rest, v)
	}
	i := 0
	for v := range all {
		if i == m {
			break
		}
		if !equal(v, rest[i]) {
			return compare(v, rest[i])
		}
		i++
	}
	return n - m, true
}
