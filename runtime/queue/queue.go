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
	"errors"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/futex"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/member"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/internal/trace"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Format says how the bytes of a message are to be read.
type Format uint16

const (
	Raw     Format = 0 // bytes, as they are
	MsgPack Format = 1 // one MessagePack value, see package codec
)

// Limits of Options and messages.
const (
	MaxMaxSize  = 1 << 40 // messages
	MaxCapacity = 1 << 36 // bytes
	MaxMessage  = 1 << 40 // bytes
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
	name string
	root *shm.Root
	obj  *shm.Object
	mem  *member.Member
	me   uint32 // this process's owner token
	h    *layout.Queue

	closing atomic.Bool   // Close was called
	calls   gate          // the calls under way; the last one out after Close gives the mapping back
	done    atomic.Uint32 // 1 when that has happened

	rings rings

	spinGet, spinPut park.Spin
	reclaimed        atomic.Int64 // when dead owners were last looked for, as now counts
	passed           atomic.Int64 // the same, of records that were passed over
	reclaimTook      atomic.Int64 // nanoseconds that it took
	corrupt          atomic.Bool  // that it is was told

	errFull, errEmpty *ipcerr.Error // made once: they are part of normal work
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
func Unlink(root, name string) error {
	r, err := shm.OpenRoot(root)
	if err != nil {
		return err
	}
	return r.Unlink(name, layout.KindQueue)
}

// Unlink removes this queue's name, as the function Unlink does.
func (q *Queue) Unlink() error { return q.root.Unlink(q.name, layout.KindQueue) }

// Name returns the queue's name.
func (q *Queue) Name() string { return q.name }

func open(op, name string, o Options, mayCreate, mayOpen bool) (q *Queue, err error) {
	trace.Start()
	defer func() { opened(name, err) }()
	if err := o.check(op, name); err != nil {
		return nil, err
	}
	if name == "" && !mayCreate {
		return nil, &ipcerr.Error{Op: op, Code: ipcerr.Invalid, Hint: "a queue without a name can't be opened: give a name, or create it"}
	}
	root, err := shm.OpenRoot(o.Root)
	if err != nil {
		return nil, err
	}
	if err := o.trust(op, name, root); err != nil {
		return nil, err
	}
	mem, err := member.Join(root)
	if err != nil {
		return nil, err
	}
	for {
		if mayOpen && name != "" {
			obj, err := root.Open(name, layout.KindQueue, mem.UUID(), true)
			if err == nil {
				q, err := attach(op, root, obj, mem)
				if err != nil {
					return nil, err
				}
				if err := guarded(op, name, func() error { return q.matches(op, o, mayCreate) }); err != nil {
					_ = q.Close()
					return nil, err
				}
				return q, nil
			}
			if !mayCreate || !errors.Is(err, ipcerr.NotFound) {
				mem.Release()
				return nil, err
			}
		}
		obj, err := root.Create(name, o.spec(name, mem.UUID()))
		if err == nil {
			return attach(op, root, obj, mem)
		}
		if !mayOpen || !errors.Is(err, ipcerr.Exists) {
			mem.Release()
			return nil, err
		}
		// Somebody made it between the two: open theirs.
	}
}

// attach makes a Queue of an open object. On failure it gives obj and mem back.
func attach(op string, root *shm.Root, obj *shm.Object, mem *member.Member) (*Queue, error) {
	q := &Queue{name: obj.Name, root: root, obj: obj, mem: mem, me: mem.Token()}
	q.h = layout.View[layout.Queue](obj.Mem, layout.QueueOffset)
	q.errFull = &ipcerr.Error{Op: "put to queue", Name: q.name, Code: ipcerr.Full}
	q.errEmpty = &ipcerr.Error{Op: "get from queue", Name: q.name, Code: ipcerr.Empty}
	q.calls.free = func() {
		q.rings.close()
		_ = q.obj.Close()
		q.mem.Release()
		q.done.Store(1)
		futex.Wake(&q.done, 1)
	}
	if err := guarded(op, q.name, func() error { return q.rings.init(q) }); err != nil {
		_ = obj.Close()
		mem.Release()
		return nil, &ipcerr.Error{Op: op, Name: obj.Name, Code: ipcerr.Corrupt, Hint: "its header makes no sense: damaged, or not made by polyipc; unlink it", Err: err}
	}
	q.countIn()
	return q, nil
}

// guarded turns a fault in f, from a file that is truncated as it is opened, into an error.
func guarded(op, name string, f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }:
			err = &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Corrupt, Hint: "its file was truncated as it was opened: unlink it"}
		default:
			panic(r)
		}
	}()
	return f()
}

