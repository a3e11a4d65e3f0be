package main

/*
#include "keep.h"
*/
import "C"

import (
	"runtime/debug"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/host"
	"github.com/polyipc/polyipc/runtime/manager"
)

// The exports of polyipc/manager.h that make, end and describe connections. What goes over them is in
// manager_call.go and manager_host.go.

var managers = newKind(C.PI_MANAGER, "manager", nil)

// connection is a client of a manager as a noun.
type connection struct {
	*manager.Client
	server string
}

// Name returns what it was connected to.
func (c connection) Name() string { return c.server }

// Inherit has nothing for a forked child: the server knows one process by this connection.
func (c connection) Inherit() host.Inherited { return host.Inherited{FD: -1} }

func findManager(op operation, id C.uint32_t) (connection, error) {
	return find[connection](op, managers, id)
}

//export pg_manager_connect
func pg_manager_connect(name *C.char, o *C.polyipc_manager_options, timeout C.int64_t, out *C.polyipc_manager) (s status) {
	const op = operation("connect to manager")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	opts, err := managerOptions(op, o)
	switch {
	case err != nil:
	case name == nil:
		err = invalid(op, "name is NULL: say which server, or tcp://host:port")
	case opts.Listen != "" || opts.Frame != 0 || opts.Clients != 0 || opts.Objects != 0 || opts.Idle != 0:
		err = invalid(op, "listen, frame, clients, objects and idle_ns are the server's: leave them NULL and 0")
	default:
		err = open(op, managers, name, (*C.uint32_t)(unsafe.Pointer(out)), func(name string) (noun, error) {
			c, err := manager.Connect(wait(timeout), name, opts)
			return connection{c, name}, err
		})
	}
	return done(op, 0, err)
}

//export pg_manager_reconnect
func pg_manager_reconnect(h C.polyipc_manager, timeout C.int64_t) (s status) {
	const op = operation("reconnect to manager")
	defer guard(op, &s)
	room(false)
	m, err := findManager(op, h.id)
	if err == nil {
		err = m.Reconnect(wait(timeout))
	}
	return done(op, h.id, err)
}

//export pg_manager_close
func pg_manager_close(h C.polyipc_manager) (s status) {
	const op = operation("close manager")
	defer guard(op, &s)
	room(false)
	return done(op, h.id, closeHandle(op, managers, h.id))
}

//export pg_manager_info
func pg_manager_info(h C.polyipc_manager, out *C.polyipc_manager_info_t) (s status) {
	const op = operation("describe manager")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	m, err := findManager(op, h.id)
	if err == nil && (out == nil || out.size != C.uint32_t(unsafe.Sizeof(*out))) {
		err = invalid(op, "set out_info->size to sizeof(polyipc_manager_info_t), %d, and use the header of this library", unsafe.Sizeof(*out))
	}
	if err != nil {
		return done(op, h.id, err)
	}
	info := m.Info()
	flags := C.uint32_t(0)
	if info.Pickle {
		flags = C.POLYIPC_PICKLE
	}
	*out = C.polyipc_manager_info_t{
		size: out.size, flags: flags, epoch: C.uint64_t(info.Epoch), client: C.uint64_t(info.Client), frame: C.int64_t(info.Frame),
	}
	return C.POLYIPC_OK
}

// given views bytes that the caller gives: all of it can be read, so that nothing faults where a lock is held.
func given(op operation, what string, data unsafe.Pointer, size C.size_t) ([]byte, error) {
	switch {
	case size == 0:
		return nil, nil
	case uintptr(data) < lowest:
		return nil, invalid(op, "%s is %s and its size %d: give the bytes, or size 0", what, pointer(data), size)
	case size > 1<<32:
		return nil, invalid(op, "%s has %d bytes: 2^32 are more than any call has", what, size)
	}
	b := unsafe.Slice((*byte)(data), int(size))
	for i := 0; i < len(b); i += 4096 {
		probe(&b[i])
	}
	probe(&b[len(b)-1])
	return b, nil
}

// probe reads a byte, in a way that is not left out.
//
//go:noinline
func probe(b *byte) byte { return *b }
