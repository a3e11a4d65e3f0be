package main

import (
	"encoding/base64"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/polyipc/polyipc/codec"
)

// forms read what stands behind a key with a dollar sign; json_write.go has the list.
var forms = map[string]func(v any) (any, bool){
	"$float": func(v any) (any, bool) {
		f, ok := map[any]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1)}[textOf(v)]
		return f, ok
	},
	"$bytes":  func(v any) (any, bool) { return base64Of(v) },
	"$raw":    func(v any) (any, bool) { b, ok := base64Of(v); return rawMessage(b), ok },
	"$pickle": func(v any) (any, bool) { b, ok := base64Of(v); return codec.Pickle(b), ok },
	"$time": func(v any) (any, bool) {
		t, err := time.Parse(time.RFC3339Nano, textOf(v))
		return t, err == nil
	},
	"$uuid":      func(v any) (any, bool) { return uuidOf(v) },
	"$tuple":     func(v any) (any, bool) { l, ok := v.([]any); return codec.Tuple(l), ok },
	"$set":       func(v any) (any, bool) { l, ok := v.([]any); return codec.Set(l), ok },
	"$frozenset": func(v any) (any, bool) { l, ok := v.([]any); return codec.FrozenSet(l), ok },
	"$map": func(v any) (any, bool) {
		list, ok := v.([]any)
		pairs := codec.Pairs{}
		for _, p := range list {
			kv, isPair := p.([]any)
			if !isPair || len(kv) != 2 {
				return nil, false
			}
			pairs = append(pairs, codec.Pair{Key: kv[0], Value: kv[1]})
		}
		return pairs, ok
	},
	"$ref": func(v any) (any, bool) {
		f, ok := fields(v, "kind", "uuid", "name")
		if !ok {
			return nil, false
		}
		kind, isInt := f[0].(int64)
		id, isID := uuidOf(f[1])
		name, isText := f[2].(string)
		return codec.Ref{Kind: uint8(kind), UUID: id, Name: name}, isInt && isID && isText && kind > 0 && kind <= math.MaxUint8
	},
	"$ndarray": func(v any) (any, bool) {
		f, ok := fields(v, "dtype", "shape", "data")
		if !ok {
			return nil, false
		}
		dtype, isText := f[0].(string)
		list, isList := f[1].([]any)
		data, isData := base64Of(f[2])
		shape := make([]int, len(list))
		for i, n := range list {
			size, isInt := n.(int64)
			if !isInt {
				return nil, false
			}
			shape[i] = int(size)
		}
		return codec.NDArray{DType: dtype, Shape: shape, Data: data}, isText && isList && isData
	},
	"$ext": func(v any) (any, bool) {
		f, ok := fields(v, "type", "data")
		if !ok {
			return nil, false
		}
		typ, isInt := f[0].(int64)
		data, isData := base64Of(f[1])
		return codec.Ext{Type: int8(typ), Data: data}, isInt && isData && typ >= math.MinInt8 && typ <= math.MaxInt8
	},
}

func readForm(form string, v any) (any, error) {
	read, known := forms[form]
	if !known {
		return nil, fmt.Errorf("{%q: ...} is no known form; for a map with that one key write {\"$map\": [[%q, ...]]}", form, form)
	}
	value, ok := read(v)
	if !ok {
		return nil, fmt.Errorf("what stands behind %q is not what belongs there: see the manual's table of forms", form)
	}
	return value, nil
}

// fields are the values of an object that has exactly these keys, in their order.
func fields(v any, keys ...string) ([]any, bool) {
	pairs, ok := v.(codec.Pairs)
	if !ok || len(pairs) != len(keys) {
		return nil, false
	}
	list := make([]any, len(keys))
	for i, k := range keys {
		if list[i], ok = pairs.Get(k); !ok {
			return nil, false
		}
	}
	return list, true
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}

func base64Of(v any) ([]byte, bool) {
	s, ok := v.(string)
	if !ok {
		return nil, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	return b, err == nil
}

func uuidOf(v any) (uuid.UUID, bool) {
	s := textOf(v)
	id, err := uuid.Parse(s)
	return id, err == nil && len(s) == 36
}
