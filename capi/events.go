package main

/*
#include "keep.h"
*/
import "C"

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/events"
)

// Events of this process: $POLYIPC_LOG is the runtime's own affair, and a binding with a log of its own
// comes and takes them (pyshim.h).

var (
	eventHost  = events.Host{Log: logVariable, Track: trackDescriptor}
	collecting sync.Once
)

func logVariable() string { return goString(C.pi_log()) }

// beginEvents is called as Go starts. In a forked child it goes on collecting for the binding; what
// was not taken before the fork is the parent's to take.
func beginEvents() {
	k := keep()
	if k != nil {
		eventHost.Forks = int(k.forks)
	}
	eventHost.Begin()
	if k != nil && eventsWord().Load() != C.PI_EVENTS_UNWANTED {
		collecting.Do(collect)
	}
	eventHost.Reloaded()
}

func eventsWord() *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(&keep().events)) }

func collect() {
	eventsWord().Store(C.PI_EVENTS_NONE)
	eventHost.Collect(func() { eventsWord().Store(C.PI_EVENTS_NEWS) })
}

//export pg_py_events
func pg_py_events(buffer *C.char, capacity C.size_t, out *C.size_t) (s status) {
	const op = operation("take events")
	defer guard(op, &s)
	room(false)
	if buffer == nil || out == nil || capacity < 4096 {
		return done(op, 0, invalid(op, "buffer or out_size is NULL, or the buffer has less than 4096 bytes"))
	}
	*out = 0
	if keep() == nil {
		return C.POLYIPC_OK
	}
	collecting.Do(collect)
	to, err := space(op, unsafe.Pointer(buffer), capacity)
	if err != nil {
		return done(op, 0, err)
	}
	eventsWord().Store(C.PI_EVENTS_NONE) // before they are taken: none may be left unsaid
	*out = C.size_t(copy(to, eventHost.Take(len(to))))
	return C.POLYIPC_OK
}
