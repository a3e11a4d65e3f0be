package worker

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// tripsPerSample is how many round trips without pauses one sample is the mean of: reading the
// clock for each would show in the figure.
const tripsPerSample = 50

// Ends are what a role puts to and gets from. Every call blocks until it is done.
type Ends interface {
	Put(body []byte) error
	Get(buf []byte) (size int, err error)
	PutMany(bodies [][]byte) (n int, err error)
	GetMany(most int) (n int, err error) // at least one
	Close() error
}

// SingleOnly is for peers whose calls carry one message each.
type SingleOnly struct{}

// PutMany refuses.
func (SingleOnly) PutMany([][]byte) (int, error) { return 0, errors.ErrUnsupported }

// GetMany refuses.
func (SingleOnly) GetMany(int) (int, error) { return 0, errors.ErrUnsupported }

// Messages is the main of a peer that carries messages.
func Messages(open func(Job) (Ends, error)) { run(open, messages) }

// result is the line that the harness reads. Times are nanoseconds.
type result struct {
	Begin int64   `json:"begin"`
	End   int64   `json:"end"`
	CPU   int64   `json:"cpu"`
	Trips []int64 `json:"trips"`
}

func messages(j Job, e Ends, _ *bufio.Scanner, _ int64) error {
	r, err := work(j, e)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

func work(j Job, e Ends) (r result, err error) {
	r.Trips = []int64{} // an array in JSON also when there are none
	body := make([]byte, j.Size)
	for i := range body {
		body[i] = 'x'
	}
	var do func(n int) error
	switch j.Role {
	case "producer":
		do = func(n int) error { return produce(j, e, body, n) }
	case "consumer":
		do = func(n int) error { return consume(j, e, body, n) }
	case "client":
		r.Trips = make([]int64, 0, j.Warm+j.Count)
		do = func(n int) error { r.Trips = r.Trips[:0]; return trips(j, e, body, n, &r.Trips) }
	case "echo":
		do = func(n int) error { return echo(j, e, body, n) }
	case "idle":
		_, err := e.Get(body) // for ever: the harness ends this process
		return r, err
	default:
		return r, fmt.Errorf("role=%s: give producer, consumer, client, echo or idle", j.Role)
	}
	if err = do(j.Warm); err != nil {
		return r, err
	}
	used := cpu()
	r.Begin = now()
	err = do(j.Count)
	r.End, r.CPU = now(), cpu()-used
	return r, err
}

func produce(j Job, e Ends, body []byte, n int) error {
	if j.Batch == 1 {
		for range n {
			if err := e.Put(body); err != nil {
				return err
			}
		}
		return nil
	}
	bodies := make([][]byte, j.Batch)
	for i := range bodies {
		bodies[i] = body
	}
	for n > 0 {
		k, err := e.PutMany(bodies[:min(n, j.Batch)])
		if err != nil {
			return err
		}
		n -= k
	}
	return nil
}

func consume(j Job, e Ends, buf []byte, n int) error {
	if j.Batch == 1 {
		for range n {
			size, err := e.Get(buf)
			if err != nil {
				return err
			}
			if size != j.Size {
				return fmt.Errorf("a message of %d bytes, not %d", size, j.Size)
			}
		}
		return nil
	}
	for n > 0 {
		k, err := e.GetMany(min(n, j.Batch))
		if err != nil {
			return err
		}
		n -= k
	}
	return nil
}

// echo sends back n messages; with pauses each carries how long the one before it took.
func echo(j Job, e Ends, buf []byte, n int) error {
	for range n {
		size, err := e.Get(buf)
		if err != nil {
			return err
		}
		if j.Pause > 0 {
			took := now() - int64(binary.NativeEndian.Uint64(buf))
			rest(j.Pause)
			binary.NativeEndian.PutUint64(buf[8:], uint64(took))
			binary.NativeEndian.PutUint64(buf, uint64(now()))
		}
		if err = e.Put(buf[:size]); err != nil {
			return err
		}
	}
	return nil
}

// trips makes n round trips and notes their times.
func trips(j Job, e Ends, buf []byte, n int, notes *[]int64) error {
	some := tripsPerSample
	if j.Pause > 0 {
		some = 1
	}
	for i := 0; i < n; i += some {
		k := min(some, n-i)
		if j.Pause > 0 {
			rest(j.Pause)
			binary.NativeEndian.PutUint64(buf, uint64(now()))
		}
		begin := now()
		for range k {
			if err := e.Put(buf); err != nil {
				return err
			}
			if _, err := e.Get(buf); err != nil {
				return err
			}
		}
		end := now()
		if j.Pause > 0 { // there, and back
			*notes = append(*notes, int64(binary.NativeEndian.Uint64(buf[8:]))+end-int64(binary.NativeEndian.Uint64(buf)))
		} else {
			*notes = append(*notes, (end-begin)/int64(k))
		}
	}
	return nil
}
