package queue

import (
	"context"
	"errors"
	"iter"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Typed is a queue of values: each message is one MessagePack value, which Python reads as a dict,
// list, str and so on, and C with the helpers of polyipc_msgpack.h. Make it with Of.
type Typed[T any] struct{ *Queue }

// Of views q as a queue of T. Struct fields are named by the tag `msgpack:"name"`; see package codec
// for what a T may hold.
func Of[T any](q *Queue) Typed[T] { return Typed[T]{q} }

// Put is Queue.Put for a value. A value that MessagePack can't carry fails with ipcerr.Invalid. Objects within
// it, such as a *Queue, go as references (codec.Ref) that the message holds; see PutReferring.
func (t Typed[T]) Put(ctx context.Context, v T) error {
	b, refs, err := codec.MarshalRefs(v)
	if err != nil {
		return err
	}
	return t.Queue.PutReferring(ctx, b, MsgPack, refs)
}

// TryPut is Queue.TryPut for a value.
func (t Typed[T]) TryPut(v T) error {
	b, refs, err := codec.MarshalRefs(v)
	if err != nil {
		return err
	}
	return t.Queue.TryPutReferring(b, MsgPack, refs)
}

// PutMany is Queue.PutMany for values. No value is put if one of them can't be carried.
func (t Typed[T]) PutMany(ctx context.Context, vs []T) (int, error) {
	bodies := make([][]byte, len(vs))
	refs := make([][]codec.Ref, len(vs))
	plain := true
	for i := range vs {
		var err error
		if bodies[i], refs[i], err = codec.MarshalRefs(vs[i]); err != nil {
			return 0, err
		}
		plain = plain && refs[i] == nil
	}
	if plain {
		return t.Queue.PutMany(ctx, bodies, MsgPack)
	}
	for i := range vs {
		if err := t.Queue.PutReferring(ctx, bodies[i], MsgPack, refs[i]); err != nil {
			if i > 0 {
				err = nil
			}
			return i, err
		}
	}
	return len(vs), nil
}

// Get is Queue.Get for a value. A message that is no T fails with the codec's error, and is taken.
func (t Typed[T]) Get(ctx context.Context) (v T, err error) { return decode[T](t.Queue.Get(ctx)) }

// TryGet is Queue.TryGet for a value.
func (t Typed[T]) TryGet() (v T, err error) { return decode[T](t.Queue.TryGet()) }

func decode[T any](m Message, err error) (v T, _ error) {
	if err != nil {
		return v, err
	}
	return v, m.Decode(&v)
}

// TypedLease is a leased value.
type TypedLease[T any] struct {
	*Leased
	Value T
}

// Lease is Queue.Lease for a value. A message that is no T stays leased and comes back with the
// error: ack it to be rid of it, or nack it for somebody who understands it.
func (t Typed[T]) Lease(ctx context.Context) (*TypedLease[T], error) {
	return decodeLease[T](t.Queue.Lease(ctx))
}

// TryLease is Queue.TryLease for a value, and Lease otherwise.
func (t Typed[T]) TryLease() (*TypedLease[T], error) { return decodeLease[T](t.Queue.TryLease()) }

func decodeLease[T any](l *Leased, err error) (*TypedLease[T], error) {
	if err != nil {
		return nil, err
	}
	tl := &TypedLease[T]{Leased: l}
	return tl, l.Decode(&tl.Value)
}

// All gets values until the queue is shut down and empty, which ends the loop without an error, or
// until ctx or anything else does, which is the last pair's error.
func (t Typed[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			v, err := t.Get(ctx)
			if errors.Is(err, ipcerr.Shutdown) || !yield(v, err) || err != nil {
				return
			}
		}
	}
}
