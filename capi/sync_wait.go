package main

/*
#include "keep.h"
*/
import "C"

import (
	"runtime/debug"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/psync"
)

// The verbs of events and barriers.

// act is for the functions that need nothing but their object.
func act[T noun](op operation, number, id C.uint32_t, how func(T) error) (s status) {
	defer guard(op, &s)
	room(false)
	x, err := findSync[T](op, number, id)
	if err == nil {
		err = how(x)
	}
	return done(op, id, err)
}

//export pg_event_set
func pg_event_set(h C.polyipc_event) status {
	return act("set event", C.PI_EVENT, h.id, (*psync.Event).Set)
}

//export pg_event_clear
func pg_event_clear(h C.polyipc_event) status {
	return act("clear event", C.PI_EVENT, h.id, (*psync.Event).Clear)
}

//export pg_event_is_set
func pg_event_is_set(h C.polyipc_event, out *C.int) status {
	return ask("look at event", C.PI_EVENT, h.id, out != nil, func(e *psync.Event) error {
		is, err := e.IsSet()
		if err == nil {
			tellFlag(out, is)
		}
		return err
	})
}

//export pg_event_wait
func pg_event_wait(h C.polyipc_event, timeout C.int64_t) (s status) {
	const op = operation("wait for event")
	defer guard(op, &s)
	room(false)
	e, err := findSync[*psync.Event](op, C.PI_EVENT, h.id)
	if err == nil {
		var is bool
		if is, err = e.IsSet(); err == nil && !is {
			if err = acquired(op, false, nil); timeout != 0 {
				err = e.Wait(wait(timeout))
			}
		}
	}
	return done(op, h.id, err)
}

//export pg_event_poll_fd
func pg_event_poll_fd(h C.polyipc_event, what C.uint32_t, out *C.int) (s status) {
	const op = operation("poll event")
	defer guard(op, &s)
	room(false)
	e, err := findSync[*psync.Event](op, C.PI_EVENT, h.id)
	if err == nil {
		err = pollFd(op, h.id, e, what, out)
	}
	return done(op, h.id, err)
}

//export pg_barrier_wait
func pg_barrier_wait(h C.polyipc_barrier, timeout C.int64_t, outIndex *C.int64_t, outTurn *C.uint64_t) (s status) {
	const op = operation("wait at barrier")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	touch(outIndex)
	touch(outTurn)
	b, err := findSync[*psync.Barrier](op, C.PI_BARRIER, h.id)
	if err != nil {
		return done(op, h.id, err)
	}
	index, turn, err := b.Arrive(wait(timeout), outTurn != nil)
	if err == nil {
		if outIndex != nil {
			*outIndex = C.int64_t(index)
		}
		if outTurn != nil {
			*outTurn = C.uint64_t(turn)
		}
	}
	return done(op, h.id, err)
}

//export pg_barrier_pass
func pg_barrier_pass(h C.polyipc_barrier, turn C.uint64_t) status {
	return act("pass barrier", C.PI_BARRIER, h.id, func(b *psync.Barrier) error {
		if turn == 0 {
			return &ipcerr.Error{Op: "pass barrier", Name: b.Name(), Code: ipcerr.Invalid, Hint: "turn is 0: only who arrives last gets one"}
		}
		return b.Pass(psync.Turn(turn))
	})
}

//export pg_barrier_abort
func pg_barrier_abort(h C.polyipc_barrier) status {
	return act("abort barrier", C.PI_BARRIER, h.id, (*psync.Barrier).Abort)
}

//export pg_barrier_reset
func pg_barrier_reset(h C.polyipc_barrier) status {
	return act("reset barrier", C.PI_BARRIER, h.id, (*psync.Barrier).Reset)
}

//export pg_barrier_waiting
func pg_barrier_waiting(h C.polyipc_barrier, outWaiting *C.int64_t, outBroken *C.int) status {
	return ask("look at barrier", C.PI_BARRIER, h.id, true, func(b *psync.Barrier) error {
		n, broken, err := b.Waiting()
		if err != nil {
			return err
		}
		if outWaiting != nil {
			*outWaiting = C.int64_t(n)
		}
		tellFlag(outBroken, broken)
		return nil
	})
}

