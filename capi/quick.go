package main

/*
#include "quick.h"
*/
import "C"

import (
	"github.com/polyipc/polyipc/runtime/host"
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
	switch n := n.(type) {
	case *queue.Queue:
		s := n.Shared()
		side := C.struct_pi_side{
			queue: (*C.struct_pi_queue)(address(s.Header)), ring: (*C.struct_pi_ring)(address(s.Ring)),
			data: (*C.char)(address(s.Data)), size: C.uint64_t(s.Size),
		}
		C.pi_quick_open(C.uint32_t(id%maxHandles), C.uint32_t(id), C.PI_QUEUE, C.uint32_t(s.Token), side, side)
	case *segment.Segment:
		s := n.Shared()
		C.pi_quick_open_plain(C.uint32_t(id%maxHandles), C.uint32_t(id), C.PI_SEGMENT, C.uint32_t(s.Token), address(s.Header),
			address(s.Data), C.uint64_t(s.Size))
	}
}

// slacken keeps C from a queue that is being closed, and waits for who is at it. Without the table's
// lock: they may need it to come out.
func slacken(id uint32) {
	if keep() != nil {
		C.pi_quick_close(C.uint32_t(id % maxHandles))
	}
}

// pg_queue_sit takes a seat for a thread that is about to wait for a message in C; -1 without one.
//
//export pg_queue_sit
func pg_queue_sit(h C.polyipc_queue) C.int {
	var s status
	defer guard(opGet, &s)
	room(false)
	if q, err := findQueue(opGet, h.id); err == nil {
		return C.int(q.SitForMessage())
	}
	return -1
}

// pg_queue_settle sweeps, after C has found that somebody finished records without the lock.
//
//export pg_queue_settle
func pg_queue_settle(id C.uint32_t) {
	var s status
	defer guard(opGet, &s)
	room(false)
	if q, err := findQueue(opGet, id); err == nil {
		_ = q.Settle() // what is damaged is told by the next call
	}
}
