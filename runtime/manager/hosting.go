package manager

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// hosting is what a client hosts, on one line: a reconnect ends it.
type hosting struct {
	mu      sync.Mutex
	version uint64
	types   map[string]function                // constructors
	kinds   map[reflect.Type]string            // what they make
	objects map[uint64]reflect.Value           // by number
	numbers map[any]uint64                     // of those that are pointers
	running map[uint64]context.CancelCauseFunc // calls
	early   map[uint64]struct{}                // calls that were given up before they ran
}

// hosts is what this client hosts now.
func (c *Client) hosts() *hosting {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own == nil || c.own.version != c.version {
		c.own = &hosting{
			version: c.version, types: map[string]function{}, kinds: map[reflect.Type]string{}, objects: map[uint64]reflect.Value{},
			numbers: map[any]uint64{}, running: map[uint64]context.CancelCauseFunc{}, early: map[uint64]struct{}{},
		}
	}
	return c.own
}

// Register makes this client the host of a type: constructor is a function that makes an object of the arguments of
// "create", and may fail. Clients of all languages then create such objects, and call the exported methods of what it
// returned, by their names or as snake_case has them. Serve does the calls.
//
// A constructor or a method may begin with a context.Context, which ends when the caller gives up or dies; its other
// parameters take the arguments, as codec.Unmarshal has it; live objects come as Object, *List[int] and so on. A last one
// that is variadic takes what is left. A last one that is a struct with Named embedded has parameters as its fields, which may
// also be given by name. If it returns an error last, that is the failure; of several results the caller gets an array.
//
// Failures are of type RuntimeError, or what ErrorType() string of the error says; a *RemoteError is passed on. A panic is a failure with
// its stack as the traceback. A result that is of a registered type stays here and is live for the caller. When nobody refers
// to an object any more, its method Dropped() is called, if it has one; clients cannot call that.
//
// Several types may be registered; after a Reconnect, none is. ipcerr.Exists if another client hosts the type, or it is one
// of the manager's; ipcerr.Invalid for what is no such function.
func (c *Client) Register(ctx context.Context, typ string, constructor any) error {
	f, err := functionOf(reflect.ValueOf(constructor), 0)
	if err == nil && f.results() != 1 {
		err = errors.New("it must return the object, and perhaps an error")
	}
	if err != nil {
		return invalid("register type", typ, "the constructor: "+err.Error())
	}
	made := f.value.Type().Out(0)
	table, err := methodsOf(made)
	if err != nil {
		return invalid("register type", typ, err.Error())
	}
	names := make([]string, 0, len(table))
	for name := range table {
		names = append(names, name)
	}
	slices.Sort(names)
	h := c.hosts()
	h.mu.Lock()
	h.types[typ], h.kinds[made] = f, typ // before the first call may come
	h.mu.Unlock()
	if err := c.Manager().none(ctx, "register", with(with(noArgs(), typ), names)); err != nil {
		h.mu.Lock()
		delete(h.types, typ)
		delete(h.kinds, made)
		h.mu.Unlock()
		return err
	}
	return nil
}

// Adopt makes a value of this program a live object of a type that this client registered.
func (c *Client) Adopt(ctx context.Context, typ string, value any) (Object, error) {
	return c.hosts().adopt(ctx, c, typ, reflect.ValueOf(value))
}

func (h *hosting) adopt(ctx context.Context, c *Client, typ string, v reflect.Value) (Object, error) {
	o, err := asks[Object](ctx, c.Manager(), "adopt", with(noArgs(), typ))
	if err == nil {
		h.add(o.Number(), v)
	}
	return o, err
}

func (h *hosting) add(number uint64, v reflect.Value) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.objects[number] = v
	if v.Kind() == reflect.Pointer {
		h.numbers[v.Interface()] = number
	}
}

func (h *hosting) drop(number uint64) {
	h.mu.Lock()
	v, there := h.objects[number]
	if there && v.Kind() == reflect.Pointer {
		delete(h.numbers, v.Interface())
	}
	delete(h.objects, number)
	h.mu.Unlock()
	if there {
		if d, ok := v.Interface().(interface{ Dropped() }); ok {
			go d.Dropped()
		}
	}
}

// hostedCall does a call and answers it.
func (c *Client) hostedCall(ctx context.Context, h *hosting, told *Hosted) {
	result, lent, err := c.perform(ctx, h, told)
	answering := context.WithoutCancel(ctx)
	if err == nil {
		err = c.Reply(answering, told.Call, result)
		for _, o := range lent { // the caller has references of its own now
			_ = o.Close()
		}
		switch ipcerr.CodeOf(err) {
		case ipcerr.TooLarge, ipcerr.Invalid: // the caller has to hear something
		default:
			return // the connection is gone, and with it the caller
		}
	}
	_ = c.Fail(answering, told.Call, failureOf(err))
}

