package fifo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

var ctx = context.Background()

func TestPutGet(t *testing.T) {
	q := fresh(t, Options{})
	_, err := q.TryGet()
	mustBe(t, err, ipcerr.Empty)
	sizes := []int{0, 1, 7, 8, 4096, 4097, 65536, 65537, 1 << 20, 3 << 20}
	for round := range 3 {
		for _, n := range sizes {
			mustPut(t, q, string(body(n, round)))
		}
		for _, n := range sizes {
			mustGet(t, q, string(body(n, round)))
		}
	}
	_, err = q.TryGet()
	mustBe(t, err, ipcerr.Empty)
}

func body(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8 + seed)
	}
	return b
}

func TestMaxSize(t *testing.T) {
	q := fresh(t, Options{MaxSize: 3})
	for i := range 100 {
		n, err := q.TryPutMany([][]byte{{1}, {2}, {3}, {4}, {5}}, Raw)
		if n != 3 || err != nil {
			t.Fatalf("round %d: put %d of 3: %v", i, n, err)
		}
		mustBe(t, q.TryPut([]byte("x"), Raw), ipcerr.Full)
		l, err := q.TryLease()
		if err != nil {
			t.Fatal(err)
		}
		mustGet(t, q, "\x02")
		mustPut(t, q, "6")
		mustBe(t, q.TryPut([]byte("x"), Raw), ipcerr.Full) // the leased one counts
		if err := l.Ack(); err != nil {
			t.Fatal(err)
		}
		mustPut(t, q, "7")
		for _, want := range []string{"\x03", "6", "7"} {
			mustGet(t, q, want)
		}
	}
}

func TestCapacity(t *testing.T) {
	q := fresh(t, Options{Capacity: 1})
	if s, _ := q.Stat(); s.Capacity != 64<<10 {
		t.Fatalf("capacity %d", s.Capacity)
	}
	n := 0
	for ; ; n++ {
		if err := q.TryPut(make([]byte, 1000), Raw); err != nil {
			mustBe(t, err, ipcerr.Full)
			break
		}
	}
	if want := (64 << 10) / 1024; n != want {
		t.Fatalf("%d records of 1024 bytes in 64 KiB, want %d", n, want)
	}
	// A lease at the front must not keep the others from flowing: the queue links another ring.
	l, err := q.TryLease()
	if err != nil {
		t.Fatal(err)
	}
	for range 10 * n {
		mustGet(t, q, string(make([]byte, 1000)))
		mustPut(t, q, string(make([]byte, 1000)))
		mustBe(t, q.TryPut(make([]byte, 1000), Raw), ipcerr.Full)
	}
	s, _ := q.Stat()
	if s.Rings < 2 || s.Rings > 3 || s.Bytes > s.Capacity {
		t.Fatalf("%d rings, %d bytes of %d", s.Rings, s.Bytes, s.Capacity)
	}
	if err := l.Ack(); err != nil {
		t.Fatal(err)
	}
	for range n - 1 {
		mustGet(t, q, string(make([]byte, 1000)))
	}
	_, err = q.TryGet()
	mustBe(t, err, ipcerr.Empty)
	if s, _ := q.Stat(); s.Rings != 1 {
		t.Fatalf("%d rings at rest", s.Rings)
	}
	// Larger than the whole queue: admitted when there is nothing else.
	mustPut(t, q, string(body(1<<20, 1)))
	mustBe(t, q.TryPut([]byte("x"), Raw), ipcerr.Full)
	mustGet(t, q, string(body(1<<20, 1)))
	mustPut(t, q, "x")
	mustBe(t, q.TryPut(body(1<<20, 1), Raw), ipcerr.Full)
	mustGet(t, q, "x")
}

func TestGrowth(t *testing.T) {
	q := fresh(t, Options{})
	for round := range 3 {
		const n = 100_000
		for i := range n {
			mustPut(t, q, fmt.Sprint(round, i))
		}
		s, _ := q.Stat()
		if s.Messages != n || s.Rings < 2 {
			t.Fatalf("%+v", s)
		}
		for i := range n {
			mustGet(t, q, fmt.Sprint(round, i))
		}
		_, err := q.TryGet()
		mustBe(t, err, ipcerr.Empty)
		if s, _ := q.Stat(); s.Rings != 1 || s.Messages != 0 || s.Taken != uint64((round+1)*n) {
			t.Fatalf("at rest: %+v", s)
		}
		files, _ := os.ReadDir(q.obj.Root.Path())
		if len(files) != 2 {
			t.Fatalf("%d files at rest, want the queue and members", len(files))
		}
	}
}

