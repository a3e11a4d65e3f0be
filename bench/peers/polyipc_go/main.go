// Command polyipc_go is polyipc's queue from Go, for the benchmarks. It reads its job from its
// arguments and speaks the protocol of ../worker.c.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/queue"
)

// capacity bounds the queue, so that a producer waits as it would with the peers.
const capacity = 1 << 20

// tripsPerSample is how many round trips without pauses one sample is the mean of: reading the
// clock for each would show in the figure.
const tripsPerSample = 50

var forever = context.Background()

// job is what this process is to do; see worker.h.
type job struct {
	role, name               string
	size, warm, count, batch int
	pause                    time.Duration
}

// ends are the queues of this role, with room for batches.
type ends struct {
	to, from *queue.Queue
	bodies   [][]byte
	landing  []byte
	parts    []queue.Part
}

// result is the line that the harness reads. Times are nanoseconds.
type result struct {
	Begin int64   `json:"begin"`
	End   int64   `json:"end"`
	CPU   int64   `json:"cpu"`
	Trips []int64 `json:"trips"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	j, err := parse(arguments)
	if err != nil {
		return err
	}
	e, err := j.open()
	if err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	fmt.Println("ready")
	if !in.Scan() {
		return errors.New("the harness gave up")
	}
	r, err := e.work(j)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		return err
	}
	for in.Scan() {
		continue
	}
	return e.close()
}

func parse(arguments []string) (job, error) {
	j := job{batch: 1}
	var pause int
	numbers := map[string]*int{
		"size": &j.size, "warm": &j.warm, "count": &j.count, "batch": &j.batch, "pause": &pause,
		"producers": new(int), "consumers": new(int), "index": new(int), // all the same to this queue
	}
	for _, a := range arguments {
		key, value, _ := strings.Cut(a, "=")
		switch key {
		case "role":
			j.role = value
		case "name":
			j.name = value
		case "dir": // $POLYIPC_ROOT says it
		default:
			p, known := numbers[key]
			if !known {
				return j, fmt.Errorf("unknown argument %s", key)
			}
			n, err := strconv.Atoi(value)
			if err != nil {
				return j, fmt.Errorf("%s=%s: give a number", key, value)
			}
			*p = n
		}
	}
	j.pause = time.Duration(pause)
	if j.pause > 0 && j.size < 16 {
		return j, fmt.Errorf("size=%d: a paused round trip carries two stamps, 16 bytes", j.size)
	}
	return j, nil
}

func (j job) open() (e ends, err error) {
	names := map[string][2]string{ // to, from
		"producer": {j.name, ""},
		"consumer": {"", j.name},
		"idle":     {"", j.name},
		"client":   {j.name, j.name + ".back"},
		"echo":     {j.name + ".back", j.name},
	}
	both, known := names[j.role]
	if !known {
		return e, fmt.Errorf("role=%s: give producer, consumer, client, echo or idle", j.role)
	}
	for i, q := range []**queue.Queue{&e.to, &e.from} {
		if both[i] == "" {
			continue
		}
		if *q, err = queue.OpenOrCreate(both[i], queue.Options{Capacity: int64(max(capacity, 4*j.size)), Transient: true}); err != nil {
			return e, err
		}
	}
	e.bodies = make([][]byte, j.batch)
	e.parts = make([]queue.Part, j.batch)
	e.landing = make([]byte, max(j.size, min(j.batch*j.size, capacity)))
	return e, nil
}

func (e *ends) close() error {
	var errs []error
	for _, q := range []*queue.Queue{e.to, e.from} {
		if q != nil {
			errs = append(errs, q.Close())
		}
	}
	return errors.Join(errs...)
}

func (e *ends) work(j job) (r result, err error) {
	r.Trips = []int64{} // an array in JSON also when there are none
	body := make([]byte, j.size)
	for i := range body {
		body[i] = 'x'
	}
	for i := range e.bodies {
		e.bodies[i] = body
	}
	do := func(n int) error { return nil }
	switch j.role {
	case "producer":
		do = func(n int) error { return e.produce(j, body, n) }
	case "consumer":
		do = func(n int) error { return e.consume(j, body, n) }
	case "client":
		r.Trips = make([]int64, 0, j.warm+j.count)
		do = func(n int) error { r.Trips = r.Trips[:0]; return e.trips(j, body, n, &r.Trips) }
	case "echo":
		do = func(n int) error { return e.echo(j, body, n) }
	case "idle":
		_, _, err := e.from.GetInto(forever, body) // for ever: the harness ends this process
		return r, err
	}
	if err = do(j.warm); err != nil {
		return r, err
	}
	used := cpu()
	r.Begin = now()
	err = do(j.count)
	r.End, r.CPU = now(), cpu()-used
	return r, err
}

func (e *ends) produce(j job, body []byte, n int) error {
	if j.batch == 1 {
		for range n {
			if err := e.to.Put(forever, body, queue.Raw); err != nil {
				return err
			}
		}
		return nil
	}
	for n > 0 {
		k, err := e.to.PutMany(forever, e.bodies[:min(n, j.batch)], queue.Raw)
		if err != nil {
			return err
		}
		n -= k
	}
	return nil
}

func (e *ends) consume(j job, buf []byte, n int) error {
	if j.batch == 1 {
		for range n {
			size, _, err := e.from.GetInto(forever, buf)
			if err != nil {
				return err
			}
			if size != j.size {
				return fmt.Errorf("a message of %d bytes, not %d", size, j.size)
			}
		}
		return nil
	}
	for n > 0 {
		k, err := e.from.GetManyInto(forever, e.landing, e.parts[:min(n, j.batch)])
		if err != nil {
			return err
		}
		n -= k
	}
	return nil
}

// echo sends back n messages; with pauses each carries how long the one before it took.
func (e *ends) echo(j job, buf []byte, n int) error {
	for range n {
		size, _, err := e.from.GetInto(forever, buf)
		if err != nil {
			return err
		}
		if j.pause > 0 {
			took := now() - int64(binary.NativeEndian.Uint64(buf))
			rest(j.pause)
			binary.NativeEndian.PutUint64(buf[8:], uint64(took))
			binary.NativeEndian.PutUint64(buf, uint64(now()))
		}
		if err = e.to.Put(forever, buf[:size], queue.Raw); err != nil {
			return err
		}
	}
	return nil
}

// trips makes n round trips and notes their times.
func (e *ends) trips(j job, buf []byte, n int, notes *[]int64) error {
	some := tripsPerSample
	if j.pause > 0 {
		some = 1
	}
	for i := 0; i < n; i += some {
		k := min(some, n-i)
		if j.pause > 0 {
			rest(j.pause)
			binary.NativeEndian.PutUint64(buf, uint64(now()))
		}
		begin := now()
		for range k {
			if err := e.to.Put(forever, buf, queue.Raw); err != nil {
				return err
			}
			if _, _, err := e.from.GetInto(forever, buf); err != nil {
				return err
			}
		}
		end := now()
		if j.pause > 0 { // there, and back
			*notes = append(*notes, int64(binary.NativeEndian.Uint64(buf[8:]))+end-int64(binary.NativeEndian.Uint64(buf)))
		} else {
			*notes = append(*notes, (end-begin)/int64(k))
		}
	}
	return nil
}

// started carries the clock that all processes share on by Go's own, which needs no system call.
var started, startedAt = time.Now(), monotonic()

func monotonic() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano()
}

func now() int64 { return startedAt + int64(time.Since(started)) }

// rest sleeps as the peers in C do: in the kernel, not on Go's timers, whose wake-up would be
// part of what is measured on the other side.
func rest(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&t, nil)
}

func cpu() int64 {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}
