// Command walk puts every file below a directory on the queue "jobs", once all workers are at the barrier "start",
// and then says on the pipe "control" how many they were: walk DIR.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/polyipc/polyipc/examples/identifiers/tally"
	"github.com/polyipc/polyipc/runtime/pipe"
	"github.com/polyipc/polyipc/runtime/queue"
)

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "walk:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string) error {
	jobs, err1 := queue.Inherited("jobs", queue.Options{})
	control, err2 := pipe.Inherited("control", pipe.Options{})
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	ctx = tally.WhileDriven(ctx, control)
	if err := tally.AwaitStart(ctx); err != nil {
		return err
	}
	walked := tally.Share{}
	err := tally.Files(dir, func(path string, data []byte) error {
		walked.Add(tally.Share{Files: 1, Bytes: int64(len(data))})
		return queue.Of[tally.File](jobs).Put(ctx, tally.File{ID: walked.Files, Path: path, Data: data})
	})
	if err != nil {
		return err
	}
	return pipe.Of[tally.Share](control).Send(ctx, walked)
}
