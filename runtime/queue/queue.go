// Package queue is a FIFO between processes: many producers, many competing consumers, in Go, C
// and Python at once.
//
//	q, err := queue.OpenOrCreate("jobs", queue.Options{MaxSize: 1000})
//	...
//	defer q.Close()
//	err = q.Put(ctx, []byte("hello"), queue.Raw)
//	m, err := q.Get(ctx)
//
// For values instead of bytes, see [Of]. For messages that must survive the death of whoever works
// on them, see [Queue.Lease].
//
// A Queue may be used by any number of goroutines at once. A put is committed when it returns:
// there is no background goroutine, and the message survives its producer. A plain get is at most
// once; a lease is at least once.
//
// What happens besides the calls, such as the take-over of a dead process's lock, is told to a log
// that asks: see package events.
package queue

import (
	"github.com/polyipc/polyipc/runtime/internal/fifo"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
)

// Format says how the bytes of a message are to be read.
type Format = fifo.Format

// The formats.
const (
	Raw     = fifo.Raw     // bytes, as they are
	MsgPack = fifo.MsgPack // one MessagePack value, see package codec
)

// Limits of Options and messages.
const (
	MaxMaxSize  = fifo.MaxMaxSize  // messages, 2^40
	MaxCapacity = fifo.MaxCapacity // bytes, 2^36
	MaxMessage  = fifo.MaxMessage  // bytes, 2^40
)

// Options shape a queue when it is made. The zero value has no limits, lies in the default root,
// and is kept if it has a name.
type Options struct {
	Root      string // directory; "": $POLYIPC_ROOT, or /dev/shm/polyipc-<uid>
	MaxSize   int64  // most live messages, 0 no limit
	Capacity  int64  // bytes for live messages, each with 24 bytes of header; rounded up to a power of two of at least 64 KiB; 0 grows as needed
	Kept      bool   // lives until Unlink, also if anonymous
	Transient bool   // goes with its last user, also if named
	Pickle    bool   // may carry Python pickles: only for processes that trust each other

	// TrustGroup allows Pickle in a root that is shared with a group: a directory with the set-group-id
	// bit that its group can write to. Each member can then run code in the Python programs that open
	// the queue's pickles, so without TrustGroup it is ipcerr.Denied to make or open a queue with Pickle
	// there. It changes nothing else, and nothing without Pickle.
	TrustGroup bool
}

// Queue is an open queue.
type Queue struct {
	obj  object.Object
	fifo fifo.Fifo
}

// Create makes a queue; it fails with ipcerr.Exists if the name is taken. An empty name makes an
// anonymous queue with a UUID for a name.
func Create(name string, o Options) (*Queue, error) {
	return open("create queue", name, o, true, false)
}

// Open opens an existing queue; it fails with ipcerr.NotFound if there is none. Limits in o that
// are not zero must be the queue's own.
func Open(name string, o Options) (*Queue, error) { return open("open queue", name, o, false, true) }

// OpenOrCreate opens the queue, which must then have the limits in o, or makes it.
func OpenOrCreate(name string, o Options) (*Queue, error) {
	return open("open or create queue", name, o, true, true)
}

// Unlink removes the name of a queue; that there is none is no error. Who has it open goes on using
// it; it goes with the last of them. root is as in Options.
func Unlink(root, name string) error { return object.Unlink(root, name, layout.KindQueue) }

// Unlink removes this queue's name, as the function Unlink does.
func (q *Queue) Unlink() error { return q.obj.Unlink() }

// Name returns the queue's name.
func (q *Queue) Name() string { return q.obj.Name() }

func open(op, name string, o Options, mayCreate, mayOpen bool) (*Queue, error) {
	if err := o.check(op, name); err != nil {
		return nil, err
	}
	q := &Queue{}
	w := q.want(op)
	w.Root, w.Name, w.Create, w.Open = o.Root, name, mayCreate, mayOpen
	w.Spec = func(members [16]byte) shm.Spec { return o.spec(name, members) }
	w.Matches = func() error { return q.matches(op, o, mayCreate) }
	w.Allowed = func(root *shm.Root) error { return object.Trust(op, name, root, o.Pickle, o.TrustGroup) }
	if err := q.obj.Open(w); err != nil {
		return nil, err
	}
	q.countIn()
	return q, nil
}

// want is what opening and adopting a queue have in common.
func (q *Queue) want(op string) *object.Want {
	return &object.Want{
		Op: op, Noun: "queue", Kind: layout.KindQueue, Twice: true,
		Attach: func() error { return q.fifo.Attach(&q.obj, config) },
		Free:   q.fifo.Detach,
	}
}

// config is where in a queue's file its Fifo lies, and how errors speak of it.
var config = fifo.Config{
	Place:      fifo.Place{Areas: 1},
	RingLetter: 'r', MessageLetter: 'm', LinkLetter: 'o', BellLetter: 'b',
	PutTo: "put to", GetFrom: "get from",
}

// Close ends the use of this Queue: calls under way in other goroutines fail with ipcerr.Closed.
// Messages stay, and leases go back if this was the process's last handle of the queue; a transient
// queue without another user goes. Closing again does nothing.
func (q *Queue) Close() error {
	before := func() {
		if q.countOut() {
			_ = q.fifo.ReturnLeases()
		}
	}
	return q.obj.Close(before, q.fifo.Kick)
}

// Inherit describes q for Adopt in a forked child; see package host.
func (q *Queue) Inherit() object.Inherited { return q.obj.Inherit() }

// Adopt makes a Queue of what a forked child inherited.
func Adopt(in object.Inherited) (*Queue, error) {
	q := &Queue{}
	if err := q.obj.Adopt(q.want("adopt queue after fork"), in); err != nil {
		return nil, err
	}
	q.countIn()
	return q, nil
}
