package main

/*
#include "keep.h"
*/
import "C"

import (
	"runtime/debug"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/manager"
)

// What a manager sends on its own: events to who watches, calls to who hosts.

const (
	opEvent  operation = "wait for event of manager"
	opHosted operation = "wait for call of hosted object"
	opReply  operation = "answer call of hosted object"
)

//export pg_manager_next_event
func pg_manager_next_event(h C.polyipc_manager, subscription C.uint64_t, timeout C.int64_t, buffer unsafe.Pointer, capacity C.size_t, outSize *C.size_t) (s status) {
	defer guard(opEvent, &s)
	debug.SetPanicOnFault(true)
	room(false)
	m, err := findManager(opEvent, h.id)
	if err != nil {
		return done(opEvent, h.id, err)
	}
	to, err := answerSpace(opEvent, buffer, capacity, outSize)
	if err != nil {
		return done(opEvent, h.id, err)
	}
	event, size, err := m.NextEvent(wait(timeout), uint64(subscription), len(to))
	return answered(opEvent, h.id, to, event, size, err, outSize)
}

//export pg_manager_next_call
func pg_manager_next_call(h C.polyipc_manager, timeout C.int64_t, out *C.polyipc_manager_hosted_t, buffer unsafe.Pointer, capacity C.size_t, outSize *C.size_t) (s status) {
	defer guard(opHosted, &s)
	debug.SetPanicOnFault(true)
	room(false)
	m, err := findManager(opHosted, h.id)
	if err != nil {
		return done(opHosted, h.id, err)
	}
	to, err := answerSpace(opHosted, buffer, capacity, outSize)
	if err == nil && (out == nil || out.size != C.uint32_t(unsafe.Sizeof(*out))) {
		err = invalid(opHosted, "set out_hosted->size to sizeof(polyipc_manager_hosted_t), %d, and use the header of this library", unsafe.Sizeof(*out))
	}
	if err != nil {
		return done(opHosted, h.id, err)
	}
	touch(out)
	told, size, err := m.NextCall(wait(timeout), len(to))
	if err == nil {
		*out = C.polyipc_manager_hosted_t{
			size: out.size, what: C.uint32_t(told.What), call: C.uint64_t(told.Call), object: C.uint64_t(told.Object),
			client: C.uint64_t(told.Client), thread: C.uint64_t(told.Thread),
		}
	}
	return answered(opHosted, h.id, to, told.Body, size, err, outSize)
}

//export pg_manager_reply
func pg_manager_reply(h C.polyipc_manager, number C.uint64_t, result unsafe.Pointer, size C.size_t) (s status) {
	defer guard(opReply, &s)
	debug.SetPanicOnFault(true)
	room(false)
	m, err := findManager(opReply, h.id)
	if err != nil {
		return done(opReply, h.id, err)
	}
	b, err := given(opReply, "result", result, size)
	if err == nil {
		err = m.Reply(wait(-1), uint64(number), b)
	}
	return done(opReply, h.id, err)
}

//export pg_manager_fail
func pg_manager_fail(h C.polyipc_manager, number C.uint64_t, kind, message, traceback *C.char) (s status) {
	defer guard(opReply, &s)
	debug.SetPanicOnFault(true)
	room(false)
	m, err := findManager(opReply, h.id)
	if err == nil && (kind == nil || *kind == 0) {
		err = invalid(opReply, "type is NULL or empty: name an exception, such as ValueError")
	}
	if err == nil {
		err = m.Fail(wait(-1), uint64(number), &manager.RemoteError{Type: goString(kind), Message: goString(message), Traceback: goString(traceback)})
	}
	return done(opReply, h.id, err)
}
