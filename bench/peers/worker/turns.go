package worker

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// Holder is a peer that processes take turns with.
type Holder interface {
	Turns(n int) error // takes n turns of the job's verb
	// Counted is what the shared number holds that each turn makes one larger; false if the verb has none.
	Counted() (int64, bool)
	Close() error
}

// Turns is the main of such a peer. It warms up until the start, and counts its turns from there on.
func Turns(open func(Job) (Holder, error)) { run(open, turns) }

type turnsResult struct {
	Begin   int64 `json:"begin"`
	End     int64 `json:"end"`
	CPU     int64 `json:"cpu"`
	Turns   int64 `json:"turns"`
	All     int64 `json:"all"`
	Longest int64 `json:"longest"`
}

func turns(j Job, h Holder, in *bufio.Scanner, start int64) error {
	if j.Role != "holder" {
		return fmt.Errorf("role=%s: give holder", j.Role)
	}
	var r turnsResult
	at := now()
	for ; at < start; at = now() {
		if err := h.Turns(j.Step); err != nil {
			return err
		}
		r.All += int64(j.Step)
	}
	used := cpu()
	r.Begin = at
	for at < r.Begin+int64(j.Lasts) {
		if err := h.Turns(j.Step); err != nil {
			return err
		}
		r.Turns += int64(j.Step)
		then := now()
		r.Longest = max(r.Longest, then-at)
		at = then
	}
	r.End, r.CPU = at, cpu()-used
	r.All += r.Turns
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		return err
	}
	if !in.Scan() {
		return errors.New("the harness gave up")
	}
	total, err := strconv.ParseInt(in.Text(), 10, 64)
	if err != nil {
		return err
	}
	if n, counts := h.Counted(); counts && n != total {
		return fmt.Errorf("%s: %d turns were taken, and %d counted", j.Verb, total, n)
	}
	return nil
}
