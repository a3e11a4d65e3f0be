package tally

import (
	"context"
	"fmt"

	"github.com/polyipc/polyipc/runtime/psync"
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
