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

//export pg_queue_get
func pg_queue_get(h C.polyipc_queue, buffer unsafe.Pointer, capacity C.size_t, timeout C.int64_t, outSize *C.size_t, outFormat *C.polyipc_format) (s status) {
	defer guard(opGet, &s)
	debug.SetPanicOnFault(true)
	room(false)
	q, err := findQueue(opGet, h.id)
	if err != nil {
		return done(opGet, h.id, err)
	}
	b, err := space(opGet, buffer, capacity)
	if err != nil {
		return done(opGet, h.id, err)
	}
	n, f, err := q.TryGetInto(b)
	if err != nil && timeout != 0 && codeOf(err) == ipcerr.Empty {
		n, f, err = q.GetInto(wait(timeout), b)
	}
	return got(opGet, h.id, n, f, err, outSize, outFormat)
}

// got hands size and format of a message to the caller.
func got(op operation, id C.uint32_t, n int, f queue.Format, err error, outSize *C.size_t, outFormat *C.polyipc_format) status {
	if err != nil && codeOf(err) != ipcerr.TooSmall {
		return done(op, id, err)
	}
	if outSize != nil {
		*outSize = C.size_t(n)
	}
	if err == nil && outFormat != nil {
		*outFormat = C.polyipc_format(f)
	}
	return done(op, id, err)
}

// getBatch is how many messages one call of the runtime takes at most.
const getBatch = 256

//export pg_queue_get_many
func pg_queue_get_many(h C.polyipc_queue, buffer unsafe.Pointer, capacity C.size_t, messages *C.polyipc_message, most C.size_t, timeout C.int64_t, out *C.size_t) (s status) {
	defer guard(opGet, &s)
	debug.SetPanicOnFault(true)
	room(false)
	q, err := findQueue(opGet, h.id)
	if err != nil {
		return done(opGet, h.id, err)
	}
	b, err := space(opGet, buffer, capacity)
	if err == nil && out == nil {
		err = invalid(opGet, "out_count is NULL: give it a place for the number of messages")
	}
	if err == nil && most > 0 && messages == nil {
		err = invalid(opGet, "out_messages is NULL and max_count %d", most)
	}
	if err != nil {
		return done(opGet, h.id, err)
	}
	places := unsafe.Slice(messages, int(min(most, 1<<32)))
	n, err := getMany(q, b, places, timeout)
	if err != nil && n == 0 {
		return done(opGet, h.id, err)
	}
	*out = C.size_t(n)
	return C.POLYIPC_OK
}

// getMany waits for one message and takes what else fits. What was taken is returned whatever
// comes then: the error comes again with the next call.
func getMany(q *queue.Queue, buf []byte, places []C.polyipc_message, timeout C.int64_t) (n int, err error) {
	var parts [getBatch]queue.Part
	used := 0
	for n < len(places) {
		batch := parts[:min(getBatch, len(places)-n)]
		k, err := q.TryGetManyInto(buf[used:], batch)
		if err != nil && n == 0 && timeout != 0 && codeOf(err) == ipcerr.Empty {
			k, err = q.GetManyInto(wait(timeout), buf[used:], batch)
		}
		if err != nil {
			if n == 0 && codeOf(err) == ipcerr.TooSmall {
				places[0].size = C.size_t(batch[0].Size)
			}
			return n, err
		}
		first := used
		for i, p := range batch[:k] {
			places[n+i] = C.polyipc_message{offset: C.size_t(first + p.Offset), size: C.size_t(p.Size), format: C.polyipc_format(p.Format)}
			used = first + p.Offset + p.Size
		}
		n += k
		if k < len(batch) {
			break
		}
	}
	return n, nil
}
