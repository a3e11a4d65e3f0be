// Command polyipc_segment_go is a number in polyipc's segment from Go, for the benchmarks: changed under the
// segment's lock, or by atomic operations.
package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/polyipc/polyipc/bench/peers/worker"
	"github.com/polyipc/polyipc/runtime/segment"
)

var forever = context.Background()

type holder struct {
	segment *segment.Segment
	plain   *int64
	cell    *atomic.Int64
	atomic  bool
}

func main() { worker.Turns(open) }

func open(j worker.Job) (worker.Holder, error) {
	if j.Verb != "increment" && j.Verb != "atomic" {
		return nil, fmt.Errorf("a number has no verb %s", j.Verb)
	}
	s, err := segment.OpenOrCreate(j.Name, segment.Options{Format: "q", Transient: true})
	if err != nil {
		return nil, err
	}
	cell, err := segment.Int64At(s, 0)
	if err != nil {
		return nil, err
	}
	items, err := segment.Slice[int64](s)
	if err != nil {
		return nil, err
	}
	return &holder{segment: s, plain: &items[0], cell: cell, atomic: j.Verb == "atomic"}, nil
}

func (h *holder) Turns(n int) error {
	for range n {
		if h.atomic {
			h.cell.Add(1)
			continue
		}
		if _, err := h.segment.Lock(forever); err != nil {
			return err
		}
		*h.plain++
		if err := h.segment.Unlock(); err != nil {
			return err
		}
	}
	return nil
}

func (h *holder) Counted() (int64, bool) { return h.cell.Load(), true }

func (h *holder) Close() error { return h.segment.Close() }
