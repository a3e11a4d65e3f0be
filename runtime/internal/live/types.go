package live

import (
	"maps"
	"slices"
	"strings"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// types are the types of objects by their names. Each type's file has its methods.
var types = map[string]*class{}

// class is a type of objects.
type class struct {
	name    string
	make    func(t *class, c call) (Object, error)
	new     *method // how make is called
	methods map[string]*method
}

// base is what all objects have.
type base struct{ class *class }

// Type returns the type's name.
func (b base) Type() string { return b.class.name }

// method is a method of a class. Its parameters are written "key, default=, values..., **named": = says that an
// argument may be left out; values takes all that are given by position, named all by name.
type method struct {
	text   string // "dict.get(key, default=)"
	params []string
	least  int // how many arguments there must be
	most   int
	named  bool // **named
	call   func(o Object, c call) (codec.Raw, error)
}

// on makes a method of a function of an object.
func on[T Object](params string, f func(o T, c call) (codec.Raw, error)) *method {
	return &method{text: params, call: func(o Object, c call) (codec.Raw, error) { return f(o.(T), c) }}
}

// define makes a class known.
func define(name, params string, make func(t *class, c call) (Object, error), methods ...map[string]*method) *class {
	t := &class{name: name, make: make, new: &method{text: params}, methods: map[string]*method{}}
	t.new.parse(name)
	for _, some := range methods {
		for name, m := range some {
			own := *m // two classes may share it
			own.parse(t.name + "." + name)
			t.methods[name] = &own
		}
	}
	types[name] = t
	return t
}

// parse takes the parameters from the text.
func (m *method) parse(name string) {
	for p := range strings.SplitSeq(m.text, ", ") {
		switch bare := strings.TrimSuffix(p, "="); {
		case p == "":
		case p == "**named":
			m.named = true
		case strings.HasSuffix(p, "..."):
			m.most = 1 << 30
		default:
			m.params = append(m.params, bare)
			m.most++
			if bare == p {
				m.least++
			}
		}
	}
	m.text = name + "(" + m.text + ")"
}

// Types returns the names of all types, each with those of its methods, sorted.
func Types() map[string][]string {
	all := map[string][]string{}
	for name, t := range types {
		all[name] = slices.Sorted(maps.Keys(t.methods))
	}
	return all
}

// New makes an object of a type. The request's arguments are the type's. NOT_FOUND if there is no such type.
func New(typ string, r *Request) (Object, error) {
	t := types[typ]
	if t == nil {
		return nil, &ipcerr.Error{Op: "create object", Code: ipcerr.NotFound,
			Hint: "there is no type " + typ + "; there are " + strings.Join(slices.Sorted(maps.Keys(types)), ", ") + ", and those that clients host"}
	}
	c, err := t.new.bind(r)
	if err != nil {
		return nil, err
	}
	return t.make(t, c)
}

// call does a call of o, which is of this class.
func (t *class) call(o Object, r *Request) (codec.Raw, error) {
	m := t.methods[r.Method]
	if m == nil {
		return nil, fault("AttributeError", "%s has no method %.40q; it has %s", t.name, r.Method,
			strings.Join(slices.Sorted(maps.Keys(t.methods)), ", "))
	}
	c, err := m.bind(r)
	if err != nil {
		return nil, err
	}
	return m.call(o, c)
}
