package codec

import (
	"reflect"

	"github.com/google/uuid"
)

// Ext types -1 to -128 belong to MessagePack; of these only the timestamp is defined. We hold 96 to
// 127; below that, numbers are the application's own and are carried as Ext.
const (
	extTimestamp = -1

	extReserved  = 96 // first of ours
	extRef       = 100
	extUUID      = 101
	extBigInt    = 102
	extNDArray   = 103
	extTuple     = 104
	extSet       = 105
	extFrozenSet = 106
	extPickle    = 107
)

// Ref names an object of the same root: a queue inside a message, say.
type Ref struct {
	Kind uint8     // 1 to 255; docs/spec/codec.md lists the kinds
	UUID uuid.UUID // of the object, so that a later object of the same name is not mistaken for it
	Name string    // 0 to 128 of [A-Za-z0-9._-]

	// Receipt is no part of the value: it says by which message of this process the reference came, so that
	// the object which that message holds is found. 0: by none.
	Receipt uint32
}

// NDArray is an n-dimensional array of numbers in C order (the last index varies fastest).
type NDArray struct {
	DType string // numpy's: byte order '<', '>' or '|', kind b i u f c, bytes an element; "<f8"
	Shape []int  // 0 to 32 dimensions
	Data  []byte // as many bytes as shape and type ask for
}

// Tuple is a Python tuple. It decodes from a tuple only; a typed slice takes tuples and lists.
type Tuple []any

// Set is a Python set. Members are in the order of the message; readers do not look for doubles.
type Set []any

// FrozenSet is a Python frozenset.
type FrozenSet []any

// Pickle is an object pickled by Python. Go carries it unopened.
type Pickle []byte

// Ext is an extension type of the application, numbered 0 to 95.
type Ext struct {
	Type int8
	Data []byte
}

// Pair is an entry of Pairs.
type Pair struct{ Key, Value any }

// Pairs is a map that has keys other than strings, in the order of the message.
type Pairs []Pair

// Get returns the last value whose key equals key, as Python's dict would: an integer key may be
// given as any integer type. The search is linear.
func (p Pairs) Get(key any) (value any, ok bool) {
	key = plainInt(key)
	for i := len(p) - 1; i >= 0; i-- {
		if reflect.DeepEqual(plainInt(p[i].Key), key) {
			return p[i].Value, true
		}
	}
	return nil, false
}

// plainInt gives an integer of any type the one Go type Decode would give it.
func plainInt(v any) any {
	switch rv := reflect.ValueOf(v); {
	case rv.CanInt():
		return rv.Int()
	case rv.CanUint() && rv.Uint() < 1<<63:
		return int64(rv.Uint())
	case rv.CanUint():
		return rv.Uint()
	}
	return v
}
