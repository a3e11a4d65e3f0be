package manager

import (
	"context"
	"iter"

	"github.com/polyipc/polyipc/codec"
)

// Array is values of one typecode, as many as it was made with. T holds what the typecode does, int64 for "q" say. Errors are
// those of Object.Call.
type Array[T any] struct{ Object }

// OpenArray opens the array of that name, or makes one of those values; typecode as in OpenValue.
func OpenArray[T any](ctx context.Context, c *Client, name, typecode string, values ...T) (*Array[T], error) {
	o, err := open(ctx, c, name, "array", code(typecode), orEmpty(values))
	return &Array[T]{o}, err
}

// NewArray makes an array without a name.
func NewArray[T any](ctx context.Context, c *Client, typecode string, values ...T) (*Array[T], error) {
	return OpenArray(ctx, c, "", typecode, values...)
}

// NewArrayOf makes an array of that many zeros, without a name.
func NewArrayOf[T any](ctx context.Context, c *Client, typecode string, length int) (*Array[T], error) {
	o, err := open(ctx, c, "", "array", code(typecode), length)
	return &Array[T]{o}, err
}

// UnmarshalRef implements codec.RefUnmarshaler.
func (a *Array[T]) UnmarshalRef(r codec.Ref) error { return a.take(r, "array") }

// Get returns the value at an index; a negative one counts from the end.
func (a *Array[T]) Get(ctx context.Context, index int) (T, error) {
	return asks[T](ctx, a.Object, "get", with(noArgs(), index))
}

// Set sets the value at an index.
func (a *Array[T]) Set(ctx context.Context, index int, value T) error {
	return a.none(ctx, "set", with(with(noArgs(), index), value))
}

// Slice is as with a List.
func (a *Array[T]) Slice(ctx context.Context, start, stop, step int) ([]T, error) {
	return asks[[]T](ctx, a.Object, "slice", span(start, stop, step))
}

// SetSlice sets the values of a slice, to as many.
func (a *Array[T]) SetSlice(ctx context.Context, start, stop, step int, values ...T) error {
	return a.none(ctx, "set_slice", with(span(start, stop, step), orEmpty(values)))
}

// Len is how many values there are.
func (a *Array[T]) Len(ctx context.Context) (int, error) {
	return asks[int](ctx, a.Object, "len", noArgs())
}

// Copy returns all values.
func (a *Array[T]) Copy(ctx context.Context) ([]T, error) {
	return asks[[]T](ctx, a.Object, "copy", noArgs())
}

// Increment adds to a number and returns the new one.
func (a *Array[T]) Increment(ctx context.Context, index int, by T) (T, error) {
	return asks[T](ctx, a.Object, "increment", with(with(noArgs(), index), by))
}

// CompareAndSet sets the value at an index if it equals expected, and reports whether it did.
func (a *Array[T]) CompareAndSet(ctx context.Context, index int, expected, value T) (bool, error) {
	return asks[bool](ctx, a.Object, "compare_and_set", with(with(with(noArgs(), index), expected), value))
}

// TypeCode returns the typecode, "" if there is none.
func (a *Array[T]) TypeCode(ctx context.Context) (string, error) { return typecodeOf(ctx, a.Object) }

// Watch yields what is in the array, and then each change, until ctx ends or the loop is left.
func (a *Array[T]) Watch(ctx context.Context) iter.Seq2[ListChange[T], error] {
	return watch[int, T, []T](ctx, a.Object)
}

// WatchChan is Watch as a channel, which is closed at the end; the last change says in Err why.
func (a *Array[T]) WatchChan(ctx context.Context) <-chan ListChange[T] {
	return channel(ctx, a.Watch(ctx))
}
