package trace

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
)

// TestOffIsFree holds the cost of events that nobody listens to.
func TestOffIsFree(t *testing.T) {
	if os.Getenv(Variable) != "" {
		t.Fatal("the tests are for a machine without $" + Variable)
	}
	n := 7
	if allocs := testing.AllocsPerRun(1000, func() {
		if On(slog.LevelError) {
			Note(slog.LevelError, "never", "thing", "n", n, "text", strings.Repeat("x", n))
		}
		Flush()
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	if least.Load() != silent {
		t.Errorf("somebody listens from level %d on", least.Load())
	}
}

func BenchmarkOff(b *testing.B) {
	for b.Loop() {
		if On(slog.LevelError) {
			Note(slog.LevelError, "never", "thing")
		}
		Flush()
	}
}

func TestProgram(t *testing.T) {
	var b bytes.Buffer
	SetProgram(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelWarn}))
	defer SetProgram(nil)
	event(slog.LevelInfo, "quiet")
	event(slog.LevelWarn, "heard", "n", 5)
	if got := b.String(); !strings.Contains(got, " level=WARN msg=heard pid=") || !strings.HasSuffix(got, " object=thing n=5\n") ||
		strings.Contains(got, "quiet") {
		t.Errorf("%q", got)
	}
	SetProgram(nil)
	b.Reset()
	event(slog.LevelError, "nobody")
	if b.Len() > 0 || On(slog.LevelError) {
		t.Errorf("after the end: %q", b.String())
	}
}

// nested is a handler that makes events itself, as one does that logs into a queue.
type nested struct {
	slog.Handler
	left int
}

func (n *nested) Handle(context.Context, slog.Record) error {
	if n.left > 0 {
		n.left--
		event(slog.LevelError, "inner")
	}
	return nil
}

func TestHandlerMakesEvents(t *testing.T) {
	n := &nested{slog.NewTextHandler(new(bytes.Buffer), nil), 10}
	SetProgram(n)
	defer SetProgram(nil)
	event(slog.LevelError, "outer")
	if n.left != 0 {
		t.Errorf("%d left", n.left)
	}
}

func TestNotedIsKeptUntilFlush(t *testing.T) {
	var b bytes.Buffer
	SetProgram(slog.NewTextHandler(&b, nil))
	defer SetProgram(nil)
	Note(slog.LevelError, "one", "thing")
	Note(slog.LevelError, "two", "thing")
	if b.Len() > 0 {
		t.Errorf("before the flush: %q", b.String())
	}
	Flush()
	if got := events(b.String()); got != "onetwo" {
		t.Error(got)
	}
}

func TestCollect(t *testing.T) {
	news := 0
	Collect(func() { news++ })
	defer listen(binding, nil, off)
	if got := Take(1 << 20); len(got) > 0 {
		t.Errorf("before anything happened: %q", got)
	}
	event(slog.LevelInfo, "first", "text", "two\nlines")
	event(slog.LevelDebug, "second")
	if news != 2 {
		t.Errorf("told of %d", news)
	}
	const first, second = "0 first object=thing text=\"two\\nlines\"\n", "-4 second object=thing\n"
	if got := string(Take(len(first + second))); got != first+second {
		t.Errorf("%q", got)
	}
	event(slog.LevelInfo, "first", "text", "two\nlines")
	event(slog.LevelDebug, "second")
	for _, want := range []string{first, second, ""} {
		if got := string(Take(len(first))); got != want {
			t.Errorf("piece by piece: %q, want %q", got, want)
		}
	}
}

// TestCollectIsBounded is a binding that never comes.
func TestCollectIsBounded(t *testing.T) {
	Collect(func() {})
	defer listen(binding, nil, off)
	for i := range mostLines + 5 {
		event(slog.LevelInfo, "e", "i", i)
	}
	lines := strings.Split(strings.TrimSpace(string(Take(1<<20))), "\n")
	if len(lines) != mostLines+1 || lines[0] != "4 dropped events=5" || lines[1] != "0 e object=thing i=5" {
		t.Errorf("%d lines: %q", len(lines), lines[:2])
	}
}
