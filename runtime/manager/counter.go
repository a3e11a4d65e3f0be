package manager

import (
	"context"
	"iter"

	"github.com/polyipc/polyipc/codec"
)

// Counter is an integer that many add to. Beyond int64 is a failure of type OverflowError. Errors are those of Object.Call.
type Counter struct{ Object }

// OpenCounter opens the counter of that name, or makes one that begins at value. Errors are those of Client.Open.
func OpenCounter(ctx context.Context, c *Client, name string, value int64) (*Counter, error) {
	o, err := open(ctx, c, name, "counter", value)
	return &Counter{o}, err
}

// NewCounter makes a counter without a name.
func NewCounter(ctx context.Context, c *Client, value int64) (*Counter, error) {
	return OpenCounter(ctx, c, "", value)
}

// UnmarshalRef implements codec.RefUnmarshaler.
func (n *Counter) UnmarshalRef(r codec.Ref) error { return n.take(r, "counter") }

// Increment adds to the counter and returns its new value.
func (n *Counter) Increment(ctx context.Context, by int64) (int64, error) {
	return asks[int64](ctx, n.Object, "increment", with(noArgs(), by))
}

// Get returns the value.
func (n *Counter) Get(ctx context.Context) (int64, error) {
	return asks[int64](ctx, n.Object, "get", noArgs())
}

// Set sets the value.
func (n *Counter) Set(ctx context.Context, value int64) error {
	return n.none(ctx, "set", with(noArgs(), value))
}

// Exchange sets the value and returns the old one.
func (n *Counter) Exchange(ctx context.Context, value int64) (int64, error) {
	return asks[int64](ctx, n.Object, "exchange", with(noArgs(), value))
}

// CompareAndSet sets the value if it is expected, and reports whether it did.
func (n *Counter) CompareAndSet(ctx context.Context, expected, value int64) (bool, error) {
	return asks[bool](ctx, n.Object, "compare_and_set", with(with(noArgs(), expected), value))
}

// Watch yields the value, and then each new one, until ctx ends or the loop is left.
func (n *Counter) Watch(ctx context.Context) iter.Seq2[ValueChange[int64], error] {
	return watch[struct{}, int64, int64](ctx, n.Object)
}

// WatchChan is Watch as a channel, which is closed at the end; the last change says in Err why.
func (n *Counter) WatchChan(ctx context.Context) <-chan ValueChange[int64] {
	return channel(ctx, n.Watch(ctx))
}
