package queue

import (
	"time"

	"golang.org/x/sys/unix"
)

// The system's monotonic clock as every process sees it, which Go's own does not show: read once,
// and carried on by time.Since, which needs no system call.
var (
	started   = time.Now()
	startedAt = monotonic()
)

func monotonic() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}

// now is nanoseconds of the system's monotonic clock: what seats, leases and claims are stamped
// with.
func now() int64 { return startedAt + int64(time.Since(started)) }

// second is now in whole seconds.
func second() int64 { return now() / int64(time.Second) }
