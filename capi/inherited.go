package main

/*
#include "keep.h"
*/
import "C"

import (
	"runtime/debug"

	"github.com/polyipc/polyipc/runtime/pipe"
	"github.com/polyipc/polyipc/runtime/psync"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/runtime/segment"
)

// The export of polyipc/process.h by which a child finds what was handed over to it.

// inherit opens what was handed over in a role as an object of that kind of reference.
func inherit(op operation, number C.polyipc_kind, flags C.uint32_t) (k *kind, how func(role string) (noun, error), err error) {
	const carried = C.POLYIPC_PICKLE | C.POLYIPC_TRUST_GROUP
	pickle, trust := flags&C.POLYIPC_PICKLE != 0, flags&C.POLYIPC_TRUST_GROUP != 0
	known := C.uint32_t(0)
	switch number {
	case C.POLYIPC_KIND_QUEUE:
		k, known = queues, carried
		how = func(role string) (noun, error) {
			return queue.Inherited(role, queue.Options{Pickle: pickle, TrustGroup: trust})
		}
	case C.POLYIPC_KIND_PIPE, C.POLYIPC_KIND_PIPE_END:
		k, known = pipes, carried
		how = func(role string) (noun, error) {
			return pipe.Inherited(role, pipe.Options{Pickle: pickle, TrustGroup: trust})
		}
	case C.POLYIPC_KIND_SEGMENT:
		k = segments
		how = func(role string) (noun, error) { return segment.Inherited(role) }
	}
	for t, of := range syncs {
		if psync.RefKind(psync.Type(t)) == uint8(number) && number != 0 && number < 256 {
			k = of
			how = func(role string) (noun, error) { return psync.Inherited(role, psync.Type(t)) }
		}
	}
	switch {
	case k == nil:
		return nil, nil, invalid(op, "kind %d is none that this library knows", number)
	case flags&^known != 0:
		return nil, nil, invalid(op, "flags are %#x: give 0, or POLYIPC_PICKLE and POLYIPC_TRUST_GROUP for what carries messages", flags)
	}
	return k, how, nil
}

//export pg_inherited
func pg_inherited(role *C.char, number C.polyipc_kind, flags C.uint32_t, out *C.uint32_t) (s status) {
	const op = operation("take inherited object")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	k, how, err := inherit(op, number, flags)
	if err == nil {
		err = open(op, k, nil, out, func(string) (noun, error) { return how(goString(role)) })
	}
	return done(op, 0, err)
}
