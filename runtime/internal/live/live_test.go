package live

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// hall is a Room: it knows objects by reference, counts what is kept, and remembers answers.
type hall struct {
	t       testing.TB
	objects map[string]Object
	kept    map[string]int
	answers map[*Request]string // notation of the result, or the error
}

func newHall(t testing.TB) *hall {
	return &hall{t, map[string]Object{}, map[string]int{}, map[*Request]string{}}
}

func (h *hall) Answer(r *Request, result codec.Raw, err error) {
	if _, twice := h.answers[r]; twice {
		h.t.Fatalf("%s was answered twice", r.Method)
	}
	h.answers[r] = text(h.t, result, err)
}

func (h *hall) refs(v codec.Raw) []codec.Ref {
	h.t.Helper()
	refs, err := codec.Refs(v)
	if err != nil {
		h.t.Fatal(err)
	}
	return refs
}

func (h *hall) Keep(v codec.Raw) error {
	for _, r := range h.refs(v) {
		if h.objects[r.Name] == nil {
			return &ipcerr.Error{Op: "refer to object", Name: r.Name, Code: ipcerr.Gone}
		}
	}
	for _, r := range h.refs(v) {
		h.kept[r.Name]++
	}
	return nil
}

func (h *hall) Forget(v codec.Raw) {
	for _, r := range h.refs(v) {
		if h.kept[r.Name]--; h.kept[r.Name] < 0 {
			h.t.Fatalf("%s was forgotten more often than kept", r.Name)
		}
	}
}

func (h *hall) Find(v codec.Raw) (ID, Object, error) {
	for _, r := range h.refs(v) {
		if o := h.objects[r.Name]; o != nil {
			return 1, o, nil
		}
	}
	return 0, nil, &ipcerr.Error{Op: "find object", Code: ipcerr.Gone}
}

// all is how many references are kept.
func (h *hall) all() (n int) {
	for _, k := range h.kept {
		n += k
	}
	return n
}

// ref is a reference to an object of the hall, which is there only to be referred to if it is not known.
func (h *hall) ref(name string) codec.Ref {
	if h.objects[name] == nil {
		h.objects[name] = &flag{base: base{types["event"]}}
	}
	return codec.Ref{Kind: 4, UUID: uuid.UUID{1}, Name: name}
}

func enc(t testing.TB, v any) codec.Raw {
	t.Helper()
	if n, ok := v.(named); ok {
		v = n.value
	}
	b, err := codec.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// named is an argument by name.
type named struct {
	name  string
	value any
}

// text is a result as tests compare it: the Go value, or the error's type or code.
func text(t testing.TB, result codec.Raw, err error) string {
	t.Helper()
	if IsParked(err) {
		return "parked"
	}
	if f, ok := err.(*Fault); ok {
		return f.Type
	}
	if err != nil {
		return ipcerr.CodeOf(err).Name()
	}
	v, err := codec.Decode(result)
	if err != nil {
		t.Fatalf("a result that is no value: % x: %v", result, err)
	}
	return notation(v)
}

func notation(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return fmt.Sprintf("%q", v)
	case []byte:
		return fmt.Sprintf("b%q", v)
	case float64:
		if s := fmt.Sprint(v); !strings.ContainsAny(s, ".eIN") {
			return s + ".0"
		}
		return fmt.Sprint(v)
	case []any:
		return "[" + list2(v) + "]"
	case codec.Tuple:
		return "(" + list2(v) + ")"
	case codec.Set:
		return "{" + list2(v) + "}"
	case codec.FrozenSet:
		return "f{" + list2(v) + "}"
	case codec.Ref:
		return "@" + v.Name
	case codec.Pairs:
		var s []string
		for _, p := range v {
			s = append(s, notation(p.Key)+":"+notation(p.Value))
		}
		return "map[" + strings.Join(s, " ") + "]"
	case map[string]any:
		return strings.ReplaceAll(fmt.Sprint(v), "<nil>", "nil")
	}
	return fmt.Sprint(v)
}

func list2(all []any) string {
	var s []string
	for _, v := range all {
		s = append(s, notation(v))
	}
	return strings.Join(s, " ")
}

// caller is one client's thread.
type caller struct {
	h      *hall
	client *Client
	thread uint64
	last   *Request
}

func (h *hall) caller() *caller { return &caller{h: h, client: &Client{Number: 1}} }

func (c *caller) request(method string, args ...any) *Request {
	c.h.t.Helper()
	r := &Request{Client: c.client, Thread: c.thread, Method: method, Room: c.h}
	for _, a := range args {
		v := enc(c.h.t, a)
		found, err := codec.Check(v)
		if err != nil {
			c.h.t.Fatal(err)
		}
		r.Refs = r.Refs || found.Refs
		if n, ok := a.(named); ok {
			r.Named = append(r.Named, Named{n.name, v})
		} else {
			r.Args = append(r.Args, v)
		}
	}
	c.last = r
	return r
}

// make makes an object.
func (c *caller) make(typ string, args ...any) Object {
	c.h.t.Helper()
	o, err := New(typ, c.request("", args...))
	if err != nil {
		c.h.t.Fatal(err)
	}
	return o
}

// do calls and returns the result's text.
func (c *caller) do(o Object, method string, args ...any) string {
	c.h.t.Helper()
	r := c.request(method, args...)
	result, err := o.Call(r)
	// Nothing of the arguments may be kept.
	if !IsParked(err) {
		got := text(c.h.t, result, err)
		consistent(c.h.t, o)
		for _, a := range r.Args {
			clear(a)
		}
		for _, a := range r.Named {
			clear(a.Value)
		}
		r.Client, r.Thread = &Client{}, 99 // nor may an undo look into what is another request by then
		if _, fault := err.(*Fault); fault {
			c.h.complete(o, method, err)
		}
		return got
	}
	for _, a := range r.Args {
		clear(a)
	}
	return "parked"
}

// complete checks that an error says where it happened, and what would help.
func (h *hall) complete(o Object, method string, err error) {
	h.t.Helper()
	where, what, ok := strings.Cut(err.(*Fault).Message, ": ")
	if !ok && strings.Contains(err.Error(), "has no method") {
		return
	}
	if !strings.HasPrefix(where, o.Type()+"."+method) || len(what) < 10 {
		h.t.Errorf("this does not say enough: %v", err)
	}
}

// step is a call and what comes of it.
type step struct {
	method string
	args   []any
	want   string
}

// steps does calls, one after the other, and compares.
func steps(t *testing.T, c *caller, o Object, all []step) {
	t.Helper()
	for i, s := range all {
		if got := c.do(o, s.method, s.args...); got != s.want {
			t.Errorf("step %d, %s(%v): %s, want %s", i, s.method, s.args, got, s.want)
		}
	}
}

func a(args ...any) []any { return args }
