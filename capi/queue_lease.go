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

//export pg_queue_lease
func pg_queue_lease(h C.polyipc_queue, buffer unsafe.Pointer, capacity C.size_t, timeout C.int64_t, outLease *C.polyipc_lease, outSize *C.size_t, outFormat *C.polyipc_format) (s status) {
	defer guard(opLease, &s)
	debug.SetPanicOnFault(true)
	room(false)
	q, err := findQueue(opLease, h.id)
	if err != nil {
		return done(opLease, h.id, err)
	}
	b, err := space(opLease, buffer, capacity)
	if err == nil && outLease == nil {
		err = invalid(opLease, "out_lease is NULL: without it the message could not be acked")
	}
	if err != nil {
		return done(opLease, h.id, err)
	}
	l, n, f, err := q.TryLeaseInto(b)
	if err != nil && timeout != 0 && codeOf(err) == ipcerr.Empty {
		l, n, f, err = q.LeaseInto(wait(timeout), b)
	}
	if err == nil {
		*outLease = C.polyipc_lease{ring: C.uint64_t(l.Ring), position: C.uint64_t(l.Position), state: C.uint64_t(l.State), deliveries: C.uint32_t(l.Deliveries)}
	}
	return got(opLease, h.id, n, f, err, outSize, outFormat)
}

// settle ends a lease one way or the other.
func settle(op operation, h C.polyipc_queue, lease *C.polyipc_lease, how func(*queue.Queue, queue.Lease) error) status {
	debug.SetPanicOnFault(true)
	room(false)
	q, err := findQueue(op, h.id)
	if err == nil && lease == nil {
		err = invalid(op, "lease is NULL: give what polyipc_queue_lease filled in")
	}
	if err == nil {
		err = how(q, queue.Lease{Ring: uint64(lease.ring), Position: uint64(lease.position), State: uint64(lease.state), Deliveries: uint32(lease.deliveries)})
	}
	return done(op, h.id, err)
}

//export pg_queue_ack
func pg_queue_ack(h C.polyipc_queue, lease *C.polyipc_lease) (s status) {
	const op = operation("ack lease of queue")
	defer guard(op, &s)
	return settle(op, h, lease, (*queue.Queue).Ack)
}

//export pg_queue_nack
func pg_queue_nack(h C.polyipc_queue, lease *C.polyipc_lease) (s status) {
	const op = operation("nack lease of queue")
	defer guard(op, &s)
	return settle(op, h, lease, (*queue.Queue).Nack)
}

//export pg_queue_task_done
func pg_queue_task_done(h C.polyipc_queue) (s status) {
	const op = operation("mark task of queue done")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	q, err := findQueue(op, h.id)
	if err == nil {
		err = q.TaskDone()
	}
	return done(op, h.id, err)
}

//export pg_queue_join
func pg_queue_join(h C.polyipc_queue, timeout C.int64_t) (s status) {
	defer guard(opJoin, &s)
	debug.SetPanicOnFault(true)
	room(false)
	q, err := findQueue(opJoin, h.id)
	if err == nil {
		err = q.Join(wait(timeout))
	}
	return done(opJoin, h.id, err)
}

//export pg_queue_stat
func pg_queue_stat(h C.polyipc_queue, out *C.polyipc_queue_stat_t) (s status) {
	const op = operation("stat queue")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	q, err := findQueue(op, h.id)
	if err == nil && (out == nil || out.size != C.uint32_t(unsafe.Sizeof(*out))) {
		err = invalid(op, "set out_stat->size to sizeof(polyipc_queue_stat_t), %d, and use the header of this library", unsafe.Sizeof(*out))
	}
	if err != nil {
		return done(op, h.id, err)
	}
	st, err := q.Stat()
	if err == nil {
		fill(out, &st)
	}
	return done(op, h.id, err)
}

// fill copies a snapshot; the caller has set size.
func fill(out *C.polyipc_queue_stat_t, st *queue.Stat) {
	flags := C.uint32_t(C.POLYIPC_KEPT)
	if st.Transient {
		flags = C.POLYIPC_TRANSIENT
	}
	if st.Pickle {
		flags |= C.POLYIPC_PICKLE
	}
	*out = C.polyipc_queue_stat_t{
		size: out.size, flags: flags,
		max_size: C.int64_t(st.MaxSize), capacity: C.int64_t(st.Capacity),
		messages: C.int64_t(st.Messages), bytes: C.int64_t(st.Bytes),
		leased: C.int64_t(st.Leased), reserved: C.int64_t(st.Reserved), unfinished: C.int64_t(st.Unfinished),
		put: C.uint64_t(st.Put), taken: C.uint64_t(st.Taken), redelivered: C.uint64_t(st.Redelivered),
		take_overs: C.uint64_t(st.TakeOvers), abandoned: C.uint64_t(st.Abandoned), grown: C.uint64_t(st.Grown),
		rings: C.uint32_t(st.Rings), shutdown: C.uint32_t(st.Shutdown),
	}
}
