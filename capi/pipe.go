package main

/*
#include "keep.h"
*/
import "C"

import (
	"runtime/debug"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/host"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/pipe"
)

// The exports of polyipc/pipe.h.

var pipes = newKind(C.PI_PIPE, "pipe", func(in host.Inherited) (noun, error) { return pipe.Adopt(in) })

// findPipe returns the pipe behind a handle.
func findPipe(op operation, id C.uint32_t) (*pipe.Pipe, error) {
	return find[*pipe.Pipe](op, pipes, id)
}

// pipeOptions reads the caller's options; NULL are the defaults.
func pipeOptions(op operation, o *C.polyipc_pipe_options) (pipe.Options, error) {
	if o == nil {
		return pipe.Options{Root: goRoot(nil)}, nil
	}
	const known = C.POLYIPC_KEPT | C.POLYIPC_TRANSIENT | C.POLYIPC_PICKLE | C.POLYIPC_TRUST_GROUP | C.POLYIPC_ONE_WAY
	switch {
	case o.size != C.uint32_t(unsafe.Sizeof(*o)):
		return pipe.Options{}, invalid(op, "options of %d bytes, not %d: set size to sizeof(polyipc_pipe_options), and use the header of this library", o.size, unsafe.Sizeof(*o))
	case o.flags&^known != 0:
		return pipe.Options{}, invalid(op, "unknown bits %#x in flags: use POLYIPC_KEPT, POLYIPC_TRANSIENT, POLYIPC_PICKLE, POLYIPC_TRUST_GROUP, POLYIPC_ONE_WAY", o.flags&^known)
	case o.reserved != 0:
		return pipe.Options{}, invalid(op, "reserved is %d: set it to 0", o.reserved)
	case o.end > C.POLYIPC_END_SECOND:
		return pipe.Options{}, invalid(op, "end %d: give POLYIPC_END_DEFAULT, POLYIPC_END_FIRST or POLYIPC_END_SECOND", o.end)
	}
	return pipe.Options{
		Root: goRoot(o.root), Capacity: int64(o.capacity), End: pipe.End(o.end), OneWay: o.flags&C.POLYIPC_ONE_WAY != 0,
		Kept: o.flags&C.POLYIPC_KEPT != 0, Transient: o.flags&C.POLYIPC_TRANSIENT != 0,
		Pickle: o.flags&C.POLYIPC_PICKLE != 0, TrustGroup: o.flags&C.POLYIPC_TRUST_GROUP != 0,
	}, nil
}

func openPipe(op operation, name *C.char, o *C.polyipc_pipe_options, out *C.polyipc_pipe,
	how func(string, pipe.Options) (*pipe.Pipe, error)) error {
	opts, err := pipeOptions(op, o)
	if err != nil {
		return err
	}
	return open(op, pipes, name, (*C.uint32_t)(unsafe.Pointer(out)), func(name string) (noun, error) { return how(name, opts) })
}

//export pg_pipe_create
func pg_pipe_create(name *C.char, o *C.polyipc_pipe_options, out *C.polyipc_pipe) (s status) {
	const op = operation("create pipe")
	defer guard(op, &s)
	room(false)
	return done(op, 0, openPipe(op, name, o, out, pipe.Create))
}

//export pg_pipe_open
func pg_pipe_open(name *C.char, o *C.polyipc_pipe_options, out *C.polyipc_pipe) (s status) {
	const op = operation("open pipe")
	defer guard(op, &s)
	room(false)
	return done(op, 0, openPipe(op, name, o, out, pipe.Open))
}

//export pg_pipe_open_or_create
func pg_pipe_open_or_create(name *C.char, o *C.polyipc_pipe_options, out *C.polyipc_pipe) (s status) {
	const op = operation("open or create pipe")
	defer guard(op, &s)
	room(false)
	return done(op, 0, openPipe(op, name, o, out, pipe.OpenOrCreate))
}

//export pg_pipe_pair
func pg_pipe_pair(name *C.char, o *C.polyipc_pipe_options, outFirst, outSecond *C.polyipc_pipe) (s status) {
	const op = operation("create pipe")
	defer guard(op, &s)
	room(false)
	return done(op, 0, openPair(op, name, o, outFirst, outSecond))
}

// openPair makes two handles, or none.
func openPair(op operation, name *C.char, o *C.polyipc_pipe_options, outFirst, outSecond *C.polyipc_pipe) error {
	if outFirst == nil || outSecond == nil {
		return invalid(op, "out_first or out_second is NULL: give each a place for a handle")
	}
	var first, second *pipe.Pipe
	var handle C.polyipc_pipe
	err := openPipe(op, name, o, &handle, func(name string, o pipe.Options) (_ *pipe.Pipe, err error) {
		first, second, err = pipe.Pair(name, o)
		return first, err
	})
	if err != nil {
		if second != nil { // the handle of the first could not be made
			_ = second.Unlink()
			_ = second.Close()
		}
		return err
	}
	err = open(op, pipes, nil, (*C.uint32_t)(unsafe.Pointer(outSecond)), func(string) (noun, error) { return second, nil })
	if err != nil {
		_ = second.Close()
		_ = first.Unlink()
		_ = closeHandle(op, pipes, handle.id)
		return err
	}
	*outFirst = handle
	return nil
}

//export pg_pipe_close
func pg_pipe_close(h C.polyipc_pipe) (s status) {
	const op = operation("close pipe")
	defer guard(op, &s)
	room(false)
	return done(op, h.id, closeHandle(op, pipes, h.id))
}

//export pg_pipe_unlink
func pg_pipe_unlink(name, root *C.char) (s status) {
	const op = operation("unlink pipe")
	defer guard(op, &s)
	room(false)
	return done(op, 0, unlink(op, pipes, name, root, pipe.Unlink))
}

