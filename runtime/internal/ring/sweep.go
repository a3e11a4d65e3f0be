package ring

import (
	"encoding/binary"

	"github.com/polyipc/polyipc/runtime/internal/layout"
)

// PutSideLength writes the length of a side part into its record's payload.
func PutSideLength(payload []byte, n uint64) { binary.LittleEndian.PutUint64(payload, n) }

func sideLength(payload []byte) uint64 { return binary.LittleEndian.Uint64(payload) }

// Swept is what a sweep passed over.
type Swept struct {
	Head      uint64 // where the head may go
	Finished  uint64 // acked records
	Abandoned uint64
}

// Sweep finds how far the head can move: over every finished record up to the first that is not.
// It changes nothing. parted is called with each record that has parts, which must be removed before the
// head moves over it. Consumer lock.
func (r *Ring) Sweep(parted func(*Item)) (Swept, error) {
	head, tail, err := r.window()
	if err != nil {
		return Swept{}, err
	}
	sw := Swept{Head: head}
	err = r.each(head, tail, tail, func(it *Item) bool {
		switch it.S.Phase() {
		case layout.Done:
		case layout.Acked:
			sw.Finished++
		case layout.Abandoned:
			sw.Abandoned++
		default:
			return false
		}
		if it.Side || it.Links > 0 {
			parted(it)
		}
		sw.Head = it.Pos + it.Size
		return true
	})
	return sw, err
}

// HeadFinished reports whether the oldest record is finished and only waits for a sweep. Either lock.
func (r *Ring) HeadFinished() bool {
	head := r.H.Head.Load()
	if head == r.H.Tail.Load() {
		return false
	}
	s := r.Data.Record(head).State()
	return s.Phase() != layout.None && !s.Live()
}

// At returns the record at a position that came from outside, a lease, if it is one that could be
// alive: within the window. No lock: while the record is leased to the caller it stays.
func (r *Ring) At(pos uint64) (*layout.Record, bool) {
	head, tail, err := r.window()
	if err != nil || pos&7 != 0 || pos-head >= tail-head {
		return nil, false
	}
	return r.Data.Record(pos), true
}
