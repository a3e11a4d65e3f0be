package main

/*
#include "process.h"
#include <stdlib.h>
*/
import "C"

import (
	"fmt"
	"runtime/debug"
	"strconv"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/host"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/process"
	many "github.com/polyipc/polyipc/runtime/wait"
	"golang.org/x/sys/unix"
)

// The exports of polyipc/process.h. What is handed over is in package process, starting is in process.c.

var processes = newKind(C.PI_PROCESS, "process", nil)

// child is a process as a noun.
type child struct{ *process.Process }

// Name returns the pid.
func (c child) Name() string { return strconv.Itoa(c.Pid()) }

// Inherit has nothing for a forked child, which is no parent.
func (c child) Inherit() host.Inherited { return host.Inherited{Name: c.Name(), FD: -1} }

// Readable is that the process is gone.
func (c child) Readable() many.Waitable { return c.Process }

func findProcess(op operation, id C.uint32_t) (child, error) { return find[child](op, processes, id) }

// handOver makes the descriptors for the caller's objects.
func handOver(op operation, objects *C.polyipc_process_object, count C.size_t) (*process.Handover, error) {
	if count > 0 && objects == nil || count > 1<<16 {
		return nil, invalid(op, "objects is NULL, or count %d is far more than can be handed over", count)
	}
	given := process.Objects{}
	for i, o := range unsafe.Slice(objects, int(count)) {
		found, err := findAny(op, o.handle)
		if err != nil {
			return nil, err
		}
		role := goString(o.role)
		n, ok := found.noun.(process.Object)
		if !ok || given[role] != nil {
			return nil, invalid(op, "objects[%d] is %s, which cannot be handed over, or its role %q is given twice", i, a(found.kind.name), role)
		}
		given[role] = n
	}
	return process.HandOver(given)
}

// cString is a C string of s, to be freed; NULL if that is empty.
func cString(s string) *C.char {
	if s == "" {
		return nil
	}
	return C.CString(s)
}

// spawnOptions reads the caller's options into what process.c takes; NULL are the defaults.
func spawnOptions(op operation, o *C.polyipc_process_options) (c C.struct_pi_spawn, err error) {
	c.standard = [3]C.int{-1, -1, -1}
	switch {
	case o == nil:
		return c, nil
	case o.size != C.uint32_t(unsafe.Sizeof(*o)):
		return c, invalid(op, "options of %d bytes, not %d: set size to sizeof(polyipc_process_options), and use the header of this library", o.size, unsafe.Sizeof(*o))
	case o.flags != 0 || o.reserved != 0:
		return c, invalid(op, "unknown bits %#x in flags: set it, and reserved, to 0", o.flags|o.reserved)
	}
	for i, fd := range o.standard {
		c.standard[i] = C.int(fd)
	}
	c.directory, c.env = o.directory, (**C.char)(unsafe.Pointer(o.env))
	return c, nil
}

//export pg_process_spawn
func pg_process_spawn(argv **C.char, objects *C.polyipc_process_object, count C.size_t, o *C.polyipc_process_options, out *C.polyipc_process) (s status) {
	const op = operation("spawn process")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	how, err := spawnOptions(op, o)
	if err == nil && (argv == nil || *argv == nil || out == nil) {
		err = invalid(op, "argv, argv[0] or out_process is NULL: say what to start, and give a place for the handle")
	}
	if err != nil {
		return done(op, 0, err)
	}
	given, err := handOver(op, objects, count)
	if err != nil {
		return done(op, 0, err)
	}
	defer given.Close()
	how.argv = argv
	for i, fd := range given.Descriptors() {
		how.keep[i] = C.int(fd)
		how.keep_count++
	}
	how.objects = cString(given.Value(given.Descriptors())) // they keep their numbers
	defer C.free(unsafe.Pointer(how.objects))
	return done(op, 0, start(op, &how, out))
}

// start starts the program and makes its handle.
func start(op operation, how *C.struct_pi_spawn, out *C.polyipc_process) error {
	return open(op, processes, nil, (*C.uint32_t)(unsafe.Pointer(out)), func(string) (noun, error) {
		var pid C.int
		if e := unix.Errno(C.pi_spawn(how, &pid)); e != 0 {
			return nil, cannotStart(op, C.GoString(*how.argv), e)
		}
		p, err := process.Of(int(pid))
		if err != nil {
			_ = unix.Kill(int(pid), unix.SIGKILL)
			_, _ = unix.Wait4(int(pid), nil, 0, nil)
			return nil, err
		}
		return child{p}, nil
	})
}

