package main

/*
#include "keep.h"
*/
import "C"

import (
	"runtime/debug"
	"slices"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/host"
	"github.com/polyipc/polyipc/runtime/segment"
)

// The exports of polyipc/segment.h that make, end and describe segments. Those that work on the contents are in
// segment_cells.go.

var segments = newKind(C.PI_SEGMENT, "segment", func(in host.Inherited) (noun, error) { return segment.Adopt(in) })

func findSegment(op operation, id C.uint32_t) (*segment.Segment, error) {
	return find[*segment.Segment](op, segments, id)
}

// segmentOptions reads the caller's options; NULL are the defaults.
func segmentOptions(op operation, o *C.polyipc_segment_options) (segment.Options, error) {
	if o == nil {
		return segment.Options{Root: goRoot(nil)}, nil
	}
	const known = C.POLYIPC_KEPT | C.POLYIPC_TRANSIENT
	switch {
	case o.size != C.uint32_t(unsafe.Sizeof(*o)):
		return segment.Options{}, invalid(op, "options of %d bytes, not %d: set size to sizeof(polyipc_segment_options), and use the header of this library", o.size, unsafe.Sizeof(*o))
	case o.flags&^known != 0:
		return segment.Options{}, invalid(op, "unknown bits %#x in flags: use POLYIPC_KEPT, POLYIPC_TRANSIENT", o.flags&^known)
	case o.reserved != 0:
		return segment.Options{}, invalid(op, "reserved is %d: set it to 0", o.reserved)
	case o.dims > C.POLYIPC_SEGMENT_MAX_DIMS:
		return segment.Options{}, invalid(op, "%d dimensions: at most %d are possible", o.dims, C.POLYIPC_SEGMENT_MAX_DIMS)
	case o.dims > 0 && o.shape == nil:
		return segment.Options{}, invalid(op, "shape is NULL with %d dimensions: give the shape", o.dims)
	case o.initial_bytes < 0 || o.initial_bytes > segment.MaxSize || o.initial_bytes > 0 && o.initial == nil:
		return segment.Options{}, invalid(op, "initial_bytes %d, and initial is at %p: give the bytes to begin with, or 0", o.initial_bytes, o.initial)
	case o.item_size < 0:
		return segment.Options{}, invalid(op, "item_size %d: give sizeof an item, or 0", o.item_size)
	}
	shape := slices.Clone(unsafe.Slice((*int64)(unsafe.Pointer(o.shape)), int(o.dims)))
	return segment.Options{
		Root: goRoot(o.root), Size: int64(o.bytes), MaxSize: int64(o.max_bytes),
		Format: goString(o.format), Shape: shape, ItemSize: int64(o.item_size),
		Data: unsafe.Slice((*byte)(o.initial), int(o.initial_bytes)),
		Kept: o.flags&C.POLYIPC_KEPT != 0, Transient: o.flags&C.POLYIPC_TRANSIENT != 0,
	}, nil
}

func openSegment(op operation, name *C.char, o *C.polyipc_segment_options, out *C.polyipc_segment,
	how func(string, segment.Options) (*segment.Segment, error)) error {
	opts, err := segmentOptions(op, o)
	if err != nil {
		return err
	}
	return open(op, segments, name, (*C.uint32_t)(unsafe.Pointer(out)), func(name string) (noun, error) { return how(name, opts) })
}

//export pg_segment_create
func pg_segment_create(name *C.char, o *C.polyipc_segment_options, out *C.polyipc_segment) (s status) {
	const op = operation("create segment")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	return done(op, 0, openSegment(op, name, o, out, segment.Create))
}

//export pg_segment_open
func pg_segment_open(name *C.char, o *C.polyipc_segment_options, out *C.polyipc_segment) (s status) {
	const op = operation("open segment")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	return done(op, 0, openSegment(op, name, o, out, segment.Open))
}

//export pg_segment_open_or_create
func pg_segment_open_or_create(name *C.char, o *C.polyipc_segment_options, out *C.polyipc_segment) (s status) {
	const op = operation("open or create segment")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	return done(op, 0, openSegment(op, name, o, out, segment.OpenOrCreate))
}

//export pg_segment_close
func pg_segment_close(h C.polyipc_segment) (s status) {
	const op = operation("close segment")
	defer guard(op, &s)
	room(false)
	return done(op, h.id, closeHandle(op, segments, h.id))
}

