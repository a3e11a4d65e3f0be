package trace

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// There are no callbacks across the ABI: for a binding, events are collected here until it comes
// and takes them.

// mostLines are kept; the oldest make room.
const mostLines = 256

// collector is the handler that collects.
type collector struct {
	news func() // called when there is something to take; does not block

	mu      sync.Mutex
	lines   [][]byte
	dropped int
}

var collected collector

// Collect begins to collect events of all levels, and calls news whenever there is one to take.
// Once a process.
func Collect(news func()) {
	Start()
	collected.news = news
	listen(binding, &collected, slog.LevelDebug)
}

// Take returns the oldest events that fit into so many bytes, and forgets them. An event is a line
// of its level's number and what it says; a line has at most 4096 bytes.
func Take(most int) []byte {
	c := &collected
	c.mu.Lock()
	defer c.mu.Unlock()
	var taken []byte
	if c.dropped > 0 {
		line := fmt.Appendf(nil, "%d dropped events=%d\n", slog.LevelWarn, c.dropped)
		if len(line) > most {
			return nil
		}
		taken, c.dropped = line, 0
	}
	for len(c.lines) > 0 && len(taken)+len(c.lines[0]) <= most {
		taken = append(taken, c.lines[0]...)
		c.lines = c.lines[1:]
	}
	return taken
}

// Enabled implements slog.Handler: the binding has levels of its own.
func (c *collector) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements slog.Handler; nobody calls it.
func (c *collector) WithAttrs([]slog.Attr) slog.Handler { return c }

// WithGroup implements slog.Handler; nobody calls it.
func (c *collector) WithGroup(string) slog.Handler { return c }

// Handle implements slog.Handler.
func (c *collector) Handle(ctx context.Context, r slog.Record) error {
	var b bytes.Buffer
	err := slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: bare}).Handle(ctx, r)
	line := fmt.Appendf(nil, "%d %s", r.Level, bytes.TrimPrefix(b.Bytes(), []byte("msg=")))
	c.mu.Lock()
	c.lines = append(c.lines, whole(line))
	if len(c.lines) > mostLines {
		c.lines = c.lines[1:]
		c.dropped++
	}
	c.mu.Unlock()
	c.news()
	return err
}

// bare leaves out what the binding's own log says of each event.
func bare(_ []string, a slog.Attr) slog.Attr {
	switch a.Key {
	case slog.TimeKey, slog.LevelKey, "pid":
		return slog.Attr{}
	}
	return a
}
