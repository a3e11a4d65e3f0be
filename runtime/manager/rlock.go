package manager

import (
	"context"
	"sync/atomic"

	"github.com/polyipc/polyipc/codec"
)

// Owner is who has an RLock, or the lock of a Condition. Goroutines have no identity that a program could ask for, so one
// takes an Owner and shows it: whoever has the same Owner may acquire again, whoever has another must wait.
type Owner struct{ thread uint64 }

// NewOwner returns an Owner that no one else has.
func NewOwner() Owner { return Owner{firstOwner + owners.Add(1)} }

// firstOwner lies above all thread ids, by which the threads of a C or Python program are known that shares the client.
const firstOwner = 1 << 32

var owners atomic.Uint64

// RLock is a lock that its owner may acquire again; it is free when it was released as often.
type RLock struct{ Object }

// OpenRLock opens the rlock of that name, or makes it. Errors are those of Client.Open.
func OpenRLock(ctx context.Context, c *Client, name string) (*RLock, error) {
	o, err := open(ctx, c, name, "rlock")
	return &RLock{o}, err
}

// NewRLock makes an rlock without a name.
func NewRLock(ctx context.Context, c *Client) (*RLock, error) { return OpenRLock(ctx, c, "") }

// UnmarshalRef implements codec.RefUnmarshaler.
func (l *RLock) UnmarshalRef(r codec.Ref) error { return l.take(r, "rlock") }

// Acquire takes the lock, waiting for it until ctx ends. ownerDied as with Lock.
func (l *RLock) Acquire(ctx context.Context, owner Owner) (ownerDied bool, err error) {
	return acquired(l.callAs(ctx, owner, "acquire", noArgs()))
}

// TryAcquire takes the lock if it is free, or owner has it.
func (l *RLock) TryAcquire(ctx context.Context, owner Owner) (got, ownerDied bool, err error) {
	return tried(l.callAs(ctx, owner, "acquire", with(noArgs(), false)))
}

// Release undoes one acquire of owner. A failure of type AssertionError if owner does not have the lock.
func (l *RLock) Release(ctx context.Context, owner Owner) error {
	_, err := l.callAs(ctx, owner, "release", noArgs())
	return err
}

// Locked reports whether somebody has the lock.
func (l *RLock) Locked(ctx context.Context) (bool, error) {
	return asks[bool](ctx, l.Object, "locked", noArgs())
}