func TestLease(t *testing.T) {
	q := fresh(t, Options{})
	for _, size := range []int{10, 5000, 300_000} {
		first := string(body(size, 1))
		mustPut(t, q, first)
		mustPut(t, q, "second")
		for i := range 3 {
			l, err := q.TryLease()
			if err != nil {
				t.Fatal(err)
			}
			if string(l.Body) != first || int(l.Deliveries) != i+1 {
				t.Fatalf("delivery %d of %d bytes", l.Deliveries, len(l.Body))
			}
			if err := l.Nack(); err != nil {
				t.Fatal(err)
			}
			mustBe(t, l.Nack(), ipcerr.LeaseLost)
			mustBe(t, l.Ack(), ipcerr.LeaseLost)
		}
		l, err := q.TryLease()
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := q.Size(); n != 1 {
			t.Fatalf("size %d, want 1", n)
		}
		mustGet(t, q, "second")
		if err := l.Ack(); err != nil {
			t.Fatal(err)
		}
		mustBe(t, l.Ack(), ipcerr.LeaseLost)
		if err := q.TaskDone(); err != nil {
			t.Fatal(err)
		}
		mustBe(t, q.TaskDone(), ipcerr.Invalid)
	}
	mustBe(t, q.Ack(Lease{}), ipcerr.LeaseLost)
	mustBe(t, q.Ack(Lease{Ring: 99, Position: 5, State: ^uint64(0)}), ipcerr.LeaseLost)
	if err := q.Join(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestJoin(t *testing.T) {
	q := fresh(t, Options{})
	const n = 1000
	for i := range n {
		mustPut(t, q, fmt.Sprint(i))
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	err := q.Join(short)
	mustBe(t, err, ipcerr.Timeout)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal("a timeout is no DeadlineExceeded")
	}
	done := make(chan error, 1)
	go func() { done <- q.Join(ctx) }()
	for i := range n {
		if i%2 == 0 {
			mustGet(t, q, fmt.Sprint(i))
			if err := q.TaskDone(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		l, err := q.TryLease()
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-done:
			t.Fatal("joined with work left")
		default:
		}
		if err := l.Ack(); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestShutdown(t *testing.T) {
	q := fresh(t, Options{})
	mustPut(t, q, "a")
	mustPut(t, q, "b")
	if err := q.Shutdown(false); err != nil {
		t.Fatal(err)
	}
	mustBe(t, q.TryPut([]byte("c"), Raw), ipcerr.Shutdown)
	mustBe(t, q.TryPut(body(10000, 1), Raw), ipcerr.Shutdown)
	mustGet(t, q, "a")
	mustGet(t, q, "b")
	_, err := q.Get(ctx)
	mustBe(t, err, ipcerr.Shutdown)

	q = fresh(t, Options{})
	for range 10 {
		mustPut(t, q, "x")
	}
	l, err := q.TryLease()
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Shutdown(true); err != nil {
		t.Fatal(err)
	}
	_, err = q.TryGet()
	mustBe(t, err, ipcerr.Shutdown)
	if err := l.Ack(); err != nil {
		t.Fatal(err)
	}
	if err := q.Join(ctx); err != nil { // the discarded count as done
		t.Fatal(err)
	}
}

func TestCloseWakes(t *testing.T) {
	q := fresh(t, Options{MaxSize: 1})
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		_, err := q.Get(ctx)
		mustBe(t, err, ipcerr.Closed)
	}()
	waitFor(t, q, "message")
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	mustBe(t, q.TryPut(nil, Raw), ipcerr.Closed)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
}

// waitFor waits until somebody sleeps on q for what.
func waitFor(t testing.TB, q *Queue, what string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		ws, err := q.Waiters()
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range ws {
			if w.What == what {
				return
			}
		}
	}
	t.Fatalf("nobody waits for %s", what)
}

func TestCancel(t *testing.T) {
	q := fresh(t, Options{MaxSize: 1})
	c, cancel := context.WithCancel(ctx)
	done := make(chan error)
	go func() { _, err := q.Get(c); done <- err }()
	waitFor(t, q, "message")
	began := time.Now()
	cancel()
	err := <-done
	mustBe(t, err, ipcerr.Cancelled)
	if !errors.Is(err, context.Canceled) {
		t.Fatal("a cancellation is no context.Canceled")
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Fatalf("cancelled after %v", d)
	}
	mustPut(t, q, "still there")
	err = q.Put(c, nil, Raw)
	mustBe(t, err, ipcerr.Cancelled)
	mustGet(t, q, "still there")
}

// TestNoAllocations: the verbs that programs call a million times a second leave nothing to collect.
func TestNoAllocations(t *testing.T) {
	q := fresh(t, Options{})
	b := make([]byte, 64)
	if n := testing.AllocsPerRun(1000, func() {
		_ = q.TryPut(b, Raw)
		_, _, _ = q.TryGetInto(b)
		_, _, _ = q.TryGetInto(b) // empty
	}); n != 0 {
		t.Errorf("%v allocations for a put and two gets", n)
	}
}