//export pg_condition_notify
func pg_condition_notify(h C.polyipc_condition, count C.uint32_t) status {
	return act("notify condition", C.PI_CONDITION, h.id, func(c *psync.Condition) error {
		return c.Notify(int(min(count, 1<<30)))
	})
}

//export pg_condition_notify_all
func pg_condition_notify_all(h C.polyipc_condition) status {
	return act("notify condition", C.PI_CONDITION, h.id, (*psync.Condition).NotifyAll)
}

// The phases of a wait, as polyipc_waiting has them.
const (
	waitOver = iota
	waitCalled
	waitLock
)

//export pg_condition_wait
func pg_condition_wait(h C.polyipc_condition, lock C.uint32_t, timeout C.int64_t, waiting *C.polyipc_waiting, outDied *C.int) (s status) {
	const op = operation("wait for condition")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	touch(outDied)
	touch(waiting)
	c, err := findSync[*psync.Condition](op, C.PI_CONDITION, h.id)
	var l psync.Locker
	if err == nil {
		l, err = locker(op, c, lock, caller())
	}
	if err != nil {
		return done(op, h.id, err)
	}
	var w C.polyipc_waiting
	if waiting != nil {
		w = *waiting
	}
	died, err := conditionWait(op, c, l, timeout, &w, waiting != nil)
	if waiting != nil {
		*waiting = w
	}
	if code := ipcerr.CodeOf(err); err == nil || code == ipcerr.Timeout || code == ipcerr.Interrupted {
		tellFlag(outDied, died)
	}
	return done(op, h.id, err)
}

// locker is the lock that a wait frees: the condition's own, or that behind the number of a handle.
func locker(op operation, c *psync.Condition, lock C.uint32_t, owner psync.Owner) (psync.Locker, error) {
	if lock == 0 {
		return c.Of(owner), nil
	}
	if l, err := findSync[*psync.Lock](op, C.PI_LOCK, lock); err == nil {
		return l, nil
	}
	if l, err := findSync[*psync.RLock](op, C.PI_RLOCK, lock); err == nil {
		return l.Of(owner), nil
	}
	s, err := findSegment(op, lock)
	if err != nil {
		return nil, &ipcerr.Error{Op: string(op), Code: ipcerr.BadHandle, Hint: "the lock is none that is open in this process: give the id of a lock, an rlock or a segment, or 0"}
	}
	return s.Of(owner.Number()), nil
}

// conditionWait carries a wait on from the phase it is in. resumable: an interrupted one is left as it is.
func conditionWait(op operation, c *psync.Condition, l psync.Locker, timeout C.int64_t, w *C.polyipc_waiting, resumable bool) (died bool, err error) {
	at := psync.Waiting{Place: uint32(w.place), Depth: uint32(w.depth), Ticket: uint64(w.ticket)}
	if w.phase == waitOver {
		if err := c.Begin(l, &at); err != nil {
			return false, err
		}
		*w = C.polyipc_waiting{ticket: C.uint64_t(at.Ticket), place: C.uint32_t(at.Place), depth: C.uint32_t(at.Depth), phase: waitCalled}
	}
	if w.phase == waitCalled {
		err := c.Await(wait(timeout), &at)
		switch code := ipcerr.CodeOf(err); {
		case code == ipcerr.Invalid: // the caller made it up
			return false, err
		case code == ipcerr.Interrupted && resumable && timeout != 0:
			return false, err
		}
		w.phase, w.status = waitLock, C.uint32_t(codeOf(err))
	}
	again := wait(-1)
	again.interruptible = again.interruptible && resumable
	notified, died, err := c.End(again, l, &at)
	if resumable && ipcerr.CodeOf(err) == ipcerr.Interrupted {
		return false, err
	}
	w.phase = waitOver
	if err == nil && !notified && w.status != C.POLYIPC_OK {
		err = &ipcerr.Error{Op: string(op), Name: c.Name(), Code: ipcerr.Code(w.status)}
	}
	return died, err
}