// Close ends the use of this Queue: calls under way in other goroutines fail with ipcerr.Closed.
// Messages stay, and leases go back if this was the process's last handle of the queue; a transient
// queue without another user goes. Closing again does nothing.
func (q *Queue) Close() error {
	if !q.closing.CompareAndSwap(false, true) {
		return nil
	}
	if q.countOut() {
		_ = q.returnLeases()
	}
	q.calls.enter() // the mapping stays while the waiters are told
	q.calls.shut()
	q.kick()
	q.calls.leave()
	// A call under way may wait for a lock whose owner is stopped. Then it gives the mapping back when
	// it comes out, and Close does not wait for that.
	for end := time.Now().Add(time.Second); q.done.Load() == 0 && time.Now().Before(end); {
		_ = futex.Wait(&q.done, 0, time.Until(end))
	}
	return nil
}

// kick makes everybody who waits look up: those of this process find the queue closed.
func (q *Queue) kick() {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { _ = recover() }() // the file was truncated: they find out by themselves
	park.Kick(&q.h.Readable)
	park.Kick(&q.h.Writable)
	park.Kick(&q.h.Joinable)
}

// gone is ipcerr.Closed once Close was called.
func (q *Queue) gone() error {
	if q.calls.isShut() {
		return ipcerr.Closed
	}
	return nil
}

// Inherited is what a forked child needs to go on using a Queue under its own identity. The
// mapping and the descriptor are the ones that it inherited.
type Inherited struct {
	Root, Name string
	FD         int
	Addr       uintptr
	Length     int
}

// Inherit describes q for Adopt in a forked child. Only for libraries that survive a fork; a Go
// program does not.
func (q *Queue) Inherit() Inherited {
	addr, length := layout.Address(q.obj.Mem)
	return Inherited{Root: q.root.Path(), Name: q.name, FD: q.obj.FD, Addr: addr, Length: length}
}

// Adopt makes a Queue of what a forked child inherited.
func Adopt(in Inherited) (*Queue, error) {
	const op = "adopt queue after fork"
	root, err := shm.OpenRoot(in.Root)
	if err != nil {
		return nil, err
	}
	mem, err := member.Join(root)
	if err != nil {
		return nil, err
	}
	obj, err := root.Adopt(in.Name, in.FD, in.Addr, in.Length, layout.KindQueue, mem.UUID(), true)
	if err != nil {
		mem.Release()
		return nil, err
	}
	return attach(op, root, obj, mem)
}

// TrackDescriptors tells a library that survives forks of the descriptors which a forked child
// must close, since they would lie about it: all but those that Inherit told of.
// forks counts the forks begun: a descriptor that was opened while one began is opened again.
func TrackDescriptors(f func(fd int, open bool), forks func() uint64) {
	member.OnDescriptor, shm.OnDescriptor, shm.Forks = f, f, forks
}

// SetLanguage names the language of the host program in the root's registry, for operators.
func SetLanguage(s string) { member.Language = s }

// GC removes what dead processes left in a root ("" the default one) and returns how many files
// went. Queues do this by themselves as processes come and go.
func GC(root string) (int64, error) {
	r, err := shm.OpenRoot(root)
	if err != nil {
		return 0, err
	}
	n, err := r.Reap()
	return int64(n), err
}
