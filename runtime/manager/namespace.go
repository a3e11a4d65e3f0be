package manager

import (
	"context"
	"iter"

	"github.com/polyipc/polyipc/codec"
)

// Namespace is values with names. Errors are those of Object.Call.
type Namespace struct{ Object }

// OpenNamespace opens the namespace of that name, or makes an empty one. Errors are those of Client.Open.
func OpenNamespace(ctx context.Context, c *Client, name string) (*Namespace, error) {
	o, err := open(ctx, c, name, "namespace")
	return &Namespace{o}, err
}

// NewNamespace makes a namespace without a name, of those values.
func NewNamespace(ctx context.Context, c *Client, values map[string]any) (*Namespace, error) {
	o, err := c.NewNamed(ctx, "namespace", nil, values)
	return &Namespace{o}, err
}

// UnmarshalRef implements codec.RefUnmarshaler.
func (n *Namespace) UnmarshalRef(r codec.Ref) error { return n.take(r, "namespace") }

// Get returns a value, and whether there is one of that name.
func (n *Namespace) Get(ctx context.Context, name string) (value any, ok bool, err error) {
	value, err = asks[any](ctx, n.Object, "get", with(noArgs(), name))
	return found(value, err, "AttributeError")
}

// Set sets a value.
func (n *Namespace) Set(ctx context.Context, name string, value any) error {
	return n.none(ctx, "set", with(with(noArgs(), name), value))
}

// Delete removes a value and reports whether it was there.
func (n *Namespace) Delete(ctx context.Context, name string) (bool, error) {
	_, ok, err := found(0, n.none(ctx, "delete", with(noArgs(), name)), "AttributeError")
	return ok, err
}

// Contains reports whether there is a value of that name.
func (n *Namespace) Contains(ctx context.Context, name string) (bool, error) {
	return asks[bool](ctx, n.Object, "contains", with(noArgs(), name))
}

// Names returns all names.
func (n *Namespace) Names(ctx context.Context) ([]string, error) {
	return asks[[]string](ctx, n.Object, "names", noArgs())
}

// Copy returns all values.
func (n *Namespace) Copy(ctx context.Context) (map[string]any, error) {
	return asks[map[string]any](ctx, n.Object, "copy", noArgs())
}

// Increment adds to a number and returns the new one; a missing one counts as 0.
func (n *Namespace) Increment(ctx context.Context, name string, by any) (any, error) {
	return asks[any](ctx, n.Object, "increment", with(with(noArgs(), name), by))
}

// CompareAndSet sets a value if it equals expected, and reports whether it did.
func (n *Namespace) CompareAndSet(ctx context.Context, name string, expected, value any) (bool, error) {
	return asks[bool](ctx, n.Object, "compare_and_set", with(with(with(noArgs(), name), expected), value))
}

// Update sets all these values.
func (n *Namespace) Update(ctx context.Context, values map[string]any) error {
	return n.none(ctx, "update", noArgs().withNamed(values))
}

// Watch yields what there is, and then each change, until ctx ends or the loop is left.
func (n *Namespace) Watch(ctx context.Context) iter.Seq2[DictChange[string, any], error] {
	return watch[string, any, map[string]any](ctx, n.Object)
}

// WatchChan is Watch as a channel, which is closed at the end; the last change says in Err why.
func (n *Namespace) WatchChan(ctx context.Context) <-chan DictChange[string, any] {
	return channel(ctx, n.Watch(ctx))
}
