package main

/*
#include "keep.h"
#include "pyshim.h"
*/
import "C"

import (
	"runtime/debug"

	"github.com/polyipc/polyipc/runtime/psync"
	"github.com/polyipc/polyipc/runtime/segment"
)

// Locks of tasks: pyshim.h. What a thread owns elsewhere is owned by a number here, as in Go.

//export pg_py_owner
func pg_py_owner(out *C.uint32_t) (s status) {
	const op = operation("make owner")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	*out = C.uint32_t(psync.NewOwner().Number())
	return C.POLYIPC_OK
}

// ownable is what an owner has.
type ownable interface {
	noun
	TryAcquire(psync.Owner) (acquired, ownerDied bool, err error)
	Release(psync.Owner) error
	Owned(psync.Owner) (bool, error)
}

// segmentLock is a segment's lock, which an owner may have as well.
type segmentLock struct{ *segment.Segment }

func (l segmentLock) TryAcquire(o psync.Owner) (acquired, ownerDied bool, err error) {
	return l.TryLockThread(o.Number())
}

func (l segmentLock) Release(o psync.Owner) error { return l.UnlockThread(o.Number()) }

func (l segmentLock) Owned(o psync.Owner) (bool, error) { return l.OwnedByThread(o.Number()) }

// as does something with what an owner may have.
func as(op operation, id C.uint32_t, how func(ownable) error) (s status) {
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	o, err := findAny(op, id)
	if err == nil {
		n := o.noun
		if s, is := n.(*segment.Segment); is {
			n = segmentLock{s}
		}
		x, ok := n.(ownable)
		if !ok {
			return done(op, id, invalid(op, "%s has no owner", a(o.kind.name)))
		}
		err = how(x)
	}
	return done(op, id, err)
}

//export pg_py_acquire_as
func pg_py_acquire_as(id, owner C.uint32_t, outDied *C.int) status {
	const op = operation("acquire")
	return as(op, id, func(x ownable) error {
		ok, died, err := x.TryAcquire(psync.ThreadOwner(uint32(owner)))
		if err = acquired(op, ok, err); err == nil {
			tellFlag(outDied, died)
		}
		return err
	})
}

//export pg_py_release_as
func pg_py_release_as(id, owner C.uint32_t) status {
	return as("release", id, func(x ownable) error { return x.Release(psync.ThreadOwner(uint32(owner))) })
}

//export pg_py_owned_by
func pg_py_owned_by(id, owner C.uint32_t, out *C.int) status {
	return as("look at", id, func(x ownable) error {
		is, err := x.Owned(psync.ThreadOwner(uint32(owner)))
		if err == nil {
			tellFlag(out, is)
		}
		return err
	})
}

//export pg_py_event_mark
func pg_py_event_mark(h C.polyipc_event, out *C.uint32_t) status {
	return ask("look at event", C.PI_EVENT, h.id, out != nil, func(e *psync.Event) error {
		mark, err := e.Mark()
		if err == nil {
			*out = C.uint32_t(mark)
		}
		return err
	})
}
