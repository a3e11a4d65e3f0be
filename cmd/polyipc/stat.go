package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/pipe"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/runtime/root"
)

// report is all that stat knows of an object.
type report struct {
	object root.Object

	sync    *syncReport    // of a sync object
	segment *segmentReport // of a segment
	pipe    *pipe.Seen     // of a pipe
	manager *managerReport // of a manager

	queue   bool  // the rest is known
	blocked error // not nil: why the counts are not known
	stat    queue.Stat
	leases  []queue.Holder // and messages being written, oldest first
	locks   []queue.Holder
	waiters []queue.Holder
	rates   *rates // nil: not sampled
}

// rates are messages a second.
type rates struct{ put, taken, redelivered float64 }

func (a *app) statCommand() *cobra.Command {
	interval := limit(300 * time.Millisecond)
	key := ""
	c := &cobra.Command{
		Use:   "stat NAME",
		Short: "Show what an object holds, who holds its locks and messages, and who waits",
		Long: `Show what an object holds, who holds its locks and messages, and who waits.

The counts of a queue are taken under its locks. If a lock is held for longer than a second, because its
holder is stopped, say, they are left out and the holders are shown all the same. How long a lock has
been held is known from those who wait for it, and so a lower bound. Nothing is changed.

The figures of a manager are the server's, which is asked as a client asks; they are left out if it does not answer
within a second, or wants a key.`,
		Example: `  polyipc stat jobs
  polyipc stat jobs --json | jq '.leases[] | select(.seconds > 60) | .pid'
  watch polyipc stat jobs --interval 1`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := a.look(cmd.Context(), args[0], time.Duration(interval), key)
			if err != nil {
				return err
			}
			if a.json {
				return a.writeJSON(r.json())
			}
			return a.write(r.text())
		},
	}
	c.Flags().StringVar(&key, "key-file", "", "the file with a manager's key")
	c.Flags().Var(&interval, "interval", "sample the rates for this long, 0 not at all")
	return c
}

func (a *app) look(ctx context.Context, name string, interval time.Duration, key string) (r *report, err error) {
	r = &report{}
	if r.object, err = root.Find(a.root, name); err != nil {
		return nil, err
	}
	if r.object.Err != nil {
		return nil, r.object.Err
	}
	switch r.object.Kind {
	case "sync":
		r.sync, err = a.lookSync(name)
		return r, err
	case "segment":
		r.segment, err = a.lookSegment(name)
		return r, err
	case "pipe":
		seen, err := pipe.Look(name, pipe.Options{Root: a.root})
		r.pipe = &seen
		return r, err
	case "manager":
		r.manager, err = a.lookManager(ctx, r.object, key)
		return r, err
	case "queue":
	default:
		return r, nil
	}
	q, err := queue.Open(name, queue.Options{Root: a.root})
	if err != nil {
		return nil, err
	}
	defer func() { _ = q.Close() }()
	r.queue = true
	err = r.detail(q)
	if err == nil && r.blocked == nil && interval > 0 {
		before, began := r.stat, time.Now()
		select {
		case <-time.After(interval):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if err = r.detail(q); err == nil && r.blocked == nil {
			r.rates = between(before, r.stat, time.Since(began))
		}
	}
	if err != nil {
		return nil, err
	}
	r.waiters, err = q.Waiters()
	return r, err
}

func between(a, b queue.Stat, d time.Duration) *rates {
	perSecond := func(before, after uint64) float64 { return float64(after-before) / d.Seconds() }
	return &rates{perSecond(a.Put, b.Put), perSecond(a.Taken, b.Taken), perSecond(a.Redelivered, b.Redelivered)}
}

// detail fills in the counts, and who holds the locks. For how long they are held is only known
// while somebody waits for them, so it asks while the counts wait for them, too.
func (r *report) detail(q *queue.Queue) error {
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.stat, r.leases, err = q.Detail()
	}()
	locks, lockErr := q.Locks()
	for {
		select {
		case <-done:
			if errors.Is(err, ipcerr.Timeout) {
				r.blocked, err = err, nil
			}
			r.locks = notOurs(locks)
			return errors.Join(err, lockErr)
		case <-time.After(50 * time.Millisecond):
			if now, e := q.Locks(); e == nil && len(now) > 0 {
				locks = longer(locks, now)
			}
		}
	}
}

// longer is now, with what before knew of the time: one who gave up waiting meanwhile takes that knowledge along.
func longer(before, now []queue.Holder) []queue.Holder {
	for i := range now {
		for _, b := range before {
			if b.What == now[i].What && b.Process == now[i].Process {
				now[i].For = max(now[i].For, b.For)
			}
		}
	}
	return now
}

// notOurs leaves out the locks that the counting itself held. A process with our number may live in
// another pid namespace, but not with our arguments, too.
func notOurs(holders []queue.Holder) (others []queue.Holder) {
	command := strings.Join(os.Args, " ")
	for _, h := range holders {
		if h.Pid != os.Getpid() || !strings.HasPrefix(command, h.Command) {
			others = append(others, h)
		}
	}
	return others
}