// failureOf is an error as the caller is told of it.
func failureOf(err error) *RemoteError {
	var remote *RemoteError
	if errors.As(err, &remote) {
		return remote
	}
	f := &RemoteError{Type: "RuntimeError", Message: err.Error()}
	var typed interface{ ErrorType() string }
	if errors.As(err, &typed) {
		f.Type = typed.ErrorType()
	}
	return f
}

// perform does a call. The result refers to those that are lent until it is sent.
func (c *Client) perform(ctx context.Context, h *hosting, told *Hosted) (result []byte, lent []Object, err error) {
	found, err := codec.Check(told.Body)
	if err != nil {
		return nil, nil, err
	}
	body := answer{client: c, version: h.version, data: told.Body, refs: found.Refs}
	parts, err := body.pieces() // [type, method, args, named]
	if err != nil {
		return nil, nil, err
	}
	var typ, method string
	if err := errors.Join(parts[0].into(&typ), parts[1].into(&method)); err != nil {
		return nil, nil, err
	}
	f, err := h.find(typ, method, told.Object)
	if err != nil {
		giveBack(parts)
		return nil, nil, err
	}
	in, err := f.bind(ctx, method, &parts[2], &parts[3])
	if err != nil {
		return nil, nil, err
	}
	out, err := f.call(in)
	if err != nil {
		return nil, nil, err
	}
	if method == "__init__" {
		made := out[0]
		if made.Kind() == reflect.Interface {
			made = made.Elem()
		}
		if !made.IsValid() || made.Kind() == reflect.Pointer && made.IsNil() {
			return nil, nil, &RemoteError{Type: "RuntimeError", Message: typ + "(): it made nothing"}
		}
		h.mu.Lock()
		h.kinds[made.Type()] = typ
		h.mu.Unlock()
		h.add(told.Object, made)
		return nil, nil, nil
	}
	return c.written(ctx, h, out)
}

// find is the function that is called.
func (h *hosting) find(typ, method string, number uint64) (function, error) {
	h.mu.Lock()
	make, known := h.types[typ]
	v, there := h.objects[number]
	h.mu.Unlock()
	switch {
	case method == "__init__" && known:
		return make, nil
	case !there:
		return function{}, &RemoteError{Type: "ReferenceError", Message: fmt.Sprintf("the host has no object of number %d any more", number)}
	}
	table, err := methodsOf(v.Type())
	if err != nil {
		return function{}, err
	}
	m, ok := table[method]
	if !ok {
		return function{}, &RemoteError{Type: "AttributeError", Message: fmt.Sprintf("%s has no method %.40q", typ, method)}
	}
	m.value = v.Method(m.index)
	return m, nil
}

// written is what a method returned, as bytes: nil, its result, or an array of several.
func (c *Client) written(ctx context.Context, h *hosting, out []reflect.Value) (result []byte, lent []Object, err error) {
	values := make([]any, len(out))
	for i, v := range out {
		var made bool
		if values[i], made, err = c.live(ctx, h, v); err != nil {
			return nil, nil, err
		}
		if made {
			lent = append(lent, values[i].(Object))
		}
	}
	switch len(values) {
	case 0:
		return nil, nil, nil
	case 1:
		result, err = codec.Marshal(values[0])
	default:
		result, err = codec.Marshal(values)
	}
	return result, lent, err
}

// live is a result as it travels: one of a registered type is made into an Object.
func (c *Client) live(ctx context.Context, h *hosting, v reflect.Value) (_ any, made bool, _ error) {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		return nil, false, nil
	}
	h.mu.Lock()
	typ, hosted := h.kinds[v.Type()]
	number, known := uint64(0), false
	if hosted && v.Kind() == reflect.Pointer {
		number, known = h.numbers[v.Interface()]
	}
	h.mu.Unlock()
	switch {
	case !hosted || v.Kind() == reflect.Pointer && v.IsNil():
		return v.Interface(), false, nil
	case known:
		o, err := asks[Object](ctx, c.Manager(), "retain", with(noArgs(), number))
		if err == nil || ipcerr.CodeOf(err) != ipcerr.Gone {
			return o, true, err
		}
	}
	o, err := h.adopt(ctx, c, typ, v)
	return o, true, err
}
