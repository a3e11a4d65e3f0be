package codec

import (
	"math"
	"math/big"
	"reflect"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Marshal returns v as a message.
//
// A struct becomes a map of its exported fields, in their order; the tag `msgpack:"name,omitempty"`
// renames a field and leaves it out when it is zero, "-" leaves it out always, and an embedded
// struct's fields stand among its parent's. Nil pointers, slices and maps become nil. Types that
// implement RefMarshaler, msgpack.CustomEncoder or msgpack.Marshaler, encoding.BinaryMarshaler (bin) or
// encoding.TextMarshaler (str) speak for themselves, in this order.
//
// Invalid: a type that cannot be carried (channels, functions, complex numbers), a string that is
// not UTF-8, a time outside the years 1 to 9999. TooLarge: more than MaxDepth levels, which is also
// how a value that contains itself ends, or MaxSize bytes.
func Marshal(v any) ([]byte, error) {
	// Encoding in a pooled buffer and copying once is cheaper than growing a fresh one.
	buf := buffers.Get().(*[]byte)
	b, err := Append((*buf)[:0], v)
	var out []byte
	if err == nil {
		out = append(make([]byte, 0, len(b)), b...)
	}
	if cap(b) <= maxPooled {
		*buf = b[:0]
		buffers.Put(buf)
	}
	return out, err
}

// maxPooled keeps one huge message from holding its memory for ever.
const maxPooled = 64 << 10

var buffers = sync.Pool{New: func() any { return new(make([]byte, 0, 512)) }}

// Append appends v as a message to dst and returns the extended slice; see Marshal. On failure it
// returns dst as it was. Given a pointer to a struct it allocates nothing once dst is large enough.
func Append(dst []byte, v any) ([]byte, error) {
	b, err := appendAny(dst, v, 0)
	if err == nil && uint64(len(b)-len(dst)) > MaxSize {
		err = tooLarge("the message has %d bytes; the limit is %d", len(b)-len(dst), uint32(MaxSize))
	}
	if err != nil {
		return dst, public("encode message", err)
	}
	return b, nil
}

// appendAny appends a value of a type unknown at compile time. depth counts the containers around
// it. The cases are those that messages mostly hold; the rest goes by reflection.
func appendAny(b []byte, v any, depth int) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, codeNil), nil
	case bool:
		return appendBool(b, v), nil
	case int:
		return appendInt(b, int64(v)), nil
	case int64:
		return appendInt(b, v), nil
	case uint64:
		return appendUint(b, v), nil
	case float64:
		return appendFloat64(b, v), nil
	case string:
		return appendString(b, v)
	case []byte:
		if v == nil {
			return append(b, codeNil), nil
		}
		return appendBytes(b, v)
	case []any:
		if v == nil {
			return append(b, codeNil), nil
		}
		return appendList(b, v, depth)
	case map[string]any:
		if v == nil {
			return append(b, codeNil), nil
		}
		return appendStringMap(b, v, depth)
	}
	rv := reflect.ValueOf(v)
	return encoderOf(rv.Type())(b, rv, depth)
}

func appendList(b []byte, list []any, depth int) ([]byte, error) {
	if err := checkContainer(len(list), depth); err != nil {
		return b, err
	}
	b = appendArrayHeader(b, len(list))
	var err error
	for i, v := range list {
		if b, err = appendAny(b, v, depth+1); err != nil {
			return b, atIndex(err, i)
		}
	}
	return b, nil
}

func appendStringMap(b []byte, m map[string]any, depth int) ([]byte, error) {
	if err := checkContainer(len(m), depth); err != nil {
		return b, err
	}
	b = appendMapHeader(b, len(m))
	var err error
	for k, v := range m {
		if b, err = appendString(b, k); err == nil {
			b, err = appendAny(b, v, depth+1)
		}
		if err != nil {
			return b, atKey(err, k)
		}
	}
	return b, nil
}

func appendPairs(b []byte, pairs Pairs, depth int) ([]byte, error) {
	if err := checkContainer(len(pairs), depth); err != nil {
		return b, err
	}
	b = appendMapHeader(b, len(pairs))
	var err error
	for i := range pairs {
		p := &pairs[i]
		mark := len(b)
		if b, err = appendAny(b, p.Key, depth+1); err == nil {
			if err = checkKey(b[mark:], depth+1); err == nil {
				b, err = appendAny(b, p.Value, depth+1)
			}
		}
		if err != nil {
			return b, atKey(err, p.Key)
		}
	}
	return b, nil
}

func checkContainer(n, depth int) error {
	if depth >= MaxDepth {
		return tooDeep()
	}
	if uint64(n) > math.MaxUint32 {
		return tooLarge("%d elements; the limit is %d", n, uint32(math.MaxUint32))
	}
	return nil
}

