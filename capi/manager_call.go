package main

/*
#include "keep.h"
*/
import "C"

import (
	"fmt"
	"runtime/debug"
	"unicode/utf8"
	"unsafe"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/manager"
)

// Calls of a manager's objects.

const (
	opManage operation = "call manager"
	opFinish operation = "finish call of manager"
)

// mostMethod bounds the search for the NUL of a method's name.
const mostMethod = 255

// readCall reads what the caller wants called; strings and bytes are views of his memory.
func readCall(op operation, in *C.polyipc_manager_call_t) (c manager.Call, err error) {
	if in == nil || in.method == nil {
		return c, invalid(op, "call or its method is NULL: say what to call")
	}
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(in.method), n)) != 0 {
		if n++; n > mostMethod {
			return c, invalid(op, "the method's name is longer than %d bytes", mostMethod)
		}
	}
	c = manager.Call{Object: uint64(in.object), Method: unsafe.String((*byte)(unsafe.Pointer(in.method)), n), Thread: uint64(in.thread)}
	if c.Args, err = given(op, "args", in.args, in.args_size); err == nil {
		c.Named, err = given(op, "named", in.named, in.named_size)
	}
	return c, err
}

// answerSpace views the caller's buffer for an answer.
func answerSpace(op operation, buffer unsafe.Pointer, capacity C.size_t, outSize *C.size_t) ([]byte, error) {
	if outSize == nil {
		return nil, invalid(op, "out_size is NULL: give it a place for the answer's size")
	}
	touch(outSize)
	return space(op, buffer, capacity)
}

// answered hands an answer, or its size if it was too large, to the caller.
func answered(op operation, id C.uint32_t, to, answer []byte, size int, err error, outSize *C.size_t) status {
	if err == nil {
		copy(to, answer)
		*outSize = C.size_t(len(answer))
		return C.POLYIPC_OK
	}
	if remote, ok := err.(*manager.RemoteError); ok {
		*outSize = C.size_t(copy(to, packFailure(remote, len(to))))
		tell(fmt.Sprintf("%s: %s", op, remote.Error()))
		return C.POLYIPC_REMOTE_ERROR
	}
	if codeOf(err) == ipcerr.TooSmall {
		*outSize = C.size_t(size)
	}
	return done(op, id, err)
}

// packFailure packs why a method failed as an array of three texts. The beginning of the traceback is left out if all of
// it is more than most bytes; nothing comes if the rest is.
func packFailure(e *manager.RemoteError, most int) []byte {
	const head = 5 // of a text, at most
	b := codec.AppendText(codec.AppendText(codec.AppendArray(nil, 3), e.Type), e.Message)
	if all := codec.AppendText(b, e.Traceback); len(all) <= most {
		return all
	}
	t := e.Traceback
	t = t[min(len(t), max(0, len(t)-max(0, most-len(b)-head))):]
	for len(t) > 0 && !utf8.RuneStart(t[0]) {
		t = t[1:]
	}
	if b = codec.AppendText(b, t); len(b) > most {
		return nil
	}
	return b
}

//export pg_manager_call
func pg_manager_call(h C.polyipc_manager, in *C.polyipc_manager_call_t, timeout C.int64_t, buffer unsafe.Pointer, capacity C.size_t, outSize *C.size_t, outCall *C.uint64_t) (s status) {
	defer guard(opManage, &s)
	debug.SetPanicOnFault(true)
	room(false)
	m, err := findManager(opManage, h.id)
	if err != nil {
		return done(opManage, h.id, err)
	}
	call, err := readCall(opManage, in)
	if err != nil {
		return done(opManage, h.id, err)
	}
	to, err := answerSpace(opManage, buffer, capacity, outSize)
	if err != nil {
		return done(opManage, h.id, err)
	}
	touch(outCall)
	ctx := wait(timeout)
	ctx.interruptible = ctx.interruptible && outCall != nil
	number, err := m.Start(ctx, &call)
	if err != nil {
		if codeOf(err) == ipcerr.Interrupted {
			*outCall = 0
		}
		return done(opManage, h.id, err)
	}
	answer, size, err := m.Complete(ctx, number, len(to))
	if err != nil {
		switch code := codeOf(err); {
		case code == ipcerr.TooSmall && outCall == nil:
			_ = m.Forget(number) // it is under way
		case code == ipcerr.TooSmall, code == ipcerr.Interrupted:
			*outCall = C.uint64_t(number)
		case code == ipcerr.RemoteError:
			return answered(operation(fmt.Sprintf("call %q of object %d", call.Method, call.Object)), h.id, to, nil, 0, err, outSize)
		}
	}
	return answered(opManage, h.id, to, answer, size, err, outSize)
}

