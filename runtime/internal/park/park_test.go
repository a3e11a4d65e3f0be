package park

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/futex"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

var ctx = context.Background()

// long is a slice that heals nothing: with it, a lost wake is a test that hangs.
func long() time.Duration { return time.Hour }

func open() error { return nil }

func everybodyLives(uint32) bool { return true }

func goOn(bool) error { return nil }

func stand() func() { return func() {} }

// store is a counter to wait on: what a queue is to its getters.
type store struct {
	word  atomic.Uint32
	n     atomic.Int64
	takes atomic.Int64
}

func (s *store) take() (bool, error) {
	for {
		n := s.n.Load()
		if n == 0 {
			return false, nil
		}
		if s.n.CompareAndSwap(n, n-1) {
			s.takes.Add(1)
			return true, nil
		}
	}
}

func (s *store) put(n int64) {
	s.n.Add(n)
	Wake(&s.word, int(n))
}

func (s *store) waiter() *Waiter {
	return &Waiter{Word: &s.word, Try: s.take, Slice: long, Gone: open,
		Hint: func() bool { return s.n.Load() > 0 },
		Pass: func() {
			if s.n.Load() > 0 {
				Wake(&s.word, 1)
			}
		}}
}

// TestNoWakeIsLost: producers that put one or several, consumers that spin or don't, and no slice that
// would heal a wake that went missing.
func TestNoWakeIsLost(t *testing.T) {
	const consumers, each = 6, 4000
	var s store
	var wg sync.WaitGroup
	for c := range consumers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			w := s.waiter()
			if c%2 == 0 {
				w.Spin = &Spin{}
			}
			for range each {
				if err := Wait(ctx, w); err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	for p := range 2 {
		go func() {
			for i := 0; i < consumers*each/2; {
				n := min(int64(1+(i+p)%4), int64(consumers*each/2-i))
				s.put(n)
				i += int(n)
			}
		}()
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(60 * time.Second):
		t.Fatalf("a wake was lost: %d of %d taken, %d there", s.takes.Load(), consumers*each, s.n.Load())
	}
}

// sleepers starts n waits and returns when all of them sleep.
func sleepers(t *testing.T, s *store, n int) *sync.WaitGroup {
	t.Helper()
	var wg sync.WaitGroup
	var tries atomic.Int64
	for range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			w := s.waiter()
			w.Try = func() (bool, error) { tries.Add(1); return s.take() }
			if err := Wait(ctx, w); err != nil {
				t.Error(err)
			}
		}()
	}
	// Futexes tell who sleeps: a requeue of nobody to nowhere would, but waking is enough to see it.
	for end := time.Now().Add(10 * time.Second); tries.Load() < int64(n) || !Sleeping(&s.word); {
		if time.Now().After(end) {
			t.Fatal("nobody fell asleep")
		}
		time.Sleep(time.Millisecond)
	}
	return &wg
}

// TestWakeKeepsTheFlag: a waker that woke as many as it wanted must assume that there are more, also
// if the one it woke dies before it could say so.
func TestWakeKeepsTheFlag(t *testing.T) {
	for range 100 { // until both sleep at the moment of the wake
		var w atomic.Uint32
		w.Store(flag)
		var wg sync.WaitGroup
		for range 2 {
			wg.Add(1)
			go func() { defer wg.Done(); _ = futex.Wait(&w, flag, time.Minute) }()
		}
		time.Sleep(5 * time.Millisecond)
		Wake(&w, 1)
		kept := Sleeping(&w)
		Kick(&w)
		wg.Wait()
		if kept {
			return
		}
	}
	t.Fatal("the one who still slept was forgotten")
}

// TestWakeMany: one commit of three wakes three.
func TestWakeMany(t *testing.T) {
	var s store
	wg := sleepers(t, &s, 3)
	s.put(3)
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%d of 3 woke", s.takes.Load())
	}
}

// TestPass: a wake for one that is met by more than one message is passed on.
func TestPass(t *testing.T) {
	var s store
	wg := sleepers(t, &s, 2)
	s.n.Add(2)
	Wake(&s.word, 1)
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%d of 2 woke", s.takes.Load())
	}
}

