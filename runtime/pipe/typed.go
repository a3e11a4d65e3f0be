package pipe

import (
	"context"
	"errors"
	"iter"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Typed is a pipe of values: each message is one MessagePack value, which Python reads as a dict,
// list, str and so on, and C with the helpers of polyipc_msgpack.h. Make it with Of.
type Typed[T any] struct{ *Pipe }

// Of views p as a pipe of T in both directions. Struct fields are named by the tag `msgpack:"name"`; see package
// codec for what a T may hold.
func Of[T any](p *Pipe) Typed[T] { return Typed[T]{p} }

// Send is Pipe.Send for a value. A value that MessagePack can't carry fails with ipcerr.Invalid. Objects within
// it, such as an end of a pipe, go as references (codec.Ref) that the message holds; see SendReferring.
func (t Typed[T]) Send(ctx context.Context, v T) error {
	b, refs, err := codec.MarshalRefs(v)
	if err != nil {
		return err
	}
	return t.Pipe.SendReferring(ctx, b, MsgPack, refs)
}

// TrySend is Pipe.TrySend for a value.
func (t Typed[T]) TrySend(v T) error {
	b, refs, err := codec.MarshalRefs(v)
	if err != nil {
		return err
	}
	return t.Pipe.TrySendReferring(b, MsgPack, refs)
}

// Recv is Pipe.Recv for a value. A message that is no T fails with the codec's error, and is taken.
func (t Typed[T]) Recv(ctx context.Context) (v T, err error) { return decode[T](t.Pipe.Recv(ctx)) }

// TryRecv is Pipe.TryRecv for a value.
func (t Typed[T]) TryRecv() (v T, err error) { return decode[T](t.Pipe.TryRecv()) }

func decode[T any](m Message, err error) (v T, _ error) {
	if err != nil {
		return v, err
	}
	return v, m.Decode(&v)
}

// All receives values until the end of file, which ends the loop without an error, or until ctx or anything
// else does, which is the last pair's error.
func (t Typed[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			v, err := t.Recv(ctx)
			if errors.Is(err, ipcerr.EndOfFile) || !yield(v, err) || err != nil {
				return
			}
		}
	}
}
