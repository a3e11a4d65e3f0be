package codec

import (
	"bytes"
	"encoding"
	"reflect"

	"github.com/vmihailenco/msgpack/v5"
)

// RefMarshaler is a type that stands for an object elsewhere: it is carried as the reference.
type RefMarshaler interface{ MarshalRef() (Ref, error) }

// RefUnmarshaler is its counterpart, a pointer that takes a reference.
type RefUnmarshaler interface{ UnmarshalRef(Ref) error }

// Types that speak for themselves keep doing so here as they do in package msgpack, by the same
// methods and in the same order. What they write is checked like a message from a stranger.

// customEncoder returns the encoder of a type with such methods, or nil. Methods on the pointer
// count too: a value without an address is copied to have one.
func customEncoder(t reflect.Type) encodeFunc {
	if t.Kind() == reflect.Interface {
		return nil // its dynamic value decides
	}
	if f := encoderByMethod(t); f != nil {
		if t.Kind() == reflect.Pointer {
			return nilOr(f)
		}
		return f
	}
	f := encoderByMethod(reflect.PointerTo(t))
	if f == nil || t.Kind() == reflect.Pointer {
		return nil
	}
	return func(b []byte, v reflect.Value, depth int) ([]byte, error) {
		if !v.CanAddr() {
			copied := reflect.New(t).Elem()
			copied.Set(v)
			v = copied
		}
		return f(b, v.Addr(), depth)
	}
}

func encoderByMethod(t reflect.Type) encodeFunc {
	switch {
	case t.Implements(reflect.TypeFor[RefMarshaler]()):
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) {
			r, err := v.Interface().(RefMarshaler).MarshalRef()
			if err != nil {
				return b, failed(t.String()+".MarshalRef", err)
			}
			return appendRef(b, r)
		}
	case t.Implements(reflect.TypeFor[msgpack.CustomEncoder]()):
		return func(b []byte, v reflect.Value, depth int) ([]byte, error) {
			var out bytes.Buffer
			enc := msgpack.GetEncoder()
			defer msgpack.PutEncoder(enc)
			enc.Reset(&out)
			if err := v.Interface().(msgpack.CustomEncoder).EncodeMsgpack(enc); err != nil {
				return b, failed(t.String()+".EncodeMsgpack", err)
			}
			return appendForeign(b, t, out.Bytes(), depth)
		}
	case t.Implements(reflect.TypeFor[msgpack.Marshaler]()):
		return func(b []byte, v reflect.Value, depth int) ([]byte, error) {
			out, err := v.Interface().(msgpack.Marshaler).MarshalMsgpack()
			if err != nil {
				return b, failed(t.String()+".MarshalMsgpack", err)
			}
			return appendForeign(b, t, out, depth)
		}
	case t.Implements(reflect.TypeFor[encoding.BinaryMarshaler]()):
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) {
			out, err := v.Interface().(encoding.BinaryMarshaler).MarshalBinary()
			if err != nil {
				return b, failed(t.String()+".MarshalBinary", err)
			}
			return appendBytes(b, out)
		}
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) {
			out, err := v.Interface().(encoding.TextMarshaler).MarshalText()
			if err != nil {
				return b, failed(t.String()+".MarshalText", err)
			}
			return appendString(b, string(out))
		}
	}
	return nil
}

// appendForeign appends what a method wrote, if that is exactly one value that we carry.
func appendForeign(b []byte, t reflect.Type, value []byte, depth int) ([]byte, error) {
	d := decoder{data: value, owed: 1, depth: depth}
	err := d.skip(false)
	if err == nil {
		err = d.end()
	}
	if err != nil {
		return b, failed("what "+t.String()+" wrote of itself is no message: encoding", err)
	}
	return append(b, value...), nil
}

// customDecoder is the counterpart of customEncoder; its methods are always on the pointer.
func customDecoder(t reflect.Type) decodeFunc {
	p := reflect.PointerTo(t)
	switch {
	case t.Kind() == reflect.Interface || t.Kind() == reflect.Pointer:
		return nil // the element's methods are found when the pointer is followed
	case p.Implements(reflect.TypeFor[RefUnmarshaler]()):
		return func(d *decoder, v reflect.Value) error {
			value, err := d.value(false)
			if err != nil {
				return err
			}
			r, ok := value.(Ref)
			if !ok {
				return invalid("the message has %T here, which is no reference to a %v", value, t)
			}
			if err := v.Addr().Interface().(RefUnmarshaler).UnmarshalRef(r); err != nil {
				return failed(p.String()+".UnmarshalRef", err)
			}
			return nil
		}
	case p.Implements(reflect.TypeFor[msgpack.CustomDecoder]()):
		return func(d *decoder, v reflect.Value) error {
			value, err := d.raw()
			if err != nil {
				return err
			}
			dec := msgpack.GetDecoder()
			defer msgpack.PutDecoder(dec)
			dec.Reset(bytes.NewReader(value))
			if err := v.Addr().Interface().(msgpack.CustomDecoder).DecodeMsgpack(dec); err != nil {
				return failed(p.String()+".DecodeMsgpack", err)
			}
			return nil
		}
	case p.Implements(reflect.TypeFor[msgpack.Unmarshaler]()):
		return func(d *decoder, v reflect.Value) error {
			value, err := d.raw()
			if err != nil {
				return err
			}
			if err := v.Addr().Interface().(msgpack.Unmarshaler).UnmarshalMsgpack(bytes.Clone(value)); err != nil {
				return failed(p.String()+".UnmarshalMsgpack", err)
			}
			return nil
		}
	case p.Implements(reflect.TypeFor[encoding.BinaryUnmarshaler]()):
		return func(d *decoder, v reflect.Value) error {
			tok, err := d.expect(kindBin, t)
			if err != nil {
				return err
			}
			if err := v.Addr().Interface().(encoding.BinaryUnmarshaler).UnmarshalBinary(d.body(tok)); err != nil {
				return failed(p.String()+".UnmarshalBinary", err)
			}
			return nil
		}
	case p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return func(d *decoder, v reflect.Value) error {
			tok, err := d.expect(kindStr, t)
			if err != nil {
				return err
			}
			text, err := d.text(tok)
			if err != nil {
				return err
			}
			if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(text); err != nil {
				return failed(p.String()+".UnmarshalText", err)
			}
			return nil
		}
	}
	return nil
}
