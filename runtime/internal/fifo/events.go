package fifo

import (
	"log/slog"

	"github.com/polyipc/polyipc/runtime/internal/trace"
)

// What a queue tells package trace; the list is at the top of package events. It is noted where it
// happens, mostly under a lock, and flushed where there is none: at the end of each verb and before
// it goes to sleep.

// losses counts by owner what a search took back from the dead: one of them may have held thousands.
// The zero value, without a map, is for when nobody listens.
type losses struct {
	q      *Fifo
	leases map[uint32]int
	writes map[uint32]int
}

func (q *Fifo) newLosses() losses {
	if !trace.On(slog.LevelWarn) {
		return losses{}
	}
	return losses{q, map[uint32]int{}, map[uint32]int{}}
}

func (l *losses) lease(owner uint32) {
	if l.q != nil {
		l.leases[owner]++
	}
}

func (l *losses) write(owner uint32) {
	if l.q != nil {
		l.writes[owner]++
	}
}

func (l *losses) note() {
	for owner, n := range l.leases {
		level := slog.LevelWarn
		if owner == l.q.obj.Me { // it closed the queue
			level = slog.LevelInfo
		}
		trace.Note(level, "redelivery", l.q.obj.Name(), "messages", n, "from", l.q.obj.Process(owner).Pid)
	}
	for owner, n := range l.writes {
		trace.Note(slog.LevelWarn, "abandon", l.q.obj.Name(), "messages", n, "from", l.q.obj.Process(owner).Pid)
	}
}

func (q *Fifo) grew(n, size uint64) {
	if trace.On(slog.LevelDebug) {
		trace.Note(slog.LevelDebug, "growth", q.obj.Name(), "ring", n, "bytes", size)
	}
}

func (q *Fifo) shrank(n uint64) {
	if trace.On(slog.LevelDebug) {
		trace.Note(slog.LevelDebug, "shrink", q.obj.Name(), "ring", n)
	}
}
