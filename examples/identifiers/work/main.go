// Command work leases files from one queue and puts what it counted in them on another, until it is told to stop.
// The driver, demo.py, hands over what it works with: the queues "jobs" and "results", the shared "totals", the
// barrier "start", and its end of the pipe "control", through which comes the name of the manager that keeps the result.
//
// For each file what was counted is put first, then totals and result are changed, then the file is acked. Killed before the
// put, the worker has done nothing, and another does it all. Killed between put and ack, it has delivered a result
// that another will deliver again: whoever adds up drops duplicates by the file's id. What this worker had
// already added to the totals then is in there twice: they count work, not files.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/polyipc/polyipc/examples/identifiers/tally"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/manager"
	"github.com/polyipc/polyipc/runtime/pipe"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/runtime/segment"
	"github.com/polyipc/polyipc/runtime/wait"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "work:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	jobs, err1 := queue.Inherited("jobs", queue.Options{})
	results, err2 := queue.Inherited("results", queue.Options{})
	shared, err3 := segment.Inherited("totals")
	control, err4 := pipe.Inherited("control", pipe.Options{})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	totals, err := tally.TotalsIn(shared)
	if err != nil {
		return err
	}
	job, err := pipe.Of[tally.Job](control).Recv(ctx)
	if err != nil {
		return err
	}
	client, err := manager.Connect(ctx, job.Manager, manager.Options{})
	if err != nil {
		return err
	}
	defer client.Close()
	result, err := manager.OpenDict[string, int64](ctx, client, "result")
	if err != nil {
		return err
	}
	if err := tally.AwaitStart(ctx); err != nil {
		return err
	}
	var done tally.Share
	for {
		ready, err := wait.Any(ctx, control.Readable(), jobs.Readable())
		if err != nil {
			return err
		}
		if ready[0] == 0 {
			break // told to stop
		}
		file, err := jobs.TryLease()
		if errors.Is(err, ipcerr.Empty) {
			continue // another worker was quicker
		}
		if err != nil {
			return err
		}
		share, err := work(ctx, file, queue.Of[tally.Result](results))
		if err != nil {
			return err
		}
		totals.Add(job.Row, share)
		if err := publish(ctx, client, result, share); err != nil {
			return err
		}
		if err := file.Ack(); err != nil {
			return err
		}
		done.Add(share)
	}
	return pipe.Of[tally.Share](control).Send(ctx, done)
}

// publish adds to the result by one message, done at one go.
func publish(ctx context.Context, client *manager.Client, result *manager.Dict[string, int64], s tally.Share) error {
	b := client.NewBatch()
	b.Add(result.Object, "increment", "files", s.Files)
	b.Add(result.Object, "increment", "bytes", s.Bytes)
	b.Add(result.Object, "increment", "identifiers", s.Identifiers)
	b.Add(result.Object, "increment", "go", s.Files)
	_, err := b.Do(ctx)
	return err
}

func work(ctx context.Context, message *queue.Leased, results queue.Typed[tally.Result]) (tally.Share, error) {
	var file tally.File
	if err := message.Decode(&file); err != nil {
		return tally.Share{}, err
	}
	r := tally.Result{ID: file.ID, Worker: "go", Bytes: int64(len(file.Data)), Counts: map[string]int64{}}
	tally.Count(r.Counts, file.Data)
	return r.Share(), results.Put(ctx, r)
}
