package manager

import (
	"context"
	"time"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Barrier lets nobody pass until as many wait as it has parties. Who dies waiting leaves its place to another.
type Barrier struct{ Object }

// OpenBarrier opens the barrier of that name, or makes one for that many parties. Errors are those of Client.Open.
func OpenBarrier(ctx context.Context, c *Client, name string, parties int) (*Barrier, error) {
	o, err := open(ctx, c, name, "barrier", parties)
	return &Barrier{o}, err
}

// NewBarrier makes a barrier without a name.
func NewBarrier(ctx context.Context, c *Client, parties int) (*Barrier, error) {
	return OpenBarrier(ctx, c, "", parties)
}

// UnmarshalRef implements codec.RefUnmarshaler.
func (b *Barrier) UnmarshalRef(r codec.Ref) error { return b.take(r, "barrier") }

// Wait waits for the others; the parties get the numbers from 0 to parties-1, one each. A deadline of ctx that passes breaks
// the barrier: ipcerr.Timeout; for the others, a failure of type BrokenBarrierError. Cancelling ctx takes the place back.
func (b *Barrier) Wait(ctx context.Context) (index int, err error) {
	deadline, timed := ctx.Deadline()
	args, ctx, done := deadlined(ctx)
	defer done()
	index, err = asks[int](ctx, b.Object, "wait", args)
	if timed && Failed(err, "BrokenBarrierError") && !time.Now().Before(deadline) {
		err = &ipcerr.Error{Op: "wait at barrier", Code: ipcerr.Timeout, Err: err}
	}
	return index, err
}

// Abort breaks the barrier: all who wait, and all who come, fail, until somebody resets it.
func (b *Barrier) Abort(ctx context.Context) error { return b.none(ctx, "abort", noArgs()) }

// Reset makes the barrier as new. Who waits fails.
func (b *Barrier) Reset(ctx context.Context) error { return b.none(ctx, "reset", noArgs()) }

// Parties is how many have to wait.
func (b *Barrier) Parties(ctx context.Context) (int, error) {
	return asks[int](ctx, b.Object, "parties", noArgs())
}

// Waiting is how many wait now.
func (b *Barrier) Waiting(ctx context.Context) (int, error) {
	return asks[int](ctx, b.Object, "n_waiting", noArgs())
}

// Broken reports whether the barrier is broken.
func (b *Barrier) Broken(ctx context.Context) (bool, error) {
	return asks[bool](ctx, b.Object, "broken", noArgs())
}
