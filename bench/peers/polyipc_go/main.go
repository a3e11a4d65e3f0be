// Command polyipc_go is polyipc's queue from Go, for the benchmarks.
package main

import (
	"context"
	"errors"

	"github.com/polyipc/polyipc/bench/peers/worker"
	"github.com/polyipc/polyipc/runtime/queue"
)

// capacity bounds the queue, so that a producer waits as it would with the peers.
const capacity = 1 << 20

var forever = context.Background()

// ends are the queues of this role, with room for batches.
type ends struct {
	to, from *queue.Queue
	landing  []byte
	parts    []queue.Part
}

func main() { worker.Messages(open) }

func open(j worker.Job) (worker.Ends, error) {
	names := map[string][2]string{ // to, from
		"producer": {j.Name, ""},
		"consumer": {"", j.Name},
		"idle":     {"", j.Name},
		"client":   {j.Name, j.Name + ".back"},
		"echo":     {j.Name + ".back", j.Name},
	}
	both := names[j.Role]
	e := &ends{
		landing: make([]byte, max(j.Size, min(j.Batch*j.Size, capacity))),
		parts:   make([]queue.Part, j.Batch),
	}
	for i, q := range []**queue.Queue{&e.to, &e.from} {
		if both[i] == "" {
			continue
		}
		var err error
		if *q, err = queue.OpenOrCreate(both[i], queue.Options{Capacity: int64(max(capacity, 4*j.Size)), Transient: true}); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *ends) Put(body []byte) error { return e.to.Put(forever, body, queue.Raw) }

func (e *ends) Get(buf []byte) (int, error) {
	size, _, err := e.from.GetInto(forever, buf)
	return size, err
}

func (e *ends) PutMany(bodies [][]byte) (int, error) { return e.to.PutMany(forever, bodies, queue.Raw) }

func (e *ends) GetMany(most int) (int, error) {
	return e.from.GetManyInto(forever, e.landing, e.parts[:most])
}

func (e *ends) Close() error {
	var errs []error
	for _, q := range []*queue.Queue{e.to, e.from} {
		if q != nil {
			errs = append(errs, q.Close())
		}
	}
	return errors.Join(errs...)
}