//export pg_pipe_name
func pg_pipe_name(h C.polyipc_pipe, buffer *C.char, capacity C.size_t) (s status) {
	const op = operation("name pipe")
	defer guard(op, &s)
	room(false)
	p, err := findPipe(op, h.id)
	if err == nil {
		err = nameOf(op, p, buffer, capacity)
	}
	return done(op, h.id, err)
}

//export pg_pipe_send
func pg_pipe_send(h C.polyipc_pipe, data unsafe.Pointer, size C.size_t, format C.polyipc_format, timeout C.int64_t) (s status) {
	defer guard(opSend, &s)
	debug.SetPanicOnFault(true)
	room(false)
	p, err := findPipe(opSend, h.id)
	if err != nil {
		return done(opSend, h.id, err)
	}
	f, err := formatOf(opSend, format)
	if err != nil {
		return done(opSend, h.id, err)
	}
	b, err := body(opSend, data, size)
	if err != nil {
		return done(opSend, h.id, err)
	}
	if err = p.TrySend(b, f); err != nil && timeout != 0 && codeOf(err) == ipcerr.Full {
		err = p.Send(wait(timeout), b, f)
	}
	return done(opSend, h.id, err)
}

//export pg_pipe_send_referring
func pg_pipe_send_referring(h C.polyipc_pipe, data unsafe.Pointer, size C.size_t, format C.polyipc_format, in *C.polyipc_reference, count C.size_t, timeout C.int64_t) (s status) {
	defer guard(opSend, &s)
	debug.SetPanicOnFault(true)
	room(false)
	p, err := findPipe(opSend, h.id)
	if err != nil {
		return done(opSend, h.id, err)
	}
	b, f, refs, err := referring(opSend, data, size, format, in, count)
	switch {
	case err != nil:
	case timeout == 0:
		err = p.TrySendReferring(b, f, refs)
	default:
		err = p.SendReferring(wait(timeout), b, f, refs)
	}
	return done(opSend, h.id, err)
}

//export pg_pipe_recv
func pg_pipe_recv(h C.polyipc_pipe, buffer unsafe.Pointer, capacity C.size_t, timeout C.int64_t, outSize *C.size_t, outFormat *C.polyipc_format) (s status) {
	defer guard(opRecv, &s)
	debug.SetPanicOnFault(true)
	room(false)
	p, err := findPipe(opRecv, h.id)
	if err != nil {
		return done(opRecv, h.id, err)
	}
	b, err := space(opRecv, buffer, capacity)
	if err != nil {
		return done(opRecv, h.id, err)
	}
	n, f, err := p.TryRecvInto(b)
	if err != nil && timeout != 0 && codeOf(err) == ipcerr.Empty {
		n, f, err = p.RecvInto(wait(timeout), b)
	}
	return got(opRecv, h.id, n, f, err, outSize, outFormat)
}

//export pg_pipe_poll
func pg_pipe_poll(h C.polyipc_pipe, timeout C.int64_t) (s status) {
	defer guard(opPoll, &s)
	debug.SetPanicOnFault(true)
	room(false)
	p, err := findPipe(opPoll, h.id)
	if err != nil {
		return done(opPoll, h.id, err)
	}
	if err = p.TryPoll(); err != nil && timeout != 0 && codeOf(err) == ipcerr.Empty {
		err = p.Poll(wait(timeout))
	}
	return done(opPoll, h.id, err)
}

//export pg_pipe_poll_fd
func pg_pipe_poll_fd(h C.polyipc_pipe, what C.uint32_t, out *C.int) (s status) {
	defer guard(opPoll, &s)
	room(false)
	p, err := findPipe(opPoll, h.id)
	if err == nil {
		err = pollFd(opPoll, h.id, p, what, out)
	}
	return done(opPoll, h.id, err)
}

//export pg_pipe_stat
func pg_pipe_stat(h C.polyipc_pipe, out *C.polyipc_pipe_stat_t) (s status) {
	const op = operation("stat pipe")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	p, err := findPipe(op, h.id)
	if err == nil && (out == nil || out.size != C.uint32_t(unsafe.Sizeof(*out))) {
		err = invalid(op, "set out_stat->size to sizeof(polyipc_pipe_stat_t), %d, and use the header of this library", unsafe.Sizeof(*out))
	}
	if err != nil {
		return done(op, h.id, err)
	}
	st, err := p.Stat()
	if err == nil {
		fillPipe(out, &st)
	}
	return done(op, h.id, err)
}

// fillPipe copies a snapshot; the caller has set size.
func fillPipe(out *C.polyipc_pipe_stat_t, st *pipe.Stat) {
	flags := C.uint32_t(C.POLYIPC_KEPT)
	if st.Transient {
		flags = C.POLYIPC_TRANSIENT
	}
	if st.Pickle {
		flags |= C.POLYIPC_PICKLE
	}
	if st.OneWay {
		flags |= C.POLYIPC_ONE_WAY
	}
	direction := func(d pipe.Direction) C.polyipc_pipe_direction {
		return C.polyipc_pipe_direction{
			messages: C.int64_t(d.Messages), bytes: C.int64_t(d.Bytes),
			sent: C.uint64_t(d.Sent), received: C.uint64_t(d.Received), abandoned: C.uint64_t(d.Abandoned),
		}
	}
	*out = C.polyipc_pipe_stat_t{
		size: out.size, flags: flags, capacity: C.int64_t(st.Capacity), end: C.uint32_t(st.End), other: C.uint32_t(st.Other),
		take_overs: C.uint64_t(st.TakeOvers), in: direction(st.In), out: direction(st.Out),
	}
}
