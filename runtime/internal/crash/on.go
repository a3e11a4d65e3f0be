//go:build crash

// Package crash names the places where a process may die and leave something behind that another
// has to repair.
package crash

import (
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Enabled reports whether the crash points are compiled in.
const Enabled = true

// $POLYIPC_CRASH is "name", "name:n" for the n-th time it is reached, and with ":stop" behind it
// the process is stopped there instead of killed.
var (
	want, stop = "", false
	left       atomic.Int64
)

func init() {
	v, _ := unix.Getenv("POLYIPC_CRASH")
	v, stop = strings.CutSuffix(v, ":stop")
	name, n, _ := strings.Cut(v, ":")
	times, err := strconv.ParseInt(n, 10, 64)
	if err != nil {
		times = 1
	}
	left.Store(times)
	want = name
}

// Point kills (or stops) this process if $POLYIPC_CRASH names the place.
func Point(name string) {
	if name != want || left.Add(-1) != 0 {
		return
	}
	if stop {
		// To this thread: one for the process may be taken up by another thread, while this one goes
		// on for a moment behind the point.
		runtime.LockOSThread()
		_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGSTOP)
		runtime.UnlockOSThread()
		return
	}
	_ = unix.Kill(unix.Getpid(), unix.SIGKILL)
	select {} // the signal is on its way; nothing may run behind the point
}
