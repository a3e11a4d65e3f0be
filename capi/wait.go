package main

/*
#include "keep.h"
*/
import "C"

import (
	"context"
	"time"
)

// A host may have installed signal handlers without SA_ONSTACK. They run on whatever stack the
// interrupted thread is on, which within Go is a goroutine's, sized for Go's frames alone; a
// handler there would write over other memory. So each export sees to it that this much is free
// before it does anything, and each wait does before it sleeps; and a thread's first call, which
// starts on a small stack, begins with signals blocked (pg_enter).
const handlerRoom = 64 << 10 // bytes; four times what the largest signal frame and a printf take

// room makes the stack so large that handlerRoom bytes are free. It is its frame that does so, on
// entry; nothing is written unless fill, which is never set.
//
//go:noinline
func room(fill bool) byte {
	if !fill {
		return 0
	}
	var b [handlerRoom]byte
	for i := range b {
		b[i] = byte(i)
	}
	return b[len(b)-1]
}

//export pg_enter
func pg_enter() { room(false) }

// patience is the context of a call that waits: a deadline and nothing to cancel it by. park looks
// for Interruptible.
type patience struct {
	deadline      time.Time
	interruptible bool
}

var _ context.Context = (*patience)(nil)

// wait makes the context for a timeout in nanoseconds that is not 0. What is further off than
// time.Time's arithmetic is exact waits for ever.
func wait(timeout C.int64_t) *patience {
	const longest = 100 * 365 * 24 * time.Hour
	p := &patience{interruptible: C.pi_interruptible() != 0}
	if d := time.Duration(timeout); d >= 0 && d < longest {
		p.deadline = time.Now().Add(d)
	}
	return p
}

// Deadline implements context.Context.
func (p *patience) Deadline() (time.Time, bool) { return p.deadline, !p.deadline.IsZero() }

// Done implements context.Context: nothing cancels it.
func (p *patience) Done() <-chan struct{} { return nil }

// Err implements context.Context. Waits look at it before each sleep, which is when the stack,
// shrunk perhaps by a collection since the last time, must be roomy again.
func (p *patience) Err() error {
	room(false)
	return nil
}

// Value implements context.Context.
func (p *patience) Value(any) any { return nil }

// Interruptible says whether a signal ends the wait with ipcerr.Interrupted.
func (p *patience) Interruptible() bool { return p.interruptible }
