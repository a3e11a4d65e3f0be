package main

/*
#include "keep.h"
*/
import "C"

import (
	"runtime/debug"
	"unsafe"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/queue"
)

// Messages in pieces, for Python, which pickles large buffers beside a pickle: see pyshim.h.

const mostPieces = 1024

//export pg_py_put_pieces
func pg_py_put_pieces(h C.polyipc_queue, in *C.polyipc_slice, n C.size_t, format C.polyipc_format, to *C.polyipc_reference, count C.size_t, timeout C.int64_t) (s status) {
	defer guard(opPut, &s)
	debug.SetPanicOnFault(true)
	room(false)
	q, err := findQueue(opPut, h.id)
	if err != nil {
		return done(opPut, h.id, err)
	}
	b, f, refs, err := inPieces(opPut, in, n, format, to, count)
	switch {
	case err != nil:
	case timeout == 0:
		err = q.TryPutReferring(b[0], f, refs, b[1:]...)
	default:
		err = q.PutReferring(wait(timeout), b[0], f, refs, b[1:]...)
	}
	return done(opPut, h.id, err)
}

//export pg_py_send_pieces
func pg_py_send_pieces(h C.polyipc_pipe, in *C.polyipc_slice, n C.size_t, format C.polyipc_format, to *C.polyipc_reference, count C.size_t, timeout C.int64_t) (s status) {
	defer guard(opSend, &s)
	debug.SetPanicOnFault(true)
	room(false)
	p, err := findPipe(opSend, h.id)
	if err != nil {
		return done(opSend, h.id, err)
	}
	b, f, refs, err := inPieces(opSend, in, n, format, to, count)
	switch {
	case err != nil:
	case timeout == 0:
		err = p.TrySendReferring(b[0], f, refs, b[1:]...)
	default:
		err = p.SendReferring(wait(timeout), b[0], f, refs, b[1:]...)
	}
	return done(opSend, h.id, err)
}

// inPieces looks at what a caller gives with a message in pieces.
func inPieces(op operation, in *C.polyipc_slice, n C.size_t, format C.polyipc_format, to *C.polyipc_reference, count C.size_t) (b [][]byte, f queue.Format, refs []codec.Ref, err error) {
	if in == nil || n == 0 || n > mostPieces {
		return nil, 0, nil, invalid(op, "pieces is NULL, or their count is %d: 1 to %d", n, mostPieces)
	}
	b = make([][]byte, n)
	for i, piece := range unsafe.Slice(in, int(n)) {
		if b[i], err = body(op, unsafe.Pointer(piece.data), piece.size); err != nil {
			return nil, 0, nil, err
		}
	}
	_, f, refs, err = referring(op, nil, 0, format, to, count)
	return b, f, refs, err
}
