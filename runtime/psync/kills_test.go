package psync

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

// everything is one of each type, with names.
type everything struct {
	lock      *Lock
	rlock     *RLock
	semaphore *Semaphore
	bounded   *BoundedSemaphore
	condition *Condition
	event     *Event
	barrier   *Barrier
	rwlock    *RWLock

	// In the mapping of the lock: who is in each of what excludes others, and what was found wrong.
	in     *[4]atomic.Uint64
	faults *atomic.Uint64
}

const permits = 3

func openEverything(dir string) (e *everything, err error) {
	e = &everything{}
	o := Options{Root: dir, Kept: true}
	r := Options{Root: dir, Kept: true, Reclaim: true}
	errs := make([]error, 8)
	e.lock, errs[0] = OpenOrCreateLock("lock", o)
	e.rlock, errs[1] = OpenOrCreateRLock("rlock", o)
	e.semaphore, errs[2] = OpenOrCreateSemaphore("semaphore", permits, r)
	e.bounded, errs[3] = OpenOrCreateBoundedSemaphore("bounded", permits, r)
	e.condition, errs[4] = OpenOrCreateCondition("condition", o)
	e.event, errs[5] = OpenOrCreateEvent("event", o)
	e.barrier, errs[6] = OpenOrCreateBarrier("barrier", 2, o)
	e.rwlock, errs[7] = OpenOrCreateRWLock("rwlock", o)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	e.in = layout.View[[4]atomic.Uint64](e.lock.obj.File.Mem, 3072)
	e.faults = layout.View[atomic.Uint64](e.lock.obj.File.Mem, 3504)
	return e, nil
}

func (e *everything) all() []Object {
	return []Object{e.lock, e.rlock, e.semaphore, e.bounded, e.condition, e.event, e.barrier, e.rwlock}
}

// alone is called with what excludes others in hand.
func (e *everything) alone(i int, me uint64) {
	e.in[i].Store(me)
	for range 50 {
		if e.in[i].Load() != me {
			e.faults.Or(1 << i)
		}
	}
}

// work does one thing after the other, by chance. Whatever fails in another way than by its time is a fault.
func (e *everything) work(seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	me := NewOwner()
	id := uint64(os.Getpid())<<32 | uint64(seed&(1<<32-1)) | 1
	for {
		in := object.Until(time.Now().Add(time.Duration(r.IntN(20)) * time.Millisecond))
		if err := e.step(r.IntN(9), in, me, id); err != nil && !errors.Is(err, ipcerr.Timeout) && !errors.Is(err, ipcerr.Broken) {
			fmt.Fprintln(os.Stderr, "fault:", err)
			e.faults.Or(1 << 32)
		}
	}
}

func (e *everything) step(what int, in context.Context, me Owner, id uint64) error {
	var err error
	switch what {
	case 0:
		if _, err = e.lock.Acquire(in); err == nil {
			e.alone(0, id)
			err = e.lock.Release()
		}
	case 1:
		if _, err = e.rlock.Acquire(in, me); err == nil {
			e.alone(1, id)
			err = e.rlock.Release(me)
		}
	case 2:
		if err = e.semaphore.Acquire(in); err == nil {
			err = e.semaphore.Release(1)
		}
	case 3:
		if err = e.bounded.Acquire(in); err == nil {
			err = e.bounded.Release(1)
		}
	case 4:
		if _, err = e.condition.Acquire(in, me); err == nil {
			_, err = e.condition.Wait(in, me)
			e.alone(2, id)
			err = errors.Join(err, e.condition.Release(me))
		}
	case 5:
		if _, err = e.condition.Acquire(in, me); err == nil {
			err = errors.Join(e.condition.Notify(1), e.condition.Release(me))
		}
	case 6:
		err = errors.Join(e.event.Set(), e.event.Clear(), e.event.Wait(in))
	case 7:
		if _, err = e.barrier.WaitThen(in, func() error { return nil }); err != nil {
			err = errors.Join(err, e.barrier.Reset())
		}
	case 8:
		if err = e.rwlock.ReadLock(in); err == nil {
			err = e.rwlock.ReadUnlock()
		}
		if _, died := e.rwlock.WriteLock(in); died == nil {
			e.alone(3, id)
			err = errors.Join(err, e.rwlock.WriteUnlock())
		}
	}
	return err
}

