// Command add adds up the results on a queue until it is shut down, dropping duplicates by the file's
// id, and prints the sums as JSON: add RESULTS.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/polyipc/polyipc/examples/identifiers/tally"
	"github.com/polyipc/polyipc/runtime/queue"
)

// Share is what the workers of one language did.
type Share struct {
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"`
}

// Sums is what add prints.
type Sums struct {
	Files      int64             `json:"files"`
	Bytes      int64             `json:"bytes"`
	Counts     map[string]int64  `json:"counts"`
	Workers    map[string]*Share `json:"workers"`
	Duplicates int64             `json:"duplicates"`
	Seconds    float64           `json:"seconds"` // from the first result to the last
}

func main() {
	sums, err := run(os.Args[1])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(sums)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "add:", err)
		os.Exit(1)
	}
}

func run(name string) (*Sums, error) {
	q, err := queue.Open(name, queue.Options{})
	if err != nil {
		return nil, err
	}
	defer q.Close()
	sums := &Sums{Counts: map[string]int64{}, Workers: map[string]*Share{}}
	seen := map[int64]bool{}
	var first time.Time
	for r, err := range queue.Of[tally.Result](q).All(context.Background()) {
		if err != nil {
			return nil, err
		}
		if first.IsZero() {
			first = time.Now()
		}
		if seen[r.ID] {
			sums.Duplicates++
			continue
		}
		seen[r.ID] = true
		w := sums.Workers[r.Worker]
		if w == nil {
			w = &Share{}
			sums.Workers[r.Worker] = w
		}
		w.Files++
		w.Bytes += r.Bytes
		sums.Files++
		sums.Bytes += r.Bytes
		for word, n := range r.Counts {
			sums.Counts[word] += n
		}
		sums.Seconds = time.Since(first).Seconds()
	}
	return sums, nil
}
