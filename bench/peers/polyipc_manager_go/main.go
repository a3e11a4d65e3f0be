// Command polyipc_manager_go is a client of polyipc's manager in Go, for the benchmarks.
package main

import (
	"context"
	"fmt"

	"github.com/polyipc/polyipc/bench/peers/worker"
	"github.com/polyipc/polyipc/runtime/manager"
)

// As in ../api.py.
const (
	server = "bench"
	batch  = 100
)

var forever = context.Background()

// holder has a connection, a turn that it takes, and what tells how many were taken.
type holder struct {
	c     *manager.Client
	turn  func() error
	each  int // turns that one call of it is
	count func() (int64, error)
}

func main() { worker.Turns(open) }

func open(j worker.Job) (worker.Holder, error) {
	at := server
	if j.Verb == "kept" || j.Verb == "filed" {
		at += "." + j.Verb
		j.Verb = "set"
	}
	c, err := manager.Connect(forever, at, manager.Options{})
	if err != nil {
		return nil, err
	}
	h := &holder{c: c, each: 1}
	switch j.Verb {
	case "set", "get", "batch":
		err = h.dict(j)
	case "append":
		err = h.list(j)
	case "increment":
		err = h.counter(j)
	case "method":
		err = h.hosted(j)
	default:
		err = fmt.Errorf("a manager has no verb %s", j.Verb)
	}
	return h, err
}

func (h *holder) dict(j worker.Job) error {
	d, err := manager.OpenDict[string, int](forever, h.c, j.Name)
	if err != nil {
		return err
	}
	switch j.Verb {
	case "get":
		h.turn = func() error { _, _, err := d.Get(forever, "key"); return err }
		return d.Set(forever, "key", 7)
	case "set":
		h.turn = func() error { return d.Set(forever, "key", 7) }
		return nil
	}
	h.each = batch
	h.turn = func() error {
		b := h.c.NewBatch()
		for range batch {
			b.Add(d.Object, "set", "key", 7)
		}
		_, err := b.Do(forever)
		return err
	}
	return nil
}

func (h *holder) list(j worker.Job) error {
	l, err := manager.OpenList[int](forever, h.c, j.Name)
	h.turn = func() error { _, err := l.Append(forever, 7); return err }
	h.count = func() (int64, error) { n, err := l.Len(forever); return int64(n), err }
	return err
}

func (h *holder) counter(j worker.Job) error {
	n, err := manager.OpenCounter(forever, h.c, j.Name, 0)
	h.turn = func() error { _, err := n.Increment(forever, 1); return err }
	h.count = func() (int64, error) { return n.Get(forever) }
	return err
}

func (h *holder) hosted(j worker.Job) error {
	o, err := h.c.Open(forever, j.Name, "account.go")
	h.turn = func() error { _, err := o.Call(forever, "deposit", 1); return err }
	h.count = func() (n int64, err error) { err = o.CallInto(forever, &n, "deposit", []any{0}, nil); return n, err }
	return err
}

func (h *holder) Turns(n int) error {
	for ; n > 0; n -= h.each {
		if err := h.turn(); err != nil {
			return err
		}
	}
	return nil
}

func (h *holder) Counted() (int64, bool) {
	if h.count == nil {
		return 0, false
	}
	n, err := h.count()
	if err != nil {
		return -1, true
	}
	return n, true
}

func (h *holder) Close() error { return h.c.Close() }
