// Package doorbell lets event loops wait for objects: it gives a descriptor that poll, epoll and select find
// readable when the object may be ready.
//
// An object has its Bells in its header. Who wants to be told takes a seat there, makes a FIFO, and sets the
// seat's bit in Armed; who commits something that may make the object ready clears the bits he finds and writes
// a byte into their FIFOs, besides waking those who sleep on a wait word, never instead of it. An object that
// nobody watches costs its users one look at a cache line.
//
// To give a noun descriptors: put a layout.Bells into its header, a Bells into its type, and
//
//	bells.Init(&obj, header, 'b', ready, slice)  in Attach
//	bells.Ring(layout.BellReadable)              behind each park.Wake of the same thing
//	bells.Settle()                               at the end of each verb
//	bells.Kick()                                 in the kick of object.Close
//	bells.Close()                                in Free
//	bells.At(layout.BellReadable)                is what its users wait for with package wait
//
// The descriptor is level-triggered, as far as this handle can know: a get that leaves the queue empty, and a
// try that finds it empty, make it unreadable again. So a loop does not spin on what is not ready.
//
// Two windows no ring covers: a ringer killed between its commit and the ring, and what the dead held and
// nobody comes for. In a process that has bells, a goroutine looks at them once a slice, as a sleeper of package
// park does.
package doorbell

import (
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
)

// Bells are an open object's bells: its own, and a way to ring those of others. It must not be copied.
type Bells struct {
	obj *object.Object
	h   *layout.Bells
	of  Of

	any    atomic.Bool // there is a bell of this handle
	mine   [layout.BellKinds]atomic.Pointer[bell]
	making sync.Mutex
	points [layout.BellKinds]Point
}

// bell is a descriptor of this handle.
type bell struct {
	fd   int
	seat int
	word uint64 // what the seat says

	mu    sync.Mutex // to look, to drain and to arm are one
	rung  bool       // there is a byte in the FIFO, as far as is known
	armed bool       // this handle set the bit, and has not seen it cleared

	stopped seen // ringers who were waited for in vain
}

// Of is what the bells of an object have to know of it.
type Of struct {
	// Letter is that of the FIFOs' names.
	Letter byte

	// Ready tells whether the thing of that kind is so now: it is called within a call of the object, without locks,
	// and must neither wait for others nor say yes by a guess, since a loop would spin on it. With sure, a no is
	// certain too; without, what a death has changed may be missed, and nothing else.
	Ready func(kind int, sure bool) (bool, error)

	// Wanted is what who rings asks behind his commit: whether there is something that a loop should come for. A no
	// is certain; a yes is a guess only if it can't find out.
	Wanted func(kind int) bool

	// Slice is how long it is safe to go without a look, as in park.Waiter.
	Slice func() time.Duration
}

// Init says what the bells are of.
func (b *Bells) Init(obj *object.Object, h *layout.Bells, of Of) {
	b.obj, b.h, b.of = obj, h, of
	for kind := range b.points {
		b.points[kind] = Point{b, kind}
	}
}

// open makes this handle's bell of a kind, unless it is there. Within a call.
func (b *Bells) open(kind int) (*bell, error) {
	b.making.Lock()
	defer b.making.Unlock()
	if own := b.mine[kind].Load(); own != nil {
		return own, nil
	}
	own, err := b.take(kind)
	if err != nil {
		return nil, err
	}
	b.mine[kind].Store(own)
	b.any.Store(true)
	_, _ = b.settle(kind, own, true) // an error is for who comes when the bell rings
	watchdog.add(b)
	return own, nil
}

// Settle makes the handle's descriptors say what is so, behind a verb that may have changed it or found it not so.
// Within a call, without locks.
func (b *Bells) Settle() {
	if b.any.Load() {
		b.settleAll()
	}
}

func (b *Bells) settleAll() {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { _ = recover() }() // truncated: whoever uses it next is told
	for kind := range b.mine {
		if own := b.mine[kind].Load(); own != nil {
			_, _ = b.settle(kind, own, false) // the watch finds the dead
		}
	}
}

// settle looks whether the object is ready and leaves the bell rung or armed. sure is for ready.
//
// Two things could have a loop come for nothing, and stay, if it then takes a message in a call that waits; for both
// the ringer is waited for (ringer.go). The byte of who has cleared the bit may come only now:
//
//	ringer                        owner of a bell
//	commits a message             arms, looks: there is a message
//	clears the bit                writes a byte himself; the loop comes and takes the message
//	                              drains, arms
//	writes a byte                 the loop comes, and there is nothing
//
// And who has looked whether there is something to ring for may clear only now:
//
//	commits a message
//	enters, looks: it is there    takes the message, drains, arms, looks: nothing
//	clears the bit, writes        the loop comes, and there is nothing
//
// What a ringer writes for a commit that the first look did not see may be drained; the second look sees that commit.
func (b *Bells) settle(kind int, own *bell, sure bool) (ready bool, err error) {
	own.mu.Lock()
	defer own.mu.Unlock()
	owed := b.owed(kind, own)
	for {
		// A no is asked again below.
		if ready, err = b.of.Ready(kind, false); ready || err != nil {
			break
		}
		// The byte that is owed is nearly always there: to read is to have awaited it.
		if !shm.DrainBell(own.fd) && owed && b.await(own) {
			shm.DrainBell(own.fd)
		}
		own.rung = false
		a, bit := b.place(kind, own.seat)
		a.Or(bit)
		own.armed = true
		b.h.Some[kind].Store(1)
		// A close may have come in between, and its byte been drained.
		if ready, err = b.of.Ready(kind, sure); ready || err != nil || b.obj.Gone() != nil {
			owed = b.owed(kind, own)
			break
		}
		b.passed(own)
		if a.Load()&bit != 0 {
			return false, nil
		}
		owed = b.owed(kind, own)
	}
	if owed {
		own.rung = b.await(own)
	}
	// What is wrong, whoever comes to use it is told: so he must come.
	if !own.rung && !readable(own.fd, 0) {
		shm.WriteBell(own.fd)
	}
	own.rung = true
	return ready, err
}

// owed clears the bell's bit, and reports whether a ringer has done so, whose byte is there or on its way.
func (b *Bells) owed(kind int, own *bell) bool {
	cleared := b.disarm(kind, own.seat)
	owed := own.armed && !cleared
	own.armed = false
	return owed
}

// place is where a seat's bit is.
func (b *Bells) place(kind, seat int) (a *atomic.Uint64, bit uint64) {
	return &b.h.Armed[kind][seat/64], 1 << (seat % 64)
}

// disarm clears a seat's bit and reports whether it was set.
func (b *Bells) disarm(kind, seat int) bool {
	a, bit := b.place(kind, seat)
	return a.And(^bit)&bit != 0
}

// Kick makes the handle's descriptors readable, so that who waits for them finds the object closed.
func (b *Bells) Kick() {
	for kind := range b.mine {
		if own := b.mine[kind].Load(); own != nil {
			shm.WriteBell(own.fd)
		}
	}
}

// Close gives the handle's bells up. No call is under way any more, and the mapping still there; if it was
// truncated, the seats are too.
func (b *Bells) Close() {
	if !b.any.Load() {
		return
	}
	watchdog.remove(b)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	for kind := range b.mine {
		if own := b.mine[kind].Swap(nil); own != nil {
			b.leave(kind, own)
		}
	}
}
