package manager

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Object is a live object, of any type: this process's right to call it. Dict, List and the others are Objects whose
// type is known. An Object may be an argument of calls and a value in other objects, where it stays live: every client that
// gets it calls the same one. Copies of an Object are the same; it may be used from any goroutine.
//
// The server keeps an object as long as anybody refers to it, or it has a name. An Object that the garbage collector takes, or
// that is closed, gives its reference back. After a Reconnect, calls fail with ipcerr.Gone: open the object anew.
type Object struct{ h *handle }

// handle is one reference that this client was sent, until it is given back.
type handle struct {
	client  *Client
	version uint64 // of the line
	number  uint64
	ref     codec.Ref
	closed  atomic.Bool
	cleanup runtime.Cleanup
}

// loan is what is given back of a handle that nobody has any more.
type loan struct {
	client          *Client
	version, number uint64
}

func newObject(c *Client, version uint64, r codec.Ref) Object {
	r.Receipt = 0
	_, n := numbersOf(r)
	h := &handle{client: c, version: version, number: n, ref: r}
	h.cleanup = runtime.AddCleanup(h, func(l loan) { l.client.release(l.version, l.number, 1) }, loan{c, version, n})
	return Object{h}
}

// Manager is the manager itself as an object: docs/spec/manager.md has its methods.
func (c *Client) Manager() Object { return Object{&handle{client: c}} }

// Object is the object of a reference that came in a value without a type of its own, a field of a struct that is an any
// say. It takes the reference over. ipcerr.Invalid for one of another server, ipcerr.WrongKind for other references.
func (c *Client) Object(r codec.Ref) (Object, error) {
	epoch, _ := numbersOf(r)
	c.mu.Lock()
	here, version := c.welcome.Epoch, c.version
	c.mu.Unlock()
	d := decoding{&answer{client: c, version: version}, map[uint64]uint64{}}
	if r.Kind == frame.RefKind && epoch != here {
		return Object{}, invalid("refer to object", r.Name, "it is another manager's")
	}
	return d.object(r)
}

// Type is the object's type: "dict", "list", or a hosted one's.
func (o Object) Type() string { return o.h.ref.Name }

// Number is the object's number at the server.
func (o Object) Number() uint64 { return o.h.number }

// Close gives the reference back. Calls fail with ipcerr.Closed. Closing again does nothing.
func (o Object) Close() error {
	if o.h != nil && o.h.number != 0 && !o.h.closed.Swap(true) {
		o.h.cleanup.Stop()
		o.h.client.release(o.h.version, o.h.number, 1)
	}
	return nil
}

// MarshalRef implements codec.RefMarshaler: in a value, the object is a reference.
func (o Object) MarshalRef() (codec.Ref, error) {
	if err := o.usable(); err != nil {
		return codec.Ref{}, err
	}
	return o.h.ref, nil
}

// UnmarshalRef implements codec.RefUnmarshaler, for results of calls only.
func (o *Object) UnmarshalRef(r codec.Ref) error { return o.take(r, r.Name) }

// take takes over a reference that came with an answer.
func (o *Object) take(r codec.Ref, types ...string) error {
	v, ok := decodings.Load(r.Receipt)
	if !ok {
		return invalid("refer to object", r.Name, "only what a manager answers holds live objects: use Client.Object, or have the server hand it on")
	}
	for _, t := range types {
		if t == r.Name {
			made, err := v.(*decoding).object(r)
			*o = made
			return err
		}
	}
	return &ipcerr.Error{Op: "refer to object", Code: ipcerr.WrongKind, Hint: fmt.Sprintf("it is a %s, not a %s", r.Name, types[0])}
}

func (o Object) usable() error {
	if o.h == nil {
		return invalid("call object", "", "it is the zero Object, which stands for none")
	}
	if o.h.closed.Load() {
		return &ipcerr.Error{Op: "call object", Name: o.h.ref.Name, Code: ipcerr.Closed, Hint: "it was closed in this process"}
	}
	return nil
}

// call calls a method; the arguments are used up.
func (o Object) call(ctx context.Context, method string, args *arguments) (answer, error) {
	return o.callAs(ctx, Owner{}, method, args)
}

func (o Object) callAs(ctx context.Context, as Owner, method string, args *arguments) (answer, error) {
	defer args.free()
	if err := o.usable(); err != nil {
		return answer{}, err
	}
	if args.err != nil {
		return answer{}, args.err
	}
	a, err := o.h.client.do(ctx, &Call{
		Object: o.h.number, Method: method, Args: args.b, Named: args.named, Thread: as.thread, version: o.h.version,
	})
	runtime.KeepAlive(o.h) // its reference must not be given back before the call is there
	return a, err
}

// none calls a method whose result says nothing.
func (o Object) none(ctx context.Context, method string, args *arguments) error {
	_, err := o.call(ctx, method, args)
	return err
}

// asks calls a method whose result is a T.
func asks[T any](ctx context.Context, o Object, method string, args *arguments) (T, error) {
	return decoded[T](o.call(ctx, method, args))
}

// Call calls a method and returns what it returns, as codec.Decode has it, with an Object for each reference.
//
// A failure of the method is a *RemoteError. ipcerr.Timeout and ipcerr.Cancelled when ctx ends; ipcerr.PeerDied: the server
// died, or the host of the object, and the call may have run; ipcerr.Gone, ipcerr.TooLarge, ipcerr.Limit, ipcerr.Closed,
// and what else the method says.
func (o Object) Call(ctx context.Context, method string, args ...any) (any, error) {
	return asks[any](ctx, o, method, argsOf(args...))
}

// CallNamed is Call with arguments by name behind those by position.
func (o Object) CallNamed(ctx context.Context, method string, args []any, named map[string]any) (any, error) {
	return asks[any](ctx, o, method, argsOf(args...).withNamed(named))
}

// CallInto is CallNamed that decodes the result into what result points to; nil drops it.
func (o Object) CallInto(ctx context.Context, result any, method string, args []any, named map[string]any) error {
	a, err := o.call(ctx, method, argsOf(args...).withNamed(named))
	if err != nil || result == nil {
		if a.refs {
			(&decoding{&a, nil}).giveBack()
		}
		return err
	}
	return a.into(result)
}

// Failed reports whether err is a failure of a method, of that type: "KeyError".
func Failed(err error, typ string) bool {
	var f *RemoteError
	return errors.As(err, &f) && f.Type == typ
}
