package fifo

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// act is what a process started by child does; it says "ready" and then waits to be killed.
func act(what, name string) {
	q, err := Open(name, Options{Root: os.Getenv("POLYIPC_ROOT")})
	if err != nil {
		panic(err)
	}
	o := op{q: &q.Fifo, name: "test"}
	switch what {
	case "lease":
		_, err = q.Lease(ctx)
	case "producer lock":
		err = o.lock(producers, ctx)
	case "consumer lock":
		err = o.lock(consumers, ctx)
	case "reserve": // what a put of a large message does before it copies
		err = o.lock(producers, ctx)
		r, seq, _ := o.newest()
		at := r.H.Tail.Load()
		r.Stage(at, seq, 5000, 0, 0, layout.ReservedBy(q.obj.Me))
		r.Publish(at, at+5024)
		o.unlockProducers()
	}
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString("ready\n")
	for { // select {} would be a deadlock to Go, without cgo
		time.Sleep(time.Hour)
	}
}

// child starts a process that acts on q and returns once it is ready.
func child(t *testing.T, q *Queue, what string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "POLYIPC_ACT="+what, "POLYIPC_PEER="+q.Name(), "POLYIPC_ROOT="+q.obj.Root.Path())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(cmd) })
	buf := make([]byte, 64)
	if n, err := out.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "ready") {
		t.Fatalf("child %s: %q %v", what, buf[:n], err)
	}
	return cmd
}

func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

func within(t *testing.T, what string, f func() error) {
	t.Helper()
	began := time.Now()
	if err := f(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Fatalf("%s took %v", what, d)
	}
}

func TestLeaseHolderDies(t *testing.T) {
	q := fresh(t, Options{})
	mustPut(t, q, "precious")
	c := child(t, q, "lease")
	_, err := q.TryGet()
	mustBe(t, err, ipcerr.Empty)
	_, leases, err := q.Detail()
	if err != nil || len(leases) != 1 || leases[0].Pid != c.Process.Pid || leases[0].What != "lease" {
		t.Fatalf("leases %+v, %v; the child is %d", leases, err, c.Process.Pid)
	}
	go func() { _ = c.Process.Kill() }()
	within(t, "redelivery", func() error {
		l, err := q.Lease(ctx)
		if err != nil {
			return err
		}
		if string(l.Body) != "precious" || l.Deliveries != 2 {
			t.Fatalf("%q, delivery %d", l.Body, l.Deliveries)
		}
		return l.Ack()
	})
}

func TestStoppedIsAlive(t *testing.T) {
	q := fresh(t, Options{})
	mustPut(t, q, "precious")
	c := child(t, q, "lease")
	if err := c.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		time.Sleep(2 * reclaimEvery) // time is the point: nothing may happen in it
		_, err := q.TryGet()
		mustBe(t, err, ipcerr.Empty)
	}
}

func TestLockHolderDies(t *testing.T) {
	for _, what := range []string{"producer lock", "consumer lock"} {
		t.Run(what, func(t *testing.T) {
			q := fresh(t, Options{})
			mustPut(t, q, "a")
			c := child(t, q, what)
			locks, err := q.Locks()
			if err != nil || len(locks) != 1 || locks[0].What != what || locks[0].Pid != c.Process.Pid {
				t.Fatalf("locks %+v, %v", locks, err)
			}
			// While it lives, others are held up until their deadline.
			if what == "producer lock" {
				mustBe(t, q.TryPut([]byte("x"), Raw), ipcerr.Full)
			} else {
				_, err := q.TryGet()
				mustBe(t, err, ipcerr.Empty)
			}
			kill(c)
			within(t, "take-over", func() error {
				mustGet(t, q, "a")
				mustPut(t, q, "b")
				mustGet(t, q, "b")
				return nil
			})
			if s, _ := q.Stat(); s.TakeOvers != 1 {
				t.Fatalf("%d take-overs", s.TakeOvers)
			}
		})
	}
}

func TestWriterDies(t *testing.T) {
	q := fresh(t, Options{MaxSize: 1})
	c := child(t, q, "reserve")
	mustBe(t, q.TryPut([]byte("x"), Raw), ipcerr.Full)
	go func() { _ = c.Process.Kill() }()
	within(t, "room", func() error { return q.Put(ctx, []byte("x"), Raw) })
	mustGet(t, q, "x")
	if err := q.TaskDone(); err != nil {
		t.Fatal(err)
	}
	within(t, "join", func() error { return q.Join(ctx) })
	if s, _ := q.Stat(); s.Abandoned != 1 || s.Put != 2 || s.Taken != 1 {
		t.Fatalf("%+v", s)
	}
}
