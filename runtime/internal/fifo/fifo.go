// Package fifo is what the nouns that carry messages are made of: a first-in-first-out of messages
// between processes, with many producers and many consumers, over mapped bytes. A queue is one; a pipe
// has one for each direction.
//
// put.go, get.go, lease.go and tasks.go have the verbs, repair.go what is mended after a death, rings.go
// the chain of rings. Verbs are said from the queue's point of view, which has them all.
package fifo

import (
	"fmt"
	"math/bits"
	"sync/atomic"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/doorbell"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/ring"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Format says how the bytes of a message are to be read.
type Format uint32

// The formats. A message that was got may have References besides MsgPack, with the receipt for what it
// refers to in the bits above.
const (
	Raw        Format = 0 // bytes, as they are
	MsgPack    Format = 1 // one MessagePack value, see package codec
	References Format = 2 // it refers to objects, which it held

	receiptShift = 8
)

// Plain is the format without references.
func (f Format) Plain() Format { return f & MsgPack }

// Receipt is that of the objects which the message held; see codec.Ref. 0 if it held none.
func (f Format) Receipt() uint32 { return uint32(f) >> receiptShift }

// Limits of a Fifo and its messages.
const (
	MaxMaxSize  = 1 << 40 // messages
	MaxCapacity = 1 << 36 // bytes
	MaxMessage  = 1 << 40 // bytes
)

// Message is what a get returns.
type Message struct {
	Body   []byte
	Format Format
}

// Decode reads the message into *v: its MessagePack value, or the bytes of a raw one if v is a
// *[]byte or an *any.
func (m Message) Decode(v any) error {
	if m.Format.Plain() == MsgPack {
		return codec.UnmarshalReceived(m.Body, m.Format.Receipt(), v)
	}
	switch p := v.(type) {
	case *[]byte:
		*p = m.Body
	case *any:
		*p = m.Body
	default:
		return &ipcerr.Error{Op: "decode message", Code: ipcerr.Invalid,
			Hint: "the message is raw bytes, not MessagePack: read its Body"}
	}
	return nil
}

// Release gives up the objects that the message held and that were not opened; else they are kept until 1,024
// later messages have come with some.
func (m Message) Release() { object.Return(m.Format.Receipt()) }

// Config says where in an object a Fifo lies, and what it is called.
type Config struct {
	Place
	RingLetter, MessageLetter byte   // of its parts
	LinkLetter                byte   // of what its messages refer to
	BellLetter                byte   // of its doorbells
	PutTo, GetFrom            string // what errors call the verbs: "put to", "get from"

	// Other, if set, reports whether there may be anybody who gets what is put, or puts what is to be got. With
	// sure it asks the kernel; without, what it knew a moment ago will do. Within a call.
	Other func(sure bool) bool
}

// Place is where in a mapped file the header and ring 0 of a Fifo lie.
type Place struct {
	Base        int // of its block in the header area: a Queue and a Ring, at the offsets they have in a queue's file
	Area, Areas int // which data area is ring 0's, of how many
}

// Fifo is an open one. It must not be copied.
type Fifo struct {
	Config
	obj *object.Object
	h   *layout.Queue

	rings rings
	bells doorbell.Bells
	there [layout.BellKinds]atomic.Uint64 // per kind, the wait word as it was when the other side was last found there

	spinGet, spinPut park.Spin
	getting          atomic.Pointer[getting] // that nobody uses now
	reclaimed        atomic.Int64            // when dead owners were last looked for, as now counts
	passed           atomic.Int64            // the same, of records that were passed over
	reclaimTook      atomic.Int64            // nanoseconds that it took

	errFull, errEmpty *ipcerr.Error // made once: they are part of normal work
}

// Attach makes q a view of an open object. It goes into the object's Want.Attach.
func (q *Fifo) Attach(o *object.Object, c Config) error {
	q.Config, q.obj = c, o
	q.h = layout.View[layout.Queue](o.File.Mem, c.Base+layout.QueueOffset)
	bells := layout.View[layout.Bells](o.File.Mem, c.Base+layout.BellsOffset)
	q.bells.Init(o, bells, doorbell.Of{Letter: c.BellLetter, Ready: q.ready, Wanted: q.wanted, Slice: q.slice})
	q.errFull = &ipcerr.Error{Op: c.PutTo + " " + o.Noun, Name: o.Name(), Code: ipcerr.Full}
	q.errEmpty = &ipcerr.Error{Op: c.GetFrom + " " + o.Noun, Name: o.Name(), Code: ipcerr.Empty}
	return q.rings.init(q)
}

// Detach gives back what q has mapped besides the object's file. It goes into Want.Free.
func (q *Fifo) Detach() {
	q.bells.Close()
	q.rings.close()
}

// Kick makes everybody who waits look up: those of this process find the object closed.
func (q *Fifo) Kick() {
	q.bells.Kick()
	object.Kick(&q.h.Readable, &q.h.Writable, &q.h.Joinable)
}

// Bounds are the most live messages and the most bytes of live records; 0 is no limit.
func (q *Fifo) Bounds() (maxSize, capacity uint64) { return q.h.MaxSize, q.h.Capacity }

// Init fills in the header and ring 0 of a file that nobody else sees yet; data is the size of the data area.
func (p Place) Init(mem []byte, maxSize, capacity, data uint64) {
	h := layout.View[layout.Queue](mem, p.Base+layout.QueueOffset)
	h.MaxSize, h.Capacity, h.Data = maxSize, capacity, data
	h.NextRing = 1
	r := p.ring(mem, 0, data)
	r.Init(1)
}

// ring views a mapped file, header area and each data area twice, as a ring.
func (p Place) ring(mem []byte, number, data uint64) ring.Ring {
	return ring.Ring{
		Number: number,
		H:      layout.View[layout.Ring](mem, p.Base+layout.RingOffset),
		Data:   layout.DataAt(mem[layout.HeaderArea+2*uint64(p.Area)*data:], data),
	}
}

// alone is the Place of a ring in a part.
var alone = Place{Areas: 1}

// check compares the size of a data area, as a header has it, with what is mapped.
func (p Place) check(data, capacity uint64, mapped int) error {
	if data == 0 || data&(data-1) != 0 || data%layout.HeaderArea != 0 || data > uint64(mapped) ||
		uint64(mapped) != layout.HeaderArea+2*uint64(p.Areas)*data || capacity != 0 && capacity != data {
		return fmt.Errorf("ring size %d in a file mapped with %d bytes", data, mapped)
	}
	return nil
}

// RoundUp is the size of the data area that holds capacity bytes.
func RoundUp(capacity int64) uint64 {
	c := max(uint64(capacity), layout.HeaderArea)
	return 1 << bits.Len64(c-1)
}
