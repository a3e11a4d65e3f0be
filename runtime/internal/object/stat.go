package object

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
)

// Process is a process as it described itself.
type Process struct {
	Pid      int    // in its own pid namespace; 0 if nothing is known
	Language string // of the host program: "go", "c", "python"
	Command  string // its command line, cut off
	Alive    bool
}

// Holder is somebody who holds something or waits for it.
type Holder struct {
	Process
	What       string        // "lease", "producer lock", "message", ...
	For        time.Duration // how long already; 0 if that is not known
	Bytes      int64         // of the message in question
	Sequence   uint64        // of the message in question
	Deliveries int           // of the message in question
	Count      int64         // how many permits or read locks
}

// Process tells what the process with that token said about itself.
func (o *Object) Process(token uint32) Process {
	in, ok := o.Member.Info(token)
	if !ok {
		return Process{}
	}
	return Process{Pid: in.Pid, Language: in.Language, Command: in.Command, Alive: in.Alive}
}

// Waiters tells who sits in the seats; names says what for.
func (o *Object) Waiters(seats []layout.Seat, names map[uint32]string) (ws []Holder) {
	for i := range seats {
		s := &seats[i]
		who := s.Who.Load()
		if who == 0 {
			continue
		}
		p := o.Process(uint32(who))
		if !p.Alive {
			continue
		}
		ws = append(ws, Holder{Process: p, What: names[uint32(who>>32)], For: time.Duration(Now() - s.Since.Load())})
	}
	return ws
}

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

// Now is nanoseconds of the system's monotonic clock: what seats, leases and claims are stamped
// with.
func Now() int64 { return startedAt + int64(time.Since(started)) }

// Second is Now in whole seconds.
func Second() int64 { return Now() / int64(time.Second) }
