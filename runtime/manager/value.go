package manager

import (
	"context"
	"iter"

	"github.com/polyipc/polyipc/codec"
)

// Value is one value, of T as in Dict. Errors are those of Object.Call.
type Value[T any] struct{ Object }

// OpenValue opens the value of that name, or makes it. typecode is one of "b B h H i I l L q Q f d u", whose range is then
// checked, or "" for any value.
func OpenValue[T any](ctx context.Context, c *Client, name, typecode string, value T) (*Value[T], error) {
	o, err := open(ctx, c, name, "value", code(typecode), value)
	return &Value[T]{o}, err
}

// NewValue makes a value without a name.
func NewValue[T any](ctx context.Context, c *Client, typecode string, value T) (*Value[T], error) {
	return OpenValue(ctx, c, "", typecode, value)
}

func code(typecode string) any {
	if typecode == "" {
		return nil
	}
	return typecode
}

// UnmarshalRef implements codec.RefUnmarshaler.
func (v *Value[T]) UnmarshalRef(r codec.Ref) error { return v.take(r, "value") }

// Get returns the value.
func (v *Value[T]) Get(ctx context.Context) (T, error) {
	return asks[T](ctx, v.Object, "get", noArgs())
}

// Set sets the value.
func (v *Value[T]) Set(ctx context.Context, value T) error {
	return v.none(ctx, "set", with(noArgs(), value))
}

// Exchange sets the value and returns the old one.
func (v *Value[T]) Exchange(ctx context.Context, value T) (T, error) {
	return asks[T](ctx, v.Object, "exchange", with(noArgs(), value))
}

// Increment adds to a number and returns the new one.
func (v *Value[T]) Increment(ctx context.Context, by T) (T, error) {
	return asks[T](ctx, v.Object, "increment", with(noArgs(), by))
}

// CompareAndSet sets the value if it equals expected, and reports whether it did.
func (v *Value[T]) CompareAndSet(ctx context.Context, expected, value T) (bool, error) {
	return asks[bool](ctx, v.Object, "compare_and_set", with(with(noArgs(), expected), value))
}

// TypeCode returns the typecode, "" if there is none.
func (v *Value[T]) TypeCode(ctx context.Context) (string, error) { return typecodeOf(ctx, v.Object) }

func typecodeOf(ctx context.Context, o Object) (string, error) {
	t, err := asks[*string](ctx, o, "typecode", noArgs())
	if t == nil {
		return "", err
	}
	return *t, err
}

// ValueChange is a change of a value or a counter. A snapshot has All, the value; set has Value.
type ValueChange[T any] = Change[struct{}, T, T]

// Watch yields the value, and then each that is set, until ctx ends or the loop is left.
func (v *Value[T]) Watch(ctx context.Context) iter.Seq2[ValueChange[T], error] {
	return watch[struct{}, T, T](ctx, v.Object)
}

// WatchChan is Watch as a channel, which is closed at the end; the last change says in Err why.
func (v *Value[T]) WatchChan(ctx context.Context) <-chan ValueChange[T] {
	return channel(ctx, v.Watch(ctx))
}
