package main

/*
#include "keep.h"
*/
import "C"

import (
	"runtime/debug"
	"unsafe"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/host"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/pipe"
	"github.com/polyipc/polyipc/runtime/psync"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/runtime/segment"
)

// The exports of polyipc/reference.h.

// referable is what can travel in a message.
type referable interface{ Ref() codec.Ref }

// refOpener opens objects of one kind of reference.
type refOpener struct {
	*kind
	open func(r codec.Ref, root string) (noun, error)
}

// refOpeners are all kinds of references that can be opened.
var refOpeners = makeRefOpeners()

// makeRefOpeners lists those of all nouns.
func makeRefOpeners() map[uint8]refOpener {
	aPipe := func(r codec.Ref, root string) (noun, error) { return pipe.OpenRef(r, root) }
	all := map[uint8]refOpener{
		C.POLYIPC_KIND_QUEUE:    {queues, func(r codec.Ref, root string) (noun, error) { return queue.OpenRef(r, root) }},
		C.POLYIPC_KIND_PIPE:     {pipes, aPipe},
		C.POLYIPC_KIND_PIPE_END: {pipes, aPipe},
		C.POLYIPC_KIND_SEGMENT:  {segments, func(r codec.Ref, root string) (noun, error) { return segment.OpenRef(r, root) }},
	}
	for t, k := range syncs {
		if kind := psync.RefKind(psync.Type(t)); kind != 0 {
			all[kind] = refOpener{k, func(r codec.Ref, root string) (noun, error) { return psync.OpenRef(r, root) }}
		}
	}
	return all
}

//export pg_reference_of
func pg_reference_of(id C.uint32_t, out *C.polyipc_reference) (s status) {
	const op = operation("refer to object")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	if out == nil {
		return done(op, id, invalid(op, "out_reference is NULL: give it a place for the reference"))
	}
	o := handles.find(uint32(id))
	if o == nil {
		var err error
		if o, err = handles.adopt(uint32(id)); err != nil {
			return done(op, id, err)
		}
	}
	if o == nil {
		return done(op, id, &ipcerr.Error{Op: string(op), Code: ipcerr.BadHandle, Hint: "the handle is none that is open in this process"})
	}
	n, ok := o.noun.(referable)
	if !ok {
		return done(op, id, invalid(op, "%s cannot travel in a message", a(o.kind.name)))
	}
	fillReference(out, n.Ref())
	return C.POLYIPC_OK
}

func fillReference(out *C.polyipc_reference, r codec.Ref) {
	*out = C.polyipc_reference{kind: C.polyipc_kind(r.Kind), receipt: C.uint32_t(r.Receipt)}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&out.uuid)), 16), r.UUID[:])
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&out.name)), len(out.name)-1), r.Name)
}

// readReference copies the caller's reference.
func readReference(op operation, in *C.polyipc_reference) (r codec.Ref, err error) {
	if in == nil {
		return r, invalid(op, "reference is NULL: say what to open")
	}
	name := text(unsafe.Slice((*byte)(unsafe.Pointer(&in.name)), len(in.name)))
	if len(name) == len(in.name) || in.kind == 0 || in.kind > 255 {
		return r, invalid(op, "the reference has kind %d and a name of %d bytes: kinds are 1 to 255, names up to 128 bytes", in.kind, len(name))
	}
	r = codec.Ref{Kind: uint8(in.kind), Receipt: uint32(in.receipt), Name: name}
	copy(r.UUID[:], unsafe.Slice((*byte)(unsafe.Pointer(&in.uuid)), 16))
	return r, nil
}

//export pg_reference_open
func pg_reference_open(in *C.polyipc_reference, root *C.char, kind C.polyipc_kind, out *C.uint32_t) (s status) {
	const op = operation("open reference")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	r, err := readReference(op, in)
	if err == nil && out == nil {
		err = invalid(op, "out_object is NULL: give it a place for the handle")
	}
	if err == nil && C.polyipc_kind(r.Kind) != kind {
		err = &ipcerr.Error{Op: string(op), Name: r.Name, Code: ipcerr.Invalid, Hint: "it refers to an object of another kind: look at its kind before you open it"}
	}
	o, known := refOpeners[r.Kind]
	if err == nil && !known {
		err = invalid(op, "kind %d is none that this library knows", r.Kind)
	}
	if err == nil {
		err = open(op, o.kind, nil, out, func(string) (noun, error) { return o.open(r, goRoot(root)) })
	}
	return done(op, 0, err)
}

//export pg_receipt_return
func pg_receipt_return(receipt C.uint32_t) (s status) {
	const op = operation("return receipt")
	defer guard(op, &s)
	room(false)
	host.Return(uint32(receipt))
	return C.POLYIPC_OK
}

// referring looks at what a caller gives with a message that refers to objects.
func referring(op operation, data unsafe.Pointer, size C.size_t, format C.polyipc_format, in *C.polyipc_reference, count C.size_t) (b []byte, f queue.Format, refs []codec.Ref, err error) {
	if f, err = formatOf(op, format); err != nil {
		return nil, 0, nil, err
	}
	if b, err = body(op, data, size); err != nil {
		return nil, 0, nil, err
	}
	if count > 1<<16 || count > 0 && in == nil {
		return nil, 0, nil, invalid(op, "references is NULL, or count %d too large", count)
	}
	refs = make([]codec.Ref, count)
	list := unsafe.Slice(in, int(count))
	for i := range list {
		if refs[i], err = readReference(op, &list[i]); err != nil {
			return nil, 0, nil, err
		}
	}
	return b, f, refs, nil
}
