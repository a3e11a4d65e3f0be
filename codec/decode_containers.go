package codec

import (
	"math/big"
	"reflect"
)

// asOwn converts what Decode returned to an own type that takes it too.
func asOwn(t reflect.Type, value any) (any, bool) {
	switch t {
	case reflect.TypeFor[Pairs]():
		m, ok := value.(map[string]any)
		pairs := make(Pairs, 0, len(m))
		for k, v := range m {
			pairs = append(pairs, Pair{k, v})
		}
		return pairs, ok
	case reflect.TypeFor[big.Int]():
		switch n := value.(type) {
		case int64:
			return *big.NewInt(n), true
		case uint64:
			return *new(big.Int).SetUint64(n), true
		}
	}
	return nil, false
}

// sequence calls f with the decoder and length of a list, tuple or set.
func sequence(d *decoder, t reflect.Type, f func(d *decoder, n int) error) error {
	tok, err := d.next()
	if err != nil {
		return err
	}
	if tok.kind == kindArray {
		return f(d, tok.len())
	}
	if tok.kind != kindExt || tok.ext != extTuple && tok.ext != extSet && tok.ext != extFrozenSet {
		return mismatch(tok, t)
	}
	in := d.inner(tok)
	if tok.ext != extTuple {
		// Members must be hashable although the Go type asked for does not care.
		probe := in
		if err := probe.skipMembers(); err != nil {
			return err
		}
	}
	head, err := in.members()
	if err == nil {
		err = f(&in, head.len())
	}
	if err == nil {
		err = in.end()
	}
	return err
}

// A slice starts with room for this many bytes and grows as elements really come: the message's
// count is honest about how many there are, but an element may be far larger than its one byte.
const firstRoom = 64 << 10

func sliceDecoder(t reflect.Type) decodeFunc {
	elem, size := decoderOf(t.Elem()), max(1, int(t.Elem().Size()))
	return func(d *decoder, v reflect.Value) error {
		if d.tookNil() {
			v.SetZero()
			return nil
		}
		return sequence(d, t, func(d *decoder, n int) error {
			v.Set(reflect.MakeSlice(t, 0, min(n, max(1, firstRoom/size))))
			d.depth++
			for i := range n {
				if i == v.Cap() {
					v.Grow(1)
				}
				v.SetLen(i + 1)
				if err := elem(d, v.Index(i)); err != nil {
					return atIndex(err, i)
				}
			}
			d.depth--
			return nil
		})
	}
}

func arrayDecoder(t reflect.Type) decodeFunc {
	if isByte(t.Elem()) {
		return func(d *decoder, v reflect.Value) error {
			tok, err := d.expect(kindBin, t)
			if err != nil {
				return err
			}
			if tok.len() != t.Len() {
				return invalid("a bin of %d bytes does not fit %v", tok.n, t)
			}
			reflect.Copy(v, reflect.ValueOf(d.body(tok)))
			return nil
		}
	}
	elem := decoderOf(t.Elem())
	return func(d *decoder, v reflect.Value) error {
		return sequence(d, t, func(d *decoder, n int) error {
			if n != t.Len() {
				return invalid("a list of %d elements does not fit %v", n, t)
			}
			d.depth++
			for i := range n {
				if err := elem(d, v.Index(i)); err != nil {
					return atIndex(err, i)
				}
			}
			d.depth--
			return nil
		})
	}
}

func mapDecoder(t reflect.Type) decodeFunc {
	key, elem := decoderOf(t.Key()), decoderOf(t.Elem())
	simple := isScalar(t.Key().Kind())
	return func(d *decoder, v reflect.Value) error {
		if d.tookNil() {
			v.SetZero()
			return nil
		}
		tok, err := d.expect(kindMap, t)
		if err != nil {
			return err
		}
		if v.IsNil() {
			v.Set(reflect.MakeMapWithSize(t, min(tok.len(), firstRoom/64)))
		}
		d.depth++
		k, e := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		for range tok.len() {
			k.SetZero()
			e.SetZero()
			if !simple {
				probe := *d
				if err := probe.skip(true); err != nil {
					return at(err, ".(key)")
				}
			}
			if err := key(d, k); err != nil {
				return at(err, ".(key)")
			}
			if !k.Comparable() {
				return at(invalid("a Go map cannot have a key that holds a slice or map; decode it as codec.Pairs"), ".(key)")
			}
			if err := elem(d, e); err != nil {
				return atKey(err, k.Interface())
			}
			v.SetMapIndex(k, e)
		}
		d.depth--
		return nil
	}
}

// decodeStrings is mapDecoder for the commonest of maps.
func decodeStrings(d *decoder, v reflect.Value) error {
	if d.tookNil() {
		v.SetZero()
		return nil
	}
	tok, err := d.expect(kindMap, v.Type())
	if err != nil {
		return err
	}
	m := v.Interface().(map[string]string)
	if m == nil {
		m = make(map[string]string, min(tok.len(), firstRoom/64))
		v.Set(reflect.ValueOf(m))
	}
	for range tok.len() {
		var both [2]string
		for i := range both {
			head, err := d.expect(kindStr, v.Type())
			if err != nil {
				return at(err, ".(entry)")
			}
			b, err := d.text(head)
			if err != nil {
				return at(err, ".(entry)")
			}
			both[i] = string(b)
		}
		m[both[0]] = both[1]
	}
	return nil
}

func structDecoder(t reflect.Type) decodeFunc {
	s, err := fieldsOf(t)
	if err != nil {
		return func(*decoder, reflect.Value) error { return invalid("%v", err) }
	}
	decode := make([]decodeFunc, len(s.fields))
	for i, f := range s.fields {
		decode[i] = decoderOf(f.typ)
	}
	return func(d *decoder, v reflect.Value) error {
		tok, err := d.expect(kindMap, t)
		if err != nil {
			return err
		}
		d.depth++
		next := 0 // fields mostly come in their own order, which saves the look-up
		for range tok.len() {
			head, err := d.next()
			if err != nil {
				return err
			}
			if head.kind != kindStr {
				return invalid("the message has %v as a key here; the fields of %v are named by strs", head.kind, t)
			}
			name, err := d.text(head)
			if err != nil {
				return err
			}
			i, known := next, true
			if next >= len(s.fields) || s.fields[next].name != string(name) {
				i, known = s.byName[string(name)]
			}
			if !known {
				if err := d.skip(false); err != nil {
					return at(err, "."+string(name))
				}
				continue
			}
			next = i + 1
			f := &s.fields[i]
			if err := decode[i](d, f.in(v)); err != nil {
				return at(err, "."+f.name)
			}
		}
		d.depth--
		return nil
	}
}
