package manager

import (
	"context"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Lock is a lock that anybody may release. When the client that acquired it dies, the next one gets it and is told.
type Lock struct{ Object }

// OpenLock opens the lock of that name, or makes it. Errors are those of Client.Open.
func OpenLock(ctx context.Context, c *Client, name string) (*Lock, error) {
	o, err := open(ctx, c, name, "lock")
	return &Lock{o}, err
}

// NewLock makes a lock without a name.
func NewLock(ctx context.Context, c *Client) (*Lock, error) { return OpenLock(ctx, c, "") }

// UnmarshalRef implements codec.RefUnmarshaler.
func (l *Lock) UnmarshalRef(r codec.Ref) error { return l.take(r, "lock") }

// Acquire takes the lock, waiting for it until ctx ends. ownerDied: the former owner died with it, so what it guards may
// be half done.
func (l *Lock) Acquire(ctx context.Context) (ownerDied bool, err error) {
	return acquired(l.callAs(ctx, Owner{}, "acquire", noArgs()))
}

// TryAcquire takes the lock if it is free.
func (l *Lock) TryAcquire(ctx context.Context) (got, ownerDied bool, err error) {
	return tried(l.callAs(ctx, Owner{}, "acquire", with(noArgs(), false)))
}

// Release frees the lock. A failure of type RuntimeError if it is free.
func (l *Lock) Release(ctx context.Context) error { return l.none(ctx, "release", noArgs()) }

// Locked reports whether somebody has the lock.
func (l *Lock) Locked(ctx context.Context) (bool, error) {
	return asks[bool](ctx, l.Object, "locked", noArgs())
}

// What acquire returns.
const (
	notAcquired = 0
	orphaned    = 2 // acquired, and the former owner died with it
)

func tried(a answer, err error) (got, ownerDied bool, _ error) {
	n, err := decoded[int](a, err)
	return err == nil && n != notAcquired, n == orphaned, err
}

func acquired(a answer, err error) (ownerDied bool, _ error) {
	got, ownerDied, err := tried(a, err)
	if err == nil && !got {
		err = &ipcerr.Error{Op: "acquire lock", Code: ipcerr.Timeout}
	}
	return ownerDied, err
}