// pg_py_segment_leave closes a handle and leaves the memory mapped, for views of it that Python still has.
//
//export pg_py_segment_leave
func pg_py_segment_leave(h C.polyipc_segment) (s status) {
	const op = operation("leave segment")
	defer guard(op, &s)
	room(false)
	if _, err := findSegment(op, h.id); err != nil { // and adopted, in a forked child
		return done(op, h.id, err)
	}
	trackPoller()
	o, _, ok := handles.take(uint32(h.id), segments)
	if !ok || o == nil { // another thread was quicker
		return done(op, h.id, badHandle(op, segments, h.id, nil))
	}
	return done(op, h.id, o.noun.(*segment.Segment).Leave())
}

//export pg_segment_unlink
func pg_segment_unlink(name, root *C.char) (s status) {
	const op = operation("unlink segment")
	defer guard(op, &s)
	room(false)
	return done(op, 0, unlink(op, segments, name, root, segment.Unlink))
}

//export pg_segment_name
func pg_segment_name(h C.polyipc_segment, buffer *C.char, capacity C.size_t) (s status) {
	const op = operation("name segment")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	g, err := findSegment(op, h.id)
	if err == nil {
		err = nameOf(op, g, buffer, capacity)
	}
	return done(op, h.id, err)
}

//export pg_segment_data
func pg_segment_data(h C.polyipc_segment, data *unsafe.Pointer, bytes *C.int64_t) (s status) {
	const op = operation("data of segment")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	g, err := findSegment(op, h.id)
	if err != nil {
		return done(op, h.id, err)
	}
	n, err := g.Size()
	if err == nil && bytes != nil {
		*bytes = C.int64_t(n)
	}
	if err == nil && data != nil {
		*data = address(g.Shared().Data)
	}
	return done(op, h.id, err)
}

//export pg_segment_grow
func pg_segment_grow(h C.polyipc_segment, bytes C.int64_t) (s status) {
	const op = operation("grow segment")
	defer guard(op, &s)
	room(false)
	g, err := findSegment(op, h.id)
	if err == nil {
		err = g.Grow(int64(bytes))
	}
	return done(op, h.id, err)
}

//export pg_segment_describe
func pg_segment_describe(h C.polyipc_segment, out *C.polyipc_segment_type_t) (s status) {
	const op = operation("describe segment")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	g, err := findSegment(op, h.id)
	if err == nil && (out == nil || out.size != C.uint32_t(unsafe.Sizeof(*out))) {
		err = invalid(op, "set out_type->size to sizeof(polyipc_segment_type_t), %d, and use the header of this library", unsafe.Sizeof(*out))
	}
	if err != nil {
		return done(op, h.id, err)
	}
	t := C.polyipc_segment_type_t{size: out.size, item_size: C.int64_t(g.ItemSize())}
	for i, n := range g.Shape() {
		t.shape[i] = C.int64_t(n)
		t.dims++
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&t.format)), len(t.format)-1), g.Format())
	*out = t
	return C.POLYIPC_OK
}

//export pg_segment_stat
func pg_segment_stat(h C.polyipc_segment, out *C.polyipc_segment_stat_t) (s status) {
	const op = operation("stat segment")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	g, err := findSegment(op, h.id)
	if err == nil && (out == nil || out.size != C.uint32_t(unsafe.Sizeof(*out))) {
		err = invalid(op, "set out_stat->size to sizeof(polyipc_segment_stat_t), %d, and use the header of this library", unsafe.Sizeof(*out))
	}
	if err != nil {
		return done(op, h.id, err)
	}
	st, err := g.Stat()
	if err != nil {
		return done(op, h.id, err)
	}
	locks, err := g.Locks()
	if err != nil {
		return done(op, h.id, err)
	}
	t := C.polyipc_segment_stat_t{
		size: out.size, flags: C.POLYIPC_KEPT, bytes: C.int64_t(st.Size), max_bytes: C.int64_t(st.MaxSize),
		waiters: C.int64_t(st.Waiters), take_overs: C.uint64_t(st.TakeOvers),
	}
	if st.Transient {
		t.flags = C.POLYIPC_TRANSIENT
	}
	if len(locks) > 0 {
		t.lock_pid, t.lock_held_ns = C.int64_t(locks[0].Pid), C.int64_t(locks[0].For)
	}
	*out = t
	return C.POLYIPC_OK
}
