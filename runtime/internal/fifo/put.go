package fifo

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/ring"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// inline is the largest payload that is copied under the lock. A larger one gets a reserved record
// and is copied outside.
const inline = 4096

// batchBytes bounds how much one hold of a lock copies.
const batchBytes = 256 << 10

// TryPut puts body without waiting for room; ipcerr.Full if there is none.
func (q *Fifo) TryPut(body []byte, f Format) (err error) {
	o := op{q: q, name: q.PutTo}
	if err = o.begin(); err != nil {
		return err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	if q.lost(false) {
		return ipcerr.Broken
	}
	if err = o.put(noWait, body, f); err == ipcerr.Full {
		err = o.orReclaim(err, func() error { return o.put(noWait, body, f) })
	}
	return err
}

// Put puts body, waiting for room until ctx ends. When it returns nil the message is committed: it
// survives this process.
//
// Errors: ipcerr.Shutdown; ipcerr.NoSpace if a queue that grows finds no memory, ipcerr.TooLarge;
// ipcerr.Timeout (also context.DeadlineExceeded), ipcerr.Cancelled (also context.Canceled),
// ipcerr.Closed. Nothing was put then.
func (q *Fifo) Put(ctx context.Context, body []byte, f Format) error {
	err := q.TryPut(body, f)
	if err != q.errFull {
		return err
	}
	return q.putWait(ctx, op{}, [][]byte{body}, f, new(int))
}

// TryPutMany puts as many of the bodies as there is room for, in order, under few locks. It returns
// how many, with an error only if none.
func (q *Fifo) TryPutMany(bodies [][]byte, f Format) (n int, err error) {
	o := op{q: q, name: q.PutTo}
	if err = o.begin(); err != nil {
		return 0, err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	n, err = o.putMany(noWait, bodies, f)
	if n > 0 {
		err = nil
	}
	return n, err
}

// PutMany puts the bodies in order, waiting for room until ctx ends. It returns how many were put;
// fewer than all only when ctx ended or the queue was shut down, and an error only if none.
func (q *Fifo) PutMany(ctx context.Context, bodies [][]byte, f Format) (n int, err error) {
	n, err = q.TryPutMany(bodies, f)
	if err != nil && err != q.errFull || n == len(bodies) {
		return n, err
	}
	k, err := q.putRest(ctx, bodies[n:], f)
	if n += k; n > 0 {
		err = nil
	}
	return n, err
}

// putRest is apart from PutMany, and not inlined there, so that only who waits pays for variables
// that a closure holds on to.
//
//go:noinline
func (q *Fifo) putRest(ctx context.Context, bodies [][]byte, f Format) (n int, err error) {
	err = q.putWait(ctx, op{}, bodies, f, &n)
	return n, err
}

// putWait puts bodies[*n:], counting in *n, and waits where there is no room. as has the links and the rest of a
// single one.
func (q *Fifo) putWait(ctx context.Context, as op, bodies [][]byte, f Format, n *int) (err error) {
	o := op{q: q, name: q.PutTo, links: as.links, rest: as.rest}
	if err = o.begin(); err != nil {
		return err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	tries, seen := 0, uint64(0)
	w := q.waiter(&o, &q.h.Writable, &q.spinPut, waitsForRoom)
	w.Hint = func() bool {
		return q.rings.peek(func(m *mapped) bool {
			was := seen
			seen = m.H.Head.Load()
			return seen != was
		})
	}
	w.Try = func() (bool, error) {
		err := o.orReclaim(ipcerr.Full, func() error {
			k, err := o.putMany(ctx, bodies[*n:], f)
			*n += k
			return err
		})
		if err == ipcerr.Full {
			if tries++; tries%claimAfter == 0 && len(bodies[*n]) > inline {
				q.claim()
			}
			return false, nil
		}
		return err == nil, err
	}
	defer q.unclaim()
	return park.Wait(ctx, &w)
}

// putMany puts bodies in order until there is no room.
func (o *op) putMany(ctx context.Context, bodies [][]byte, f Format) (n int, err error) {
	for n < len(bodies) && err == nil {
		if len(bodies[n]) > inline || o.links != nil || o.rest != nil {
			if err = o.put(ctx, bodies[n], f); err == nil {
				n++
			}
			continue
		}
		var k int
		k, err = o.putBatch(ctx, bodies[n:], f)
		n += k
	}
	return n, err
}

// putBatch publishes small messages together: one lock, one commit for all that fit into one ring.
func (o *op) putBatch(ctx context.Context, bodies [][]byte, f Format) (n int, err error) {
	q := o.q
	if err = o.lock(producers, ctx); err != nil {
		return 0, busy(ctx, err, ipcerr.Full)
	}
	r, seq, err := o.newest()
	if err == nil {
		var last, at uint64
		tail := r.H.Tail.Load()
		at = tail
		most, plain := o.plain(r)
		for n < len(bodies) && len(bodies[n]) <= inline && at-tail < batchBytes {
			size := layout.RecordSize(uint64(len(bodies[n])))
			if !plain || !r.Fits(at, seq, size, most) {
				var place *mapped
				if place, err = o.place(r, at, seq, size, size, n == 0); err != nil {
					break
				}
				if place != r {
					r = place // only for the first message: the old ring had no room
					at = r.H.Tail.Load()
					tail = at
				}
			}
			if n == 0 {
				r.Begin(seq)
			}
			copy(r.Stage(at, seq, len(bodies[n]), 0, uint16(f), layout.Ready), bodies[n])
			last = at
			at += size
			seq++
			n++
		}
		if n > 0 {
			crash.Point("fifo.put_many.staged")
			r.Publish(last, at)
			crash.Point("fifo.put_many.published")
			err = nil
		}
	}
	o.unlockProducers()
	if n > 0 {
		q.wakeReaders(n)
	}
	return n, err
}

// put puts one message.
func (o *op) put(ctx context.Context, body []byte, f Format) error {
	if len(body) > inline || o.links != nil || o.rest != nil {
		return o.putLarge(ctx, body, f)
	}
	if err := o.lock(producers, ctx); err != nil {
		return busy(ctx, err, ipcerr.Full)
	}
	if o.append(body, f) {
		crash.Point("fifo.put.appended")
		o.unlockProducers()
		crash.Point("fifo.put.unlocked")
		o.q.wakeReaders(1)
		return nil
	}
	size := layout.RecordSize(uint64(len(body)))
	r, seq, err := o.newest()
	if err == nil {
		r, err = o.place(r, r.H.Tail.Load(), seq, size, size, true)
	}
	if err != nil {
		o.unlockProducers()
		return err
	}
	at := r.H.Tail.Load()
	copy(r.Stage(at, seq, len(body), 0, uint16(f), layout.Ready), body)
	crash.Point("fifo.put.staged")
	r.Publish(at, at+size)
	crash.Point("fifo.put.published")
	o.unlockProducers()
	crash.Point("fifo.put.wake")
	o.q.wakeReaders(1)
	return nil
}

// append puts a small message where nothing is out of the ordinary: one ring, room in it, no bound
// near. Producer lock.
func (o *op) append(body []byte, f Format) bool {
	r := o.q.rings.hot.Load()
	most, plain := o.plain(r)
	return plain && o.q.h.Shutdown.Load() == 0 && r.Append(body, uint16(f), most)
}

// plain reports whether r is the only ring and no bound but the number of messages, most, needs a
// closer look as long as there is room in it. Producer lock.
func (o *op) plain(r *mapped) (most uint64, yes bool) {
	h := o.q.h
	if most = h.MaxSize; most == 0 {
		most = ^uint64(0)
	}
	return most, h.First.Load() == r.Number && r.H.Next.Load() == 0 && h.Claimant.Load() == 0 &&
		(h.Capacity == 0 || h.SideSeq == 0)
}

// busy is what a verb that does not wait says when it did not get the lock in time.
func busy(ctx context.Context, err error, code ipcerr.Code) error {
	if ctx == noWait && err == ipcerr.Timeout {
		return code
	}
	return err
}

// putLarge reserves a record under the lock, fills it outside and commits it by its state. Over a
// quarter of the ring the payload goes to a part, and the record says how long it is.
func (o *op) putLarge(ctx context.Context, body []byte, f Format) error {
	q := o.q
	n := uint64(len(body))
	for _, b := range o.rest {
		n += uint64(len(b))
	}
	if n > MaxMessage {
		return &ipcerr.Error{Op: q.PutTo + " " + q.obj.Noun, Name: q.obj.Name(), Code: ipcerr.TooLarge,
			Hint: fmt.Sprintf("a message of %d bytes; the most is %d", n, uint64(MaxMessage))}
	}
	if err := o.lock(producers, ctx); err != nil {
		return busy(ctx, err, ipcerr.Full)
	}
	r, seq, err := o.newest()
	side := false
	size, bytes := layout.RecordSize(n), layout.RecordSize(n)
	if err == nil {
		if side = n > r.Data.Size()/4; side {
			size = layout.RecordSize(8)
			bytes = size + n
		}
		r, err = o.place(r, r.H.Tail.Load(), seq, size, bytes, true)
	}
	if err != nil {
		o.unlockProducers()
		return err
	}
	at := r.H.Tail.Load()
	mine := layout.ReservedBy(q.obj.Me)
	flags := layout.LinkFlags(len(o.links))
	var payload []byte
	if side {
		q.h.SideSeq = seq
		payload = r.Stage(at, seq, 8, layout.Side|flags, uint16(f), mine)
		ring.PutSideLength(payload, n)
	} else {
		payload = r.Stage(at, seq, int(n), flags, uint16(f), mine)
	}
	r.Publish(at, at+size)
	crash.Point("fifo.put_large.reserved")
	r.hands.Enter()
	defer r.hands.Leave()
	o.unlockProducers()
	if side {
		err = q.obj.Root.WritePart(q.obj.File.UUID, q.MessageLetter, seq, q.obj.Member.UUID(), append([][]byte{body}, o.rest...)...)
	} else {
		ring.Copy(payload, body)
		payload = payload[len(body):]
		for _, b := range o.rest {
			ring.Copy(payload[:len(b)], b)
			payload = payload[len(b):]
		}
	}
	if err == nil {
		err = o.link(seq)
	}
	crash.Point("fifo.put_large.written")
	rec := r.Data.Record(at)
	if err != nil {
		rec.Move(mine, layout.Abandoned)
		return o.finish(err)
	}
	if !rec.Move(mine, layout.Ready) {
		// Only a shutdown takes a record from a living producer.
		q.removeParts(&ring.Item{Seq: seq, Side: side, Links: len(o.links)})
		return o.finish(ipcerr.Shutdown)
	}
	crash.Point("fifo.put_large.committed")
	q.wakeReaders(1)
	return nil
}

// newest is the ring to put to and the sequence number for it, unless the queue was shut down.
// Producer lock.
func (o *op) newest() (*mapped, uint64, error) {
	q := o.q
	if q.h.Shutdown.Load() != 0 {
		return nil, 0, ipcerr.Shutdown
	}
	r, _, err := q.rings.last()
	if err != nil {
		return nil, 0, err
	}
	return r, r.NextSeq(), nil
}

// place finds room for a record of size bytes, which counts for bytes against the capacity, at
// position at of the newest ring r, or in a new one behind it if mayGrow and the bounds allow it.
// ipcerr.Full if not. Producer lock.
func (o *op) place(r *mapped, at, seq, size, bytes uint64, mayGrow bool) (*mapped, error) {
	q, h := o.q, o.q.h
	if h.Claimant.Load() != 0 && q.claimed() {
		return nil, ipcerr.Full
	}
	// seq - HeadSeqSeen is at least the number of live records while there is one ring. Only when
	// that reaches a bound are they counted.
	only := h.First.Load() == r.Number
	if h.MaxSize != 0 && (!only || seq-r.H.HeadSeqSeen >= h.MaxSize) {
		r.H.HeadSeqSeen = r.SpanSeq()
		if !only || seq-r.H.HeadSeqSeen >= h.MaxSize {
			c, err := q.count(false)
			if err != nil {
				return nil, err
			}
			if c.Live()+staged(r, at, seq) >= h.MaxSize {
				return nil, ipcerr.Full
			}
		}
	}
	room, _ := o.room(r, at, size)
	if h.Capacity != 0 {
		sides := false
		if h.SideSeq != 0 {
			r.H.HeadSeqSeen = r.SpanSeq()
			sides = h.SideSeq >= r.H.HeadSeqSeen
		}
		if only && !room && !sides && bytes == size && r.AllLive() {
			return nil, ipcerr.Full // the ring is the capacity, and full of live records: no need to count
		}
		if !only || !room || sides || bytes != size {
			c, err := q.count(true)
			if err != nil {
				return nil, err
			}
			used := c.Bytes + at - r.H.Tail.Load()
			if used+bytes > h.Capacity && used > 0 {
				return nil, ipcerr.Full
			}
		}
	}
	if room {
		return r, nil
	}
	room, soon := o.room(r, at, size) // the head may have moved on since
	switch {
	case room:
		return r, nil
	case !mayGrow, soon && h.Capacity != 0:
		return nil, ipcerr.Full
	}
	next := r.Data.Size()
	if h.Capacity == 0 {
		next = max(next, min(2*next, largestRing))
	}
	return q.rings.grow(r, seq, next)
}

// room reports whether size bytes fit at position at of r. If not, and if the oldest record is finished, the head is
// about to move over it, and who moves it wakes those who wait for room: that is no reason to grow.
// Looked at in this order: a head that is live, and no room after that, is one that blocks. Producer lock.
func (o *op) room(r *mapped, at, size uint64) (fits, soon bool) {
	if r.Room(at, size) {
		return true, false
	}
	if soon = r.HeadFinished(); soon {
		o.sweepNow()
	}
	return r.Room(at, size), soon
}

// sweepNow moves the head over finished records, or leaves that to whoever has the consumer lock: he looks
// at Dirty behind his unlock. Producer lock, which comes first of the two.
func (o *op) sweepNow() {
	o.q.h.Dirty.Store(1)
	if !park.TryLock(&o.q.h.Consumers, o.q.obj.Me) {
		return
	}
	o.held |= consumers
	_ = o.unlockConsumers() // what is damaged is told by who comes to get
}

// staged is how many records a batch has staged and not published.
func staged(r *mapped, at, seq uint64) uint64 {
	if at == r.H.Tail.Load() {
		return 0
	}
	return seq - r.NextSeq()
}

// count sums up the live records. Either lock. exact looks at every record, also those that were
// never claimed, for the sake of their side parts.
func (q *Fifo) count(exact bool) (c ring.Counts, err error) {
	err = q.rings.all(func(m *mapped) error {
		if exact {
			return m.Count(&c)
		}
		return m.CountQuick(&c)
	})
	return c, err
}

// A put that failed claimAfter times for want of bytes claims what becomes free for claimFor, so
// that small puts can't starve it. The claim lapses by itself, because its maker may be stopped.
const (
	claimAfter = 8
	claimFor   = 50 * time.Millisecond
)

func milliseconds() uint32 { return uint32(object.Now() / int64(time.Millisecond)) }

func (q *Fifo) claim() {
	q.h.Claimant.Store(uint64(q.obj.Me)<<32 | uint64(milliseconds()))
}

// unclaim ends this process's claim, if it has one.
func (q *Fifo) unclaim() {
	if c := q.h.Claimant.Load(); c != 0 && uint32(c>>32) == q.obj.Me && q.h.Claimant.CompareAndSwap(c, 0) {
		q.wakeWriters()
	}
}

// claimed reports whether another process has a claim that has not lapsed.
func (q *Fifo) claimed() bool {
	c := q.h.Claimant.Load()
	if uint32(c>>32) == q.obj.Me {
		return false
	}
	if milliseconds()-uint32(c) < uint32(claimFor/time.Millisecond) {
		return true
	}
	q.h.Claimant.CompareAndSwap(c, 0)
	return false
}
