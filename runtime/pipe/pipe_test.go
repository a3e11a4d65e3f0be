package pipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

func body(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + seed)
	}
	return b
}

func TestBothWays(t *testing.T) {
	a, b := pair(t, Options{})
	for _, p := range [][2]*Pipe{{a, b}, {b, a}} {
		_, err := p[1].TryRecv()
		mustBe(t, err, ipcerr.Empty)
		mustBe(t, p[1].TryPoll(), ipcerr.Empty)
		for _, size := range []int{0, 1, 4096, 4097, 16 << 10, 16<<10 + 1, 60 << 10, 64 << 10, 1 << 20, 5 << 20} {
			want := body(size, 3)
			if err := p[0].TrySend(want, MsgPack); err != nil {
				t.Fatal(size, err)
			}
			if err := p[1].TryPoll(); err != nil {
				t.Fatal(size, err)
			}
			if size > 0 {
				n, _, err := p[1].TryRecvInto(nil)
				if mustBe(t, err, ipcerr.TooSmall); n != size {
					t.Fatal(n, size)
				}
			}
			m, err := p[1].TryRecv()
			if err != nil || m.Format != MsgPack || !bytes.Equal(m.Body, want) {
				t.Fatalf("%d bytes: %d, %v", size, len(m.Body), err)
			}
		}
	}
	if a.End() != First || b.End() != Second {
		t.Error(a.End(), b.End())
	}
}

func TestOneWay(t *testing.T) {
	a, b := pair(t, Options{OneWay: true})
	mustSend(t, b, "x")
	mustRecv(t, a, "x")
	mustBe(t, a.TrySend(nil, Raw), ipcerr.Invalid)
	mustBe(t, a.Send(ctx, nil, Raw), ipcerr.Invalid)
	_, err := b.TryRecv()
	mustBe(t, err, ipcerr.Invalid)
	_, err = b.Recv(ctx)
	mustBe(t, err, ipcerr.Invalid)
	mustBe(t, b.Poll(ctx), ipcerr.Invalid)
	if s, err := b.Stat(); err != nil || !s.OneWay || s.In != (Direction{}) || s.Out.Sent != 1 || s.Out.Received != 1 {
		t.Errorf("%+v %v", s, err)
	}
}

