package segment

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/park"
)

// Int64At is the cell of 8 bytes at a byte offset, to be used atomically together with other languages.
// The offset is a multiple of the width. It is valid until Close. INVALID.
func Int64At(s *Segment, offset int64) (*atomic.Int64, error) { return cellAt[atomic.Int64](s, offset) }

// Uint64At is as Int64At.
func Uint64At(s *Segment, offset int64) (*atomic.Uint64, error) {
	return cellAt[atomic.Uint64](s, offset)
}

// Int32At is as Int64At, with 4 bytes.
func Int32At(s *Segment, offset int64) (*atomic.Int32, error) { return cellAt[atomic.Int32](s, offset) }

// Uint32At is as Int64At, with 4 bytes.
func Uint32At(s *Segment, offset int64) (*atomic.Uint32, error) {
	return cellAt[atomic.Uint32](s, offset)
}

func cellAt[T any](s *Segment, offset int64) (cell *T, err error) {
	c := s.call("cell of")
	if err := c.Begin(); err != nil {
		return nil, err
	}
	defer c.End(&err)
	var t T
	if err := s.checkCell(c.Verb, offset, width(&t)); err != nil {
		return nil, err
	}
	return layout.View[T](s.data, int(offset)), nil
}

func width(cell any) int64 {
	switch cell.(type) {
	case *atomic.Int32, *atomic.Uint32:
		return 4
	}
	return 8
}

// checkCell says whether a cell lies within the segment as it is now.
func (s *Segment) checkCell(verb string, offset, width int64) error {
	if width != 4 && width != 8 {
		return s.invalid(verb, "a cell of %d bytes: cells have 4 or 8", width)
	}
	n, err := s.size()
	if err != nil {
		return err
	}
	if offset < 0 || offset > n-width {
		return s.invalid(verb, "a cell of %d bytes at %d of %d: give an offset within", width, offset, n)
	}
	if offset%width != 0 {
		return s.invalid(verb, "a cell of %d bytes at %d: give a multiple of its width", width, offset)
	}
	return nil
}

// Op is what [Segment.Atomic] does to a cell.
type Op int

// The operations. Of all of them the result is what the cell held before.
const (
	Load Op = iota
	Store
	Exchange
	Add // wraps around, like Sub
	Sub
	And
	Or
	Xor
)

// Atomic does op to the cell of width bytes, 4 or 8, at a byte offset, and returns what it held before. Of
// cells of 4 bytes the low half of value counts. Everything atomic is sequentially consistent, in every
// language.
//
// [Int64At] and the like are quicker; this one may be called while another goroutine closes s.
func (s *Segment) Atomic(op Op, offset, width int64, value uint64) (before uint64, err error) {
	c := s.call("atomic operation on")
	if err := c.Begin(); err != nil {
		return 0, err
	}
	defer c.End(&err)
	if err := s.checkCell(c.Verb, offset, width); err != nil {
		return 0, err
	}
	if width == 8 {
		return atomic64(op, layout.View[atomic.Uint64](s.data, int(offset)), value), nil
	}
	return uint64(atomic32(op, layout.View[atomic.Uint32](s.data, int(offset)), uint32(value))), nil
}

func atomic64(op Op, p *atomic.Uint64, v uint64) uint64 {
	switch op {
	case Store, Exchange:
		return p.Swap(v)
	case Add:
		return p.Add(v) - v
	case Sub:
		return p.Add(-v) + v
	case And:
		return p.And(v)
	case Or:
		return p.Or(v)
	case Xor:
		for {
			if old := p.Load(); p.CompareAndSwap(old, old^v) {
				return old
			}
		}
	}
	return p.Load()
}

func atomic32(op Op, p *atomic.Uint32, v uint32) uint32 {
	switch op {
	case Store, Exchange:
		return p.Swap(v)
	case Add:
		return p.Add(v) - v
	case Sub:
		return p.Add(-v) + v
	case And:
		return p.And(v)
	case Or:
		return p.Or(v)
	case Xor:
		for {
			if old := p.Load(); p.CompareAndSwap(old, old^v) {
				return old
			}
		}
	}
	return p.Load()
}

// CompareExchange stores desired in the cell if it holds expected, and returns what it held before: it was
// stored if that is expected. Otherwise as Atomic.
func (s *Segment) CompareExchange(offset, width int64, expected, desired uint64) (before uint64, err error) {
	c := s.call("atomic operation on")
	if err := c.Begin(); err != nil {
		return 0, err
	}
	defer c.End(&err)
	if err := s.checkCell(c.Verb, offset, width); err != nil {
		return 0, err
	}
	if width == 8 {
		p := layout.View[atomic.Uint64](s.data, int(offset))
		for {
			if before = p.Load(); before != expected || p.CompareAndSwap(expected, desired) {
				return before, nil
			}
		}
	}
	p := layout.View[atomic.Uint32](s.data, int(offset))
	for {
		if before := p.Load(); before != uint32(expected) || p.CompareAndSwap(before, uint32(desired)) {
			return uint64(before), nil
		}
	}
}

// slice bounds a sleep on a cell: whoever changed it may have died before its Notify, or never calls it.
const slice = 90 * time.Millisecond

// What a sleeper waits for, as a seat says it.
const (
	waitsForCell uint32 = iota + 1
	waitsForLock
)

var waitNames = map[uint32]string{waitsForCell: "cell", waitsForLock: "lock"}

// Wait returns what the cell holds as soon as that is not expected: at once, or after a Notify, or within 90 ms
// of a change that nobody told of. A change that is undone before anyone looks is not seen. Otherwise as Atomic.
//
// TIMEOUT, CANCELLED, CLOSED, CORRUPT, INVALID.
func (s *Segment) Wait(ctx context.Context, offset, width int64, expected uint64) (now uint64, err error) {
	c := s.call("wait on")
	if err := c.Begin(); err != nil {
		return 0, err
	}
	defer c.End(&err)
	if err := s.checkCell(c.Verb, offset, width); err != nil {
		return 0, err
	}
	load := func() uint64 { return uint64(layout.View[atomic.Uint32](s.data, int(offset)).Load()) }
	if width == 8 {
		load = layout.View[atomic.Uint64](s.data, int(offset)).Load
	} else {
		expected = uint64(uint32(expected))
	}
	changed := func() bool {
		now = load()
		return now != expected
	}
	if changed() {
		return now, nil
	}
	var spin park.Spin
	return now, park.Wait(ctx, &park.Waiter{
		Word: s.word(offset), Spin: &spin, Hint: changed,
		Try:   func() (bool, error) { return changed(), nil },
		Slice: func() time.Duration { return slice },
		Gone:  s.obj.Gone,
		Sit:   func() func() { return s.obj.Sit(s.h.Seat[:], waitsForCell) },
	})
}

// Notify wakes everybody who waits on the cell at a byte offset, after it was changed. With nobody asleep it
// costs one load.
func (s *Segment) Notify(offset int64) (err error) {
	c := s.call("notify")
	if err := c.Begin(); err != nil {
		return err
	}
	defer c.End(&err)
	if err := s.checkCell(c.Verb, offset&^3, 4); err != nil {
		return err
	}
	// The word may have sleepers of other cells, too: they look, and sleep again.
	park.WakeAll(s.word(offset))
	return nil
}

// word is where waiters on the cell sleep.
func (s *Segment) word(offset int64) *atomic.Uint32 {
	return &s.h.Cell[layout.CellWordOf(uint64(offset))].Word
}
