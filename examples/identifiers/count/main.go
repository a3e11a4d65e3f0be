// Command count does in one process, without any queue, what the others do together: the yardstick.
// It prints {"files": n, "bytes": n, "counts": {...}}: count DIR.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/polyipc/polyipc/examples/identifiers/tally"
)

func main() {
	var sum struct {
		Files  int64            `json:"files"`
		Bytes  int64            `json:"bytes"`
		Counts map[string]int64 `json:"counts"`
	}
	sum.Counts = map[string]int64{}
	err := tally.Files(os.Args[1], func(_ string, data []byte) error {
		sum.Files++
		sum.Bytes += int64(len(data))
		tally.Count(sum.Counts, data)
		return nil
	})
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(sum)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "count:", err)
		os.Exit(1)
	}
}
