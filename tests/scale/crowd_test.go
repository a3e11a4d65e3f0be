package scale

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
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

// works are what one member of the crowd does, by kind; sum is a cell in a segment.
var works = map[string]func(o any, plain *uint64, sum *segment.Segment) error{
	"lock": func(o any, n *uint64, _ *segment.Segment) error {
		return under(o.(*psync.Lock).Acquire, o.(*psync.Lock).Release, n)
	},
	"rwlock": func(o any, n *uint64, _ *segment.Segment) error {
		return under(o.(*psync.RWLock).WriteLock, o.(*psync.RWLock).WriteUnlock, n)
	},
	"event": func(o any, _ *uint64, sum *segment.Segment) error {
		return counted(o.(*psync.Event).Wait(patient()), sum)
	},
	"barrier": func(o any, _ *uint64, sum *segment.Segment) error {
		_, err := o.(*psync.Barrier).Wait(patient())
		return counted(err, sum)
	},
	"semaphore": func(o any, _ *uint64, sum *segment.Segment) error {
		s := o.(*psync.Semaphore)
		if err := s.Acquire(patient()); err != nil {
			return err
		}
		return counted(s.Release(1), sum)
	},
	"condition": func(o any, n *uint64, sum *segment.Segment) error {
		c, me := o.(*psync.Condition), psync.NewOwner()
		if _, err := c.Acquire(patient(), me); err != nil {
			return err
		}
		*n++
		for *n < threads { // the last one of the crowd tells the others
			if _, err := c.Wait(patient(), me); err != nil {
				return err
			}
		}
		return counted(errors.Join(c.NotifyAll(), c.Release(me)), sum)
	},
	"queue": func(o any, _ *uint64, sum *segment.Segment) error {
		q := o.(*queue.Queue)
		if err := q.Put(patient(), []byte("mine"), queue.Raw); err != nil {
			return err
		}
		_, err := q.Get(patient())
		return counted(err, sum)
	},
	"pipe": func(o any, _ *uint64, sum *segment.Segment) error {
		return counted(o.(*pipe.Pipe).Send(patient(), []byte("mine"), pipe.Raw), sum)
	},
}

func patient() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	context.AfterFunc(ctx, cancel)
	return ctx
}

func under(acquire func(context.Context) (bool, error), release func() error, n *uint64) error {
	if _, err := acquire(patient()); err != nil {
		return err
	}
	*n++
	return release()
}

func counted(err error, sum *segment.Segment) error {
	if err == nil {
		_, err = sum.Atomic(segment.Add, 8, 8, 1)
	}
	return err
}

// crowd is what a process of it does: "KIND NAME SUM".
func crowd(what string) error {
	words := strings.Fields(what)
	o, err := openOne(words[0], words[1], "")
	if err != nil {
		return err
	}
	sum, err := segment.Open(words[2], segment.Options{})
	if err != nil {
		return err
	}
	plain, err := segment.Slice[uint64](sum)
	if err != nil {
		return err
	}
	if err := works[words[0]](o, &plain[0], sum); err != nil {
		return err
	}
	return errors.Join(o.(open).Close(), sum.Close())
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
	sum, err = segment.Create("sum", segment.Options{Root: root, Format: "<Q", Shape: []int64{2}})
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
	if want := uint64(n); atomics+plain != want && !(name == "condition" && plain == want && atomics == want) {
		t.Errorf("a crowd of %d: %d by the plain number, %d by the atomic one", n, plain, atomics)
	}
	for _, x := range []open{o, sum} {
		must(t, x.Unlink())
		must(t, x.Close())
	}
}

// begin has those wait who can, and then lets them go.
func begin(t *testing.T, o open) {
	t.Helper()
	if e, ok := o.(*psync.Event); ok {
		time.Sleep(50 * time.Millisecond) // most of them sleep by then
		must(t, e.Set())
	}
}

func TestThreads(t *testing.T) {
	for name, work := range works {
		t.Run(name, func(t *testing.T) {
			root := newRoot(t)
			o, sum := gather(t, name, root, threads)
			var there open
			if name == "pipe" {
				var err error
				there, err = pipe.Open("crowd", pipe.Options{Root: root})
				must(t, err)
			} else {
				there = o
			}
			plain, err := segment.Slice[uint64](sum)
			must(t, err)
			var wg sync.WaitGroup
			for range threads {
				wg.Go(func() {
					if err := work(there, &plain[0], sum); err != nil {
						t.Error(err)
					}
				})
			}
			begin(t, o)
			wg.Wait()
			if name == "pipe" {
				must(t, there.Close())
			}
			disperse(t, name, o, sum, threads)
		})
	}
}

func TestProcesses(t *testing.T) {
	for _, name := range []string{"lock", "semaphore", "event", "barrier", "queue", "pipe", "rwlock"} {
		t.Run(name, func(t *testing.T) {
			root := newRoot(t)
			o, sum := gather(t, name, root, processes)
			crowd := make([]*exec.Cmd, processes)
			for i := range crowd {
				c := exec.Command("/proc/self/exe")
				c.Env = append(os.Environ(), "POLYIPC_SCALE="+name+" crowd sum", "POLYIPC_ROOT="+root)
				c.Stderr = os.Stderr
				must(t, c.Start())
				crowd[i] = c
			}
			begin(t, o)
			for _, c := range crowd {
				if err := c.Wait(); err != nil {
					t.Error(err)
				}
			}
			disperse(t, name, o, sum, processes)
		})
	}
}
