package manager

import (
	"context"

	"github.com/polyipc/polyipc/codec"
)

// Event is an event of the manager: it is set or not, and can be waited for.
type Event struct{ Object }

// OpenEvent opens the event of that name, or makes one that is not set. Errors are those of Client.Open.
func OpenEvent(ctx context.Context, c *Client, name string) (*Event, error) {
	o, err := open(ctx, c, name, "event")
	return &Event{o}, err
}

// NewEvent makes an event without a name.
func NewEvent(ctx context.Context, c *Client) (*Event, error) { return OpenEvent(ctx, c, "") }

// UnmarshalRef implements codec.RefUnmarshaler.
func (e *Event) UnmarshalRef(r codec.Ref) error { return e.take(r, "event") }

// Set sets the event: all who wait go on.
func (e *Event) Set(ctx context.Context) error { return e.none(ctx, "set", noArgs()) }

// Clear makes it unset.
func (e *Event) Clear(ctx context.Context) error { return e.none(ctx, "clear", noArgs()) }

// IsSet reports whether it is set.
func (e *Event) IsSet(ctx context.Context) (bool, error) {
	return asks[bool](ctx, e.Object, "is_set", noArgs())
}

// Wait waits until it is set, until ctx ends.
func (e *Event) Wait(ctx context.Context) error { return e.none(ctx, "wait", noArgs()) }
