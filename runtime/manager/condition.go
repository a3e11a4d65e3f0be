package manager

import (
	"context"

	"github.com/polyipc/polyipc/codec"
)

// Condition lets those who hold a lock wait for others to notify them. A failure of type RuntimeError for who does not hold it.
type Condition struct{ Object }

// OpenCondition opens the condition of that name, or makes one with an rlock of its own. Errors are those of Client.Open.
func OpenCondition(ctx context.Context, c *Client, name string) (*Condition, error) {
	o, err := open(ctx, c, name, "condition")
	return &Condition{o}, err
}

// NewCondition makes a condition without a name.
func NewCondition(ctx context.Context, c *Client) (*Condition, error) {
	return OpenCondition(ctx, c, "")
}

// NewConditionOf makes a condition whose lock is that Lock or RLock.
func NewConditionOf(ctx context.Context, c *Client, lock Object) (*Condition, error) {
	o, err := open(ctx, c, "", "condition", lock)
	return &Condition{o}, err
}

// UnmarshalRef implements codec.RefUnmarshaler.
func (c *Condition) UnmarshalRef(r codec.Ref) error { return c.take(r, "condition") }

// Acquire takes the condition's lock, as RLock.Acquire.
func (c *Condition) Acquire(ctx context.Context, owner Owner) (ownerDied bool, err error) {
	return acquired(c.callAs(ctx, owner, "acquire", noArgs()))
}

// TryAcquire takes the condition's lock if it is free, or owner has it.
func (c *Condition) TryAcquire(ctx context.Context, owner Owner) (got, ownerDied bool, err error) {
	return tried(c.callAs(ctx, owner, "acquire", with(noArgs(), false)))
}

// Release undoes one acquire of owner.
func (c *Condition) Release(ctx context.Context, owner Owner) error {
	_, err := c.callAs(ctx, owner, "release", noArgs())
	return err
}

// Wait frees the lock, waits to be notified, and takes the lock again. notified is false if that did not come before the
// deadline of ctx; the lock is held then, too. If ctx is cancelled, or the lock is not free within a second of the deadline, an
// error says so, and the lock is not held.
func (c *Condition) Wait(ctx context.Context, owner Owner) (notified bool, err error) {
	args, ctx, done := deadlined(ctx)
	defer done()
	return decoded[bool](c.callAs(ctx, owner, "wait", args))
}

// WaitFor waits until holds says true, which is asked with the lock held. It reports what holds said last.
func (c *Condition) WaitFor(ctx context.Context, owner Owner, holds func() bool) (bool, error) {
	for !holds() {
		if notified, err := c.Wait(ctx, owner); err != nil || !notified {
			return err == nil && holds(), err
		}
	}
	return true, nil
}

// Notify wakes up to n of those who wait, the longest first.
func (c *Condition) Notify(ctx context.Context, owner Owner, n int) error {
	_, err := c.callAs(ctx, owner, "notify", with(noArgs(), n))
	return err
}

// NotifyAll wakes all who wait.
func (c *Condition) NotifyAll(ctx context.Context, owner Owner) error {
	_, err := c.callAs(ctx, owner, "notify_all", noArgs())
	return err
}
