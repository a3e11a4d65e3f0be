package main

/*
#include "keep.h"
*/
import "C"

import (
	"fmt"
	"runtime/debug"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

type status = C.polyipc_status

// operation names an export in errors.
type operation string

const (
	opPut   operation = "put to queue"
	opGet   operation = "get from queue"
	opLease operation = "lease from queue"
	opJoin  operation = "join queue"
	opSend  operation = "send to pipe"
	opRecv  operation = "receive from pipe"
	opPoll  operation = "poll pipe"
)

// brief is the operation's number in keep.h, for those that fail in normal work.
func (op operation) brief() uint32 {
	switch op {
	case opPut:
		return C.PI_OP_PUT
	case opGet:
		return C.PI_OP_GET
	case opLease:
		return C.PI_OP_LEASE
	case opJoin:
		return C.PI_OP_JOIN
	case opSend:
		return C.PI_OP_SEND
	case opRecv:
		return C.PI_OP_RECV
	case opPoll:
		return C.PI_OP_POLL
	}
	return C.PI_OP_TEXT
}

// done turns a call's error into its status, and leaves what there is to say in the thread's
// detail. What is part of normal work costs one call to C and no formatting.
func done(op operation, id C.uint32_t, err error) status {
	if err == nil {
		return C.POLYIPC_OK
	}
	code := codeOf(err)
	switch code {
	case ipcerr.Empty, ipcerr.Full, ipcerr.Timeout, ipcerr.Interrupted, ipcerr.TooSmall:
		if brief := op.brief(); brief != C.PI_OP_TEXT {
			C.pi_fail_plain(brief, id, status(code))
			return status(code)
		}
	}
	tell(err.Error())
	return status(code)
}

func codeOf(err error) ipcerr.Code {
	if e, ok := err.(*ipcerr.Error); ok {
		return e.Code
	}
	return ipcerr.CodeOf(err)
}

func tell(text string) {
	C.pi_fail_text((*C.char)(unsafe.Pointer(unsafe.StringData(text))), C.size_t(len(text)))
}

// guard is deferred by every export: a panic must not unwind into C, where it ends the program.
func guard(op operation, s *status) {
	r := recover()
	if r == nil {
		return
	}
	err := &ipcerr.Error{Op: string(op), Code: ipcerr.Internal}
	if fault, ok := r.(interface{ Addr() uintptr }); ok {
		err.Code = ipcerr.Invalid
		err.Hint = fmt.Sprintf("memory at %#x cannot be accessed: a pointer or size given to the call is wrong", fault.Addr())
	} else {
		err.Hint = fmt.Sprintf("panic: %v\n%s", r, debug.Stack())
	}
	tell(err.Error())
	*s = status(err.Code)
}

// invalid is the error for an argument out of range.
func invalid(op operation, hint string, args ...any) error {
	return &ipcerr.Error{Op: string(op), Code: ipcerr.Invalid, Hint: fmt.Sprintf(hint, args...)}
}
