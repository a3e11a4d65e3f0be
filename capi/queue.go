package main

/*
#include "keep.h"
*/
import "C"

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/host"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/queue"
)

// The exports of polyipc/queue.h that make, end and describe queues. Those that move messages are
// in queue_put.go, queue_get.go and queue_lease.go.

var queues = newKind(C.PI_QUEUE, "queue", func(in host.Inherited) (noun, error) { return queue.Adopt(in) })

// findQueue returns the queue behind a handle.
func findQueue(op operation, id C.uint32_t) (*queue.Queue, error) {
	return find[*queue.Queue](op, queues, id)
}

// options reads the caller's options; NULL are the defaults.
func options(op operation, o *C.polyipc_queue_options) (queue.Options, error) {
	if o == nil {
		return queue.Options{Root: goRoot(nil)}, nil
	}
	const known = C.POLYIPC_KEPT | C.POLYIPC_TRANSIENT | C.POLYIPC_PICKLE | C.POLYIPC_TRUST_GROUP
	if o.size != C.uint32_t(unsafe.Sizeof(*o)) {
		return queue.Options{}, invalid(op, "options of %d bytes, not %d: set size to sizeof(polyipc_queue_options), and use the header of this library", o.size, unsafe.Sizeof(*o))
	}
	if o.flags&^known != 0 {
		return queue.Options{}, invalid(op, "unknown bits %#x in flags: use POLYIPC_KEPT, POLYIPC_TRANSIENT, POLYIPC_PICKLE, POLYIPC_TRUST_GROUP", o.flags&^known)
	}
	return queue.Options{
		Root: goRoot(o.root), MaxSize: int64(o.max_size), Capacity: int64(o.capacity),
		Kept: o.flags&C.POLYIPC_KEPT != 0, Transient: o.flags&C.POLYIPC_TRANSIENT != 0,
		Pickle: o.flags&C.POLYIPC_PICKLE != 0, TrustGroup: o.flags&C.POLYIPC_TRUST_GROUP != 0,
	}, nil
}

func openQueue(op operation, name *C.char, o *C.polyipc_queue_options, out *C.polyipc_queue,
	how func(string, queue.Options) (*queue.Queue, error)) error {
	opts, err := options(op, o)
	if err != nil {
		return err
	}
	return open(op, queues, name, (*C.uint32_t)(unsafe.Pointer(out)), func(name string) (noun, error) { return how(name, opts) })
}

//export pg_queue_create
func pg_queue_create(name *C.char, o *C.polyipc_queue_options, out *C.polyipc_queue) (s status) {
	const op = operation("create queue")
	defer guard(op, &s)
	room(false)
	return done(op, 0, openQueue(op, name, o, out, queue.Create))
}

//export pg_queue_open
func pg_queue_open(name *C.char, o *C.polyipc_queue_options, out *C.polyipc_queue) (s status) {
	const op = operation("open queue")
	defer guard(op, &s)
	room(false)
	return done(op, 0, openQueue(op, name, o, out, queue.Open))
}

//export pg_queue_open_or_create
func pg_queue_open_or_create(name *C.char, o *C.polyipc_queue_options, out *C.polyipc_queue) (s status) {
	const op = operation("open or create queue")
	defer guard(op, &s)
	room(false)
	return done(op, 0, openQueue(op, name, o, out, queue.OpenOrCreate))
}

//export pg_queue_poll_fd
func pg_queue_poll_fd(h C.polyipc_queue, what C.uint32_t, out *C.int) (s status) {
	const op = operation("poll queue")
	defer guard(op, &s)
	room(false)
	q, err := findQueue(op, h.id)
	if err == nil {
		err = pollFd(op, h.id, q, what, out)
	}
	return done(op, h.id, err)
}

//export pg_queue_close
func pg_queue_close(h C.polyipc_queue) (s status) {
	const op = operation("close queue")
	defer guard(op, &s)
	room(false)
	return done(op, h.id, closeHandle(op, queues, h.id))
}

//export pg_queue_unlink
func pg_queue_unlink(name, root *C.char) (s status) {
	const op = operation("unlink queue")
	defer guard(op, &s)
	room(false)
	return done(op, 0, unlink(op, queues, name, root, queue.Unlink))
}

//export pg_queue_name
func pg_queue_name(h C.polyipc_queue, buffer *C.char, capacity C.size_t) (s status) {
	const op = operation("name queue")
	defer guard(op, &s)
	room(false)
	q, err := findQueue(op, h.id)
	if err == nil {
		err = nameOf(op, q, buffer, capacity)
	}
	return done(op, h.id, err)
}

//export pg_queue_size
func pg_queue_size(h C.polyipc_queue, out *C.int64_t) (s status) {
	const op = operation("size queue")
	defer guard(op, &s)
	room(false)
	q, err := findQueue(op, h.id)
	if err == nil && out == nil {
		err = invalid(op, "out_size is NULL")
	}
	if err != nil {
		return done(op, h.id, err)
	}
	n, err := q.Size()
	if err == nil {
		*out = C.int64_t(n)
	}
	return done(op, h.id, err)
}

//export pg_queue_shutdown
func pg_queue_shutdown(h C.polyipc_queue, immediate C.int) (s status) {
	const op = operation("shut down queue")
	defer guard(op, &s)
	room(false)
	q, err := findQueue(op, h.id)
	if err == nil {
		err = q.Shutdown(immediate != 0)
	}
	return done(op, h.id, err)
}

// lowest is below every pointer to something. A fault beneath it is a nil pointer to Go, whose panic does not tell
// where it was, so that it could not be told from a defect.
const lowest = 4096

// body views the caller's bytes for a put.
func body(op operation, data unsafe.Pointer, size C.size_t) ([]byte, error) {
	switch {
	case size == 0:
		return nil, nil
	case uintptr(data) < lowest:
		return nil, invalid(op, "data is %s and size %d: give the bytes, or size 0", pointer(data), size)
	case size > queue.MaxMessage:
		return nil, &ipcerr.Error{Op: string(op), Code: ipcerr.TooLarge, Hint: "a message has at most 2^40 bytes"}
	}
	return unsafe.Slice((*byte)(data), int(size)), nil
}

// space views the caller's buffer for a get. A capacity beyond any message is as good as that.
func space(op operation, buffer unsafe.Pointer, capacity C.size_t) ([]byte, error) {
	if capacity == 0 {
		return nil, nil
	}
	if uintptr(buffer) < lowest {
		return nil, invalid(op, "buffer is %s and capacity %d: give a buffer, or capacity 0 to learn the size", pointer(buffer), capacity)
	}
	n := min(uint64(capacity), queue.MaxMessage, uint64(math.MaxUint64-uintptr(buffer)))
	return unsafe.Slice((*byte)(buffer), int(n)), nil
}

// pointer is a pointer in a sentence.
func pointer(p unsafe.Pointer) string {
	if p == nil {
		return "NULL"
	}
	return fmt.Sprintf("%#x", uintptr(p))
}
