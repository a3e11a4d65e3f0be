package psync

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

// TestHostileBytes writes what makes no sense into the memory of each type, one word at a time, while
// everything is called. Each call ends in time, with or without an error: no panic, no endless loop.
func TestHostileBytes(t *testing.T) {
	dir := testroot.New(t)
	e, err := openEverything(dir)
	must(t, err)
	defer func() {
		for _, o := range e.all() {
			must(t, o.Close())
			must(t, Unlink(dir, o.Name()))
		}
	}()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for kind, o := range e.all() {
		mem := o.self().obj.File.Mem[layout.SyncOffset:o.self().obj.File.Header().Used]
		for range 25 {
			at := r.IntN(1024) / 8 * 8 // mostly the header
			if r.IntN(3) == 0 {
				at = r.IntN(len(mem)) / 8 * 8
			}
			switch r.IntN(3) {
			case 0:
				binary.LittleEndian.PutUint64(mem[at:], r.Uint64())
			case 1:
				binary.LittleEndian.PutUint32(mem[at:], o.self().obj.Me)
			default:
				binary.LittleEndian.PutUint64(mem[at:], uint64(r.IntN(5)))
			}
			began := time.Now()
			e.call(r.Uint64(), kind)
			if d := time.Since(began); d > 5*time.Second {
				t.Fatalf("with byte %d of a %s changed the calls took %v", at, o.Name(), d)
			}
		}
	}
}

// call calls the verbs of one type, at once and in two goroutines.
func (e *everything) call(seed uint64, kind int) {
	steps := map[int][]int{0: {0}, 1: {1}, 2: {2}, 3: {3}, 4: {4, 5}, 5: {6}, 6: {7}, 7: {8}}[kind]
	var wg sync.WaitGroup
	for range 2 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			me := NewOwner()
			for _, step := range steps {
				_ = e.step(step, soon(), me, seed|1)
			}
		}()
	}
	wg.Wait()
	o := e.all()[kind]
	_, _ = o.Stat()
	_, _ = o.Holders()
	_, _ = o.Waiters()
}

// TestTruncated: a file that is cut off under an open object is an error, also for who sleeps in it.
func TestTruncated(t *testing.T) {
	for i := range 8 {
		dir, err := os.MkdirTemp("/dev/shm", "polyipc-test-")
		must(t, err)
		e, err := openEverything(dir)
		must(t, err)
		o := e.all()[i]
		must(t, os.Truncate(dir+"/"+o.Name(), 0))
		if _, err := o.Stat(); ipcerr.CodeOf(err) != ipcerr.Corrupt {
			t.Errorf("%s: stat: %v", o.Name(), err)
		}
		if o != e.lock { // which has the memory that the steps write to
			steps := []int{0, 1, 2, 3, 4, 6, 7, 8}
			if err := e.step(steps[i], soon(), NewOwner(), 1); ipcerr.CodeOf(err) != ipcerr.Corrupt {
				t.Errorf("%s: %v", o.Name(), err)
			}
		}
		for _, o := range e.all() {
			must(t, o.Close())
		}
		must(t, os.RemoveAll(dir))
	}
}

// TestManyThreads: 500 goroutines on one object of each type.
func TestManyThreads(t *testing.T) {
	dir := testroot.New(t)
	c, err := CreateCondition("", Options{Root: dir})
	c = kept(t, c, err)
	b, err := CreateBarrier("", 500, Options{Root: dir})
	b = kept(t, b, err)
	ev, err := CreateEvent("", Options{Root: dir})
	ev = kept(t, ev, err)
	l, err := CreateLock("", Options{Root: dir})
	l = kept(t, l, err)
	number := layout.View[uint32](l.obj.File.Mem, 3000)
	in, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for range 500 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			me := NewOwner()
			check := func(err error) {
				if err != nil {
					t.Error(err)
				}
			}
			_, err := b.Wait(in)
			check(err)
			_, err = l.Acquire(in)
			check(err)
			*number++
			check(l.Release())
			_, err = c.Acquire(in, me)
			check(err)
			_, err = c.Wait(in, me)
			check(err)
			check(c.Release(me))
			check(ev.Wait(in))
		}()
	}
	waiting(t, c, 500)
	must(t, c.NotifyAll())
	eventually(t, "all wait for the event", func() bool {
		ws, err := ev.Waiters()
		return err == nil && len(ws) == layout.Seats && len(c.waiters()) == 0
	})
	must(t, ev.Set())
	wg.Wait()
	if *number != 500 {
		t.Fatalf("%d of 500", *number)
	}
}

const crowd = 200

// meet is what each process of TestManyProcesses does.
func meet(dir string) {
	b, err := OpenBarrier("barrier", Options{Root: dir})
	if err == nil {
		_, err = b.Wait(ctx)
	}
	l, lerr := OpenLock("lock", Options{Root: dir})
	for range 50 {
		if err == nil && lerr == nil {
			_, err = l.Acquire(ctx)
			*layout.View[uint32](l.obj.File.Mem, 3000)++
			err = errors.Join(err, l.Release())
		}
	}
	if err = errors.Join(err, lerr); err != nil {
		panic(err)
	}
}

// TestManyProcesses: 200 of them on one barrier and one lock.
func TestManyProcesses(t *testing.T) {
	crowd := uint32(crowd)
	if testing.Short() { // the race detector makes them large
		crowd = 20
	}
	dir := testroot.New(t)
	b, err := CreateBarrier("barrier", int(crowd), Options{Root: dir, Transient: true})
	_ = kept(t, b, err)
	l, err := CreateLock("lock", Options{Root: dir, Transient: true})
	l = kept(t, l, err)
	var team []*exec.Cmd
	for range crowd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "POLYIPC_MEET="+dir)
		cmd.Stderr = os.Stderr
		must(t, cmd.Start())
		team = append(team, cmd)
	}
	for _, cmd := range team {
		must(t, cmd.Wait())
	}
	if n := *layout.View[uint32](l.obj.File.Mem, 3000); n != 50*crowd {
		t.Fatalf("%d of %d", n, 50*crowd)
	}
}
