// Command polyipc_wait_go is wait.Any over several queues, for the benchmarks.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/polyipc/polyipc/bench/peers/worker"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/runtime/wait"
)

// many is how many queues there are each way, as in api.py.
const many = 8

var forever = context.Background()

// ends puts each message to the next queue. A get waits for the first that has one.
type ends struct {
	worker.SingleOnly
	to, from [many]*queue.Queue
	readable [many]wait.Waitable
	next     int
}

func main() { worker.Messages(open) }

func open(j worker.Job) (worker.Ends, error) {
	e := &ends{}
	ways := map[string][2]string{"client": {"there", "back"}, "echo": {"back", "there"}}
	both, known := ways[j.Role]
	if !known {
		return nil, fmt.Errorf("role=%s: round trips only", j.Role)
	}
	for i := range many {
		for k, q := range []**queue.Queue{&e.to[i], &e.from[i]} {
			var err error
			name := fmt.Sprintf("%s.%s.%d", j.Name, both[k], i)
			if *q, err = queue.OpenOrCreate(name, queue.Options{Transient: true}); err != nil {
				return nil, err
			}
		}
		e.readable[i] = e.from[i].Readable()
	}
	return e, nil
}

func (e *ends) Put(body []byte) error {
	e.next = (e.next + 1) % many
	return e.to[e.next].Put(forever, body, queue.Raw)
}

func (e *ends) Get(buf []byte) (int, error) {
	ready, err := wait.Any(forever, e.readable[:]...)
	if err != nil {
		return 0, err
	}
	size, _, err := e.from[ready[0]].TryGetInto(buf)
	return size, err
}

func (e *ends) Close() error {
	var errs []error
	for i := range many {
		errs = append(errs, e.to[i].Close(), e.from[i].Close())
	}
	return errors.Join(errs...)
}
