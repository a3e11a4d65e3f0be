package manager

import (
	"context"
	"iter"

	"github.com/polyipc/polyipc/codec"
)

// Dict is a dict of the manager, whose keys are K and whose values are V: types that package codec carries, or live objects,
// as in Dict[string, *List[int]]. It keeps the order in which keys were first set. Other languages may put other types in;
// reading those fails with ipcerr.Invalid. V may be any.
//
// Each method is one call, which the server does as a whole. Errors are those of Object.Call.
type Dict[K comparable, V any] struct{ Object }

// OpenDict opens the dict of that name, or makes an empty one. Errors are those of Client.Open.
func OpenDict[K comparable, V any](ctx context.Context, c *Client, name string) (*Dict[K, V], error) {
	o, err := open(ctx, c, name, "dict")
	return &Dict[K, V]{o}, err
}

// NewDict makes a dict without a name, of those entries.
func NewDict[K comparable, V any](ctx context.Context, c *Client, entries map[K]V) (*Dict[K, V], error) {
	o, err := open(ctx, c, "", "dict", some(entries)...)
	return &Dict[K, V]{o}, err
}

func some[K comparable, V any](m map[K]V) []any {
	if len(m) == 0 {
		return nil
	}
	return []any{m}
}

// UnmarshalRef implements codec.RefUnmarshaler.
func (d *Dict[K, V]) UnmarshalRef(r codec.Ref) error { return d.take(r, "dict") }

// Get returns the value of a key, and whether there is one.
func (d *Dict[K, V]) Get(ctx context.Context, key K) (value V, ok bool, err error) {
	value, err = asks[V](ctx, d.Object, "getitem", with(noArgs(), key))
	return found(value, err, "KeyError")
}

// found turns a failure that says that there is none into false.
func found[T any](v T, err error, failure string) (T, bool, error) {
	if err != nil && Failed(err, failure) {
		err = nil
		return v, false, err
	}
	return v, err == nil, err
}

// Set sets the value of a key.
func (d *Dict[K, V]) Set(ctx context.Context, key K, value V) error {
	return d.none(ctx, "set", with(with(noArgs(), key), value))
}

// Delete removes a key and reports whether it was there.
func (d *Dict[K, V]) Delete(ctx context.Context, key K) (bool, error) {
	err := d.none(ctx, "delete", with(noArgs(), key))
	_, ok, err := found(0, err, "KeyError")
	return ok, err
}

// Contains reports whether there is such a key.
func (d *Dict[K, V]) Contains(ctx context.Context, key K) (bool, error) {
	return asks[bool](ctx, d.Object, "contains", with(noArgs(), key))
}

// Len is how many keys there are.
func (d *Dict[K, V]) Len(ctx context.Context) (int, error) {
	return asks[int](ctx, d.Object, "len", noArgs())
}

// Pop removes a key and returns its value, if there was one.
func (d *Dict[K, V]) Pop(ctx context.Context, key K) (value V, ok bool, err error) {
	value, err = asks[V](ctx, d.Object, "pop", with(noArgs(), key))
	return found(value, err, "KeyError")
}

// PopItem removes the key that was set last, if there is one.
func (d *Dict[K, V]) PopItem(ctx context.Context) (key K, value V, ok bool, err error) {
	p, err := pairOf[K, V](d.call(ctx, "popitem", noArgs()))
	p, ok, err = found(p, err, "KeyError")
	return p.Key, p.Value, ok, err
}

// Pair is an entry of a dict.
type Pair[K comparable, V any] struct {
	Key   K
	Value V
}

func pairOf[K comparable, V any](a answer, err error) (p Pair[K, V], _ error) {
	if err != nil {
		return p, err
	}
	two, err := a.pieces()
	if err == nil && len(two) != 2 {
		err = invalid("read answer", "", "a pair of another length")
	}
	if err == nil {
		err = two[0].into(&p.Key)
	}
	if err == nil {
		err = two[1].into(&p.Value)
	}
	return p, err
}

// GetOrSet returns the value of a key, which is set to value if there is none.
func (d *Dict[K, V]) GetOrSet(ctx context.Context, key K, value V) (V, error) {
	return asks[V](ctx, d.Object, "setdefault", with(with(noArgs(), key), value))
}

// Add sets a key that is missing, and reports whether it was.
func (d *Dict[K, V]) Add(ctx context.Context, key K, value V) (bool, error) {
	return asks[bool](ctx, d.Object, "add", with(with(noArgs(), key), value))
}

// Update sets all these keys.
func (d *Dict[K, V]) Update(ctx context.Context, entries map[K]V) error {
	return d.none(ctx, "update", with(noArgs(), entries))
}

// Clear removes all keys.
func (d *Dict[K, V]) Clear(ctx context.Context) error { return d.none(ctx, "clear", noArgs()) }

// Increment adds to a number and returns the new one; a missing one counts as 0.
func (d *Dict[K, V]) Increment(ctx context.Context, key K, by V) (V, error) {
	return asks[V](ctx, d.Object, "increment", with(with(noArgs(), key), by))
}

// CompareAndSet sets a key if its value equals expected, and reports whether it did.
func (d *Dict[K, V]) CompareAndSet(ctx context.Context, key K, expected, value V) (bool, error) {
	return asks[bool](ctx, d.Object, "compare_and_set", with(with(with(noArgs(), key), expected), value))
}

// PopIf removes a key if its value equals expected, and reports whether it did.
func (d *Dict[K, V]) PopIf(ctx context.Context, key K, expected V) (bool, error) {
	return asks[bool](ctx, d.Object, "pop_if", with(with(noArgs(), key), expected))
}

// Equals reports whether the dict equals these entries, in any order.
func (d *Dict[K, V]) Equals(ctx context.Context, entries map[K]V) (bool, error) {
	return asks[bool](ctx, d.Object, "equals", with(noArgs(), entries))
}

// Copy returns all of it.
func (d *Dict[K, V]) Copy(ctx context.Context) (map[K]V, error) {
	return asks[map[K]V](ctx, d.Object, "copy", noArgs())
}

// Keys returns all keys, in their order.
func (d *Dict[K, V]) Keys(ctx context.Context) ([]K, error) {
	return asks[[]K](ctx, d.Object, "keys", noArgs())
}

// Values returns all values, in their keys' order.
func (d *Dict[K, V]) Values(ctx context.Context) ([]V, error) {
	return asks[[]V](ctx, d.Object, "values", noArgs())
}

// All yields the entries in their order, some at a time. If keys come or go meanwhile, the last thing that it yields is a
// failure of type RuntimeError.
func (d *Dict[K, V]) All(ctx context.Context) iter.Seq2[Pair[K, V], error] {
	return scan(ctx, d.Object, true, func(a answer) (Pair[K, V], error) { return pairOf[K, V](a, nil) })
}

// DictChange is a change of a dict. A snapshot has All; set has Key and Value; delete has Key; clear has neither.
type DictChange[K comparable, V any] = Change[K, V, map[K]V]

// Watch yields what is in the dict, and then each change, until ctx ends or the loop is left.
func (d *Dict[K, V]) Watch(ctx context.Context) iter.Seq2[DictChange[K, V], error] {
	return watch[K, V, map[K]V](ctx, d.Object)
}

// WatchChan is Watch as a channel, which is closed at the end; the last change says in Err why.
func (d *Dict[K, V]) WatchChan(ctx context.Context) <-chan DictChange[K, V] {
	return channel(ctx, d.Watch(ctx))
}