// appendMembers appends a Tuple, Set or FrozenSet: an extension whose body is an array.
func appendMembers(b []byte, typ int8, members []any, depth int) ([]byte, error) {
	mark := len(b)
	b, err := appendList(b, members, depth)
	if err != nil {
		return b, err
	}
	if typ != extTuple {
		d := decoder{data: b[mark:], owed: 1, depth: depth}
		if err := d.skipMembers(); err != nil {
			return b, err
		}
	}
	return wrapExt(b, mark, typ)
}

// checkKey refuses a key, already encoded, that Python could not hash.
func checkKey(key []byte, depth int) error {
	d := decoder{data: key, owed: 1, depth: depth}
	return d.skip(true)
}

func appendNDArray(b []byte, a NDArray) ([]byte, error) {
	if err := a.check(); err != nil {
		return b, err
	}
	mark := len(b)
	b, err := appendString(b, a.DType)
	if err != nil {
		return b, err
	}
	b = appendArrayHeader(b, len(a.Shape))
	for _, n := range a.Shape {
		b = appendUint(b, uint64(n))
	}
	if b, err = appendBytesHeader(b, len(a.Data)); err != nil {
		return b, err
	}
	// The header first, then the data, which may be large and so is copied only once.
	var room [6]byte
	header, err := appendExtHeader(room[:0], extNDArray, len(b)-mark+len(a.Data))
	if err != nil {
		return b, err
	}
	b = append(b, header...)
	copy(b[mark+len(header):], b[mark:len(b)-len(header)])
	copy(b[mark:], header)
	return append(b, a.Data...), nil
}

func appendExt(b []byte, e Ext) ([]byte, error) {
	if e.Type < 0 || e.Type >= extReserved {
		return b, invalid("extension type %d; those of applications are 0 to %d", e.Type, extReserved-1)
	}
	return appendExtBody(b, e.Type, e.Data)
}

func appendUUID(b []byte, u uuid.UUID) []byte {
	return append(append(b, codeFixExt16, extUUID), u[:]...)
}

// ownTypes are the types that have a meaning of their own in messages, whatever their kind is.
var ownTypes map[reflect.Type]encodeFunc

// The table is filled in by init because its functions lead back to it.
func init() {
	ownTypes = map[reflect.Type]encodeFunc{
		reflect.TypeFor[uuid.UUID](): own(func(b []byte, u *uuid.UUID, _ int) ([]byte, error) {
			return appendUUID(b, *u), nil
		}),
		reflect.TypeFor[time.Time](): own(func(b []byte, t *time.Time, _ int) ([]byte, error) {
			return appendTime(b, *t)
		}),
		reflect.TypeFor[big.Int](): own(func(b []byte, n *big.Int, _ int) ([]byte, error) { return appendBig(b, n) }),
		reflect.TypeFor[Ref]():     own(func(b []byte, r *Ref, _ int) ([]byte, error) { return appendRef(b, *r) }),
		reflect.TypeFor[NDArray](): own(func(b []byte, a *NDArray, _ int) ([]byte, error) { return appendNDArray(b, *a) }),
		reflect.TypeFor[Ext]():     own(func(b []byte, e *Ext, _ int) ([]byte, error) { return appendExt(b, *e) }),
		reflect.TypeFor[Pickle](): own(func(b []byte, p *Pickle, depth int) ([]byte, error) {
			if depth > 0 {
				return b, invalid("a pickle inside of something else; it is always a whole message")
			}
			return appendExtBody(b, extPickle, *p)
		}),
		reflect.TypeFor[Tuple](): own(func(b []byte, t *Tuple, depth int) ([]byte, error) {
			return appendMembers(b, extTuple, *t, depth)
		}),
		reflect.TypeFor[Set](): own(func(b []byte, s *Set, depth int) ([]byte, error) {
			return appendMembers(b, extSet, *s, depth)
		}),
		reflect.TypeFor[FrozenSet](): own(func(b []byte, s *FrozenSet, depth int) ([]byte, error) {
			return appendMembers(b, extFrozenSet, *s, depth)
		}),
		reflect.TypeFor[Pairs](): own(func(b []byte, p *Pairs, depth int) ([]byte, error) {
			return appendPairs(b, *p, depth)
		}),
	}
}

// own makes an encodeFunc of a function for one type. A value that has an address isn't copied to
// the heap.
func own[T any](f func(b []byte, v *T, depth int) ([]byte, error)) encodeFunc {
	return func(b []byte, v reflect.Value, depth int) ([]byte, error) {
		if v.CanAddr() {
			return f(b, v.Addr().Interface().(*T), depth)
		}
		t := v.Interface().(T)
		return f(b, &t, depth)
	}
}
