package codec

import (
	"reflect"
	"sync"
)

// encodeFunc appends v, found inside depth containers, to b.
type encodeFunc func(b []byte, v reflect.Value, depth int) ([]byte, error)

var encoders sync.Map // reflect.Type -> encodeFunc

// encoderOf returns the encoder of a type, made on first use. A type that contains itself meets its
// own unfinished encoder while it is being made, and stores a stand-in that waits for it.
func encoderOf(t reflect.Type) encodeFunc {
	if f, ok := encoders.Load(t); ok {
		return f.(encodeFunc)
	}
	var (
		ready sync.WaitGroup
		made  encodeFunc
	)
	ready.Add(1)
	standIn := encodeFunc(func(b []byte, v reflect.Value, depth int) ([]byte, error) {
		ready.Wait()
		return made(b, v, depth)
	})
	if other, loaded := encoders.LoadOrStore(t, standIn); loaded {
		return other.(encodeFunc)
	}
	made = newEncoder(t)
	ready.Done()
	encoders.Store(t, made)
	return made
}

func newEncoder(t reflect.Type) encodeFunc {
	if f, ok := ownTypes[t]; ok {
		return f
	}
	if t.Kind() == reflect.Pointer && ownTypes[t.Elem()] != nil {
		return pointerEncoder(t) // before *big.Int's MarshalText is found
	}
	if f := customEncoder(t); f != nil {
		return f
	}
	switch t.Kind() {
	case reflect.Bool:
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) { return appendBool(b, v.Bool()), nil }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) { return appendInt(b, v.Int()), nil }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) { return appendUint(b, v.Uint()), nil }
	case reflect.Float32:
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) {
			return appendFloat32(b, float32(v.Float())), nil
		}
	case reflect.Float64:
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) { return appendFloat64(b, v.Float()), nil }
	case reflect.String:
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) { return appendString(b, v.String()) }
	case reflect.Slice:
		return sliceEncoder(t)
	case reflect.Array:
		return arrayEncoder(t)
	case reflect.Map:
		return mapEncoder(t)
	case reflect.Struct:
		return structEncoder(t)
	case reflect.Pointer:
		return pointerEncoder(t)
	case reflect.Interface:
		return nilOr(func(b []byte, v reflect.Value, depth int) ([]byte, error) {
			return encoderOf(v.Elem().Type())(b, v.Elem(), depth)
		})
	}
	return refuse(t)
}

// pointerEncoder goes through the pointer, which is no level of the message. Only a pointer to a
// pointer or interface is counted as one: it may point to itself, and must end somewhere.
func pointerEncoder(t reflect.Type) encodeFunc {
	elem, kind := encoderOf(t.Elem()), t.Elem().Kind()
	counts := kind == reflect.Pointer || kind == reflect.Interface
	return nilOr(func(b []byte, v reflect.Value, depth int) ([]byte, error) {
		if counts {
			if depth >= MaxDepth {
				return b, tooDeep()
			}
			depth++
		}
		return elem(b, v.Elem(), depth)
	})
}

// refuse is the encoder of a type that cannot be carried.
func refuse(t reflect.Type) encodeFunc {
	return func(b []byte, _ reflect.Value, _ int) ([]byte, error) {
		return b, invalid("%v cannot be carried in a message", t)
	}
}

func nilOr(f encodeFunc) encodeFunc {
	return func(b []byte, v reflect.Value, depth int) ([]byte, error) {
		if v.IsNil() {
			return append(b, codeNil), nil
		}
		return f(b, v, depth)
	}
}

func sliceEncoder(t reflect.Type) encodeFunc {
	if isByte(t.Elem()) {
		return nilOr(func(b []byte, v reflect.Value, _ int) ([]byte, error) { return appendBytes(b, v.Bytes()) })
	}
	return nilOr(arrayEncoder(t))
}

// isByte reports whether a slice of t is bytes rather than an array of small integers.
func isByte(t reflect.Type) bool { return t == reflect.TypeFor[byte]() }

