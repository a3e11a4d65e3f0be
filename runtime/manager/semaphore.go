package manager

import (
	"context"

	"github.com/polyipc/polyipc/codec"
)

// Semaphore is a number of permits. Those that a client had come back when it dies.
type Semaphore struct{ Object }

// OpenSemaphore opens the semaphore of that name, bounded or not, or makes one of value permits. Errors are those of Client.Open.
func OpenSemaphore(ctx context.Context, c *Client, name string, value int) (*Semaphore, error) {
	o, err := open(ctx, c, name, "semaphore", value)
	return &Semaphore{o}, err
}

// NewSemaphore makes a semaphore without a name.
func NewSemaphore(ctx context.Context, c *Client, value int) (*Semaphore, error) {
	return OpenSemaphore(ctx, c, "", value)
}

// OpenBoundedSemaphore is OpenSemaphore for one that never has more permits than value.
func OpenBoundedSemaphore(ctx context.Context, c *Client, name string, value int) (*Semaphore, error) {
	o, err := open(ctx, c, name, "bounded_semaphore", value)
	return &Semaphore{o}, err
}

// NewBoundedSemaphore makes such a semaphore without a name.
func NewBoundedSemaphore(ctx context.Context, c *Client, value int) (*Semaphore, error) {
	return OpenBoundedSemaphore(ctx, c, "", value)
}

// UnmarshalRef implements codec.RefUnmarshaler.
func (s *Semaphore) UnmarshalRef(r codec.Ref) error {
	return s.take(r, "semaphore", "bounded_semaphore")
}

// Acquire takes a permit, waiting for one until ctx ends.
func (s *Semaphore) Acquire(ctx context.Context) error {
	_, err := acquired(s.call(ctx, "acquire", noArgs()))
	return err
}

// TryAcquire takes a permit if there is one now.
func (s *Semaphore) TryAcquire(ctx context.Context) (got bool, err error) {
	got, _, err = tried(s.call(ctx, "acquire", with(noArgs(), false)))
	return got, err
}

// Release adds n permits. A failure of type ValueError if a bounded one had more than its first value then.
func (s *Semaphore) Release(ctx context.Context, n int) error {
	return s.none(ctx, "release", with(noArgs(), n))
}

// Value is how many permits there are.
func (s *Semaphore) Value(ctx context.Context) (int, error) {
	return asks[int](ctx, s.Object, "get_value", noArgs())
}
