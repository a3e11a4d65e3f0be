package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/queue"
)

type getter struct {
	*app
	form
	name    string
	timeout limit
	count   int
	follow  bool
	exec    string

	q *queue.Queue
	// Messages that were leased and not yet written, one behind the other in buf. They are acked
	// once they are written: what nobody could read goes back.
	buf    []byte
	leases []held
}

// held is a lease on a message that ends at byte end of buf.
type held struct {
	*queue.Leased
	end int
}

// Messages are written in batches of about so much while there are more to come.
const (
	batchBytes    = 64 << 10
	batchMessages = 256
)

func (a *app) getCommand() *cobra.Command {
	g := &getter{app: a, timeout: noLimit}
	c := &cobra.Command{
		Use:   "get NAME",
		Short: "Get messages from a queue",
		Long: `Get messages from a queue: one, or COUNT, or with --follow all until the queue is shut down.

Each message is a line of JSON, in which forms such as {"$bytes": BASE64} stand for what JSON lacks (the
manual has the table); put reads the same. With --text a message that is a text comes as it is, with
--raw the bytes of the message do, and with --lines a newline behind them. With --json a message comes
as an object with "value", "format", "bytes" and "deliveries".

A message is done (acked) when it has been written; one that can't be written goes back. With --exec it
is the standard input of a command, run by sh, and done when the command exits with 0; else it goes back
and get ends. $POLYIPC_DELIVERIES then tells how often it was delivered, this time included.`,
		Example: `  polyipc get jobs
  polyipc get jobs --follow --timeout 0            # all there is
  polyipc get jobs --follow --exec 'jq -r .path | xargs -d "\n" gzip'
  polyipc get images --raw > photo.jpg`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case g.follow && cmd.Flags().Changed("count"):
				return usage("--follow and --count exclude each other")
			case g.count < 1:
				return usage("--count %d: give 1 or more", g.count)
			case g.json && (g.raw || g.text):
				return usage("--json excludes --raw and --text")
			case cmd.Flags().Changed("exec") && g.exec == "":
				return usage("--exec needs a command")
			}
			if err := g.check(); err != nil {
				return err
			}
			g.name = args[0]
			return g.run(cmd.Context())
		},
	}
	f := c.Flags()
	g.flags(c)
	f.Var(&g.timeout, "timeout", "wait this long for each message, 0 not at all (default for ever)")
	f.IntVarP(&g.count, "count", "n", 1, "get so many messages")
	f.BoolVarP(&g.follow, "follow", "f", false, "get messages until the queue is shut down or, with --timeout, none came for so long")
	f.StringVar(&g.exec, "exec", "", "give each message to this shell command")
	return c
}

func (g *getter) run(ctx context.Context) (err error) {
	if g.q, err = g.open(g.name); err != nil {
		return err
	}
	defer func() { _ = g.q.Close() }() // which gives back what is still leased

	for n := 0; g.follow || n < g.count; n++ {
		l, err := g.next(ctx)
		if err != nil {
			if e := g.settle(); e != nil {
				return e
			}
			if g.follow && (errors.Is(err, ipcerr.Shutdown) || errors.As(err, new(nothingError))) {
				return nil
			}
			return err
		}
		if err := g.take(ctx, l); err != nil {
			return err
		}
	}
	return g.settle()
}

// next leases a message. Before it waits it writes what it has.
func (g *getter) next(ctx context.Context) (*queue.Leased, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l, err := g.q.TryLease()
	if g.timeout == 0 || !errors.Is(err, ipcerr.Empty) {
		return l, nothing(err)
	}
	if err := g.settle(); err != nil {
		return nil, err
	}
	ctx, cancel := bounded(ctx, g.timeout)
	defer cancel()
	l, err = g.q.Lease(ctx)
	return l, nothing(err)
}

// take passes a message on, or back if it can't.
func (g *getter) take(ctx context.Context, l *queue.Leased) error {
	mark := len(g.buf)
	b, err := g.show(g.buf, l)
	if err != nil {
		err = errors.Join(fmt.Errorf("message of queue %q: %w; it stays in the queue, and --raw takes it as it is", g.name, err), l.Nack())
		return errors.Join(g.settle(), err)
	}
	if g.exec != "" {
		return g.work(ctx, l, b[mark:])
	}
	g.buf = b
	g.leases = append(g.leases, held{l, len(b)})
	if len(g.buf) >= batchBytes || len(g.leases) >= batchMessages {
		return g.settle()
	}
	return nil
}

// settle writes what has been gathered. What was written whole is acked, the rest goes back.
func (g *getter) settle() error {
	if len(g.leases) == 0 {
		return nil
	}
	n, err := g.out.Write(g.buf)
	for _, l := range g.leases {
		var e error
		if l.end <= n && (err == nil || l.end > 0) {
			e = l.Ack()
		} else {
			e = l.Nack()
		}
		err = errors.Join(err, e)
	}
	g.buf, g.leases = g.buf[:0], g.leases[:0]
	return err
}

// show appends a message in the form asked for.
func (g *getter) show(b []byte, l *queue.Leased) ([]byte, error) {
	if g.raw {
		b = append(b, l.Body...)
		if g.lines {
			b = append(b, '\n')
		}
		return b, nil
	}
	var v any
	if l.Format == queue.MsgPack {
		var err error
		if v, err = codec.Decode(l.Body); err != nil {
			return b, err
		}
	} else if l.Format != queue.Raw {
		return b, fmt.Errorf("its format %d is not known to this release", l.Format)
	}
	if g.text {
		if s, ok := v.(string); ok {
			return append(append(b, s...), '\n'), nil
		}
		if l.Format == queue.Raw {
			return append(append(b, l.Body...), '\n'), nil
		}
	}
	if !g.json {
		return append(appendMessage(b, l, v), '\n'), nil
	}
	b = appendMessage(append(b, `{"value":`...), l, v)
	b = appendString(append(b, `,"format":`...), map[queue.Format]string{queue.Raw: "raw", queue.MsgPack: "msgpack"}[l.Format])
	b = strconv.AppendInt(append(b, `,"bytes":`...), int64(len(l.Body)), 10)
	b = strconv.AppendUint(append(b, `,"deliveries":`...), uint64(l.Deliveries), 10)
	return append(b, "}\n"...), nil
}

// appendMessage appends a message, whose value v is if it is one.
func appendMessage(b []byte, l *queue.Leased, v any) []byte {
	if l.Format == queue.Raw {
		return appendForm(b, "$raw", base64.StdEncoding.EncodeToString(l.Body))
	}
	return appendValue(b, v)
}