func arrayEncoder(t reflect.Type) encodeFunc {
	if t.Kind() == reflect.Array && isByte(t.Elem()) {
		return func(b []byte, v reflect.Value, _ int) ([]byte, error) {
			b, err := appendBytesHeader(b, v.Len())
			for i := range v.Len() {
				b = append(b, byte(v.Index(i).Uint()))
			}
			return b, err
		}
	}
	elem := encoderOf(t.Elem())
	return func(b []byte, v reflect.Value, depth int) ([]byte, error) {
		n := v.Len()
		if err := checkContainer(n, depth); err != nil {
			return b, err
		}
		b = appendArrayHeader(b, n)
		var err error
		for i := range n {
			if b, err = elem(b, v.Index(i), depth+1); err != nil {
				return b, atIndex(err, i)
			}
		}
		return b, nil
	}
}

func mapEncoder(t reflect.Type) encodeFunc {
	switch t {
	case reflect.TypeFor[map[string]any]():
		return nilOr(func(b []byte, v reflect.Value, depth int) ([]byte, error) {
			return appendStringMap(b, v.Interface().(map[string]any), depth)
		})
	case reflect.TypeFor[map[string]string]():
		return nilOr(func(b []byte, v reflect.Value, depth int) ([]byte, error) {
			return appendStrings(b, v.Interface().(map[string]string), depth)
		})
	}
	key, elem := encoderOf(t.Key()), encoderOf(t.Elem())
	simple := isScalar(t.Key().Kind())
	return nilOr(func(b []byte, v reflect.Value, depth int) ([]byte, error) {
		if err := checkContainer(v.Len(), depth); err != nil {
			return b, err
		}
		b = appendMapHeader(b, v.Len())
		// The two are used again for each entry, which saves two allocations an entry.
		k, e := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		for entries := v.MapRange(); entries.Next(); {
			k.SetIterKey(entries)
			e.SetIterValue(entries)
			mark := len(b)
			var err error
			if b, err = key(b, k, depth+1); err == nil && !simple {
				err = checkKey(b[mark:], depth+1)
			}
			if err == nil {
				b, err = elem(b, e, depth+1)
			}
			if err != nil {
				return b, atKey(err, k.Interface())
			}
		}
		return b, nil
	})
}

func appendStrings(b []byte, m map[string]string, depth int) ([]byte, error) {
	if err := checkContainer(len(m), depth); err != nil {
		return b, err
	}
	b = appendMapHeader(b, len(m))
	var err error
	for k, v := range m {
		if b, err = appendString(b, k); err == nil {
			b, err = appendString(b, v)
		}
		if err != nil {
			return b, atKey(err, k)
		}
	}
	return b, nil
}

// isScalar reports whether values of a kind can always be keys.
func isScalar(k reflect.Kind) bool {
	return k >= reflect.Bool && k <= reflect.Float64 || k == reflect.String
}

func structEncoder(t reflect.Type) encodeFunc {
	s, err := fieldsOf(t)
	if err != nil {
		return func(b []byte, _ reflect.Value, _ int) ([]byte, error) { return b, invalid("%v", err) }
	}
	encode := make([]encodeFunc, len(s.fields))
	for i, f := range s.fields {
		encode[i] = encoderOf(f.typ)
	}
	return func(b []byte, v reflect.Value, depth int) ([]byte, error) {
		n := len(s.fields)
		if s.omits {
			n = 0
			for i := range s.fields {
				if !s.fields[i].skipped(v) {
					n++
				}
			}
		}
		if err := checkContainer(n, depth); err != nil {
			return b, err
		}
		b = appendMapHeader(b, n)
		for i := range s.fields {
			f := &s.fields[i]
			if f.skipped(v) {
				continue
			}
			b = append(b, f.wireName...)
			var err error
			if b, err = encode[i](b, f.in(v), depth+1); err != nil {
				return b, at(err, "."+f.name)
			}
		}
		return b, nil
	}
}
