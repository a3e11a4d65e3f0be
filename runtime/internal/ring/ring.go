// Package ring is one message ring over mapped bytes: records are staged and published by a
// producer, found, claimed and swept by a consumer. Nothing here blocks, makes a system call or
// takes a lock: each function says which of the queue's two locks its caller must hold.
//
// What comes out of shared memory steers the code only after it was checked; what does not make
// sense is ErrCorrupt, never a fault and never an endless loop.
//
// The commit points are single stores. A producer writes the record, then Last, then Tail: dead
// before Tail it has put nothing, dead behind it everything. A consumer copies the payload, then
// moves Head: dead before, it has taken nothing. A record that is finished out of order gets its
// phase changed instead, and a later sweep moves Head over it.
package ring

import (
	"sync/atomic"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// ErrCorrupt is returned where the shared bytes make no sense.
const ErrCorrupt = ipcerr.Corrupt

// Ring is one ring as this process has it mapped.
type Ring struct {
	Number uint64
	H      *layout.Ring
	Data   layout.Data
}

// Init makes the ring empty; its first record will have sequence number seq. For a ring nobody
// else can reach yet, or under both locks.
func (r *Ring) Init(seq uint64) {
	tail := r.H.Tail.Load()
	r.Data.Record(tail).Sequence = seq
	atomic.StoreUint64(&r.H.Last, tail)
	r.H.Next.Store(0)
	r.H.HeadSeen, r.H.HeadSeqSeen = tail, seq
	r.H.Cursor, r.H.Reach, r.H.TailSeen = tail, tail, tail
	r.H.Head.Store(tail)
}

// NextSeq is the sequence number of the next record. Producer lock.
//
// Last at or behind Tail means that a put was staged and not published; the record at Tail was
// then written before Last, with the sequence number that is still to be used.
func (r *Ring) NextSeq() uint64 {
	tail, last := r.H.Tail.Load(), r.H.Last
	if last < tail {
		return r.Data.Record(last).Sequence + 1
	}
	return r.Data.Record(tail).Sequence
}

// End is the tail and the sequence number of the next record, read without a lock. Only the newest
// ring's change.
func (r *Ring) End() (tail, seq uint64) {
	for {
		tail = r.H.Tail.Load()
		last := atomic.LoadUint64(&r.H.Last)
		if last < tail {
			seq = r.Data.Record(last).Sequence + 1
		} else {
			seq = r.Data.Record(tail).Sequence
		}
		if r.H.Tail.Load() == tail && atomic.LoadUint64(&r.H.Last) == last {
			return tail, seq
		}
	}
}

// Room reports whether size more bytes fit behind position at. Producer lock.
func (r *Ring) Room(at, size uint64) bool {
	if at-r.H.HeadSeen+size <= r.Data.Size() {
		return true
	}
	r.H.HeadSeen = r.H.Head.Load()
	used := at - r.H.HeadSeen
	return used <= r.Data.Size() && used+size <= r.Data.Size()
}

// Begin prepares for staging several records from Tail on, the first with sequence number seq. They
// may fill the whole ring and write over the newest record, whose sequence number is what NextSeq
// goes by; so from here on it goes by the one at Tail. Producer lock.
func (r *Ring) Begin(seq uint64) {
	tail := r.H.Tail.Load()
	r.Data.Record(tail).Sequence = seq
	atomic.StoreUint64(&r.H.Last, tail)
}

// Stage writes a record's header at position at, at or behind Tail and where there is Room, and
// returns the place for its payload. Nobody sees it before Publish. Producer lock.
func (r *Ring) Stage(at, seq uint64, n int, flags uint16, format uint16, s layout.State) []byte {
	rec := r.Data.Record(at)
	// The sequence number first: a rescuer reads it at Tail if this put is not published.
	rec.Sequence = seq
	rec.Length = uint32(n)
	rec.Flags, rec.Format = flags, format
	rec.Begin(s)
	return r.Data.Payload(at, uint64(n))
}

// Publish makes the staged records visible: last is the newest one's position, end what follows
// it. Producer lock.
func (r *Ring) Publish(last, end uint64) {
	r.H.Last = last     // plain: Tail orders it, and who reads it without the lock checks twice
	r.H.Tail.Store(end) // the commit
}

// Item is a record found in a ring.
type Item struct {
	Pos  uint64
	Size uint64 // bytes in the ring
	Rec  *layout.Record
	S    layout.State
	// Loaded once, and checked
	Length uint64
	Seq    uint64
	Side   bool
	Links  int // objects that it refers to
	Format uint16

	inRing uint64 // bytes of payload in the ring: Length, or 8 for a side part
}

// item reads and checks the record at pos into it; the caller knows that pos < tail.
func (r *Ring) item(pos, tail uint64, it *Item) error {
	rec := r.Data.Record(pos)
	n := uint64(rec.Length)
	size := layout.RecordSize(n)
	if size > tail-pos || size > r.Data.Size() {
		return ErrCorrupt
	}
	s := rec.State()
	if p := s.Phase(); p == layout.None || p > layout.Abandoned {
		return ErrCorrupt
	}
	it.Pos, it.Size, it.Rec, it.S = pos, size, rec, s
	it.Length, it.inRing, it.Seq, it.Format, it.Side = n, n, rec.Sequence, rec.Format, false
	flags := rec.Flags
	it.Links = layout.Links(flags)
	if flags&layout.Side != 0 {
		if n != 8 {
			return ErrCorrupt
		}
		it.Side = true
		it.Length = sideLength(r.Data.Payload(pos, 8))
	}
	return nil
}

// Payload is the item's bytes in the ring.
func (r *Ring) Payload(it *Item) []byte { return r.Data.Payload(it.Pos, it.inRing) }

// window is head and tail, checked.
func (r *Ring) window() (head, tail uint64, err error) {
	head, tail = r.H.Head.Load(), r.H.Tail.Load()
	if tail-head > r.Data.Size() || (head|tail)&7 != 0 {
		return 0, 0, ErrCorrupt
	}
	return head, tail, nil
}

// Empty reports whether every record is finished and swept. Exact under the consumer lock.
func (r *Ring) Empty() bool { return r.H.Head.Load() == r.H.Tail.Load() }

// Find reads the oldest ready record into it, if there is one.
// Consumer lock.
func (r *Ring) Find(it *Item) (ok bool, err error) {
	head := r.H.Head.Load()
	pos := r.H.Cursor
	tail := r.H.TailSeen
	if pos-head > r.Data.Size() { // behind head, or nonsense
		pos = head
	}
	if tail-pos-1 >= r.Data.Size() { // nothing known behind pos, or nonsense
		if _, tail, err = r.window(); err != nil {
			return false, err
		}
		if tail-pos > r.Data.Size() {
			return false, ErrCorrupt
		}
		r.H.TailSeen = tail
	}
	behindReserved := false
	for {
		for pos != tail {
			if err = r.item(pos, tail, it); err != nil {
				return false, err
			}
			switch it.S.Phase() {
			case layout.Ready:
				if !behindReserved {
					r.H.Cursor = pos
					return true, nil
				}
				return true, r.oldest(it, tail)
			case layout.Reserved:
				// Its commit does not set Rescan: the cursor stays before it.
				if !behindReserved {
					behindReserved = true
					r.H.Cursor = pos
				}
			}
			pos += it.Size
		}
		if !behindReserved {
			r.H.Cursor = pos
		}
		_, now, err := r.window()
		if err != nil {
			return false, err
		}
		if now == tail {
			return false, nil
		}
		if now-pos > r.Data.Size() {
			return false, ErrCorrupt
		}
		tail = now
		r.H.TailSeen = tail
	}
}

// oldest makes it the oldest ready record from the cursor on, which lies before a reserved one, to it. Find
// passed that one while it was being written; since then it may have been committed, and then its
// producer put what Find came upon. Consumer lock.
func (r *Ring) oldest(it *Item, tail uint64) error {
	var o Item
	from := r.H.Cursor
	for pos := from; pos != it.Pos; pos += o.Size {
		if pos-from > it.Pos-from {
			return ErrCorrupt
		}
		if err := r.item(pos, tail, &o); err != nil {
			return err
		}
		if o.S.Phase() == layout.Ready {
			*it = o
			pos, o.Size = from, 0 // and what lies before it, again
		}
	}
	return nil
}

// MaybeReady is a guess, without a lock, whether Find might find something.
func (r *Ring) MaybeReady() bool {
	tail := r.H.Tail.Load()
	return tail != atomic.LoadUint64(&r.H.Cursor) && tail != r.H.Head.Load()
}

// Rewind makes the next Find begin at the head. Consumer lock.
func (r *Ring) Rewind() { r.H.Cursor = r.H.Head.Load() }

// Passed reports whether Find would begin behind pos, which is in the window. Consumer lock.
func (r *Ring) Passed(pos uint64) bool {
	head := r.H.Head.Load()
	ahead := r.H.Cursor - head
	return ahead <= r.Data.Size() && pos-head < ahead
}

// Claim moves a ready item to state to; false means that another was quicker, which under the
// consumer lock only a shutdown or damage can be. Consumer lock.
func (r *Ring) Claim(it *Item, to layout.State) bool {
	if !it.Rec.Move(it.S, to) {
		return false
	}
	it.S = to
	r.Reached(it)
	return true
}

// Reached notes that it is no longer as its put left it, so that CountQuick looks at it, and reports
// whether that was news. Consumer lock.
func (r *Ring) Reached(it *Item) bool {
	end := it.Pos + it.Size
	if end <= r.reach() {
		return false
	}
	atomic.StoreUint64(&r.H.Reach, end)
	return true
}

// reach is the end of what was ever claimed; a get at the head does not store it.
func (r *Ring) reach() uint64 { return max(r.H.Reach, r.H.Head.Load()) }

// Counts sums up a part of the window.
type Counts struct {
	Ready, Leased, Reserved uint64 // records
	Bytes                   uint64 // of live records, with headers and side parts
	Oldest                  uint64 // sequence number of the oldest live record, 0 none
}

// Live is how many records count against the queue's bounds.
func (c *Counts) Live() uint64 { return c.Ready + c.Leased + c.Reserved }

func (c *Counts) add(it *Item) {
	switch it.S.Phase() {
	case layout.Ready:
		c.Ready++
	case layout.Leased:
		c.Leased++
	case layout.Reserved:
		c.Reserved++
	default:
		return
	}
	c.Bytes += it.Size
	if it.Side {
		c.Bytes += it.Length
	}
	if c.Oldest == 0 {
		c.Oldest = it.Seq
	}
}

// Each calls f for every record in the window, oldest first, until f says stop. Either lock: the
// window's memory is not written over while a producer or a consumer can't move.
func (r *Ring) Each(f func(*Item) (more bool)) error {
	head, tail, err := r.window()
	if err != nil {
		return err
	}
	return r.each(head, tail, tail, f)
}

// EachClaimed is Each for those records that were ever claimed. Consumer lock.
func (r *Ring) EachClaimed(f func(*Item) (more bool)) error {
	head, tail, err := r.window()
	if err != nil {
		return err
	}
	return r.each(head, r.claimed(head, tail), tail, f)
}

// claimed is the end of what was ever claimed within the window; a get at the head does not move
// Reach.
func (r *Ring) claimed(head, tail uint64) uint64 {
	reach := atomic.LoadUint64(&r.H.Reach)
	if reach-head > tail-head { // nothing claimed that is still in the window
		return head
	}
	return reach
}

func (r *Ring) each(from, to, tail uint64, f func(*Item) bool) error {
	var it Item
	for pos := from; pos != to; {
		if err := r.item(pos, tail, &it); err != nil {
			return err
		}
		if !f(&it) {
			return nil
		}
		pos += it.Size
		if pos-from > to-from {
			return ErrCorrupt
		}
	}
	return nil
}

// Count adds the whole window to c, record by record. Either lock.
func (r *Ring) Count(c *Counts) error {
	return r.Each(func(it *Item) bool { c.add(it); return true })
}

// CountQuick adds the window to c without looking at the records that were never claimed: they
// count as ready, and side parts among them not at all. Either lock.
func (r *Ring) CountQuick(c *Counts) error {
	head, _, err := r.window()
	if err != nil {
		return err
	}
	tail, end := r.End()
	reach := r.claimed(head, tail)
	if err := r.each(head, reach, tail, func(it *Item) bool { c.add(it); return true }); err != nil {
		return err
	}
	if reach != tail {
		c.Ready += end - r.Data.Record(reach).Sequence
		c.Bytes += tail - reach
	}
	return nil
}

// AllLive reports whether every record in the window is live, because none was ever claimed. It may
// say no although they are. Either lock.
func (r *Ring) AllLive() bool {
	head := r.H.Head.Load()
	beyond := atomic.LoadUint64(&r.H.Reach) - head
	return beyond == 0 || beyond > r.Data.Size()
}

// SpanSeq is the sequence number at the head, or the next one to be put if the ring is empty: at
// most NextSeq-SpanSeq records are live. Producer lock.
func (r *Ring) SpanSeq() uint64 {
	head := r.H.Head.Load()
	if head == r.H.Tail.Load() {
		return r.NextSeq()
	}
	return r.Data.Record(head).Sequence
}
