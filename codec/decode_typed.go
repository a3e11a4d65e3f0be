package codec

import (
	"math"
	"reflect"
	"sync"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Unmarshal stores the value of a message in what v points to.
//
// It takes the types that Marshal takes, by the same tags and methods, and converts nothing that
// would change the value: a str goes only to a string, a bin only to bytes, an integer only to a
// type that holds it (also a float that represents it exactly), a float only to a float, where
// float32 rounds. nil goes to pointers, slices, maps and interfaces. Lists, tuples and sets go to
// slices, and to arrays of exactly their length. Fields that a struct does not have are checked and
// passed over; fields that the message does not have keep their value. An interface{} gets what
// Decode returns. On failure *v may be partly filled in.
//
// Invalid and TooLarge as with Decode; also Invalid for values that do not fit their Go type, and
// for v that is no pointer or nil.
func Unmarshal(data []byte, v any) error { return UnmarshalReceived(data, 0, v) }

// UnmarshalReceived is Unmarshal for a message that came with a receipt; see Ref.
func UnmarshalReceived(data []byte, receipt uint32, v any) error {
	const op = "decode message"
	if err := checkSize(op, data); err != nil {
		return err
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return &ipcerr.Error{Op: op, Code: ipcerr.Invalid, Hint: "the destination must be a pointer and not nil"}
	}
	d := newReader(data)
	d.receipt = receipt
	err := decoderOf(rv.Type().Elem())(d, rv.Elem())
	if err == nil {
		err = d.end()
	}
	d.release()
	return public(op, err)
}

// decodeFunc stores the next value in v, which can be set.
type decodeFunc func(d *decoder, v reflect.Value) error

var typedDecoders sync.Map // reflect.Type -> decodeFunc

// decoderOf is encoderOf's counterpart.
func decoderOf(t reflect.Type) decodeFunc {
	if f, ok := typedDecoders.Load(t); ok {
		return f.(decodeFunc)
	}
	var (
		ready sync.WaitGroup
		made  decodeFunc
	)
	ready.Add(1)
	standIn := decodeFunc(func(d *decoder, v reflect.Value) error {
		ready.Wait()
		return made(d, v)
	})
	if other, loaded := typedDecoders.LoadOrStore(t, standIn); loaded {
		return other.(decodeFunc)
	}
	made = newDecoder(t)
	ready.Done()
	typedDecoders.Store(t, made)
	return made
}

func newDecoder(t reflect.Type) decodeFunc {
	if ownTypes[t] != nil {
		return ownDecoder(t)
	}
	if f := customDecoder(t); f != nil {
		return f
	}
	switch t.Kind() {
	case reflect.Bool:
		return func(d *decoder, v reflect.Value) error {
			tok, err := d.expect(kindBool, t)
			v.SetBool(tok.n != 0)
			return err
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return decodeInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return decodeUint
	case reflect.Float32, reflect.Float64:
		return decodeFloat
	case reflect.String:
		return func(d *decoder, v reflect.Value) error {
			tok, err := d.expect(kindStr, t)
			if err != nil {
				return err
			}
			b, err := d.text(tok)
			v.SetString(string(b))
			return err
		}
	case reflect.Slice:
		if isByte(t.Elem()) {
			return decodeBytes
		}
		return sliceDecoder(t)
	case reflect.Array:
		return arrayDecoder(t)
	case reflect.Map:
		if t == reflect.TypeFor[map[string]string]() {
			return decodeStrings
		}
		return mapDecoder(t)
	case reflect.Struct:
		return structDecoder(t)
	case reflect.Pointer:
		if endless(t) {
			break
		}
		elem := decoderOf(t.Elem())
		return func(d *decoder, v reflect.Value) error {
			if d.tookNil() {
				v.SetZero()
				return nil
			}
			if v.IsNil() {
				v.Set(reflect.New(t.Elem()))
			}
			return elem(d, v.Elem())
		}
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return decodeAny
		}
	}
	return func(*decoder, reflect.Value) error { return invalid("%v cannot take a value from a message", t) }
}

// endless reports whether t is a pointer type that points to itself, such as type P *P, and so to no
// value at all.
func endless(t reflect.Type) bool {
	seen := map[reflect.Type]bool{}
	for ; t.Kind() == reflect.Pointer; t = t.Elem() {
		if seen[t] {
			return true
		}
		seen[t] = true
	}
	return false
}

// tookNil reads a nil if one comes next.
func (d *decoder) tookNil() bool {
	if d.left() == 0 || d.data[d.pos] != codeNil {
		return false
	}
	d.pos++
	d.owed--
	return true
}

func decodeAny(d *decoder, v reflect.Value) error {
	value, err := d.value(false)
	if value == nil {
		v.SetZero()
	} else {
		v.Set(reflect.ValueOf(value))
	}
	return err
}

// ownDecoder goes by way of Decode's value, which for these types is the type itself.
func ownDecoder(t reflect.Type) decodeFunc {
	return func(d *decoder, v reflect.Value) error {
		value, err := d.value(false)
		if err != nil {
			return err
		}
		if rv := reflect.ValueOf(value); rv.IsValid() {
			// Decode's pointer type is *big.Int, its map with string keys no Pairs: bring both over.
			if rv.Kind() == reflect.Pointer {
				rv = rv.Elem()
			}
			if rv.Type() == t {
				v.Set(rv)
				return nil
			}
			if value, ok := asOwn(t, value); ok {
				v.Set(reflect.ValueOf(value))
				return nil
			}
		} else if v.Kind() == reflect.Slice {
			v.SetZero()
			return nil
		}
		return invalid("the message has %T here, which %v cannot take", value, t)
	}
}

func decodeInt(d *decoder, v reflect.Value) error {
	tok, err := d.next()
	switch {
	case err != nil:
		return err
	case tok.kind == kindInt || tok.kind == kindUint && tok.n <= math.MaxInt64:
		if n := int64(tok.n); !v.OverflowInt(n) {
			v.SetInt(n)
			return nil
		}
		return invalid("integer %d does not fit %v", int64(tok.n), v.Type())
	case tok.kind == kindUint:
		return invalid("integer %d does not fit %v", tok.n, v.Type())
	}
	return mismatch(tok, v.Type())
}

func decodeUint(d *decoder, v reflect.Value) error {
	tok, err := d.next()
	switch {
	case err != nil:
		return err
	case tok.kind == kindUint && !v.OverflowUint(tok.n):
		v.SetUint(tok.n)
		return nil
	case tok.kind == kindUint:
		return invalid("integer %d does not fit %v", tok.n, v.Type())
	case tok.kind == kindInt:
		return invalid("integer %d does not fit %v", int64(tok.n), v.Type())
	}
	return mismatch(tok, v.Type())
}

func decodeFloat(d *decoder, v reflect.Value) error {
	tok, err := d.next()
	if err != nil {
		return err
	}
	var f float64
	switch tok.kind {
	case kindFloat:
		f = math.Float64frombits(tok.n)
		if !math.IsInf(f, 0) && v.OverflowFloat(f) {
			return invalid("float %v does not fit %v", f, v.Type())
		}
	case kindUint, kindInt:
		// Integers come where a Python program writes 1 for 1.0. 2^24 and 2^53: exact up to there.
		limit := int64(1) << 53
		if v.Kind() == reflect.Float32 {
			limit = 1 << 24
		}
		n := int64(tok.n)
		if tok.kind == kindUint && n < 0 || n > limit || n < -limit {
			return invalid("the message has an integer here that %v cannot represent", v.Type())
		}
		f = float64(n)
	default:
		return mismatch(tok, v.Type())
	}
	v.SetFloat(f)
	return nil
}

func decodeBytes(d *decoder, v reflect.Value) error {
	if d.tookNil() {
		v.SetZero()
		return nil
	}
	tok, err := d.expect(kindBin, v.Type())
	if err == nil {
		v.SetBytes(append(v.Bytes()[:0:0], d.body(tok)...))
		if tok.n == 0 {
			v.SetBytes([]byte{})
		}
	}
	return err
}
