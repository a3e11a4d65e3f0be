// Package events gives a program's own log the events of polyipc: that a dead process's lock was taken
// over, that leases came back, that a file was reaped, that an object is corrupt.
//
//	events.SetHandler(slog.Default().Handler())
//
// A record's message is the event's name; its attributes are pid (this process), object (the name
// of the queue or file) and what belongs to the event:
//
//	take-over   info   lock, from     a lock's owner died; from is its pid, 0 if not known any more
//	redelivery  warn   messages, from so many leases of a process that died go back to the queue
//	                   (info: of this process, which closed the queue)
//	abandon     warn   messages, from so many messages that a process died writing were given up
//	reclaim     warn   count, from    so many permits or read locks of a process that died are free again
//	reap        info   root           a file that nobody uses any more was removed
//	corruption  error  error          bytes that make no sense, once for each open queue that meets them
//	growth      debug  ring, bytes    a ring was added to a queue, because it was full
//	shrink      debug  ring           an empty ring was taken away again
//	reload      debug  forks          the library started anew in a forked child
//
// An event is told by the process that acts, from the goroutine whose call met it, before that call
// returns or goes to sleep. The numbers are counted for all processes together in [queue.Stat].
//
// Without a line of code, $POLYIPC_LOG=level[:file] writes the same events to a file, or to stderr:
// docs/howto/watching.md.
//
// [queue.Stat]: https://pkg.go.dev/github.com/polyipc/polyipc/runtime/queue#Stat
package events

import (
	"log/slog"

	"github.com/polyipc/polyipc/runtime/internal/trace"
)

// SetHandler makes h hear of the events that it is enabled for, instead of the one before it; nil ends
// that. It may be called at any time. h is called with no lock held, from several goroutines at
// once, and may itself use polyipc.
func SetHandler(h slog.Handler) { trace.SetProgram(h) }

// Host says how things are in the process of a library that holds this runtime. Its methods are not
// for Go programs.
type Host struct {
	// Log returns $POLYIPC_LOG as the host has it: Go's view of the environment is that of the moment
	// when the process began.
	Log func() string
	// Track is told of descriptors, as in host.TrackDescriptors.
	Track func(fd int, open bool)
	// Forks is how many forks lie between this process and the one that loaded the library.
	Forks int
}

// Begin is called once, before anything else of this runtime.
func (h Host) Begin() {
	trace.Value, trace.OnDescriptor, trace.Quiet = h.Log, h.Track, h.Forks > 0
}

// Reloaded tells that the library has started anew in a forked child, if that is what it did.
func (h Host) Reloaded() {
	if h.Forks > 0 && trace.On(slog.LevelDebug) {
		trace.Note(slog.LevelDebug, "reload", "libpolyipc.so", "forks", h.Forks)
		trace.Flush()
	}
}

// Collect keeps events for a binding that has a log of its own, and calls news whenever there are
// some to Take.
func (h Host) Collect(news func()) { trace.Collect(news) }

// Take returns collected events that fit into so many bytes, and forgets them; it returns nothing when
// there are none. Each is a line of at most 4096 bytes: the number of its level as slog counts, a blank,
// and its text.
func (h Host) Take(most int) []byte { return trace.Take(most) }
