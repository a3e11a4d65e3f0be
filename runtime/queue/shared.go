package queue

import (
	"runtime/debug"

	"github.com/polyipc/polyipc/runtime/internal/layout"
)

// What the C library needs to put and get small messages, and to wait for them, without entering Go.
// A Go program has no use for it.

// Shared is this process's owner token, where the queue's file is mapped until Close, and the size of
// ring 0's data area, as it was when the queue was opened.
func (q *Queue) Shared() (token uint32, file uintptr, data uint64) {
	file, length := layout.Address(q.obj.File.Mem)
	return q.obj.Me, file, uint64(length-layout.HeaderArea) / 2
}

// SitForMessage takes a seat for a thread that will wait for a message outside of Go, and returns
// its number, -1 without one. Whoever sits gives the seat back by himself.
func (q *Queue) SitForMessage() (seat int) {
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
func (q *Queue) Settle() (err error) {
	o := op{q: q, name: "settle"}
	if err = o.begin(); err != nil {
		return err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	return o.settle()
}
