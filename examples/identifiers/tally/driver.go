package tally

import (
	"context"
	"fmt"

	"github.com/polyipc/polyipc/runtime/pipe"
	"github.com/polyipc/polyipc/runtime/psync"
	"github.com/polyipc/polyipc/runtime/wait"
)

// AwaitStart waits at the barrier that was handed over as "start", until the workers and the walker are there.
func AwaitStart(ctx context.Context) error {
	start, err := psync.Inherited("start")
	if err != nil {
		return err
	}
	barrier, ok := start.(*psync.Barrier)
	if !ok {
		return fmt.Errorf("start is no barrier: %T", start)
	}
	_, err = barrier.Wait(ctx)
	return err
}

// WhileDriven returns a context that ends when the driver does. It is for those to whom the driver sends nothing, so
// that there is nothing to read on their pipe but its end.
func WhileDriven(ctx context.Context, control *pipe.Pipe) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		<-wait.Start(ctx, control.Readable())
		cancel()
	}()
	return ctx
}
