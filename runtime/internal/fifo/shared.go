package fifo

import (
	"runtime/debug"

	"github.com/polyipc/polyipc/runtime/internal/layout"
)

// What the C library needs to put and get small messages, and to wait for them, without entering Go.
// A Go program has no use for it.

// Shared is where a Fifo is mapped until the object is closed: its header, ring 0, and ring 0's data area,
// with the size of that as it was when the object was opened. Token is this process's owner token.
type Shared struct {
	Token              uint32
	Header, Ring, Data uintptr
	Size               uint64
}

// Shared touches nothing of the file, which may be truncated already.
func (q *Fifo) Shared() Shared {
	file, length := layout.Address(q.obj.File.Mem)
	size := (length - layout.HeaderArea) / (2 * q.Areas)
	block := file + uintptr(q.Base)
	return Shared{
		Token:  q.obj.Me,
		Header: block + layout.QueueOffset, Ring: block + layout.RingOffset,
		Data: file + layout.HeaderArea + uintptr(2*q.Area*size), Size: uint64(size),
	}
}

// SitForMessage takes a seat for a thread that will wait for a message outside of Go, and returns
// its number, -1 without one. Whoever sits gives the seat back by himself.
func (q *Fifo) SitForMessage() (seat int) {
	if !q.obj.Calls.Enter() {
		return -1
	}
	defer q.obj.Calls.Leave()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			seat = -1 // the file was truncated: the sleeper will tell
		}
	}()
	return q.obj.TakeSeat(q.h.Seat[:], waitsForMessage)
}

// Settle moves the head over records that were finished without the lock.
func (q *Fifo) Settle() (err error) {
	o := op{q: q, name: "settle"}
	if err = o.begin(); err != nil {
		return err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	return o.settle()
}

// Ring rings the doorbells of a kind, after C has committed.
func (q *Fifo) Ring(kind int) {
	o := op{q: q, name: "ring"}
	err := o.begin()
	if err != nil {
		return
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	q.bells.Ring(kind)
}
