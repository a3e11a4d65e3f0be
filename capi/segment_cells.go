package main

/*
#include "keep.h"
*/
import "C"

import (
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/segment"
)

// The exports of polyipc/segment.h that work on the contents. The atomic operations come here only when
// quick_segment.c could not do them, mostly because there is something wrong.

//export pg_segment_lock
func pg_segment_lock(h C.polyipc_segment, timeout C.int64_t, died *C.int) (s status) {
	const op = operation("lock segment")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	g, err := findSegment(op, h.id)
	if err != nil {
		return done(op, h.id, err)
	}
	if died != nil {
		atomic.AddInt32((*int32)(died), 0) // if it is not there, nothing is locked
	}
	var ownerDied bool
	if thread := uint32(unix.Gettid()); timeout == 0 {
		var locked bool
		if locked, ownerDied, err = g.TryLockThread(thread); err == nil && !locked {
			err = ipcerr.Timeout
		}
	} else {
		ownerDied, err = g.LockThread(wait(timeout), thread)
	}
	if err == nil && died != nil {
		*died = 0
		if ownerDied {
			*died = 1
		}
	}
	return done(op, h.id, err)
}

//export pg_segment_unlock
func pg_segment_unlock(h C.polyipc_segment) (s status) {
	const op = operation("unlock segment")
	defer guard(op, &s)
	room(false)
	g, err := findSegment(op, h.id)
	if err == nil {
		err = g.UnlockThread(uint32(unix.Gettid()))
	}
	return done(op, h.id, err)
}

// cell does one operation to a cell; out, which may be NULL unless it is the point of the call, is where the former
// value goes.
func cell(h C.polyipc_segment, what segment.Op, offset C.int64_t, width C.uint32_t, value C.uint64_t, out *C.uint64_t) (s status) {
	const op = operation("atomic operation on segment")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	g, err := findSegment(op, h.id)
	if err == nil && out == nil && what == segment.Load {
		err = invalid(op, "out_value is NULL: give it a place for the value")
	}
	if err != nil {
		return done(op, h.id, err)
	}
	if out != nil {
		atomic.AddUint64((*uint64)(out), 0) // if it is not there, nothing is changed
	}
	before, err := g.Atomic(what, int64(offset), int64(width), uint64(value))
	if err == nil && out != nil {
		*out = C.uint64_t(before)
	}
	return done(op, h.id, err)
}

//export pg_segment_load
func pg_segment_load(h C.polyipc_segment, offset C.int64_t, width C.uint32_t, out *C.uint64_t) status {
	return cell(h, segment.Load, offset, width, 0, out)
}

//export pg_segment_store
func pg_segment_store(h C.polyipc_segment, offset C.int64_t, width C.uint32_t, value C.uint64_t) status {
	return cell(h, segment.Store, offset, width, value, nil)
}

//export pg_segment_exchange
func pg_segment_exchange(h C.polyipc_segment, offset C.int64_t, width C.uint32_t, value C.uint64_t, out *C.uint64_t) status {
	return cell(h, segment.Exchange, offset, width, value, out)
}

//export pg_segment_add
func pg_segment_add(h C.polyipc_segment, offset C.int64_t, width C.uint32_t, value C.uint64_t, out *C.uint64_t) status {
	return cell(h, segment.Add, offset, width, value, out)
}

//export pg_segment_sub
func pg_segment_sub(h C.polyipc_segment, offset C.int64_t, width C.uint32_t, value C.uint64_t, out *C.uint64_t) status {
	return cell(h, segment.Sub, offset, width, value, out)
}

//export pg_segment_and
func pg_segment_and(h C.polyipc_segment, offset C.int64_t, width C.uint32_t, value C.uint64_t, out *C.uint64_t) status {
	return cell(h, segment.And, offset, width, value, out)
}

//export pg_segment_or
func pg_segment_or(h C.polyipc_segment, offset C.int64_t, width C.uint32_t, value C.uint64_t, out *C.uint64_t) status {
	return cell(h, segment.Or, offset, width, value, out)
}

//export pg_segment_xor
func pg_segment_xor(h C.polyipc_segment, offset C.int64_t, width C.uint32_t, value C.uint64_t, out *C.uint64_t) status {
	return cell(h, segment.Xor, offset, width, value, out)
}

//export pg_segment_compare_exchange
func pg_segment_compare_exchange(h C.polyipc_segment, offset C.int64_t, width C.uint32_t, expected, desired C.uint64_t, out *C.uint64_t) (s status) {
	const op = operation("atomic operation on segment")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	g, err := findSegment(op, h.id)
	if err != nil {
		return done(op, h.id, err)
	}
	if out != nil {
		atomic.AddUint64((*uint64)(out), 0)
	}
	before, err := g.CompareExchange(int64(offset), int64(width), uint64(expected), uint64(desired))
	if err == nil && out != nil {
		*out = C.uint64_t(before)
	}
	return done(op, h.id, err)
}

//export pg_segment_wait
func pg_segment_wait(h C.polyipc_segment, offset C.int64_t, width C.uint32_t, expected C.uint64_t, timeout C.int64_t, out *C.uint64_t) (s status) {
	const op = operation("wait on segment")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	g, err := findSegment(op, h.id)
	if err != nil {
		return done(op, h.id, err)
	}
	ctx := wait(timeout)
	if timeout == 0 {
		ctx.deadline = time.Unix(0, 0)
	}
	now, err := g.Wait(ctx, int64(offset), int64(width), uint64(expected))
	if err == nil && out != nil {
		*out = C.uint64_t(now)
	}
	return done(op, h.id, err)
}

//export pg_segment_notify
func pg_segment_notify(h C.polyipc_segment, offset C.int64_t) (s status) {
	const op = operation("notify segment")
	defer guard(op, &s)
	room(false)
	g, err := findSegment(op, h.id)
	if err == nil {
		err = g.Notify(int64(offset))
	}
	return done(op, h.id, err)
}
