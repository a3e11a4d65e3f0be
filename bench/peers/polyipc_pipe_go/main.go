// Command polyipc_pipe_go is polyipc's pipe from Go, for the benchmarks.
package main

import (
	"context"

	"github.com/polyipc/polyipc/bench/peers/worker"
	"github.com/polyipc/polyipc/runtime/pipe"
)

// capacity bounds the pipe as it does the queue.
const capacity = 1 << 20

var forever = context.Background()

type ends struct {
	worker.SingleOnly
	end *pipe.Pipe
}

func main() { worker.Messages(open) }

// open opens the first end for who receives or answers, one-way where messages go one way only.
func open(j worker.Job) (worker.Ends, error) {
	o := pipe.Options{
		Capacity:  int64(max(capacity, 4*j.Size)),
		OneWay:    j.Role == "producer" || j.Role == "consumer",
		End:       pipe.Second,
		Transient: true,
	}
	if j.Role == "consumer" || j.Role == "echo" {
		o.End = pipe.First
	}
	p, err := pipe.OpenOrCreate(j.Name, o)
	return ends{end: p}, err
}

func (e ends) Put(body []byte) error { return e.end.Send(forever, body, pipe.Raw) }

func (e ends) Get(buf []byte) (int, error) {
	size, _, err := e.end.RecvInto(forever, buf)
	return size, err
}

func (e ends) Close() error { return e.end.Close() }
