package main

/*
#include "quick.h"
*/
import "C"

import (
	"github.com/polyipc/polyipc/runtime/host"
	"github.com/polyipc/polyipc/runtime/pipe"
	"github.com/polyipc/polyipc/runtime/psync"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/runtime/segment"
)

// This file is the Go side of quick.h: it tells C what queues are open, and does for it what only Go
// can do.

func init() {
	if keep() != nil {
		keep().alone = C.bool(host.Alone())
	}
}

// quicken lets C use an object whose handle was just made findable. The table's lock is held.
func quicken(id uint32, n noun) {
	index := C.uint32_t(id % maxHandles)
	switch n := n.(type) {
	case *queue.Queue:
		s := n.Shared()
		both := side(s.Header, s.Ring, s.Data, s.Size)
		C.pi_quick_open(index, C.uint32_t(id), C.PI_QUEUE, C.uint32_t(s.Token), both, both, C.struct_pi_other{})
	case *pipe.Pipe:
		s := n.Shared()
		in, out := side(s.In.Header, s.In.Ring, s.In.Data, s.In.Size), side(s.Out.Header, s.Out.Ring, s.Out.Data, s.Out.Size)
		other := C.struct_pi_other{opened: (*C.uint32_t)(address(s.Opened)), lock: C.int64_t(s.Lock)}
		C.pi_quick_open(index, C.uint32_t(id), C.PI_PIPE, C.uint32_t(max(s.In.Token, s.Out.Token)), in, out, other)
	case psync.Object:
		token, header := n.Shared()
		C.pi_quick_open_plain(index, C.uint32_t(id), C.PI_SYNC+uint32(n.Type()), C.uint32_t(token), address(header), nil, 0)
	case *segment.Segment:
		s := n.Shared()
		C.pi_quick_open_plain(index, C.uint32_t(id), C.PI_SEGMENT, C.uint32_t(s.Token), address(s.Header),
			address(s.Data), C.uint64_t(s.Size))
	}
}

func side(header, ring, data uintptr, size uint64) C.struct_pi_side {
	return C.struct_pi_side{
		queue: (*C.struct_pi_queue)(address(header)), ring: (*C.struct_pi_ring)(address(ring)),
		data: (*C.char)(address(data)), size: C.uint64_t(size),
	}
}

// slacken keeps C from a queue that is being closed, and waits for who is at it. Without the table's
// lock: they may need it to come out.
func slacken(id uint32) {
	if keep() != nil {
		C.pi_quick_close(C.uint32_t(id % maxHandles))
	}
}

// quick is what C has quick ways for.
type quick interface {
	SitForMessage() (seat int)
	Settle() error
	Ring(kind int)
}

// quickOf returns the object behind a handle that C is at, nil if it is closed meanwhile.
func quickOf(id C.uint32_t) quick {
	if o := handles.find(uint32(id)); o != nil {
		if q, ok := o.noun.(quick); ok {
			return q
		}
	}
	return nil
}

// pg_quick_sit takes a seat for a thread that is about to wait for a message in C; -1 without one.
//
//export pg_quick_sit
func pg_quick_sit(id C.uint32_t) C.int {
	var s status
	defer guard(opGet, &s)
	room(false)
	if q := quickOf(id); q != nil {
		return C.int(q.SitForMessage())
	}
	return -1
}

// pg_quick_ring rings the doorbells of a kind, after C has put or taken something.
//
//export pg_quick_ring
func pg_quick_ring(id C.uint32_t, kind C.int) {
	var s status
	defer guard(opGet, &s)
	room(false)
	if q := quickOf(id); q != nil {
		q.Ring(int(kind))
	}
}

// pg_quick_settle sweeps, after C has found that somebody finished records without the lock.
//
//export pg_quick_settle
func pg_quick_settle(id C.uint32_t) {
	var s status
	defer guard(opGet, &s)
	room(false)
	if q := quickOf(id); q != nil {
		_ = q.Settle() // what is damaged is told by the next call
	}
}
