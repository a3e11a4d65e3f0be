package live

import (
	"fmt"
	"iter"
	"math"
	"strconv"

	"github.com/polyipc/polyipc/codec"
)

// What methods return that is the same each time. Nobody writes into a result.
var (
	rawNil   = codec.AppendNil(nil)
	rawTrue  = codec.AppendBool(nil, true)
	rawFalse = codec.AppendBool(nil, false)
	rawZero  = rawInt(0)
)

func rawBool(b bool) codec.Raw {
	if b {
		return rawTrue
	}
	return rawFalse
}

func rawInt(n int) codec.Raw {
	if n >= 0 && n < 128 {
		return small[n]
	}
	return codec.AppendInt(nil, int64(n))
}

func rawText(s string) codec.Raw { return codec.AppendText(nil, s) }

// small holds each value of one byte, so that these need no memory of their own.
var small = func() (s [256]codec.Raw) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
		s[i] = all[i : i+1 : i+1]
	}
	return s
}()

// keep returns a copy of a value, to be kept.
func keep(v codec.Raw) codec.Raw {
	if len(v) == 1 {
		return small[v[0]]
	}
	c := make(codec.Raw, len(v))
	copy(c, v)
	return c
}

// array returns the values as one.
func array(values ...codec.Raw) codec.Raw {
	size := 5
	for _, v := range values {
		size += len(v)
	}
	b := codec.AppendArray(make([]byte, 0, size), len(values))
	for _, v := range values {
		b = append(b, v...)
	}
	return b
}

// event is a change as a watcher is told.
func event(what string, values ...codec.Raw) codec.Raw {
	b := codec.AppendArray(nil, 1+len(values))
	b = codec.AppendText(b, what)
	for _, v := range values {
		b = append(b, v...)
	}
	return b
}

// members returns the values within an array, a tuple, a set or a frozenset, and how many they are.
func members(v codec.Raw) (all iter.Seq[codec.Raw], n int, ok bool) {
	h := codec.HeadOf(v)
	if h.Kind == codec.KindExt && (h.Ext == codec.ExtTuple || h.Ext == codec.ExtSet || h.Ext == codec.ExtFrozenSet) {
		v = v[h.Size:]
		h = codec.HeadOf(v)
	}
	if h.Kind != codec.KindArray {
		return nil, 0, false
	}
	return values(v[h.Size:], int(h.N)), int(h.N), true
}

// values returns the first n values of b.
func values(b []byte, n int) iter.Seq[codec.Raw] {
	return func(yield func(codec.Raw) bool) {
		rest, v := b, codec.Raw(nil)
		for range n {
			if v, rest = codec.Split(rest); !yield(v) {
				return
			}
		}
	}
}

// pairs returns the entries of a map, or of an array whose members are arrays or tuples of two.
func pairs(v codec.Raw) (all iter.Seq2[codec.Raw, codec.Raw], ok bool) {
	if h := codec.HeadOf(v); h.Kind == codec.KindMap {
		return func(yield func(k, v codec.Raw) bool) {
			var key, value codec.Raw
			rest := v[h.Size:]
			for range h.N {
				key, rest = codec.Split(rest)
				if value, rest = codec.Split(rest); !yield(key, value) {
					return
				}
			}
		}, true
	}
	outer, _, ok := members(v)
	if !ok {
		return nil, false
	}
	for p := range outer {
		if _, n, ok := members(p); !ok || n != 2 {
			return nil, false
		}
	}
	return func(yield func(k, v codec.Raw) bool) {
		for p := range outer {
			var both [2]codec.Raw
			i := 0
			two, _, _ := members(p)
			for v := range two {
				both[i] = v
				i++
			}
			if !yield(both[0], both[1]) {
				return
			}
		}
	}, true
}

// show is a value as an error's text has it.
func show(v codec.Raw) string {
	h := codec.HeadOf(v)
	switch h.Kind {
	case codec.KindNil:
		return "nil"
	case codec.KindBool:
		return strconv.FormatBool(h.N != 0)
	case codec.KindUint:
		return strconv.FormatUint(h.N, 10)
	case codec.KindInt:
		return strconv.FormatInt(int64(h.N), 10)
	case codec.KindFloat:
		return strconv.FormatFloat(math.Float64frombits(h.N), 'g', -1, 64)
	case codec.KindStr:
		return fmt.Sprintf("%.40q", v[h.Size:])
	}
	return typeName(v)
}

// typeName is what Python calls the type of a value.
func typeName(v codec.Raw) string {
	h := codec.HeadOf(v)
	switch h.Kind {
	case codec.KindNil:
		return "nil"
	case codec.KindBool:
		return "a bool"
	case codec.KindUint, codec.KindInt:
		return "an integer"
	case codec.KindFloat:
		return "a float"
	case codec.KindStr:
		return "text"
	case codec.KindBin:
		return "bytes"
	case codec.KindArray:
		return "an array"
	case codec.KindMap:
		return "a map"
	}
	switch h.Ext {
	case codec.ExtTimestamp:
		return "a moment"
	case codec.ExtRef:
		return "a reference"
	case codec.ExtUUID:
		return "a UUID"
	case codec.ExtBigInt:
		return "a big integer"
	case codec.ExtNDArray:
		return "an n-dimensional array"
	case codec.ExtTuple:
		return "a tuple"
	case codec.ExtSet:
		return "a set"
	case codec.ExtFrozenSet:
		return "a frozenset"
	case codec.ExtPickle:
		return "a pickle"
	}
	return fmt.Sprintf("an extension of type %d", h.Ext)
}
