// Command polyipc_lock_go is polyipc's lock from Go, for the benchmarks.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/polyipc/polyipc/bench/peers/worker"
	"github.com/polyipc/polyipc/runtime/psync"
	"github.com/polyipc/polyipc/runtime/segment"
)

var forever = context.Background()

// holder has the lock, and what is changed under it without atomic operations.
type holder struct {
	lock          *psync.Lock
	area          *segment.Segment
	number, noise *uint64
	contended     bool
}

func main() { worker.Turns(open) }

func open(j worker.Job) (worker.Holder, error) {
	if j.Verb != "lock" && j.Verb != "section" {
		return nil, fmt.Errorf("a lock has no verb %s", j.Verb)
	}
	h := &holder{contended: j.Verb == "section"}
	var err error
	if h.lock, err = psync.OpenOrCreateLock(j.Name, psync.Options{Transient: true}); err != nil {
		return nil, err
	}
	if h.area, err = segment.OpenOrCreate(j.Name+".area", segment.Options{Format: "Q", Shape: []int64{2}, Transient: true}); err != nil {
		return nil, err
	}
	numbers, err := segment.Slice[uint64](h.area)
	if err != nil {
		return nil, err
	}
	h.number, h.noise = &numbers[0], &numbers[1]
	return h, nil
}

func (h *holder) Turns(n int) error {
	for range n {
		if _, err := h.lock.Acquire(forever); err != nil {
			return err
		}
		if h.contended {
			h.section()
		}
		if err := h.lock.Release(); err != nil {
			return err
		}
	}
	return nil
}

// section is as in turns.h.
func (h *holder) section() {
	x := *h.noise
	for range 100 {
		x = x*6364136223846793005 + 1
	}
	*h.noise = x
	*h.number++
}

func (h *holder) Counted() (int64, bool) { return int64(*h.number), h.contended }

func (h *holder) Close() error { return errors.Join(h.lock.Close(), h.area.Close()) }
