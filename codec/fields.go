package codec

import (
	"fmt"
	"reflect"
	"strings"
)

// field is one entry of the map that a struct becomes.
type field struct {
	name      string
	wireName  []byte // name as it stands in the message
	typ       reflect.Type
	index     []int // path through embedded structs
	omitEmpty bool
}

type structFields struct {
	fields []field
	byName map[string]int
	omits  bool // some field has omitempty
}

// in returns the field's value. Embedded pointers are not followed, so the path has no nil.
func (f *field) in(v reflect.Value) reflect.Value {
	if len(f.index) == 1 {
		return v.Field(f.index[0])
	}
	return v.FieldByIndex(f.index)
}

func (f *field) skipped(v reflect.Value) bool {
	if !f.omitEmpty {
		return false
	}
	switch v := f.in(v); v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	default:
		return v.IsZero()
	}
}

// fieldsOf lists a struct's fields. It fails for what would lose data silently: tags that ask for
// another format, two fields of one name, and structs with state but no exported field.
func fieldsOf(t reflect.Type) (*structFields, error) {
	s := &structFields{byName: map[string]int{}}
	if err := s.add(t, nil); err != nil {
		return nil, err
	}
	if len(s.fields) == 0 && t.NumField() > 0 {
		return nil, fmt.Errorf("struct %v has no exported field to carry", t)
	}
	return s, nil
}

func (s *structFields) add(t reflect.Type, prefix []int) error {
	for i := range t.NumField() {
		sf := t.Field(i)
		name, options, _ := strings.Cut(sf.Tag.Get("msgpack"), ",")
		if name == "-" {
			continue
		}
		index := append(append([]int(nil), prefix...), i)
		if sf.Anonymous && name == "" && sf.Type.Kind() == reflect.Struct && ownTypes[sf.Type] == nil &&
			customEncoder(sf.Type) == nil {
			if err := s.add(sf.Type, index); err != nil {
				return err
			}
			continue
		}
		if sf.Name == "_msgpack" {
			return fmt.Errorf("struct %v: options for a whole struct (field _msgpack) are not supported", t)
		}
		if !sf.IsExported() {
			continue
		}
		if name == "" {
			name = sf.Name
		}
		f := field{name: name, typ: sf.Type, index: index}
		for option := range strings.SplitSeq(options, ",") {
			switch option {
			case "":
			case "omitempty":
				f.omitEmpty, s.omits = true, true
			default:
				return fmt.Errorf("struct %v, field %s: tag option %q is not supported", t, sf.Name, option)
			}
		}
		wire, err := appendString(nil, name)
		if err != nil {
			return fmt.Errorf("struct %v, field %s: %w", t, sf.Name, err)
		}
		f.wireName = wire
		if _, double := s.byName[name]; double {
			return fmt.Errorf("struct %v has two fields named %q", t, name)
		}
		s.byName[name] = len(s.fields)
		s.fields = append(s.fields, f)
	}
	return nil
}
