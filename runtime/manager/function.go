package manager

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"
	"unicode"
)

// Named, embedded in a struct that is the last parameter of a hosted method, makes parameters of its fields: in
// their order behind the others, or by name, the field's in snake_case or as its tag msgpack says. A field that is a pointer
// may be left out, and is nil then.
type Named struct{}

// function is a Go function that calls can be made of.
type function struct {
	value    reflect.Value
	index    int // of a method
	context  bool
	params   []reflect.Type // those that take arguments, without the struct of named ones
	variadic bool
	named    reflect.Type // or nil
	fields   []field
	fails    bool // the last result is an error
}

type field struct {
	index int
	name  string
	typ   reflect.Type
}

// functionOf takes a function apart; skip is how many parameters are no arguments: a method's receiver.
func functionOf(v reflect.Value, skip int) (f function, err error) {
	if v.Kind() != reflect.Func || v.IsNil() {
		return f, errors.New("it is no function")
	}
	t := v.Type()
	f = function{value: v, variadic: t.IsVariadic()}
	for i := skip; i < t.NumIn(); i++ {
		switch in := t.In(i); {
		case i == skip && in == reflect.TypeFor[context.Context]():
			f.context = true
		case i == t.NumIn()-1 && takesNamed(in):
			f.named = in
			f.fields = fieldsOf(in)
		default:
			f.params = append(f.params, in)
		}
	}
	n := t.NumOut()
	f.fails = n > 0 && t.Out(n-1) == reflect.TypeFor[error]()
	return f, nil
}

func takesNamed(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	f, ok := t.FieldByName("Named")
	return ok && f.Anonymous && f.Type == reflect.TypeFor[Named]()
}

func fieldsOf(t reflect.Type) (all []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous || !f.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("msgpack"), ",")
		if name == "" {
			name = snake(f.Name)
		}
		all = append(all, field{i, name, f.Type})
	}
	return all
}

// results is how many there are beside the error.
func (f *function) results() int {
	n := f.value.Type().NumOut()
	if f.fails {
		n--
	}
	return n
}

// methods by name, of each type that was asked for.
var methodTables sync.Map // reflect.Type -> map[string]function

// methodsOf are the exported methods of a type, by their names and by those in snake_case.
func methodsOf(t reflect.Type) (map[string]function, error) {
	if known, ok := methodTables.Load(t); ok {
		return known.(map[string]function), nil
	}
	table := map[string]function{}
	for i := range t.NumMethod() {
		m := t.Method(i)
		if m.Name == "Dropped" {
			continue
		}
		f := function{} // of an interface: the value's own type has it
		if t.Kind() != reflect.Interface {
			var err error
			if f, err = functionOf(m.Func, 1); err != nil {
				return nil, fmt.Errorf("%s.%s: %w", t, m.Name, err)
			}
		}
		f.index = i
		table[m.Name], table[snake(m.Name)] = f, f
	}
	methodTables.Store(t, table)
	return table, nil
}

// snake is a name in snake_case: "GetURLOf" is "get_url_of".
func snake(name string) string {
	var out []rune
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			out = append(out, '_')
		}
		out = append(out, unicode.ToLower(r))
	}
	return string(out)
}

func badCall(method, format string, args ...any) error {
	return &RemoteError{Type: "TypeError", Message: method + "(): " + fmt.Sprintf(format, args...)}
}

// bind gives each parameter its argument.
func (f *function) bind(ctx context.Context, method string, args, named *answer) (in []reflect.Value, err error) {
	given, err := args.pieces()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			giveBack(given)
		}
	}()
	byName, err := decodedNames(named)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			for _, a := range byName {
				giveBack([]answer{*a})
			}
		}
	}()
	if f.context {
		in = append(in, reflect.ValueOf(ctx))
	}
	for i, t := range f.params {
		if f.variadic && i == len(f.params)-1 {
			for len(given) > 0 {
				if in, err = bindOne(in, t.Elem(), method, &given[0]); err != nil {
					return nil, err
				}
				given = given[1:]
			}
			break
		}
		if len(given) == 0 {
			return nil, badCall(method, "it takes %d arguments by position, and %d were given", len(f.params), i)
		}
		if in, err = bindOne(in, t, method, &given[0]); err != nil {
			return nil, err
		}
		given = given[1:]
	}
	if f.named != nil {
		in, given, err = f.bindNamed(in, method, given, byName)
	} else if len(byName) > 0 {
		err = badCall(method, "it takes no arguments by name")
	}
	if err == nil && len(given) > 0 {
		err = badCall(method, "%d arguments too many", len(given))
	}
	return in, err
}

func decodedNames(named *answer) (map[string]*answer, error) {
	entries, err := named.entries()
	if err != nil {
		return nil, err
	}
	byName := make(map[string]*answer, len(entries))
	for i := range entries {
		byName[entries[i].name] = &entries[i].value
	}
	return byName, nil
}

func bindOne(in []reflect.Value, t reflect.Type, method string, a *answer) ([]reflect.Value, error) {
	v := reflect.New(t)
	if err := a.into(v.Interface()); err != nil {
		return nil, badCall(method, "argument %d: %v", len(in), err)
	}
	return append(in, v.Elem()), nil
}

// bindNamed fills in the struct of those that may be given by name.
func (f *function) bindNamed(in []reflect.Value, method string, given []answer, byName map[string]*answer) ([]reflect.Value, []answer, error) {
	v := reflect.New(f.named).Elem()
	for _, field := range f.fields {
		a := byName[field.name]
		delete(byName, field.name)
		if len(given) > 0 {
			if a != nil {
				giveBack([]answer{*a})
				return nil, given, badCall(method, "the argument %q was given twice", field.name)
			}
			a, given = &given[0], given[1:]
		}
		if a == nil {
			if field.typ.Kind() != reflect.Pointer {
				return nil, given, badCall(method, "the argument %q is missing", field.name)
			}
			continue
		}
		if err := a.into(v.Field(field.index).Addr().Interface()); err != nil {
			return nil, given, badCall(method, "the argument %q: %v", field.name, err)
		}
	}
	for name := range byName {
		return nil, given, badCall(method, "there is no argument %.40q", name)
	}
	return append(in, v), given, nil
}

// call calls it. A panic is a failure.
func (f *function) call(in []reflect.Value) (out []reflect.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &RemoteError{Type: "RuntimeError", Message: fmt.Sprintf("panic: %v", r), Traceback: string(debug.Stack())}
		}
	}()
	out = f.value.Call(in)
	if f.fails {
		last := len(out) - 1
		err, _ = out[last].Interface().(error)
		out = out[:last]
	}
	return out, err
}
