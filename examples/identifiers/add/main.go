// Command add adds up what is on the queue "results" until that is shut down, dropping duplicates by the file's
// id, and sends the sums through the pipe "control".
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/polyipc/polyipc/examples/identifiers/tally"
	"github.com/polyipc/polyipc/runtime/pipe"
	"github.com/polyipc/polyipc/runtime/queue"
)

// Sums is what add sends.
type Sums struct {
	Share      tally.Share            `msgpack:"all"`
	Counts     map[string]int64       `msgpack:"counts"`
	Workers    map[string]tally.Share `msgpack:"workers"`    // by language
	Duplicates tally.Share            `msgpack:"duplicates"` // not in the others
	Seconds    float64                `msgpack:"seconds"`    // from the first result to the last
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "add:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	results, err1 := queue.Inherited("results", queue.Options{})
	control, err2 := pipe.Inherited("control", pipe.Options{})
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	ctx = tally.WhileDriven(ctx, control)
	sums, err := add(ctx, queue.Of[tally.Result](results))
	if err != nil {
		return err
	}
	return pipe.Of[*Sums](control).Send(ctx, sums) // in one message, although it is larger than the pipe
}

func add(ctx context.Context, results queue.Typed[tally.Result]) (*Sums, error) {
	sums := &Sums{Counts: map[string]int64{}, Workers: map[string]tally.Share{}}
	seen := map[int64]bool{}
	var first time.Time
	for r, err := range results.All(ctx) {
		if err != nil {
			return nil, err
		}
		if first.IsZero() {
			first = time.Now()
		}
		share := r.Share()
		if seen[r.ID] {
			sums.Duplicates.Add(share)
			continue
		}
		seen[r.ID] = true
		sums.Share.Add(share)
		of := sums.Workers[r.Worker]
		of.Add(share)
		sums.Workers[r.Worker] = of
		for word, n := range r.Counts {
			sums.Counts[word] += n
		}
		sums.Seconds = time.Since(first).Seconds()
	}
	return sums, nil
}
