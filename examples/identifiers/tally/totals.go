package tally

import (
	"sync/atomic"

	"github.com/polyipc/polyipc/runtime/segment"
)

// Totals is an array of int64 that all workers change at once while they work: a row for each language and a
// last one for all, with files, bytes and identifiers.
type Totals struct{ cells []int64 }

const (
	columns = 3
	all     = 3 // the last row
)

// TotalsIn is the array in a segment, which says itself that it is one of int64.
func TotalsIn(s *segment.Segment) (Totals, error) {
	cells, err := segment.Slice[int64](s)
	return Totals{cells}, err
}

// Add adds a part of the work to a language's row and to that for all.
func (t Totals) Add(row int64, s Share) {
	for _, first := range []int64{row * columns, all * columns} {
		for i, n := range []int64{s.Files, s.Bytes, s.Identifiers} {
			atomic.AddInt64(&t.cells[first+int64(i)], n)
		}
	}
}
