package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/runtime/root"
)

type putter struct {
	*app
	source
	timeout  limit
	create   bool
	maxSize  int64
	capacity size
}

func (a *app) putCommand() *cobra.Command {
	p := &putter{app: a, timeout: noLimit}
	c := &cobra.Command{
		Use:   "put NAME [VALUE...]",
		Short: "Put messages on a queue",
		Long: `Put messages on a queue: one for each VALUE or, without any, one for each value on standard input.

A value is JSON, which becomes MessagePack: integers and floats stay what they are, and forms such as
{"$bytes": BASE64} stand for what JSON lacks (the manual has the table). Values on standard input need
white space between them, as in JSON lines. With --text each argument or line is a text, with --raw the
message is the bytes themselves: each argument or, with --lines, each line; else all of standard input
is one message.

All arguments are looked at before the first is put. Values that begin with a minus go behind "--".`,
		Example: `  polyipc put jobs '{"id": 1, "path": "/etc/hosts"}' '{"id": 2, "path": "/etc/fstab"}'
  polyipc put numbers -- -1 2.5 18446744073709551615
  find . -name '*.c' | polyipc put files --create --text
  polyipc put images --raw < photo.jpg`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !p.create && (cmd.Flags().Changed("max-size") || cmd.Flags().Changed("capacity")) {
				return usage("--max-size and --capacity go with --create")
			}
			if err := p.check(args[1:]); err != nil {
				return err
			}
			return p.run(cmd.Context(), args[0], args[1:])
		},
	}
	f := c.Flags()
	p.flags(c)
	f.Var(&p.timeout, "timeout", "wait this long for room for each message, 0 not at all (default for ever)")
	f.BoolVar(&p.create, "create", false, "make the queue if there is none; if there is one it must have these limits")
	f.Int64Var(&p.maxSize, "max-size", 0, "with --create: most messages in the queue (default no limit)")
	f.Var(&p.capacity, "capacity", "with --create: room for messages, rounded up to a power of two; also 64K, 16M, 1G (default grows as needed)")
	return c
}

func (p *putter) run(ctx context.Context, name string, values []string) error {
	next, err := p.start(ctx, p.in, values)
	if err != nil {
		return err
	}
	var q *queue.Queue
	if p.create {
		q, err = queue.OpenOrCreate(name, queue.Options{Root: p.root, MaxSize: p.maxSize, Capacity: int64(p.capacity)})
	} else {
		q, err = p.open(name)
	}
	if err != nil {
		return err
	}
	defer func() { _ = q.Close() }()

	n := 0
	for {
		m, err := next()
		if err == nil && m == nil {
			break
		}
		if err == nil {
			err = p.put(ctx, q, m)
		}
		if err != nil {
			if n > 0 {
				err = fmt.Errorf("%w (%s put before that)", err, count(n, "message"))
			}
			return err
		}
		n++
	}
	if p.json {
		return p.writeJSON(map[string]any{"name": name, "put": n})
	}
	return nil
}

func (p *putter) put(ctx context.Context, q *queue.Queue, m *queue.Message) error {
	if p.timeout == 0 {
		return nothing(q.TryPut(m.Body, m.Format))
	}
	ctx, cancel := bounded(ctx, p.timeout)
	defer cancel()
	return nothing(q.Put(ctx, m.Body, m.Format))
}

// open opens a queue that must exist. It makes nothing, not even the root.
func (a *app) open(name string) (*queue.Queue, error) {
	o, err := root.Find(a.root, name)
	if err != nil {
		return nil, err
	}
	if o.Err != nil {
		return nil, o.Err
	}
	return queue.Open(name, queue.Options{Root: a.root})
}

// bounded ends ctx after the limit, if there is one.
func bounded(ctx context.Context, l limit) (context.Context, context.CancelFunc) {
	if l < 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(l))
}

// nothing marks the errors that mean no more than that nothing came, or fitted, in time.
func nothing(err error) error {
	if errors.Is(err, ipcerr.Empty) || errors.Is(err, ipcerr.Full) || errors.Is(err, ipcerr.Timeout) {
		return nothingError{err}
	}
	return err
}
