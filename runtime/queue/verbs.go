package queue

import (
	"context"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/fifo"
)

// What a queue does lies in package fifo, which pipes share; this file is its manual, leases apart.

// Message is what a get returns: the bytes of Body, and their Format. Decode reads it into a value.
type Message = fifo.Message

// Part is a message within the buffer of GetManyInto.
type Part = fifo.Part

// TryPut puts body without waiting for room; ipcerr.Full if there is none.
func (q *Queue) TryPut(body []byte, f Format) error { return q.fifo.TryPut(body, f) }

// Put puts body, waiting for room until ctx ends. When it returns nil the message is committed: it
// survives this process.
//
// Errors: ipcerr.Shutdown; ipcerr.NoSpace if a queue that grows finds no memory, ipcerr.TooLarge;
// ipcerr.Timeout (also context.DeadlineExceeded), ipcerr.Cancelled (also context.Canceled),
// ipcerr.Closed. Nothing was put then.
func (q *Queue) Put(ctx context.Context, body []byte, f Format) error {
	return q.fifo.Put(ctx, body, f)
}

// TryPutMany puts as many of the bodies as there is room for, in order, under few locks. It returns
// how many, with an error only if none.
func (q *Queue) TryPutMany(bodies [][]byte, f Format) (n int, err error) {
	return q.fifo.TryPutMany(bodies, f)
}

// PutMany puts the bodies in order, waiting for room until ctx ends. It returns how many were put;
// fewer than all only when ctx ended or the queue was shut down, and an error only if none.
func (q *Queue) PutMany(ctx context.Context, bodies [][]byte, f Format) (n int, err error) {
	return q.fifo.PutMany(ctx, bodies, f)
}

// PutReferring is Put for a message that refers to objects, given as the references within body (codec.Ref, by
// an object's Ref). The message holds them: they live, although everybody closes them, until it is got and its
// references are opened or it is dropped. This process must have them open, in the queue's root; 255 at most. Of(q).Put does
// this by itself.
//
// Errors besides those of Put: ipcerr.Invalid, ipcerr.Gone for an object whose file was removed by hand.
//
// The message is body and, behind it, rest: what is large need not be copied into one piece.
func (q *Queue) PutReferring(ctx context.Context, body []byte, f Format, refs []codec.Ref, rest ...[]byte) error {
	return q.fifo.PutReferring(ctx, body, f, refs, rest...)
}

// TryPutReferring is PutReferring without waiting; ipcerr.Full if there is no room.
func (q *Queue) TryPutReferring(body []byte, f Format, refs []codec.Ref, rest ...[]byte) error {
	return q.fifo.TryPutReferring(body, f, refs, rest...)
}

// TryGetInto gets the next message into buf without waiting, and returns its size and format.
// ipcerr.Empty if there is none; ipcerr.TooSmall leaves it in the queue, with its size in n.
func (q *Queue) TryGetInto(buf []byte) (n int, f Format, err error) { return q.fifo.TryGetInto(buf) }

// GetInto is TryGetInto that waits for a message until ctx ends.
//
// Errors: ipcerr.TooSmall; ipcerr.Shutdown when the queue was shut down and nothing is left;
// ipcerr.Timeout (also context.DeadlineExceeded), ipcerr.Cancelled (also context.Canceled),
// ipcerr.Closed. No message was taken then.
func (q *Queue) GetInto(ctx context.Context, buf []byte) (n int, f Format, err error) {
	return q.fifo.GetInto(ctx, buf)
}

// TryGet gets the next message without waiting; ipcerr.Empty if there is none.
func (q *Queue) TryGet() (Message, error) { return q.fifo.TryGet() }

// Get gets the next message, waiting until ctx ends. Errors as for GetInto, but never TooSmall.
func (q *Queue) Get(ctx context.Context) (Message, error) { return q.fifo.Get(ctx) }

// TryGetManyInto gets what is there, without waiting: at most len(msgs) messages and len(buf)
// bytes, one behind the other. It returns how many, at least 1 without an error. ipcerr.TooSmall if
// not even the first fits; its size is then in msgs[0].Size.
func (q *Queue) TryGetManyInto(buf []byte, msgs []Part) (n int, err error) {
	return q.fifo.TryGetManyInto(buf, msgs)
}

// GetManyInto waits for one message until ctx ends, then takes what else is there as
// TryGetManyInto does.
func (q *Queue) GetManyInto(ctx context.Context, buf []byte, msgs []Part) (n int, err error) {
	return q.fifo.GetManyInto(ctx, buf, msgs)
}

// GetMany waits for one message until ctx ends, then takes what else is there, at most most
// messages and about a mebibyte.
func (q *Queue) GetMany(ctx context.Context, most int) ([]Message, error) {
	return q.fifo.GetMany(ctx, most)
}

// TaskDone says that the work on one message taken by a plain get is done. ipcerr.Invalid if it is
// called more often than messages were put.
func (q *Queue) TaskDone() error { return q.fifo.TaskDone() }

// Join waits until every message that was put is done: acked, or gotten and told with TaskDone.
// Consumers that die between a plain get and TaskDone leave it waiting.
func (q *Queue) Join(ctx context.Context) error { return q.fifo.Join(ctx) }

// Shutdown ends the queue for good. When it has returned no put commits any more. Gets take what
// is left and then fail with ipcerr.Shutdown; if immediate, what is left is discarded at once and
// counts as done. Leases may still be acked or nacked. It may be called again, also to add
// immediate.
func (q *Queue) Shutdown(immediate bool) error { return q.fifo.Shutdown(immediate) }

// Size is how many messages a get could take now. Stale as soon as it returns.
func (q *Queue) Size() (n int64, err error) { return q.fifo.Size() }

// Empty reports whether a get would find nothing now.
func (q *Queue) Empty() (bool, error) { return q.fifo.Empty() }

// Full reports whether a small put would find no room now.
func (q *Queue) Full() (bool, error) { return q.fifo.Full() }

// Stat is what a queue holds and has done.
type Stat = fifo.Stat

// Process is a process in the root, as an operator knows it.
type Process = fifo.Process

// Holder is a process and what it holds or waits for: "producer lock", "consumer lock", "lease", "message
// being written", "message", "room", "join".
type Holder = fifo.Holder

// Stat counts under the queue's locks, so the numbers fit together.
func (q *Queue) Stat() (Stat, error) { return q.fifo.Stat() }

// Detail is Stat, with every lease and message being written, oldest first.
func (q *Queue) Detail() (s Stat, leases []Holder, err error) { return q.fifo.Detail() }

// Locks tells who holds the queue's locks, without taking them; for a lock that is held normally
// the moment is over before it can be told.
func (q *Queue) Locks() ([]Holder, error) { return q.fifo.Locks() }

// Waiters tells who sleeps on the queue, and for what. It knows 64 of them.
func (q *Queue) Waiters() ([]Holder, error) { return q.fifo.Waiters() }

// What the C library needs to put and get small messages, and to wait for them, without entering Go.
// A Go program has no use for it.

// Shared tells where the queue lies.
func (q *Queue) Shared() fifo.Shared { return q.fifo.Shared() }

// SitForMessage takes a seat for a thread that will wait for a message outside of Go, and returns
// its number, -1 without one. Whoever sits gives the seat back by himself.
func (q *Queue) SitForMessage() (seat int) { return q.fifo.SitForMessage() }

// Settle moves the head over records that were finished without the lock.
func (q *Queue) Settle() error { return q.fifo.Settle() }
