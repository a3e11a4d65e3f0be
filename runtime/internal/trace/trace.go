// Package trace tells whoever asked what goes on besides the calls: take-overs, leases that come
// back, files that are reaped, corruption, growth, the library's new start after a fork.
//
//	if trace.On(slog.LevelInfo) {
//		trace.Note(slog.LevelInfo, "take-over", q.name, "lock", "consumer lock", "from", pid)
//	}
//	...
//	trace.Flush() // where no lock is held
//
// Off, which it is as a rule, On and Flush cost one load each. Note only remembers, so it may be called
// with a queue's lock in hand; Flush hands on, to up to three who listen: the environment
// (output.go), a Go program (package events) and the binding of another language (collect.go).
package trace

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	_ "github.com/polyipc/polyipc/runtime/internal/layout" // says where polyipc does not run
)

// The listeners.
const (
	environment = iota
	program
	binding
	listeners
)

const (
	unread int32 = math.MinInt32 // the environment was not looked at yet
	silent int32 = math.MaxInt32
)

var (
	least   atomic.Int32 // lowest level that somebody listens to
	waiting atomic.Bool  // noted is not empty

	mu       sync.Mutex // guards what follows; never held while a handler runs
	noted    []slog.Record
	handlers [listeners]slog.Handler
	levels   = [listeners]int32{silent, silent, silent}

	readOnce sync.Once
)

func init() { least.Store(unread) }

// On reports whether somebody listens to events of this level. Callers of Note ask first, so that
// nothing is computed for nobody.
func On(l slog.Level) bool { return int32(l) >= least.Load() && on(l) }

func on(l slog.Level) bool {
	readOnce.Do(readEnvironment)
	return int32(l) >= least.Load()
}

// Start reads the environment if nobody has, so that what is wrong with $POLYIPC_LOG is said when
// the first object is opened, and not when the first event comes.
func Start() { On(slog.LevelError) }

// SetProgram makes h hear of everything that it is enabled for, until the next call; nil is nobody.
func SetProgram(h slog.Handler) {
	Start()
	listen(program, h, slog.LevelDebug)
}

// listen sets who listens in a place, from a level on. The environment's comes first: it was read.
func listen(who int, h slog.Handler, from slog.Level) {
	mu.Lock()
	defer mu.Unlock()
	handlers[who], levels[who] = h, silent
	if h != nil {
		levels[who] = int32(from)
	}
	lowest := silent
	for _, l := range levels {
		lowest = min(lowest, l)
	}
	least.Store(lowest)
}

// Note remembers an event for the next Flush. args are keys and values as slog has them.
func Note(l slog.Level, event, object string, args ...any) {
	r := slog.NewRecord(time.Now().UTC(), l, event, 0) // UTC: the local zone is a file to be opened
	r.AddAttrs(slog.Int("pid", unix.Getpid()), slog.String("object", object))
	r.Add(args...)
	mu.Lock()
	defer mu.Unlock()
	noted = append(noted, r)
	waiting.Store(true)
}

// Flush hands on what was noted. Handlers are the program's own code and files may be slow: no lock
// of an object is to be held.
func Flush() {
	if waiting.Load() {
		flush()
	}
}

func flush() {
	mu.Lock()
	records, to := noted, handlers
	noted = nil
	waiting.Store(false)
	mu.Unlock()
	ctx := context.Background()
	for _, r := range records {
		for _, h := range to {
			if h != nil && h.Enabled(ctx, r.Level) {
				_ = h.Handle(ctx, r.Clone()) // nobody is there to hear of a failure
			}
		}
	}
}
