package fifo

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/doorbell"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// polled reports whether a point's descriptor is readable within d.
func polled(t testing.TB, p *doorbell.Point, d time.Duration) bool {
	t.Helper()
	fd, err := p.PollFD()
	if err != nil {
		t.Error(err)
		return false
	}
	for end := time.Now().Add(d); ; {
		ts := unix.NsecToTimespec(int64(max(0, time.Until(end))))
		n, err := unix.Ppoll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, &ts, nil)
		if err != unix.EINTR {
			return n == 1
		}
	}
}

func now(t testing.TB, p *doorbell.Point, want bool, when string) {
	t.Helper()
	if got := polled(t, p, 0); got != want {
		t.Errorf("%s: the descriptor says %v", when, got)
	}
	if got, err := p.Ready(); err != nil || got != want {
		t.Errorf("%s: Ready says %v %v", when, got, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// second opens the same queue once more, as another process would.
func second(t *testing.T, q *Queue) *Queue {
	t.Helper()
	other, err := Open(q.Name(), Options{Root: q.obj.Root.Path()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	return other
}

// TestSoleReader takes what others put, a few at a time, each message as soon as its loop says that there is one: it never
// comes for nothing, so that it could as well take them in calls that wait.
func TestSoleReader(t *testing.T) {
	const writers, messages = 8, 20_000
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(writers)) // so that each may lose its processor anywhere
	q := fresh(t, Options{})
	r := q.Readable()
	turns := make(chan struct{}, writers)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(turns)
	for range writers {
		turns <- struct{}{}
		other := second(t, q)
		wg.Go(func() {
			for range turns {
				mustPut(t, other, "x")
			}
		})
	}
	for i := range messages {
		if !polled(t, r, 20*time.Second) {
			t.Fatalf("%d: nobody rang", i)
		}
		if _, err := q.TryGet(); err != nil {
			t.Fatalf("%d: readable, and there is nothing: %v", i, err)
		}
		turns <- struct{}{}
	}
}

// TestRingsLate has others ring when what they had put, or made room for, is gone: while there is nothing at all, and while
// there is what can't be had.
func TestRingsLate(t *testing.T) {
	q := fresh(t, Options{MaxSize: 2})
	other, r, w := second(t, q), q.Readable(), q.Writable()
	rings := func(when string, kind int, p *doorbell.Point) {
		t.Helper()
		polled(t, p, 0) // makes the descriptor
		other.Fifo.Ring(kind)
		if polled(t, p, 0) {
			t.Errorf("%s: a loop comes for nothing", when)
		}
	}
	rings("empty", layout.BellReadable, r)
	mustPut(t, other, "a")
	mustPut(t, other, "b")
	rings("full", layout.BellWritable, w)
	for range 2 {
		l, err := q.TryLease()
		must(t, err)
		defer func() { must(t, l.Ack()) }()
	}
	rings("all on lease", layout.BellReadable, r)
	rings("all on lease and full", layout.BellWritable, w)
}

// TestRingsInDoubt has others ring while somebody else has the lock, so that they can't look.
func TestRingsInDoubt(t *testing.T) {
	q := fresh(t, Options{MaxSize: 1})
	other, h := second(t, q), q.Fifo.h
	for kind, lock := range []*atomic.Uint32{layout.BellReadable: &h.Consumers, layout.BellWritable: &h.Producers} {
		if other.wanted(kind) {
			t.Errorf("kind %d: wanted, though there is nothing", kind)
		}
		lock.Store(q.obj.Me)
		if !other.wanted(kind) {
			t.Errorf("kind %d: not wanted, though who knows", kind)
		}
		lock.Store(0)
		if kind == layout.BellReadable {
			mustPut(t, other, "a")
		}
	}
}

func TestReadable(t *testing.T) {
	q := fresh(t, Options{})
	other, r := second(t, q), q.Readable()
	now(t, r, false, "empty")
	mustPut(t, other, "a")
	mustPut(t, other, "b")
	now(t, r, true, "two messages")
	mustGet(t, q, "a")
	now(t, r, true, "one message")
	l, err := q.TryLease()
	must(t, err)
	now(t, r, false, "one on lease")
	must(t, l.Nack())
	now(t, r, true, "it came back")
	mustGet(t, other, "b")
	if _, err := q.TryGet(); !errors.Is(err, ipcerr.Empty) {
		t.Fatal(err)
	}
	now(t, r, false, "another took it, and a try found nothing")
	for _, n := range []int{inline + 1, 100_000} {
		must(t, other.TryPut(make([]byte, n), Raw))
		now(t, r, true, "a large message")
		_, err = q.TryGet()
		must(t, err)
		now(t, r, false, "and it is taken")
	}
	_, err = other.TryPutMany([][]byte{{1}, {2}}, Raw)
	must(t, err)
	now(t, r, true, "a batch")
	must(t, other.Shutdown(true))
	now(t, r, true, "shut down")
}

func TestWritable(t *testing.T) {
	q := fresh(t, Options{MaxSize: 2})
	other, w := second(t, q), q.Writable()
	now(t, w, true, "empty")
	mustPut(t, q, "a")
	now(t, w, true, "half full")
	mustPut(t, q, "b")
	now(t, w, false, "full")
	mustGet(t, other, "a")
	now(t, w, true, "room again")
	mustPut(t, other, "c")
	if err := q.TryPut(nil, Raw); !errors.Is(err, ipcerr.Full) {
		t.Fatal(err)
	}
	now(t, w, false, "another was quicker, and a try found no room")
	must(t, other.Shutdown(false))
	now(t, w, true, "shut down")

	w = fresh(t, Options{}).Writable()
	now(t, w, true, "without bounds")
	tight := fresh(t, Options{Capacity: 64 << 10})
	now(t, tight.Writable(), true, "with a capacity")
	for tight.TryPut(make([]byte, 1000), Raw) == nil {
	}
	for tight.TryPut(nil, Raw) == nil {
	}
	now(t, tight.Writable(), false, "no byte left")
	_, err := tight.TryGet()
	must(t, err)
	now(t, tight.Writable(), true, "a message less")
}

// TestReadableWhenItsHolderDies waits for a message that a dead process has on lease: no ring tells of it.
func TestReadableWhenItsHolderDies(t *testing.T) {
	q := fresh(t, Options{})
	mustPut(t, q, "a")
	holder := child(t, q, "lease")
	now(t, q.Readable(), false, "on lease")
	kill(holder)
	began := time.Now()
	if !polled(t, q.Readable(), 20*time.Second) {
		t.Error("not readable")
	}
	t.Logf("after %v", time.Since(began))
	mustGet(t, q, "a")
}

func TestWritableWhenAPutDies(t *testing.T) {
	q := fresh(t, Options{MaxSize: 1})
	dead := child(t, q, "reserve")
	now(t, q.Writable(), false, "a message is being written")
	kill(dead)
	if !polled(t, q.Writable(), 20*time.Second) {
		t.Error("not writable")
	}
}

// TestPollingLoops lets loops move messages along a chain of bounded queues, over bells alone.
func TestPollingLoops(t *testing.T) {
	const messages, stages, loops = 2000, 3, 2
	var queues []*Queue
	for range stages {
		queues = append(queues, fresh(t, Options{MaxSize: 4}))
	}
	await := func(p *doorbell.Point) bool {
		if !polled(t, p, 20*time.Second) {
			t.Error("nothing happens any more")
			return false
		}
		return true
	}
	var wg sync.WaitGroup
	var taken, moved atomic.Int64
	put := func(q *Queue, m Message) bool {
		for {
			if err := q.TryPut(m.Body, m.Format); !errors.Is(err, ipcerr.Full) {
				return err == nil
			}
			if !await(q.Writable()) {
				return false
			}
		}
	}
	wg.Go(func() {
		for i := range messages {
			put(queues[0], Message{Body: body(8+i%5000, i)})
		}
	})
	for stage := range stages {
		for range loops {
			in := second(t, queues[stage])
			var out *Queue
			if stage+1 < stages {
				out = second(t, queues[stage+1])
			}
			wg.Go(func() {
				for taken.Load() < messages && await(in.Readable()) {
					m, err := in.TryGet()
					switch {
					case errors.Is(err, ipcerr.Empty):
					case errors.Is(err, ipcerr.Shutdown):
						return
					case err != nil:
						t.Error(err)
						return
					case out != nil:
						moved.Add(1)
						put(out, m)
					default:
						if taken.Add(1) == messages {
							for _, q := range queues {
								_ = q.Shutdown(false)
							}
						}
					}
				}
			})
		}
	}
	wg.Wait()
	if taken.Load() != messages {
		t.Errorf("%d of %d messages arrived", taken.Load(), messages)
	}
}
