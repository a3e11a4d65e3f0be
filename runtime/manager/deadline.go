package manager

import (
	"context"
	"errors"
	"time"
)

// serversGrace is how much longer a call waits for its answer when the server keeps the deadline.
const serversGrace = time.Second

// deadlined leaves it to the server to keep the deadline of ctx, for methods that do something when it passes: the
// arguments are a timeout, and the context ends later. done ends the use of it.
func deadlined(ctx context.Context) (args *arguments, later context.Context, done func()) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return noArgs(), ctx, func() {}
	}
	cancelled, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			cancel(context.Cause(ctx))
		}
	})
	done = func() { stop(); cancel(nil) }
	return with(noArgs(), max(0, time.Until(deadline).Seconds())), &postponed{cancelled, deadline.Add(serversGrace)}, done
}

// postponed is a context with a deadline, without a timer.
type postponed struct {
	context.Context
	until time.Time
}

// Deadline is when it ends.
func (p *postponed) Deadline() (time.Time, bool) { return p.until, true }