func TestEndings(t *testing.T) {
	var s store
	deadline, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if err := Wait(deadline, s.waiter()); err != ipcerr.Timeout {
		t.Errorf("deadline: %v", err)
	}
	past, cancel := context.WithDeadline(ctx, time.Now().Add(-time.Hour))
	defer cancel()
	if err := Wait(past, s.waiter()); err != ipcerr.Timeout {
		t.Errorf("past deadline: %v", err)
	}
	for range 200 { // cancelled before, in the middle of, and after falling asleep
		c, cancel := context.WithCancel(ctx)
		go cancel()
		if err := Wait(c, s.waiter()); err != ipcerr.Cancelled {
			t.Fatalf("cancel: %v", err)
		}
	}
	w := s.waiter()
	w.Gone = func() error { return ipcerr.Closed }
	if err := Wait(ctx, w); err != ipcerr.Closed {
		t.Errorf("closed: %v", err)
	}
	boom := errors.New("boom")
	w = s.waiter()
	w.Try = func() (bool, error) { return false, boom }
	if err := Wait(ctx, w); err != boom {
		t.Errorf("failing try: %v", err)
	}
	// A message that is there is taken, even by a wait that is over: it tries before it looks.
	s.n.Store(1)
	if err := Wait(past, s.waiter()); err != nil {
		t.Errorf("with a message there: %v", err)
	}
}

type interruptible struct{ context.Context }

func (interruptible) Interruptible() bool { return true }

func TestInterruptible(t *testing.T) {
	var s store
	began := time.Now()
	w := s.waiter()
	w.Slice = func() time.Duration { return 50 * time.Millisecond }
	if err := Wait(interruptible{ctx}, w); err != ipcerr.Interrupted {
		t.Fatal(err)
	}
	if d := time.Since(began); d < InterruptEvery/2 || d > 2*time.Second {
		t.Fatalf("came back after %v", d)
	}
}

// TestLock: no increment is lost, and no wake: no slice would heal it.
func TestLock(t *testing.T) {
	defer func(d, l time.Duration) { lockSlice, longSlice = d, l }(lockSlice, longSlice)
	lockSlice, longSlice = time.Hour, time.Hour
	var w atomic.Uint32
	counter := 0
	var wg sync.WaitGroup
	const workers, each = 8, 5000
	for i := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			me := uint32(i + 1)
			for range each {
				took, err := Lock(&w, me, everybodyLives, time.Time{}, goOn, stand)
				if took || err != nil {
					t.Errorf("took over %v, %v", took, err)
					return
				}
				if counter++; counter%50 == 0 {
					time.Sleep(time.Microsecond) // long enough for others to fall asleep
				}
				Unlock(&w)
			}
		}()
	}
	wg.Wait()
	if counter != workers*each {
		t.Fatalf("%d increments lost", workers*each-counter)
	}
	if v := w.Load(); v != 0 {
		t.Fatalf("the lock is left at %x", v)
	}
}

func TestTakeOver(t *testing.T) {
	var w atomic.Uint32
	const dead, me = 77, 5
	alive := func(token uint32) bool { return token != dead }
	for _, v := range []uint32{dead, dead | waiters} {
		w.Store(v)
		took, err := Lock(&w, me, alive, time.Time{}, goOn, stand)
		if !took || err != nil {
			t.Fatalf("took over %v, %v", took, err)
		}
		if v := w.Load(); v != me|waiters {
			t.Fatalf("the lock holds %x", v)
		}
		Unlock(&w)
	}
	// Owners that live are never taken over: the wait ends at its deadline, or when told to stop.
	w.Store(6)
	if took, err := Lock(&w, me, alive, time.Now().Add(30*time.Millisecond), goOn, stand); took || err != ipcerr.Timeout {
		t.Fatalf("took over %v, %v", took, err)
	}
	boom := errors.New("boom")
	if _, err := Lock(&w, me, alive, time.Time{}, func(bool) error { return boom }, stand); err != boom {
		t.Fatal(err)
	}
	if token, contended := Holder(&w); token != 6 || !contended {
		t.Fatalf("held by %d, contended %v", token, contended)
	}
	// Dies while others sleep on its lock.
	var gone atomic.Bool
	done := make(chan bool)
	go func() {
		took, _ := Lock(&w, me, func(uint32) bool { return !gone.Load() }, time.Time{}, goOn, stand)
		done <- took
	}()
	gone.Store(true)
	select {
	case took := <-done:
		if !took {
			t.Fatal("not taken over")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("slept on a dead owner's lock")
	}
}

func TestQuota(t *testing.T) {
	if quotaBelow(0) {
		t.Error("less than no processor")
	}
	var u unix.CPUSet
	if err := unix.SchedGetaffinity(0, &u); err != nil || (u.Count() > 1) == alone && !quotaBelow(2) {
		t.Errorf("alone is %v on %d processors", alone, u.Count())
	}
}
