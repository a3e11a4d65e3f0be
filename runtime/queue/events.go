package queue

import (
	"log/slog"

	"github.com/polyipc/polyipc/runtime/internal/trace"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// What a queue tells package trace; the list is at the top of package events. It is noted where it
// happens, mostly under a lock, and flushed where there is none: at the end of each verb and before
// it goes to sleep.

// tookOver notes that a lock was taken from a dead owner.
func (q *Queue) tookOver(side uint8, dead uint32) {
	if !trace.On(slog.LevelInfo) {
		return
	}
	lock := "producer lock"
	if side == consumers {
		lock = "consumer lock"
	}
	trace.Note(slog.LevelInfo, "take-over", q.name, "lock", lock, "from", q.process(dead).Pid)
}

// losses counts by owner what a search took back from the dead: one of them may have held thousands.
// The zero value, without a map, is for when nobody listens.
type losses struct {
	q      *Queue
	leases map[uint32]int
	writes map[uint32]int
}

func (q *Queue) newLosses() losses {
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
		if owner == l.q.me { // it closed the queue
			level = slog.LevelInfo
		}
		trace.Note(level, "redelivery", l.q.name, "messages", n, "from", l.q.process(owner).Pid)
	}
	for owner, n := range l.writes {
		trace.Note(slog.LevelWarn, "abandon", l.q.name, "messages", n, "from", l.q.process(owner).Pid)
	}
}

func (q *Queue) grew(n, size uint64) {
	if trace.On(slog.LevelDebug) {
		trace.Note(slog.LevelDebug, "growth", q.name, "ring", n, "bytes", size)
	}
}

func (q *Queue) shrank(n uint64) {
	if trace.On(slog.LevelDebug) {
		trace.Note(slog.LevelDebug, "shrink", q.name, "ring", n)
	}
}

// noteCorrupt notes the first error of an open queue that says CORRUPT: a program that tries again
// and again must not fill the disk.
func (q *Queue) noteCorrupt(err error) {
	if e, ok := err.(*ipcerr.Error); ok && e.Code == ipcerr.Corrupt && trace.On(slog.LevelError) && !q.corrupt.Swap(true) {
		corruption(q.name, e)
	}
}

func corruption(name string, err error) {
	trace.Note(slog.LevelError, "corruption", name, "error", err.Error())
}

// opened ends an open, whatever came of it.
func opened(name string, err error) {
	if err != nil && trace.On(slog.LevelError) && ipcerr.CodeOf(err) == ipcerr.Corrupt {
		corruption(name, err)
	}
	trace.Flush()
}