// act is what a process started by TestKills does until it is killed.
func act(dir string) {
	e, err := openEverything(dir)
	if err != nil {
		panic(err)
	}
	fmt.Println("ready")
	for i := range 5 {
		go e.work(uint64(os.Getpid())<<8 | uint64(i))
	}
	select {}
}

func TestMain(m *testing.M) {
	if dir := os.Getenv("POLYIPC_ACT"); dir != "" {
		act(dir)
	}
	if dir := os.Getenv("POLYIPC_MEET"); dir != "" {
		meet(dir)
		return
	}
	os.Exit(m.Run())
}

// TestKills kills processes that use all types at once, at random moments. Those that are left go on, nobody
// is ever where another is, and when all are dead nothing is held.
func TestKills(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv("POLYIPC_CHAOS_KILLS"))
	rounds = max(rounds/3, 20)
	dir := testroot.New(t)
	e, err := openEverything(dir)
	must(t, err)
	defer func() {
		for _, o := range e.all() {
			must(t, o.Close())
			must(t, Unlink(dir, o.Name()))
		}
	}()
	var slowest time.Duration
	for round := range rounds {
		var team []*exec.Cmd
		for range 3 {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "POLYIPC_ACT="+dir)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			must(t, err)
			must(t, cmd.Start())
			if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			team = append(team, cmd)
		}
		for _, cmd := range team {
			time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
			must(t, cmd.Process.Kill())
		}
		for _, cmd := range team {
			_ = cmd.Wait()
		}
		began := time.Now()
		e.free(t)
		slowest = max(slowest, time.Since(began))
		if f := e.faults.Load(); f != 0 {
			t.Fatalf("round %d: faults %x", round, f)
		}
	}
	t.Logf("%d kills; all was free after %v at most", 3*rounds, slowest)
}

// free takes all there is, which must be had at once now, and puts it back.
func (e *everything) free(t *testing.T) {
	t.Helper()
	in := object.Until(time.Now().Add(2 * time.Second))
	me := NewOwner()
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	_, err := e.lock.Acquire(in)
	check("lock", err)
	check("lock", e.lock.Release())
	_, err = e.rlock.Acquire(in, me)
	check("rlock", err)
	check("rlock", e.rlock.Release(me))
	_, err = e.rwlock.WriteLock(in)
	check("write lock", err)
	check("write lock", e.rwlock.WriteUnlock())
	for range permits {
		check("semaphore", e.semaphore.Acquire(in))
		check("bounded", e.bounded.Acquire(in))
	}
	mustBe(t, e.bounded.Acquire(soon()), ipcerr.Timeout)
	check("semaphore", e.semaphore.Release(permits))
	check("bounded", e.bounded.Release(permits))
	check("event", e.event.Set())
	check("event", e.event.Clear())
	check("barrier", e.barrier.Reset())
	done := make(chan error)
	go func() { _, err := e.barrier.Wait(in); done <- err }()
	_, err = e.barrier.Wait(in)
	check("barrier", err)
	check("barrier", <-done)
	_, err = e.condition.Acquire(in, me)
	check("condition", err)
	_, err = e.condition.Wait(soon(), me)
	if err != nil && !errors.Is(err, ipcerr.Timeout) {
		t.Fatal(err)
	}
	check("condition", e.condition.Release(me))
	for _, o := range e.all() {
		ws, err := o.Waiters()
		check("waiters", err)
		if len(ws) != 0 {
			t.Fatalf("%s: %+v wait", o.Name(), ws)
		}
		if g := o.self().h.Guard.Load(); g != 0 {
			t.Fatalf("%s: the guard is left at %x", o.Name(), g)
		}
	}
}
