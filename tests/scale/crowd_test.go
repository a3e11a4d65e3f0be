package scale

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/pipe"
	"github.com/polyipc/polyipc/runtime/psync"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/runtime/segment"
)

// A crowd works on one object: each member adds to a number, takes part in a round, or moves a message. That
// nothing is lost shows in the sums.

const (
	threads   = 500
	processes = 200
)

// sums are what a crowd of that size leaves: a plain number, which is added to under a lock, and behind it in the segment
// an atomic one, and how many have come.
type sums struct {
	*segment.Segment
	plain *uint64
	size  uint64
}

func newSums(s *segment.Segment, size int) (sums, error) {
	numbers, err := segment.Slice[uint64](s)
	if err != nil {
		return sums{}, err
	}
	return sums{s, &numbers[0], uint64(size)}, nil
}

// works are what one member of the crowd does, by kind, as tests/peers/PROTOCOL.md has it.
var works = map[string]func(o any, s sums) error{
	"lock": func(o any, s sums) error {
		return under(o.(*psync.Lock).Acquire, o.(*psync.Lock).Release, s)
	},
	"rlock": func(o any, s sums) error {
		l, me := o.(*psync.RLock), psync.NewOwner()
		acquire := func(ctx context.Context) (bool, error) { return l.Acquire(ctx, me) }
		return under(acquire, func() error { return l.Release(me) }, s)
	},
	"rwlock": func(o any, s sums) error {
		return under(o.(*psync.RWLock).WriteLock, o.(*psync.RWLock).WriteUnlock, s)
	},
	"event": func(o any, s sums) error { return s.counted(o.(*psync.Event).Wait(patient())) },
	"barrier": func(o any, s sums) error {
		_, err := o.(*psync.Barrier).Wait(patient())
		return s.counted(err)
	},
	"semaphore": func(o any, s sums) error {
		it := o.(*psync.Semaphore)
		if err := it.Acquire(patient()); err != nil {
			return err
		}
		return s.counted(it.Release(1))
	},
	"condition": func(o any, s sums) error {
		c, me := o.(*psync.Condition), psync.NewOwner()
		if _, err := c.Acquire(patient(), me); err != nil {
			return err
		}
		*s.plain++
		for *s.plain < s.size { // the last one of the crowd tells the others
			if _, err := c.Wait(patient(), me); err != nil {
				return err
			}
		}
		return s.counted(errors.Join(c.NotifyAll(), c.Release(me)))
	},
	"queue": func(o any, s sums) error {
		q := o.(*queue.Queue)
		if err := q.Put(patient(), []byte("mine"), queue.Raw); err != nil {
			return err
		}
		_, err := q.Get(patient())
		return s.counted(err)
	},
	"pipe": func(o any, s sums) error {
		return s.counted(o.(*pipe.Pipe).Send(patient(), []byte("mine"), pipe.Raw))
	},
	"segment": func(o any, s sums) error {
		it := o.(*segment.Segment)
		if err := under(it.Lock, it.Unlock, s); err != nil {
			return err
		}
		return s.counted(s.assemble(it, 8))
	},
}

func patient() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	context.AfterFunc(ctx, cancel)
	return ctx
}

func under(acquire func(context.Context) (bool, error), release func() error, s sums) error {
	if _, err := acquire(patient()); err != nil {
		return err
	}
	*s.plain++
	return release()
}

// assemble counts in a cell, and waits until all have.
func (s sums) assemble(at *segment.Segment, offset int64) error {
	now, err := at.Atomic(segment.Add, offset, 8, 1)
	if now++; err == nil && now == s.size {
		err = at.Notify(offset)
	}
	for err == nil && now < s.size {
		now, err = at.Wait(patient(), offset, 8, now)
	}
	return err
}

// takePart is what one member does. Nobody begins before all are there.
func (s sums) takePart(kind string, o any) error {
	if err := s.assemble(s.Segment, 16); err != nil {
		return err
	}
	return works[kind](o, s)
}

