package pipe

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

var ctx = context.Background()

// The tests that need a second process run this binary again with $POLYIPC_ACT set.
func TestMain(m *testing.M) {
	if what := os.Getenv("POLYIPC_ACT"); what != "" {
		act(what, os.Getenv("POLYIPC_PEER"))
		return
	}
	os.Exit(m.Run())
}

// act opens the second end and does what it is told, then says "ready" and waits to be killed.
func act(what, name string) {
	p, err := Open(name, Options{Root: os.Getenv("POLYIPC_ROOT")})
	if err != nil {
		panic(err)
	}
	switch what {
	case "hold":
	case "send":
		err = p.Send(ctx, []byte("last words"), Raw)
	case "echo":
		echo(p)
		return
	case "leave":
		err = p.Close()
	}
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString("ready\n")
	for { // select {} would be a deadlock to Go, without cgo
		time.Sleep(time.Hour)
	}
}

// echo sends back what it receives, until the other end is gone.
func echo(p *Pipe) {
	buf := make([]byte, 1<<20)
	for {
		n, f, err := p.RecvInto(ctx, buf)
		if err != nil {
			return
		}
		if err := p.Send(ctx, buf[:n], f); err != nil {
			return
		}
	}
}

// child starts a process that acts on the second end of p; what "echo" aside, it returns once that is ready.
func child(t testing.TB, p *Pipe, what string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "POLYIPC_ACT="+what, "POLYIPC_PEER="+p.Name(), "POLYIPC_ROOT="+p.obj.Root.Path())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(cmd) })
	if what == "echo" {
		return cmd
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.HasPrefix(line, "ready") {
		t.Fatalf("child %s: %q %v", what, line, err)
	}
	return cmd
}

func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// pair makes an anonymous pipe that goes with the test.
func pair(t testing.TB, o Options) (first, second *Pipe) {
	t.Helper()
	o.Root = testroot.New(t)
	first, second, err := Pair("", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, first); end(t, second) })
	return first, second
}

// alone makes an anonymous pipe and opens its first end.
func alone(t testing.TB, o Options) *Pipe {
	t.Helper()
	o.Root = testroot.New(t)
	p, err := Create("", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, p) })
	return p
}

// end checks the counts of a pipe against each other, and that no lock is held, and closes it.
func end(t testing.TB, p *Pipe) {
	t.Helper()
	s, err := p.Stat()
	if err != nil && !errors.Is(err, ipcerr.Closed) {
		t.Errorf("stat: %v", err)
	}
	for _, d := range []Direction{s.In, s.Out} {
		if d.Sent != d.Received+d.Abandoned+uint64(d.Messages) {
			t.Errorf("the counts do not fit together: %+v", d)
		}
	}
	for d := range p.ways {
		if holders, _ := p.directions[d].Locks(); len(holders) != 0 {
			t.Errorf("held at the end: %v", holders)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func mustSend(t testing.TB, p *Pipe, s string) {
	t.Helper()
	if err := p.TrySend([]byte(s), Raw); err != nil {
		t.Fatalf("send %.20q: %v", s, err)
	}
}

func mustRecv(t testing.TB, p *Pipe, want string) {
	t.Helper()
	m, err := p.TryRecv()
	if err != nil {
		t.Fatalf("receive %.20q: %v", want, err)
	}
	if string(m.Body) != want {
		t.Fatalf("received %.20q, want %.20q", m.Body, want)
	}
}

func mustBe(t testing.TB, err error, code ipcerr.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("got error %v, want %s", err, code.Name())
	}
}

// within bounds a failure, not the time that something takes.
func within(t testing.TB, what string, f func() error) error {
	t.Helper()
	began := time.Now()
	err := f()
	if d := time.Since(began); d > 2*time.Second {
		t.Fatalf("%s took %v", what, d)
	}
	return err
}
