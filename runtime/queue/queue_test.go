package queue

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

var ctx = context.Background()

// fresh makes an anonymous queue that goes with the test.
func fresh(t testing.TB, o Options) *Queue {
	t.Helper()
	o.Root = testroot.New(t)
	q, err := Create("", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		check(t, q)
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return q
}

// check holds the queue against itself: the counts of Stat must fit together, and no lock be held.
func check(t testing.TB, q *Queue) {
	t.Helper()
	s, err := q.Stat()
	if errors.Is(err, ipcerr.Closed) {
		return
	}
	if err != nil {
		t.Errorf("stat: %v", err)
		return
	}
	if live := uint64(s.Messages + s.Leased + s.Reserved); s.Put != s.Taken+s.Abandoned+live {
		t.Errorf("put %d, but taken %d, abandoned %d, live %d", s.Put, s.Taken, s.Abandoned, live)
	}
	if s.Unfinished < 0 || s.MaxSize > 0 && s.Messages+s.Leased+s.Reserved > s.MaxSize {
		t.Errorf("out of bounds: %+v", s)
	}
	if locks, err := q.Locks(); err != nil || len(locks) != 0 {
		t.Errorf("locks held at the end: %v %v", locks, err)
	}
}

func mustPut(t testing.TB, q *Queue, s string) {
	t.Helper()
	if err := q.TryPut([]byte(s), Raw); err != nil {
		t.Fatalf("put %.20q: %v", s, err)
	}
}

func mustGet(t testing.TB, q *Queue, want string) {
	t.Helper()
	m, err := q.TryGet()
	if err != nil {
		t.Fatalf("get %.20q: %v", want, err)
	}
	if string(m.Body) != want {
		t.Fatalf("got %.20q, want %.20q", m.Body, want)
	}
}

func mustBe(t testing.TB, err error, code ipcerr.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("got error %v, want %s", err, code.Name())
	}
}

func body(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8 + seed)
	}
	return b
}

// hold has a queue open in another process until its standard input ends.
func hold(name string) {
	q, err := Open(name, Options{Root: os.Getenv("POLYIPC_ROOT")})
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString("ready\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = q.Close()
}

// held starts a process that holds q, and returns what ends it.
func held(t *testing.T, q *Queue) (leave func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "POLYIPC_HOLD="+q.Name(), "POLYIPC_ROOT="+q.obj.Root.Path())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if n, err := out.Read(make([]byte, 64)); n == 0 || err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

func TestCloseReturnsLeases(t *testing.T) {
	q := fresh(t, Options{})
	a, err := Open(q.Name(), Options{Root: q.obj.Root.Path()})
	if err != nil {
		t.Fatal(err)
	}
	mustPut(t, q, "x")
	l, err := a.TryLease()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil { // q is open still: the lease can be acked through it
		t.Fatal(err)
	}
	if _, err := q.TryGet(); !errors.Is(err, ipcerr.Empty) {
		t.Fatal(err)
	}
	if err := q.Nack(l.Lease); err != nil {
		t.Fatal(err)
	}
	if _, err = q.TryLease(); err != nil {
		t.Fatal(err)
	}
	// The last handle of this process, which goes on living as a member of the root, and another
	// process has the queue open.
	other, err := Create("", Options{Root: q.obj.Root.Path()})
	if err != nil {
		t.Fatal(err)
	}
	leave := held(t, q)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := Open(q.Name(), Options{Root: q.obj.Root.Path()})
	if err != nil {
		t.Fatal(err)
	}
	m, err := b.TryLease()
	if err != nil || m.Deliveries != 3 {
		t.Fatalf("%+v %v", m, err)
	}
	leave()
	for _, q := range []*Queue{b, other} {
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Each verb passes on what it is given; what the verbs do is tested in package fifo.
func TestVerbs(t *testing.T) {
	q := fresh(t, Options{MaxSize: 3})
	buf, parts := make([]byte, 100), make([]Part, 3)
	mustPut(t, q, "a")
	if err := q.Put(ctx, []byte("b"), MsgPack); err != nil {
		t.Fatal(err)
	}
	if n, err := q.PutMany(ctx, [][]byte{[]byte("c")}, Raw); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := q.TryPutMany([][]byte{{1}}, Raw); n != 0 || !errors.Is(err, ipcerr.Full) {
		t.Fatal(n, err)
	}
	if full, err := q.Full(); !full || err != nil {
		t.Fatal(full, err)
	}
	if n, err := q.Size(); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	mustGet(t, q, "a")
	if n, f, err := q.GetInto(ctx, buf); n != 1 || f != MsgPack || err != nil {
		t.Fatal(n, f, err)
	}
	if n, err := q.GetManyInto(ctx, buf, parts); n != 1 || parts[0] != (Part{Size: 1}) || err != nil {
		t.Fatal(n, parts, err)
	}
	if _, err := q.TryGetManyInto(buf, parts); !errors.Is(err, ipcerr.Empty) {
		t.Fatal(err)
	}
	for range 3 {
		if err := q.TaskDone(); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Join(ctx); err != nil {
		t.Fatal(err)
	}
	mustPut(t, q, "d")
	l, err := q.TryLease()
	if err != nil || string(l.Body) != "d" {
		t.Fatal(l, err)
	}
	if _, holders, err := q.Detail(); len(holders) != 1 || err != nil {
		t.Fatal(holders, err)
	}
	if err := l.Nack(); err != nil {
		t.Fatal(err)
	}
	if l, err = q.Lease(ctx); err != nil || l.Deliveries != 2 {
		t.Fatal(l, err)
	}
	if err := l.Ack(); err != nil {
		t.Fatal(err)
	}
	if _, err := Of[int](q).TryLease(); !errors.Is(err, ipcerr.Empty) {
		t.Fatal(err)
	}
	if err := Of[int](q).TryPut(7); err != nil {
		t.Fatal(err)
	}
	v, err := Of[int](q).TryLease()
	if err != nil || v.Value != 7 || v.Ack() != nil {
		t.Fatal(v, err)
	}
	if err := q.Shutdown(false); err != nil {
		t.Fatal(err)
	}
	if _, err := q.GetMany(ctx, 3); !errors.Is(err, ipcerr.Shutdown) {
		t.Fatal(err)
	}
}
