package segment

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/polyipc/polyipc/runtime/internal/layout"
)

// This file holds formats against Go's types.

// codes are the kinds of Go's types that are as good as a type code.
var codes = map[reflect.Kind][]string{
	reflect.Bool: {"?"}, reflect.Int8: {"b"}, reflect.Uint8: {"B", "c"}, reflect.Int16: {"h"}, reflect.Uint16: {"H"},
	reflect.Int32: {"i", "w"}, reflect.Uint32: {"I", "w"}, reflect.Int64: {"q"}, reflect.Uint64: {"Q"},
	reflect.Int: {"q"}, reflect.Uint: {"Q"}, reflect.Float32: {"f"}, reflect.Float64: {"d"},
	reflect.Complex64: {"Zf"}, reflect.Complex128: {"Zd"},
}

// FormatOf is the format of values of T, for [Options.Format]: of numbers, bools, arrays and structs. A struct's
// fields have the names that they have in Go; those called _ are padding. An error says what of T has no format.
func FormatOf[T any]() (string, error) {
	it, err := itemOf(reflect.TypeFor[T]())
	if err == nil {
		if n := len(it.String()); n > layout.MaxFormat {
			err = fmt.Errorf("the format of %v has %d bytes: at most %d are possible", reflect.TypeFor[T](), n, layout.MaxFormat)
		}
	}
	if err != nil {
		return "", err
	}
	return it.String(), nil
}

// itemOf is the format of a Go type.
func itemOf(t reflect.Type) (it item, err error) {
	switch t.Kind() {
	case reflect.Array:
		if it, err = itemOf(t.Elem()); err == nil && t.Len() == 0 {
			err = fmt.Errorf("%v has no elements", t)
		}
		it.dims = append([]int64{int64(t.Len())}, it.dims...)
	case reflect.Struct:
		it.code = "T"
		for i := range t.NumField() {
			f := t.Field(i)
			if f.Name == "_" {
				continue
			}
			of, err := itemOf(f.Type)
			if err != nil {
				return it, fmt.Errorf("field %s: %w", f.Name, err)
			}
			it.fields = append(it.fields, field{f.Name, int64(f.Offset), of})
		}
		if len(it.fields) == 0 {
			err = fmt.Errorf("%v has no fields", t)
		}
	default:
		code, ok := codes[t.Kind()]
		if !ok {
			return it, fmt.Errorf("a %v can't lie in shared memory", t)
		}
		it.code, it.order = code[0], '<'
	}
	it.size, it.align = int64(t.Size()), int64(t.Align())
	return it, err
}

// fits says why a T can't be used to look at items of this format; nil if it can. Field names are not
// compared, only what lies where.
func (it *item) fits(t reflect.Type) error {
	if err := it.same(t, it.dims); err != nil {
		return fmt.Errorf("%v is not %q: %w", t, it, err)
	}
	return nil
}

func (it *item) same(t reflect.Type, dims []int64) error {
	if len(dims) > 0 || it.code == "s" && t.Kind() == reflect.Array {
		n := it.length
		if len(dims) > 0 {
			n = dims[0]
		}
		if t.Kind() != reflect.Array || int64(t.Len()) != n {
			return fmt.Errorf("%v is no array of %d", t, n)
		}
		if len(dims) > 0 {
			return it.same(t.Elem(), dims[1:])
		}
		if t.Elem().Kind() != reflect.Uint8 {
			return fmt.Errorf("%v is no array of bytes", t)
		}
		return nil
	}
	if it.code != "T" {
		for _, code := range codes[t.Kind()] {
			if code == it.code && it.order == '<' {
				return nil
			}
		}
		return fmt.Errorf("%v is no %c%s", t, it.order, it.code)
	}
	if t.Kind() != reflect.Struct || int64(t.Size()) != it.one() {
		return fmt.Errorf("%v is no structure of %d bytes", t, it.one())
	}
	i := 0
	for n := range t.NumField() {
		f := t.Field(n)
		if f.Name == "_" {
			continue
		}
		if i == len(it.fields) || it.fields[i].offset != int64(f.Offset) {
			return fmt.Errorf("nothing begins at byte %d, where %v has %s", f.Offset, t, f.Name)
		}
		of := &it.fields[i].item
		if err := of.same(f.Type, of.dims); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		i++
	}
	if i < len(it.fields) {
		return fmt.Errorf("%v has nothing at byte %d", t, it.fields[i].offset)
	}
	return nil
}

// plain refuses types with pointers, which mean nothing to another process.
func plain(t reflect.Type) error {
	switch t.Kind() {
	case reflect.Array:
		return plain(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if err := plain(t.Field(i).Type); err != nil {
				return err
			}
		}
	default:
		if _, ok := codes[t.Kind()]; !ok {
			return fmt.Errorf("a %v can't lie in shared memory", t)
		}
	}
	return nil
}

// shapeText is a shape as people write it: "(2, 3)", "()" for a single item.
func shapeText(shape []int64) string {
	return "(" + strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]") + ")"
}
