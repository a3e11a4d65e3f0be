package manager

import (
	"context"
	"runtime"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
)

// Batch is calls that go to the server as one message, which does them one after the other. What would wait fails with
// ipcerr.Timeout, or as if its timeout were 0. One goroutine at a time may use it.
type Batch struct {
	client  *Client
	calls   []byte
	n       int
	objects []Object // of the calls: not to be collected before
	version uint64
	err     error
}

// NewBatch begins an empty one.
func (c *Client) NewBatch() *Batch { return &Batch{client: c} }

// Add adds a call. What is wrong with it, Do says.
func (b *Batch) Add(o Object, method string, args ...any) {
	if err := o.usable(); err != nil && b.err == nil {
		b.err = err
	}
	if b.err != nil {
		return
	}
	if o.h.client != b.client {
		b.err = invalid("batch calls", o.Type(), "the object is another client's")
		return
	}
	b.version = max(b.version, o.h.version)
	b.calls = codec.AppendUint(codec.AppendArray(b.calls, 3), o.h.number)
	b.calls = codec.AppendArray(codec.AppendText(b.calls, method), len(args))
	for _, v := range args {
		if b.calls, b.err = codec.Append(b.calls, v); b.err != nil {
			return
		}
	}
	b.objects = append(b.objects, o)
	b.n++
}

// Len is how many calls there are; up to 100,000 may be.
func (b *Batch) Len() int { return b.n }

// Result is what came of one call of a batch: a value, or Err as Object.Call has it. References to live objects in one that is
// never asked stay with this client until it is closed.
type Result struct {
	answer answer
	Err    error
}

// Value returns what the call returned; live objects in it only once.
func (r *Result) Value() (any, error) { return decoded[any](r.answer, r.Err) }

// Into decodes what the call returned into what v points to.
func (r *Result) Into(v any) error {
	if r.Err != nil {
		return r.Err
	}
	return r.answer.into(v)
}

// Do does the calls and empties the batch. The results are in the order of the calls; err says that there are none, and is one of
// Object.Call's.
func (b *Batch) Do(ctx context.Context) (results []Result, err error) {
	n, calls, objects := b.n, append(codec.AppendArray(nil, b.n), b.calls...), b.objects
	version, err := b.version, b.err
	b.calls, b.n, b.objects, b.err = b.calls[:0], 0, nil, nil
	if err != nil {
		return nil, err
	}
	id, err := b.client.begin(ctx, &Call{version: version}, func(dst []byte, id uint64) []byte {
		return append(codec.AppendUint(frame.Open(dst, frame.Batch, 4, id), 0), calls...)
	})
	var a answer
	if err == nil {
		a, err = b.client.end(ctx, id)
	}
	runtime.KeepAlive(objects) // their references must not be given back before the calls are there
	if err != nil {
		return nil, err
	}
	parts, err := a.pieces()
	if err == nil && len(parts) != n {
		err = invalid("read answer", "batch", "another number of results")
	}
	if err != nil {
		return nil, err
	}
	results = make([]Result, n)
	for i := range parts {
		if results[i], err = resultOf(&parts[i], b.client.name); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// resultOf reads [true, result] or [false, code, type, message, traceback].
func resultOf(a *answer, name string) (r Result, err error) {
	var s codec.Scanner
	s.Reset(a.data)
	if _, err = s.Array(); err != nil {
		return r, err
	}
	ok, err := s.Bool()
	if err == nil && ok {
		var v codec.Raw
		if v, err = s.Value(); err == nil {
			r.answer = answer{client: a.client, version: a.version, data: v, refs: a.refs}
		}
		return r, err
	}
	f, err := frame.ReadFailure(&s)
	r.Err = errorOf(f, name)
	return r, err
}
