package ring

import (
	"sync/atomic"

	"github.com/polyipc/polyipc/runtime/internal/layout"
)

// The two verbs below are what a queue does nearly always, in one piece each: a small message into
// a ring with room, and the oldest one out of it. What they can't do they leave undone and say so,
// and the caller goes the long way round.

// Append puts body as one ready record, if there is room and fewer than most records are live by
// the cached count. Producer lock.
func (r *Ring) Append(body []byte, format uint16, most uint64) bool {
	h := r.H
	at := h.Tail.Load()
	seq := r.NextSeq()
	size := layout.RecordSize(uint64(len(body)))
	if !r.Fits(at, seq, size, most) {
		return false
	}
	copy(r.Stage(at, seq, len(body), 0, format, layout.Ready), body)
	r.Publish(at, at+size)
	return true
}

// Fits reports whether size bytes at position at, sequence number seq, fit by what was seen of the head
// lately: within the ring, and among at most most live records. Producer lock.
func (r *Ring) Fits(at, seq, size, most uint64) bool {
	return seq-r.H.HeadSeqSeen < most && at-r.H.HeadSeen+size <= r.Data.Size()
}

// Known reports that a consumer has seen records behind head. A guess without the lock.
func (r *Ring) Known(head uint64) bool {
	return atomic.LoadUint64(&r.H.TailSeen)-head-1 < r.Data.Size()
}

// TakeFront copies the record at the head into buf and moves the head over it, if it is ready, fits,
// is no longer than most bytes and lies in the ring. more says that records behind it may be
// finished already. Consumer lock.
func (r *Ring) TakeFront(buf []byte, most int) (n int, format uint16, more, ok bool) {
	h := r.H
	head, tail := h.Head.Load(), h.TailSeen
	if tail-head-1 >= r.Data.Size() { // nothing known, or nonsense
		tail = h.Tail.Load()
		if tail-head-1 >= r.Data.Size() {
			return 0, 0, false, false
		}
		h.TailSeen = tail
	}
	rec := r.Data.Record(head)
	length := uint64(rec.Length)
	size := layout.RecordSize(length)
	if rec.State().Phase() != layout.Ready || rec.Flags != 0 || length > uint64(min(most, len(buf))) || size > tail-head {
		return 0, 0, false, false
	}
	n, format = int(length), rec.Format
	copy(buf, r.Data.Payload(head, length))
	head += size
	h.Head.Store(head) // the commit
	return n, format, h.Reach > head, true
}
