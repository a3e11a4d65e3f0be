package fifo

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/internal/trace"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

// listener is a slog handler that writes events down. With a queue it looks into that at each event,
// which takes both locks: so events are told with none in hand.
type listener struct {
	t *testing.T

	mu   sync.Mutex
	q    *Queue
	said []string
}

// listenIn hears the events of a test.
func listenIn(t *testing.T) *listener {
	l := &listener{t: t}
	trace.SetProgram(l)
	t.Cleanup(func() { trace.SetProgram(nil) })
	return l
}

func (l *listener) Enabled(context.Context, slog.Level) bool { return true }
func (l *listener) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *listener) WithGroup(string) slog.Handler            { return l }

func (l *listener) Handle(_ context.Context, r slog.Record) error {
	s := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "pid" && a.Key != "object" {
			s += " " + a.String()
		}
		return true
	})
	l.mu.Lock()
	l.said = append(l.said, s)
	q := l.q
	l.mu.Unlock()
	if q != nil {
		if _, err := q.Stat(); err != nil {
			l.t.Errorf("while it is told %q: %v", s, err)
		}
	}
	return nil
}

// want compares what was said since the last time.
func (l *listener) want(events ...string) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if got, want := strings.Join(l.said, "\n"), strings.Join(events, "\n"); got != want {
		l.t.Errorf("events:\n%s\nwant:\n%s", got, want)
	}
	l.said = nil
}

func TestTakeOverIsTold(t *testing.T) {
	for _, lock := range []string{"producer lock", "consumer lock"} {
		q := fresh(t, Options{})
		l := listenIn(t)
		l.q = q
		mustPut(t, q, "x")
		c := child(t, q, lock)
		kill(c)
		mustPut(t, q, "y")
		mustGet(t, q, "x")
		l.want(fmt.Sprintf("INFO take-over lock=%s from=%d", lock, c.Process.Pid))
		l.q = nil // it goes
	}
}

func TestRedeliveryIsTold(t *testing.T) {
	q := fresh(t, Options{})
	l := listenIn(t)
	l.q = q
	mustPut(t, q, "x")
	c := child(t, q, "lease")
	kill(c)
	lease, err := q.Lease(ctx)
	if err != nil {
		t.Fatal(err)
	}
	l.want(fmt.Sprintf("WARN redelivery messages=1 from=%d", c.Process.Pid))
	if err := lease.Nack(); err != nil {
		t.Fatal(err)
	}
	mustGet(t, q, "x")
	l.want() // a nack is the program's own doing
	l.q = nil
}

func TestManyLeasesAreOneEvent(t *testing.T) {
	q := fresh(t, Options{})
	a, err := Open(q.Name(), Options{Root: q.obj.Root.Path()})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		mustPut(t, a, "x")
		if _, err := a.TryLease(); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	l := listenIn(t)
	o := op{q: &q.Fifo, name: "test"} // as the close of the last handle does, with this one still open
	if err := o.lock(consumers, ctx); err != nil {
		t.Fatal(err)
	}
	_, err = o.reclaimLocked(false, true)
	if e := o.unlockConsumers(); err != nil || e != nil {
		t.Fatal(err, e)
	}
	l.want() // not yet
	trace.Flush()
	l.want(fmt.Sprintf("INFO redelivery messages=100 from=%d", os.Getpid()))
}

func TestAbandonedWritesAreTold(t *testing.T) {
	q := fresh(t, Options{MaxSize: 1})
	l := listenIn(t)
	c := child(t, q, "reserve")
	kill(c)
	within(t, "room", func() error { return q.Put(ctx, []byte("x"), Raw) })
	mustGet(t, q, "x")
	l.want(fmt.Sprintf("WARN abandon messages=1 from=%d", c.Process.Pid))
}

func TestGrowthIsTold(t *testing.T) {
	q := fresh(t, Options{})
	l := listenIn(t)
	l.q = q
	body := make([]byte, 4000)
	var grown uint64
	for n := range 1000 {
		if err := q.TryPut(body, Raw); err != nil {
			t.Fatal(err)
		}
		if s, _ := q.Stat(); s.Grown == 1 {
			grown = uint64(n)
			break
		}
	}
	l.want(fmt.Sprintf("DEBUG growth ring=1 bytes=%d", 2*q.h.Data))
	for range grown + 1 {
		if _, err := q.TryGet(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := q.TryGet()
	mustBe(t, err, ipcerr.Empty)
	l.want("DEBUG shrink ring=1")
	l.q = nil
}

// TestASleeperTellsFirst wants an event from a call that met it and then waits for long.
func TestASleeperTellsFirst(t *testing.T) {
	q := fresh(t, Options{})
	l := listenIn(t)
	c := child(t, q, "consumer lock")
	kill(c)
	got := make(chan error)
	go func() {
		_, err := q.getManyWait(ctx, make([]byte, 10), make([]Part, 1)) // without the try before it
		got <- err
	}()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		n := len(l.said)
		l.mu.Unlock()
		if n > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("nothing is told while the call sleeps")
		}
	}
	mustPut(t, q, "x")
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	l.want(fmt.Sprintf("INFO take-over lock=consumer lock from=%d", c.Process.Pid))
}

func TestCorruptionIsToldOnce(t *testing.T) {
	dir := testroot.New(t)
	q, err := Create("bad", Options{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	mustPut(t, q, "x")
	l := listenIn(t)
	r := alone.ring(q.obj.File.Mem, 0, q.h.Data)
	r.H.Tail.Store(1 << 50)
	for range 3 {
		_, err := q.TryGet()
		mustBe(t, err, ipcerr.Corrupt)
	}
	l.mu.Lock()
	said := l.said
	l.mu.Unlock()
	if len(said) != 1 || !strings.HasPrefix(said[0], `ERROR corruption error=get from queue "bad": `) {
		t.Errorf("%q", said)
	}
	if err := q.Unlink(); err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCorruptFileIsToldByOpen(t *testing.T) {
	dir := testroot.New(t)
	file := filepath.Join(dir, "bad")
	if err := os.WriteFile(file, make([]byte, layout.HeaderArea), 0o600); err != nil {
		t.Fatal(err)
	}
	l := listenIn(t)
	_, err := Open("bad", Options{Root: dir})
	mustBe(t, err, ipcerr.Corrupt)
	l.mu.Lock()
	said := l.said
	l.mu.Unlock()
	if len(said) != 1 || !strings.HasPrefix(said[0], `ERROR corruption error=`) {
		t.Errorf("%q", said)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

func TestReapIsTold(t *testing.T) {
	dir := testroot.New(t)
	q, err := Create("", Options{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	c := child(t, q, "nothing")
	if err := q.Close(); err != nil { // the child has it still
		t.Fatal(err)
	}
	l := listenIn(t)
	kill(c)
	r, err := shm.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.Reap(); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	l.want("INFO reap root=" + dir)
}
