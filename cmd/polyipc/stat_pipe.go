package main

import (
	"fmt"

	"github.com/polyipc/polyipc/runtime/pipe"
)

// This file is what stat knows of pipes.

type pipeWayJSON struct {
	To        int          `json:"to"`      // the end that receives
	Blocked   bool         `json:"blocked"` // a lock is held, so that the counts are 0
	Messages  int64        `json:"messages"`
	Bytes     int64        `json:"bytes"`
	Sent      uint64       `json:"sent"`
	Received  uint64       `json:"received"`
	Abandoned uint64       `json:"abandoned"`
	Holders   []holderJSON `json:"holders"`
	Waiters   []holderJSON `json:"waiters"`
}

type pipeJSON struct {
	Duplex    bool          `json:"duplex"`
	Capacity  int64         `json:"capacity"`
	Ends      [2]string     `json:"ends"` // "not opened yet", "open", "gone"
	TakeOvers uint64        `json:"take_overs"`
	Ways      []pipeWayJSON `json:"ways"`
}

var presences = map[pipe.Presence]string{pipe.Unopened: "not opened yet", pipe.Present: "open", pipe.Gone: "gone"}

func pipeReport(s *pipe.Seen) *pipeJSON {
	j := &pipeJSON{Duplex: !s.OneWay, Capacity: s.Capacity, TakeOvers: s.TakeOvers}
	for end, p := range s.Ends {
		j.Ends[end] = presences[p]
	}
	for d, w := range s.Ways {
		j.Ways = append(j.Ways, pipeWayJSON{d, w.Blocked != nil, w.Messages, w.Bytes, w.Sent, w.Received, w.Abandoned,
			holders(w.Holders, false), holders(w.Waiters, false)})
	}
	return j
}

// pipeText puts rows about the object above what is known of it.
func pipeText(s *pipe.Seen, rows [][]string) []byte {
	way := "duplex"
	if s.OneWay {
		way = "one-way, from end 1 to end 0"
	}
	rows = append(rows, []string{"holds", way + ", " + inBytes(s.Capacity) + " each way"},
		[]string{"end 0", presences[s.Ends[0]]}, []string{"end 1", presences[s.Ends[1]]})
	for d, w := range s.Ways {
		counts := fmt.Sprintf("%d messages under way, %s; sent %d, received %d, abandoned %d", w.Messages, inBytes(w.Bytes), w.Sent, w.Received, w.Abandoned)
		if w.Blocked != nil {
			counts = "not known: a lock is held"
		}
		rows = append(rows, []string{fmt.Sprintf("to end %d", d), counts})
	}
	rows = append(rows, []string{"repaired", fmt.Sprintf("%d locks taken over from the dead", s.TakeOvers)})
	b := table(rows)
	for d, w := range s.Ways {
		b = append(b, section(fmt.Sprintf("TO END %d HOLDS", d), w.Holders, false)...)
		b = append(b, section(fmt.Sprintf("TO END %d WAITS FOR", d), w.Waiters, false)...)
	}
	return b
}
