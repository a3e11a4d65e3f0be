package host

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"golang.org/x/sys/unix"
)

// token is a thing that one can have, and that Work takes.
type token struct{ there chan struct{} }

func newToken() token {
	t := token{make(chan struct{}, 1)}
	t.there <- struct{}{}
	return t
}

func (t token) work() Work {
	return Work{
		Do: func(wait, _ context.Context) (Outcome, error) {
			select {
			case <-t.there:
				return Outcome{First: 7}, nil
			case <-wait.Done():
				return Outcome{}, wait.Err()
			}
		},
		Undo: func(Outcome) { t.there <- struct{}{} },
	}
}

func fresh(t *testing.T) *Pending {
	p, err := NewPending()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func start(t *testing.T, p *Pending, w Work) uint64 {
	n, err := p.Start(w, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// news waits until the descriptor says that there are some.
func news(t *testing.T, p *Pending) {
	fds := []unix.PollFd{{Fd: int32(p.FD()), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 10_000)
		if n == 1 {
			return
		}
		if err != unix.EINTR {
			t.Fatal("no news")
		}
	}
}

func TestPending(t *testing.T) {
	p, one := fresh(t), newToken()
	first, second := start(t, p, one.work()), start(t, p, one.work())
	news(t, p)
	e, ok := p.Next()
	if !ok || e.Err != nil || e.First != 7 || e.Number != first && e.Number != second {
		t.Fatalf("%+v %v", e, ok)
	}
	if _, ok := p.Next(); ok {
		t.Fatal("the other has not got it")
	}
	p.Interrupt(first + second - e.Number)
	news(t, p)
	if e, ok = p.Next(); !ok || !errors.Is(e.Err, context.Canceled) {
		t.Fatalf("%+v %v", e, ok)
	}
	p.Interrupt(e.Number)
	p.Cancel(e.Number) // it is told of: nothing
	if len(one.there) != 0 {
		t.Fatal("what was told of was given back")
	}
}

// TestCancel gives up waits at any moment, and wants what they got back.
func TestCancel(t *testing.T) {
	p, one := fresh(t), newToken()
	for range 2000 {
		n := start(t, p, one.work())
		for range rand.IntN(20) {
			runtime.Gosched()
		}
		p.Cancel(n)
		if len(one.there) != 1 {
			t.Fatal("it is not given back when Cancel returns")
		}
	}
	if _, ok := p.Next(); ok {
		t.Fatal("a cancelled wait is told of")
	}
}

// TestCancelWaits cancels what takes its time to end.
func TestCancelWaits(t *testing.T) {
	p := fresh(t)
	var ended atomic.Bool
	n := start(t, p, Work{Do: func(wait, _ context.Context) (Outcome, error) {
		<-wait.Done()
		time.Sleep(20 * time.Millisecond) // so that a Cancel which does not wait returns before
		ended.Store(true)
		return Outcome{}, wait.Err()
	}})
	p.Cancel(n)
	if !ended.Load() {
		t.Fatal("Cancel returns before the wait has ended")
	}
}

func TestCloseGivesBack(t *testing.T) {
	p, one := fresh(t), newToken()
	start(t, p, one.work())
	news(t, p) // it has it, and nobody has asked
	start(t, p, one.work())
	p.Close()
	if len(one.there) != 1 {
		t.Fatal("not given back")
	}
	start(t, p, one.work())
	p.Close()
}

func TestBeginAndLimit(t *testing.T) {
	p, one := fresh(t), newToken()
	w := one.work()
	w.Begin = func() error { return ipcerr.Invalid }
	if _, err := p.Start(w, time.Time{}); err != ipcerr.Invalid {
		t.Fatal(err)
	}
	<-one.there
	for range MostPending {
		start(t, p, one.work())
	}
	if _, err := p.Start(one.work(), time.Time{}); ipcerr.CodeOf(err) != ipcerr.Limit {
		t.Fatal(err)
	}
	p.Close()
	if n := pending.Load(); n != 0 {
		t.Fatalf("%d are counted", n)
	}
}

func TestDeadline(t *testing.T) {
	p := fresh(t)
	at := time.Now().Add(time.Hour)
	var seen atomic.Int64
	_, err := p.Start(Work{Do: func(wait, _ context.Context) (Outcome, error) {
		d, _ := wait.Deadline()
		seen.Store(d.UnixNano())
		return Outcome{}, nil
	}}, at)
	if err != nil {
		t.Fatal(err)
	}
	news(t, p)
	if seen.Load() != at.UnixNano() {
		t.Fatal("no deadline")
	}
}

func TestManyAtOnce(t *testing.T) {
	p, one := fresh(t), newToken()
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 300 {
				if n, err := p.Start(one.work(), time.Time{}); err == nil {
					p.Cancel(n)
				}
				if e, ok := p.Next(); ok && e.Err == nil {
					one.there <- struct{}{}
				}
			}
		}()
	}
	wg.Wait()
	if len(one.there) != 1 {
		t.Fatal("lost, or doubled")
	}
}