// counted adds to the atomic number what came to pass without an error.
func (s sums) counted(err error) error {
	if err == nil {
		_, err = s.Atomic(segment.Add, 8, 8, 1)
	}
	return err
}

// crowd is what a process of it does with the object named crowd, whose kind it is given.
func crowd(kind string) error {
	o, err := openOne(kind, "crowd", "")
	if err != nil {
		return err
	}
	sum, err := segment.Open("sum", segment.Options{})
	if err != nil {
		return err
	}
	s, err := newSums(sum, processes)
	if err != nil {
		return err
	}
	return errors.Join(s.takePart(kind, o), o.(open).Close(), sum.Close())
}

func openOne(name, object, root string) (any, error) {
	for _, k := range kinds {
		if k.name == name {
			return k.open(object, root)
		}
	}
	return nil, fmt.Errorf("no kind %s", name)
}

// gather makes the object of a crowd of n, and the segment with the plain number and the sum.
func gather(t *testing.T, name, root string, n int) (o open, sum *segment.Segment) {
	t.Helper()
	var err error
	switch name {
	case "barrier":
		o, err = psync.CreateBarrier("crowd", n, psync.Options{Root: root})
	case "pipe":
		o, err = pipe.Create("crowd", pipe.Options{Root: root})
	default:
		for _, k := range kinds {
			if k.name == name {
				o, err = k.create("crowd", root)
			}
		}
	}
	must(t, err)
	sum, err = segment.Create("sum", segment.Options{Root: root, Format: "<Q", Shape: []int64{3}})
	must(t, err)
	return o, sum
}

// disperse ends a crowd of n, whose work must have added up.
func disperse(t *testing.T, name string, o open, sum *segment.Segment, n int) {
	t.Helper()
	b, err := sum.Bytes()
	must(t, err)
	plain, atomics := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
	if p, ok := o.(*pipe.Pipe); ok {
		for range n {
			if m, err := p.TryRecv(); err != nil || string(m.Body) != "mine" {
				t.Fatalf("%q %v", m.Body, err)
			}
		}
	}
	want := uint64(n)
	both := name == "condition" || name == "segment"
	if both && (plain != want || atomics != want) || !both && plain+atomics != want {
		t.Errorf("a crowd of %d: %d by the plain number, %d by the atomic one", n, plain, atomics)
	}
	for _, x := range []open{o, sum} {
		must(t, x.Unlink())
		must(t, x.Close())
	}
}

// begin has those wait who can, and then lets them go.
func begin(t *testing.T, o open, sum *segment.Segment, n uint64) {
	t.Helper()
	if e, ok := o.(*psync.Event); ok {
		for come := uint64(0); come < n; {
			var err error
			come, err = sum.Wait(patient(), 16, 8, come)
			must(t, err)
		}
		time.Sleep(50 * time.Millisecond) // most of them sleep by then
		must(t, e.Set())
	}
}

func TestThreads(t *testing.T) {
	for name := range works {
		t.Run(name, func(t *testing.T) {
			root := newRoot(t)
			before := stateOf(t, "self")
			o, sum := gather(t, name, root, threads)
			there := o
			if name == "pipe" {
				var err error
				there, err = pipe.Open("crowd", pipe.Options{Root: root})
				must(t, err)
			}
			s, err := newSums(sum, threads)
			must(t, err)
			var wg sync.WaitGroup
			for range threads {
				wg.Go(func() {
					if err := s.takePart(name, there); err != nil {
						t.Error(err)
					}
				})
			}
			begin(t, o, sum, threads)
			wg.Wait()
			if name == "pipe" {
				must(t, there.Close())
			}
			disperse(t, name, o, sum, threads)
			if after := stateOf(t, "self"); after != before {
				t.Errorf("before %+v, after %+v", before, after)
			}
		})
	}
}