// begin starts a call whose number the caller gets.
func begin(op operation, h C.polyipc_manager, timeout C.int64_t, outCall *C.uint64_t, how func(connection, *patience) (uint64, error)) error {
	if outCall == nil {
		return invalid(op, "out_call is NULL: give it a place for the call's number")
	}
	touch(outCall)
	m, err := findManager(op, h.id)
	if err != nil {
		return err
	}
	number, err := how(m, wait(timeout))
	if err == nil {
		*outCall = C.uint64_t(number)
	}
	return err
}

//export pg_manager_start
func pg_manager_start(h C.polyipc_manager, in *C.polyipc_manager_call_t, timeout C.int64_t, outCall *C.uint64_t) (s status) {
	const op = operation("start call of manager")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	return done(op, h.id, begin(op, h, timeout, outCall, func(m connection, ctx *patience) (uint64, error) {
		call, err := readCall(op, in)
		if err != nil {
			return 0, err
		}
		return m.Start(ctx, &call)
	}))
}

//export pg_manager_batch
func pg_manager_batch(h C.polyipc_manager, calls unsafe.Pointer, size C.size_t, thread C.uint64_t, timeout C.int64_t, outCall *C.uint64_t) (s status) {
	const op = operation("start batch of manager")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	return done(op, h.id, begin(op, h, timeout, outCall, func(m connection, ctx *patience) (uint64, error) {
		b, err := given(op, "calls", calls, size)
		if err != nil {
			return 0, err
		}
		return m.Batch(ctx, b, uint64(thread))
	}))
}

//export pg_manager_finish
func pg_manager_finish(h C.polyipc_manager, number C.uint64_t, timeout C.int64_t, buffer unsafe.Pointer, capacity C.size_t, outSize *C.size_t) (s status) {
	defer guard(opFinish, &s)
	debug.SetPanicOnFault(true)
	room(false)
	m, err := findManager(opFinish, h.id)
	if err != nil {
		return done(opFinish, h.id, err)
	}
	to, err := answerSpace(opFinish, buffer, capacity, outSize)
	if err != nil {
		return done(opFinish, h.id, err)
	}
	answer, size, err := m.Finish(wait(timeout), uint64(number), len(to))
	return answered(opFinish, h.id, to, answer, size, err, outSize)
}

//export pg_manager_cancel
func pg_manager_cancel(h C.polyipc_manager, number C.uint64_t) (s status) {
	const op = operation("cancel call of manager")
	defer guard(op, &s)
	room(false)
	m, err := findManager(op, h.id)
	if err == nil {
		err = m.Cancel(uint64(number))
	}
	return done(op, h.id, err)
}

//export pg_manager_forget
func pg_manager_forget(h C.polyipc_manager, number C.uint64_t) (s status) {
	const op = operation("forget call of manager")
	defer guard(op, &s)
	room(false)
	m, err := findManager(op, h.id)
	if err == nil {
		err = m.Forget(uint64(number))
	}
	return done(op, h.id, err)
}

//export pg_manager_release
func pg_manager_release(h C.polyipc_manager, object, count C.uint64_t) (s status) {
	const op = operation("release object of manager")
	defer guard(op, &s)
	room(false)
	m, err := findManager(op, h.id)
	if err == nil && (object == 0 || count == 0) {
		err = invalid(op, "object is %d and count %d: 0 is none", object, count)
	}
	if err == nil {
		err = m.Release(uint64(object), uint64(count))
	}
	return done(op, h.id, err)
}