func TestEndOfFile(t *testing.T) {
	for _, how := range []string{"one-way", "duplex"} {
		t.Run(how, func(t *testing.T) {
			a, b := pair(t, Options{OneWay: how == "one-way"})
			mustSend(t, b, "x")
			mustSend(t, b, string(body(30_000, 1)))
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			if err := a.TryPoll(); err != nil {
				t.Fatal(err)
			}
			mustRecv(t, a, "x")
			mustRecv(t, a, string(body(30_000, 1)))
			for range 2 {
				_, err := a.TryRecv()
				mustBe(t, err, ipcerr.EndOfFile)
				if !errors.Is(err, io.EOF) {
					t.Error("not io.EOF")
				}
				_, err = a.Recv(ctx)
				mustBe(t, err, ipcerr.EndOfFile)
				if err := a.TryPoll(); err != nil {
					t.Fatal(err)
				}
				if err := a.Poll(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if s, err := a.Stat(); err != nil || s.Other != Gone {
				t.Errorf("%+v %v", s, err)
			}
			if how == "duplex" {
				mustBe(t, a.TrySend([]byte("y"), Raw), ipcerr.Broken)
				mustBe(t, a.Send(ctx, []byte("y"), Raw), ipcerr.Broken)
			}
		})
	}
}

func TestBroken(t *testing.T) {
	a, b := pair(t, Options{OneWay: true})
	mustSend(t, b, "unread")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(askEvery) // until then a send may believe what it knew
	mustBe(t, b.TrySend([]byte("x"), Raw), ipcerr.Broken)
	mustBe(t, b.Send(ctx, body(100_000, 0), Raw), ipcerr.Broken)
}

// An end that nobody has opened yet is not gone: sends go ahead, receives wait.
func TestUnopened(t *testing.T) {
	a := alone(t, Options{})
	_, err := a.TryRecv()
	mustBe(t, err, ipcerr.Empty)
	mustSend(t, a, "early")
	if s, err := a.Stat(); err != nil || s.Other != Unopened {
		t.Errorf("%+v %v", s, err)
	}
	c, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	_, err = a.Recv(c)
	mustBe(t, err, ipcerr.Timeout)
	b, err := Open(a.Name(), Options{Root: a.obj.Root.Path()})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := a.Stat(); err != nil || s.Other != Present {
		t.Errorf("%+v %v", s, err)
	}
	mustRecv(t, b, "early")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = a.TryRecv()
	mustBe(t, err, ipcerr.EndOfFile)
	// Opened anew it is there again.
	b, err = Open(a.Name(), Options{Root: a.obj.Root.Path()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.TryRecv()
	mustBe(t, err, ipcerr.Empty)
	mustSend(t, a, "again")
	mustRecv(t, b, "again")
	end(t, b)
}

// An end that several have open is gone with the last of them; each message goes to one.
func TestSharedEnd(t *testing.T) {
	a, b := pair(t, Options{})
	c, err := Open(a.Name(), Options{Root: a.obj.Root.Path(), End: Second})
	if err != nil {
		t.Fatal(err)
	}
	mustSend(t, a, "1")
	mustSend(t, a, "2")
	mustRecv(t, c, "1")
	mustRecv(t, b, "2")
	mustSend(t, c, "3")
	end(t, b)
	mustRecv(t, a, "3")
	_, err = a.TryRecv()
	mustBe(t, err, ipcerr.Empty)
	end(t, c)
	_, err = a.TryRecv()
	mustBe(t, err, ipcerr.EndOfFile)
}

// A close of the other end wakes who sleeps, at once.
func TestCloseWakesTheOther(t *testing.T) {
	for name, sleep := range map[string]func(*Pipe) error{
		"receive": func(p *Pipe) error { _, err := p.Recv(ctx); return err },
		"poll":    func(p *Pipe) error { return p.Poll(ctx) },
		"send": func(p *Pipe) error {
			for {
				if err := p.Send(ctx, make([]byte, 4000), Raw); err != nil {
					return err
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			// Without the wake the end of the slice would tell, some time later, each time.
			best, err := time.Hour, error(nil)
			for range 10 {
				a, b := pair(t, Options{})
				done := make(chan error)
				go func() { done <- sleep(a) }()
				waitFor(t, a, name)
				time.Sleep(15 * time.Millisecond) // the first sleep is short
				began := time.Now()
				if err := b.Close(); err != nil {
					t.Fatal(err)
				}
				err = <-done
				if best = min(best, time.Since(began)); best < 20*time.Millisecond {
					break
				}
			}
			if best >= 20*time.Millisecond {
				t.Errorf("took %v", best)
			}
			switch name {
			case "receive":
				mustBe(t, err, ipcerr.EndOfFile)
			case "send":
				mustBe(t, err, ipcerr.Broken)
			default:
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// waitFor waits until somebody sleeps on p.
func waitFor(t testing.TB, p *Pipe, what string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		for d := range p.ways {
			if ws, err := p.directions[d].Waiters(); err != nil || len(ws) > 0 {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatalf("nobody sleeps for %s", what)
		}
	}
}

// A close of the own handle ends what is under way in it.
func TestCloseEndsCalls(t *testing.T) {
	a, b := pair(t, Options{})
	done := make(chan error)
	go func() {
		_, err := a.Recv(ctx)
		done <- err
	}()
	waitFor(t, a, "a message")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	mustBe(t, <-done, ipcerr.Closed)
	mustBe(t, a.TrySend(nil, Raw), ipcerr.Closed)
	_, err := b.TryRecv()
	mustBe(t, err, ipcerr.EndOfFile)
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

func TestBounded(t *testing.T) {
	a, b := pair(t, Options{})
	sent := 0
	for ; ; sent++ {
		if err := a.TrySend(body(1000, sent), Raw); err != nil {
			mustBe(t, err, ipcerr.Full)
			break
		}
	}
	if sent != 64 {
		t.Errorf("%d messages of 1024 bytes with their headers fit into 64 KiB", sent)
	}
	c, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	mustBe(t, a.Send(c, []byte("x"), Raw), ipcerr.Timeout)
	mustSend(t, b, "the other way")
	for i := range sent {
		mustRecv(t, b, string(body(1000, i)))
	}
	mustRecv(t, a, "the other way")
	if s, err := a.Stat(); err != nil || s.Capacity != 64<<10 || s.Out.Sent != 64 || s.In.Received != 1 {
		t.Errorf("%+v %v", s, err)
	}
}

// What the dead have sent is received, then comes the end of file.
func TestDeath(t *testing.T) {
	a := alone(t, Options{})
	c := child(t, a, "send")
	mustRecv(t, a, "last words")
	_, err := a.TryRecv()
	mustBe(t, err, ipcerr.Empty)
	go func() { _ = c.Process.Kill() }()
	mustBe(t, within(t, "end of file", func() error { _, err := a.Recv(ctx); return err }), ipcerr.EndOfFile)
	time.Sleep(askEvery)
	mustBe(t, a.TrySend([]byte("x"), Raw), ipcerr.Broken)
}

func TestDeathWhileFull(t *testing.T) {
	a := alone(t, Options{})
	c := child(t, a, "hold")
	full := func() error {
		for {
			if err := a.Send(ctx, make([]byte, 4000), Raw); err != nil {
				return err
			}
		}
	}
	go func() {
		waitFor(t, a, "room")
		_ = c.Process.Kill()
	}()
	mustBe(t, within(t, "broken pipe", full), ipcerr.Broken)
}

func TestRoundTripBetweenProcesses(t *testing.T) {
	a := alone(t, Options{})
	child(t, a, "echo")
	for i := range 300 {
		want := body([]int{0, 10, 4000, 9000, 70_000}[i%5], i)
		if err := a.Send(ctx, want, Raw); err != nil {
			t.Fatal(err)
		}
		if m, err := a.Recv(ctx); err != nil || !bytes.Equal(m.Body, want) {
			t.Fatal(i, err)
		}
	}
}

// Senders and receivers at both ends at once: nothing is lost or comes twice, and each sender's order holds
// where one receives.
func TestMixed(t *testing.T) {
	a, b := pair(t, Options{})
	const each = 3000
	var all sync.WaitGroup
	for name, p := range map[string][2]*Pipe{"there": {a, b}, "back": {b, a}} {
		for s := range 2 {
			all.Go(func() {
				for i := range each {
					m := fmt.Appendf(nil, "%s/%d/%d/", name, s, i)
					if i%50 == 7 {
						m = append(m, make([]byte, i*30)...)
					}
					if err := p[0].Send(ctx, m, Raw); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Go(func() {
			next := map[string]int{}
			for range 2 * each {
				m, err := p[1].Recv(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				w := strings.Split(string(m.Body), "/")
				var i int
				_, _ = fmt.Sscan(w[2], &i)
				if w[0] != name {
					t.Errorf("%s went the other way", w)
				}
				if i%50 != 7 && i < next[w[1]] {
					t.Errorf("%s after %d", w, next[w[1]])
				}
				next[w[1]] = max(next[w[1]], i)
			}
		})
	}
	all.Wait()
}

func TestNoAllocations(t *testing.T) {
	a, b := pair(t, Options{})
	buf := make([]byte, 64)
	if n := testing.AllocsPerRun(100, func() {
		_ = a.TrySend(buf, Raw)
		_, _, _ = b.TryRecvInto(buf)
		_, _, _ = b.TryRecvInto(buf)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTyped(t *testing.T) {
	a, b := pair(t, Options{})
	for i := range 3 {
		if err := Of[int](a).Send(ctx, i); err != nil {
			t.Fatal(err)
		}
	}
	if v, err := Of[int](b).TryRecv(); v != 0 || err != nil {
		t.Fatal(v, err)
	}
	if err := Of[string](a).TrySend("no int"); err != nil {
		t.Fatal(err)
	}
	end(t, a)
	want := 1
	for v, err := range Of[int](b).All(ctx) {
		if want == 3 {
			if err == nil {
				t.Error("a string is an int")
			}
			break
		}
		if v != want || err != nil {
			t.Fatal(v, err)
		}
		want++
	}
	for range Of[int](b).All(ctx) {
		t.Error("behind the end of file")
	}
}
