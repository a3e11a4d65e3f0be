package main

/*
#include "keep.h"
*/
import "C"

import (
	"runtime/debug"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/queue"
)

//export pg_queue_put
func pg_queue_put(h C.polyipc_queue, data unsafe.Pointer, size C.size_t, format C.polyipc_format, timeout C.int64_t) (s status) {
	defer guard(opPut, &s)
	debug.SetPanicOnFault(true)
	room(false)
	q, err := findQueue(opPut, h.id)
	if err != nil {
		return done(opPut, h.id, err)
	}
	f, err := formatOf(opPut, format)
	if err != nil {
		return done(opPut, h.id, err)
	}
	b, err := body(opPut, data, size)
	if err != nil {
		return done(opPut, h.id, err)
	}
	if err = q.TryPut(b, f); err != nil && timeout != 0 && codeOf(err) == ipcerr.Full {
		err = q.Put(wait(timeout), b, f)
	}
	return done(opPut, h.id, err)
}

//export pg_queue_put_referring
func pg_queue_put_referring(h C.polyipc_queue, data unsafe.Pointer, size C.size_t, format C.polyipc_format, in *C.polyipc_reference, count C.size_t, timeout C.int64_t) (s status) {
	defer guard(opPut, &s)
	debug.SetPanicOnFault(true)
	room(false)
	q, err := findQueue(opPut, h.id)
	if err != nil {
		return done(opPut, h.id, err)
	}
	b, f, refs, err := referring(opPut, data, size, format, in, count)
	switch {
	case err != nil:
	case timeout == 0:
		err = q.TryPutReferring(b, f, refs)
	default:
		err = q.PutReferring(wait(timeout), b, f, refs)
	}
	return done(opPut, h.id, err)
}

func formatOf(op operation, f C.polyipc_format) (queue.Format, error) {
	if f > C.POLYIPC_MSGPACK {
		return 0, invalid(op, "format %d: give POLYIPC_RAW or POLYIPC_MSGPACK", f)
	}
	return queue.Format(f), nil
}

// putBatch is how many of a caller's slices are looked at before they are put: enough to make one
// lock pay, few enough for the stack.
const putBatch = 128

//export pg_queue_put_many
func pg_queue_put_many(h C.polyipc_queue, messages *C.polyipc_slice, count C.size_t, format C.polyipc_format, timeout C.int64_t, out *C.size_t) (s status) {
	defer guard(opPut, &s)
	debug.SetPanicOnFault(true)
	room(false)
	q, err := findQueue(opPut, h.id)
	if err != nil {
		return done(opPut, h.id, err)
	}
	f, err := formatOf(opPut, format)
	if err == nil && out == nil {
		err = invalid(opPut, "out_count is NULL: give it a place for the number of messages put")
	}
	if err == nil && count > 0 && messages == nil {
		err = invalid(opPut, "messages is NULL and count %d", count)
	}
	if err == nil && count > 1<<40 {
		err = invalid(opPut, "count %d: at most 2^40", count)
	}
	if err != nil {
		return done(opPut, h.id, err)
	}
	n, err := putMany(q, unsafe.Slice(messages, int(count)), f, timeout)
	if err != nil && n == 0 {
		return done(opPut, h.id, err)
	}
	*out = C.size_t(n)
	return C.POLYIPC_OK
}

// putMany puts slices in batches until all are put, the time is over, or a put fails.
func putMany(q *queue.Queue, slices []C.polyipc_slice, f queue.Format, timeout C.int64_t) (n int, err error) {
	var (
		batch [putBatch][]byte
		p     *patience
	)
	for n < len(slices) {
		more := slices[n:min(n+putBatch, len(slices))]
		for i, m := range more {
			if batch[i], err = body(opPut, unsafe.Pointer(m.data), m.size); err != nil {
				if more = more[:i]; i == 0 {
					return n, err
				}
				break
			}
		}
		k, err := q.TryPutMany(batch[:len(more)], f)
		if err != nil && timeout != 0 && codeOf(err) == ipcerr.Full {
			if p == nil {
				p = wait(timeout)
			}
			k, err = q.PutMany(p, batch[:len(more)], f)
		}
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
