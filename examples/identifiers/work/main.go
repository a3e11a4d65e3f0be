// Command work leases files from one queue and puts what it counted in them on another, until there
// are none left: work FILES RESULTS.
//
// The result is put before the file is acked. Killed between the two, the worker has delivered a
// result that another will deliver again: whoever adds up drops duplicates by the file's id.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/polyipc/polyipc/examples/identifiers/tally"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/queue"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "work:", err)
		os.Exit(1)
	}
}

func run(in, out string) error {
	ctx := context.Background()
	files, err := queue.Open(in, queue.Options{})
	if err != nil {
		return err
	}
	defer files.Close()
	results, err := queue.Open(out, queue.Options{})
	if err != nil {
		return err
	}
	defer results.Close()
	for {
		file, err := queue.Of[tally.File](files).Lease(ctx)
		if errors.Is(err, ipcerr.Shutdown) {
			return nil
		}
		if err != nil {
			return err
		}
		r := tally.Result{ID: file.Value.ID, Worker: "go", Bytes: int64(len(file.Value.Data)), Counts: map[string]int64{}}
		tally.Count(r.Counts, file.Value.Data)
		if err := queue.Of[tally.Result](results).Put(ctx, r); err != nil {
			return err
		}
		if err := file.Ack(); err != nil {
			return err
		}
	}
}