func cannotStart(op operation, program string, e unix.Errno) error {
	err := &ipcerr.Error{Op: string(op), Name: program, Code: ipcerr.Internal, Err: e}
	switch e {
	case unix.ENOENT, unix.ENOTDIR:
		err.Code, err.Hint = ipcerr.NotFound, "there is no such program, or its interpreter, or the directory to start it in, is missing"
	case unix.EACCES, unix.EPERM:
		err.Code, err.Hint = ipcerr.Denied, "it may not be executed"
	case unix.EBADF:
		err.Code, err.Hint = ipcerr.Invalid, "one of options.standard is not an open descriptor"
	case unix.ENOEXEC, unix.EINVAL, unix.E2BIG:
		err.Code, err.Hint = ipcerr.Invalid, "it is no program that this machine executes, or its arguments and environment are too long"
	case unix.EAGAIN, unix.EMFILE, unix.ENFILE:
		err.Code, err.Hint = ipcerr.Limit, "no process or descriptor is left: see ulimit -u, ulimit -n"
	case unix.ENOMEM:
		err.Code = ipcerr.NoMemory
	}
	return err
}

//export pg_process_wait
func pg_process_wait(h C.polyipc_process, timeout C.int64_t, out *C.int) (s status) {
	const op = operation("wait for process")
	defer guard(op, &s)
	room(false)
	p, err := findProcess(op, h.id)
	if err != nil {
		return done(op, h.id, err)
	}
	how, err := p.Wait(wait(timeout))
	if err == nil && out != nil {
		*out = C.int(how)
	}
	return done(op, h.id, err)
}

//export pg_process_pid
func pg_process_pid(h C.polyipc_process, out *C.int) (s status) {
	const op = operation("ask process for its id")
	defer guard(op, &s)
	room(false)
	p, err := findProcess(op, h.id)
	if err == nil && out == nil {
		err = invalid(op, "out_pid is NULL")
	}
	if err == nil {
		*out = C.int(p.Pid())
	}
	return done(op, h.id, err)
}

//export pg_process_poll_fd
func pg_process_poll_fd(h C.polyipc_process, out *C.int) (s status) {
	const op = operation("poll process")
	defer guard(op, &s)
	room(false)
	p, err := findProcess(op, h.id)
	if err == nil {
		err = pollFd(op, h.id, p, C.POLYIPC_READABLE, out)
	}
	return done(op, h.id, err)
}

//export pg_process_kill
func pg_process_kill(h C.polyipc_process, signal C.int) (s status) {
	const op = operation("signal process")
	defer guard(op, &s)
	room(false)
	p, err := findProcess(op, h.id)
	if err == nil {
		err = p.Signal(unix.Signal(signal))
	}
	return done(op, h.id, err)
}

//export pg_process_close
func pg_process_close(h C.polyipc_process) (s status) {
	const op = operation("close process")
	defer guard(op, &s)
	room(false)
	return done(op, h.id, closeHandle(op, processes, h.id))
}

// pg_py_hand_over is for Python, whose subprocess starts programs: see pyshim.h.
//
//export pg_py_hand_over
func pg_py_hand_over(objects *C.polyipc_process_object, count C.size_t, buffer *C.char, capacity C.size_t, outSize *C.size_t, outFds *C.int32_t) (s status) {
	const op = operation("hand over objects")
	defer guard(op, &s)
	room(false)
	given, err := handOver(op, objects, count)
	if err != nil {
		return done(op, 0, err)
	}
	fds := given.Descriptors()
	value := given.Value(fds)
	*outSize = C.size_t(len(value))
	to, err := space(op, unsafe.Pointer(buffer), capacity)
	if err == nil && len(to) < len(value) {
		err = &ipcerr.Error{Op: string(op), Code: ipcerr.TooSmall, Hint: fmt.Sprintf("give a buffer of %d bytes", len(value))}
	}
	if err != nil {
		given.Close()
		return done(op, 0, err)
	}
	copy(to, value)
	places := unsafe.Slice(outFds, len(fds))
	for i, fd := range fds {
		places[i] = C.int32_t(fd)
		trackDescriptor(fd, false) // subprocess may start its child by a fork, which is to have it
	}
	return C.POLYIPC_OK
}

//export pg_py_let_go
func pg_py_let_go(fds *C.int32_t, count C.size_t) (s status) {
	const op = operation("close descriptors")
	defer guard(op, &s)
	room(false)
	for _, fd := range unsafe.Slice(fds, int(count)) {
		process.CloseDescriptor(int(fd))
	}
	return C.POLYIPC_OK
}
