package manager

import (
	"context"
	"iter"
	"math"

	"github.com/polyipc/polyipc/codec"
)

// List is a list of the manager, of T as in Dict. Negative indices count from the end; one that is out of the list is a
// failure of type IndexError. Errors are those of Object.Call.
type List[T any] struct{ Object }

// Omit is the bound, or the step, of a slice that is left out.
const Omit = math.MinInt

// OpenList opens the list of that name, or makes an empty one. Errors are those of Client.Open.
func OpenList[T any](ctx context.Context, c *Client, name string) (*List[T], error) {
	o, err := open(ctx, c, name, "list")
	return &List[T]{o}, err
}

// NewList makes a list without a name.
func NewList[T any](ctx context.Context, c *Client, values ...T) (*List[T], error) {
	o, err := open(ctx, c, "", "list", orEmpty(values))
	return &List[T]{o}, err
}

// orEmpty is an empty slice for a nil one, which would be nil in a message.
func orEmpty[T any](values []T) []T {
	if values == nil {
		return []T{}
	}
	return values
}

// UnmarshalRef implements codec.RefUnmarshaler.
func (l *List[T]) UnmarshalRef(r codec.Ref) error { return l.take(r, "list") }

// Get returns the value at an index.
func (l *List[T]) Get(ctx context.Context, index int) (T, error) {
	return asks[T](ctx, l.Object, "get", with(noArgs(), index))
}

// Set sets the value at an index.
func (l *List[T]) Set(ctx context.Context, index int, value T) error {
	return l.none(ctx, "set", with(with(noArgs(), index), value))
}

// Delete removes the value at an index.
func (l *List[T]) Delete(ctx context.Context, index int) error {
	return l.none(ctx, "delete", with(noArgs(), index))
}

// bound adds a bound of a slice.
func bound(a *arguments, n int) *arguments {
	if n == Omit {
		return a.nil()
	}
	return with(a, n)
}

func span(start, stop, step int) *arguments {
	return bound(bound(bound(noArgs(), start), stop), step)
}

// Slice returns the values from start until before stop, each step-th of them; Omit is Python's None.
func (l *List[T]) Slice(ctx context.Context, start, stop, step int) ([]T, error) {
	return asks[[]T](ctx, l.Object, "slice", span(start, stop, step))
}

// SetSlice puts values in the place of those of a slice, as many as it has unless step is Omit or 1.
func (l *List[T]) SetSlice(ctx context.Context, start, stop, step int, values ...T) error {
	return l.none(ctx, "set_slice", with(span(start, stop, step), orEmpty(values)))
}

// DeleteSlice removes the values of a slice.
func (l *List[T]) DeleteSlice(ctx context.Context, start, stop, step int) error {
	return l.none(ctx, "delete_slice", span(start, stop, step))
}

// Append appends a value and returns the new length.
func (l *List[T]) Append(ctx context.Context, value T) (int, error) {
	return asks[int](ctx, l.Object, "append", with(noArgs(), value))
}

// Extend appends values and returns the new length.
func (l *List[T]) Extend(ctx context.Context, values ...T) (int, error) {
	return asks[int](ctx, l.Object, "extend", with(noArgs(), orEmpty(values)))
}

// Insert inserts a value before an index and returns the new length.
func (l *List[T]) Insert(ctx context.Context, index int, value T) (int, error) {
	return asks[int](ctx, l.Object, "insert", with(with(noArgs(), index), value))
}

// Pop removes the value at an index, -1 for the last one, and returns it.
func (l *List[T]) Pop(ctx context.Context, index int) (T, error) {
	return asks[T](ctx, l.Object, "pop", with(noArgs(), index))
}

// Remove removes the first value that equals value, and reports whether there was one.
func (l *List[T]) Remove(ctx context.Context, value T) (bool, error) {
	_, ok, err := found(0, l.none(ctx, "remove", with(noArgs(), value)), "ValueError")
	return ok, err
}

// Index returns where the first value is that equals value; -1 if there is none.
func (l *List[T]) Index(ctx context.Context, value T) (int, error) {
	i, err := asks[int](ctx, l.Object, "index", with(noArgs(), value))
	if i, ok, err := found(i, err, "ValueError"); ok || err != nil {
		return i, err
	}
	return -1, nil
}

// Count is how many values equal value.
func (l *List[T]) Count(ctx context.Context, value T) (int, error) {
	return asks[int](ctx, l.Object, "count", with(noArgs(), value))
}

// Contains reports whether a value equals value.
func (l *List[T]) Contains(ctx context.Context, value T) (bool, error) {
	return asks[bool](ctx, l.Object, "contains", with(noArgs(), value))
}

// Len is how many values there are.
func (l *List[T]) Len(ctx context.Context) (int, error) {
	return asks[int](ctx, l.Object, "len", noArgs())
}

// Clear removes all values.
func (l *List[T]) Clear(ctx context.Context) error { return l.none(ctx, "clear", noArgs()) }

// Reverse reverses the order.
func (l *List[T]) Reverse(ctx context.Context) error { return l.none(ctx, "reverse", noArgs()) }

// Sort sorts the values, which keeps the order of equal ones. Values that have no order among themselves are a
// failure of type TypeError, and the list is then as it was.
func (l *List[T]) Sort(ctx context.Context, reverse bool) error {
	return l.none(ctx, "sort", with(noArgs(), reverse))
}

// Multiply makes the list count times as long, of its values again and again.
func (l *List[T]) Multiply(ctx context.Context, count int) error {
	return l.none(ctx, "multiply", with(noArgs(), count))
}

// Increment adds to a number and returns the new one.
func (l *List[T]) Increment(ctx context.Context, index int, by T) (T, error) {
	return asks[T](ctx, l.Object, "increment", with(with(noArgs(), index), by))
}

// CompareAndSet sets the value at an index if it equals expected, and reports whether it did.
func (l *List[T]) CompareAndSet(ctx context.Context, index int, expected, value T) (bool, error) {
	return asks[bool](ctx, l.Object, "compare_and_set", with(with(with(noArgs(), index), expected), value))
}

// PopIf removes the value at an index if it equals expected, and reports whether it did.
func (l *List[T]) PopIf(ctx context.Context, index int, expected T) (bool, error) {
	return asks[bool](ctx, l.Object, "pop_if", with(with(noArgs(), index), expected))
}

// Equals reports whether the list has exactly these values.
func (l *List[T]) Equals(ctx context.Context, values []T) (bool, error) {
	return asks[bool](ctx, l.Object, "equals", with(noArgs(), orEmpty(values)))
}

// Copy returns all values.
func (l *List[T]) Copy(ctx context.Context) ([]T, error) {
	return asks[[]T](ctx, l.Object, "copy", noArgs())
}

// All yields the values in their order, some at a time. What is inserted or removed meanwhile may make it skip values or
// repeat them, as a loop by index would.
func (l *List[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return scan(ctx, l.Object, false, func(a answer) (T, error) { return decoded[T](a, nil) })
}

// ListChange is a change of a list or an array. A snapshot and a replace have All; set and insert have Key, the index, and
// Value; delete has Key.
type ListChange[T any] = Change[int, T, []T]

// Watch yields what is in the list, and then each change, until ctx ends or the loop is left.
func (l *List[T]) Watch(ctx context.Context) iter.Seq2[ListChange[T], error] {
	return watch[int, T, []T](ctx, l.Object)
}

// WatchChan is Watch as a channel, which is closed at the end; the last change says in Err why.
func (l *List[T]) WatchChan(ctx context.Context) <-chan ListChange[T] {
	return channel(ctx, l.Watch(ctx))
}
