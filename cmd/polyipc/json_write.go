package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/polyipc/polyipc/codec"
)

// The notation: a value of a message as JSON, and back (json_read.go), without loss.
//
//	nil, bool, str, array          as in JSON
//	integer                        a number without point or exponent, of any length
//	float                          a number with a point or an exponent; {"$float": "NaN"}, "Infinity", "-Infinity"
//	bytes                          {"$bytes": BASE64}
//	map with str keys              an object, keys sorted
//	other maps, and those that would be mistaken for a form of this list
//	                               {"$map": [[KEY, VALUE], ...]}
//	timestamp                      {"$time": "2026-01-02T03:04:05.678Z"}
//	UUID                           {"$uuid": "..."}
//	tuple, set, frozenset          {"$tuple": [...]}, {"$set": [...]}, {"$frozenset": [...]}
//	reference to an object         {"$ref": {"kind": 2, "uuid": "...", "name": "..."}}
//	array of numbers               {"$ndarray": {"dtype": "<f8", "shape": [2, 3], "data": BASE64}}
//	pickle                         {"$pickle": BASE64}
//	other extension types          {"$ext": {"type": 5, "data": BASE64}}
//	a whole message of raw bytes   {"$raw": BASE64}
//
// An object is a form if its only key begins with a dollar sign.

// appendValue appends v, as codec.Decode returns it, to b.
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case uint64:
		return strconv.AppendUint(b, v, 10)
	case *big.Int:
		return v.Append(b, 10)
	case float64:
		return appendFloat(b, v)
	case string:
		return appendString(b, v)
	case []byte:
		return appendForm(b, "$bytes", base64.StdEncoding.EncodeToString(v))
	case []any:
		return appendList(b, v)
	case map[string]any:
		return appendObject(b, v)
	case codec.Pairs:
		pairs := make([]any, len(v))
		for i, p := range v {
			pairs[i] = []any{p.Key, p.Value}
		}
		return appendForm(b, "$map", pairs)
	case time.Time:
		return appendForm(b, "$time", v.UTC().Format(time.RFC3339Nano))
	case uuid.UUID:
		return appendForm(b, "$uuid", v.String())
	case codec.Tuple:
		return appendForm(b, "$tuple", []any(v))
	case codec.Set:
		return appendForm(b, "$set", []any(v))
	case codec.FrozenSet:
		return appendForm(b, "$frozenset", []any(v))
	case codec.Ref:
		return appendForm(b, "$ref", map[string]any{"kind": int64(v.Kind), "uuid": v.UUID.String(), "name": v.Name})
	case codec.NDArray:
		shape := make([]any, len(v.Shape))
		for i, n := range v.Shape {
			shape[i] = int64(n)
		}
		return appendForm(b, "$ndarray", map[string]any{"dtype": v.DType, "shape": shape, "data": base64.StdEncoding.EncodeToString(v.Data)})
	case codec.Pickle:
		return appendForm(b, "$pickle", base64.StdEncoding.EncodeToString(v))
	case codec.Ext:
		return appendForm(b, "$ext", map[string]any{"type": int64(v.Type), "data": base64.StdEncoding.EncodeToString(v.Data)})
	}
	panic(fmt.Sprintf("codec.Decode returned a %T, which has no notation", v))
}

func appendForm(b []byte, form string, v any) []byte {
	b = appendString(append(b, '{'), form)
	return append(appendValue(append(b, ':'), v), '}')
}

func appendList(b []byte, list []any) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, v)
	}
	return append(b, ']')
}

func appendObject(b []byte, m map[string]any) []byte {
	if isForm(m) {
		// No form of ours has other than its own key, and none of the nested ones has a single key.
		for k, v := range m {
			return appendForm(b, "$map", []any{[]any{k, v}})
		}
	}
	b = append(b, '{')
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(append(appendString(b, k), ':'), m[k])
	}
	return append(b, '}')
}

// isForm reports whether the object would be read as a form.
func isForm(m map[string]any) bool {
	for k := range m {
		return len(m) == 1 && strings.HasPrefix(k, "$")
	}
	return false
}

// appendFloat writes the shortest digits that give the same float again, and never the look of an
// integer.
func appendFloat(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return appendForm(b, "$float", "NaN")
	case math.IsInf(f, 0):
		return appendForm(b, "$float", map[bool]string{true: "Infinity", false: "-Infinity"}[f > 0])
	}
	form := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-5 || size >= 1e16) {
		form = 'e'
	}
	mark := len(b)
	b = strconv.AppendFloat(b, f, form, -1, 64)
	if !bytes.ContainsAny(b[mark:], ".e") {
		b = append(b, ".0"...)
	}
	return b
}

// appendString writes a string that is valid UTF-8, without escapes that only HTML needs.
func appendString(b []byte, s string) []byte {
	w := bytes.NewBuffer(b)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // neither a string nor a buffer fails
	b = w.Bytes()
	return b[:len(b)-1] // without the newline
}
