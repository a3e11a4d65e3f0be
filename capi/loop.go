package main

/*
#include "keep.h"
#include "pyshim.h"
*/
import "C"

import (
	"context"
	"runtime/debug"
	"sync"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/host"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/psync"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/runtime/segment"
)

// The waits of Python's event loops for what has no descriptor: pyshim.h. A forked child has none of its parent's.

const opLoop operation = "wait in event loop"

var loops struct {
	sync.Mutex
	last uint32
	open map[uint32]*host.Pending
}

func findLoop(id C.uint32_t) (*host.Pending, error) {
	loops.Lock()
	defer loops.Unlock()
	if p := loops.open[uint32(id)]; p != nil {
		return p, nil
	}
	return nil, &ipcerr.Error{Op: string(opLoop), Code: ipcerr.BadHandle, Hint: "the loop is closed in this process, or its parent's"}
}

//export pg_py_loop_open
func pg_py_loop_open(out *C.uint32_t, outFd *C.int) (s status) {
	defer guard(opLoop, &s)
	room(false)
	p, err := host.NewPending()
	if err != nil {
		return done(opLoop, 0, err)
	}
	loops.Lock()
	defer loops.Unlock()
	if loops.open == nil {
		loops.open = map[uint32]*host.Pending{}
	}
	loops.last++
	loops.open[loops.last] = p
	*out, *outFd = C.uint32_t(loops.last), C.int(p.FD())
	return C.POLYIPC_OK
}

//export pg_py_loop_close
func pg_py_loop_close(id C.uint32_t) (s status) {
	defer guard(opLoop, &s)
	room(false)
	p, err := findLoop(id)
	if err != nil {
		return done(opLoop, 0, err)
	}
	loops.Lock()
	delete(loops.open, uint32(id))
	loops.Unlock()
	p.Close()
	return C.POLYIPC_OK
}

//export pg_py_loop_begin
func pg_py_loop_begin(id, verb, handle, lock, owner C.uint32_t, timeout C.int64_t, outWait *C.uint64_t) (s status) {
	defer guard(opLoop, &s)
	debug.SetPanicOnFault(true)
	room(false)
	p, err := findLoop(id)
	if err != nil {
		return done(opLoop, 0, err)
	}
	w, err := work(verb, handle, lock, psync.ThreadOwner(uint32(owner)))
	if err != nil {
		return done(opLoop, handle, err)
	}
	number, err := p.Start(w, wait(timeout).deadline)
	if err != nil {
		return done(opLoop, handle, err)
	}
	*outWait = C.uint64_t(number)
	return C.POLYIPC_OK
}

// work is what a verb does.
func work(verb, handle, lock C.uint32_t, owner psync.Owner) (host.Work, error) {
	o, err := findAny(opLoop, handle)
	if err != nil {
		return host.Work{}, err
	}
	switch x := o.noun.(type) {
	case *queue.Queue:
		if verb == C.PI_PY_JOINED {
			return plainWork(x.Join, nil), nil
		}
	case connection:
		if verb == C.PI_PY_TOLD {
			return plainWork(x.AwaitNews, nil), nil
		}
	case *psync.RWLock:
		switch verb {
		case C.PI_PY_READ_LOCKED:
			return plainWork(x.ReadLock, x.ReadUnlock), nil
		case C.PI_PY_WRITE_LOCKED:
			return lockWork(x.WriteLock, x.WriteUnlock), nil
		}
	case *psync.Barrier:
		if verb == C.PI_PY_PASSED || verb == C.PI_PY_TURN {
			return barrierWork(x, verb == C.PI_PY_TURN), nil
		}
	case *psync.Condition:
		if verb == C.PI_PY_NOTIFIED {
			return conditionWork(opLoop, x, lock, owner)
		}
	}
	if acquire, release := asOwner(o.noun, owner); verb == C.PI_PY_ACQUIRED && acquire != nil {
		return lockWork(acquire, release), nil
	}
	return host.Work{}, invalid(opLoop, "verb %d is none of %s", verb, a(o.kind.name))
}

// asOwner is how an object is acquired and released, nil if it is not.
func asOwner(x noun, owner psync.Owner) (acquire func(context.Context) (bool, error), release func() error) {
	switch x := x.(type) {
	case *psync.Lock:
		return x.Acquire, x.Release
	case *psync.RLock:
		return func(ctx context.Context) (bool, error) { return x.Acquire(ctx, owner) },
			func() error { return x.Release(owner) }
	case *psync.Condition:
		return func(ctx context.Context) (bool, error) { return x.Acquire(ctx, owner) },
			func() error { return x.Release(owner) }
	case *segment.Segment:
		return func(ctx context.Context) (bool, error) { return x.LockThread(ctx, owner.Number()) },
			func() error { return x.UnlockThread(owner.Number()) }
	case *psync.Semaphore:
		return permit(x)
	case *psync.BoundedSemaphore:
		return permit(&x.Semaphore)
	}
	return nil, nil
}

func permit(x *psync.Semaphore) (func(context.Context) (bool, error), func() error) {
	return func(ctx context.Context) (bool, error) { return false, x.Acquire(ctx) },
		func() error { return x.Release(1) }
}

// lockWork is one that learns whether a former owner died.
func lockWork(acquire func(context.Context) (bool, error), release func() error) host.Work {
	return host.Work{
		Do: func(wait, _ context.Context) (o host.Outcome, err error) {
			died, err := acquire(wait)
			return host.Outcome{First: uint64(flag(died))}, err
		},
		Undo: func(host.Outcome) { _ = release() },
	}
}

func plainWork(do func(context.Context) error, undo func() error) host.Work {
	w := host.Work{Do: func(wait, _ context.Context) (host.Outcome, error) { return host.Outcome{}, do(wait) }}
	if undo != nil {
		w.Undo = func(host.Outcome) { _ = undo() }
	}
	return w
}

// barrierWork tells the party's number and turn.
func barrierWork(b *psync.Barrier, hold bool) host.Work {
	return host.Work{
		Do: func(wait, _ context.Context) (host.Outcome, error) {
			index, turn, err := b.Arrive(wait, hold)
			return host.Outcome{First: uint64(index), Second: uint64(turn)}, err
		},
		Undo: func(o host.Outcome) {
			if o.Second != 0 {
				_ = b.Abort()
			}
		},
	}
}

// conditionWork tells whether it was notified and whether the lock's former owner died. The lock is freed as it begins, and
// held again when it ends. A notification that nobody is told of goes to another.
func conditionWork(op operation, c *psync.Condition, lock C.uint32_t, owner psync.Owner) (host.Work, error) {
	l, err := locker(op, c, lock, owner)
	if err != nil {
		return host.Work{}, err
	}
	_, release := asOwner(c, owner)
	if lock != 0 {
		o, err := findAny(op, lock)
		if err != nil {
			return host.Work{}, err
		}
		if _, release = asOwner(o.noun, owner); release == nil {
			return host.Work{}, invalid(op, "the lock is that of %s: in an event loop give a lock, rlock or segment, or 0", a(o.kind.name))
		}
	}
	w := &psync.Waiting{}
	undo := func(o host.Outcome) {
		if o.First != 0 {
			_ = c.Notify(1)
		}
		for range w.Depth {
			_ = release()
		}
	}
	return host.Work{
		Begin: func() error { return c.Begin(l, w) },
		Do: func(wait, whole context.Context) (host.Outcome, error) {
			waited := c.Await(wait, w)
			notified, died, err := c.End(whole, l, w)
			o := host.Outcome{First: uint64(flag(notified)), Second: uint64(flag(died))}
			switch {
			case err != nil && notified:
				_ = c.Notify(1)
			case err == nil && !notified && codeOf(waited) != ipcerr.Cancelled:
				undo(o) // it is broken, and the caller is told that it does not have the lock
				err = waited
			}
			return o, err
		},
		Undo: undo,
	}, nil
}

//export pg_py_loop_next
func pg_py_loop_next(id C.uint32_t, outWait *C.uint64_t, outStatus *C.int32_t, outFirst, outSecond *C.uint64_t) (s status) {
	defer guard(opLoop, &s)
	debug.SetPanicOnFault(true)
	room(false)
	p, err := findLoop(id)
	if err != nil {
		return done(opLoop, 0, err)
	}
	e, ok := p.Next()
	if !ok {
		return C.POLYIPC_EMPTY
	}
	*outWait, *outFirst, *outSecond = C.uint64_t(e.Number), C.uint64_t(e.First), C.uint64_t(e.Second)
	*outStatus = C.int32_t(done(opLoop, 0, e.Err))
	return C.POLYIPC_OK
}

// stop ends a wait.
func stop(id C.uint32_t, how func(*host.Pending)) (s status) {
	defer guard(opLoop, &s)
	room(false)
	p, err := findLoop(id)
	if err == nil {
		how(p)
	}
	return done(opLoop, 0, err)
}

//export pg_py_loop_cancel
func pg_py_loop_cancel(id C.uint32_t, wait C.uint64_t) status {
	return stop(id, func(p *host.Pending) { p.Cancel(uint64(wait)) })
}

//export pg_py_loop_interrupt
func pg_py_loop_interrupt(id C.uint32_t, wait C.uint64_t) status {
	return stop(id, func(p *host.Pending) { p.Interrupt(uint64(wait)) })
}

//export pg_py_manager_mind
func pg_py_manager_mind(h C.polyipc_manager, number C.uint64_t, events C.int) (s status) {
	defer guard(opManage, &s)
	room(false)
	m, err := findManager(opManage, h.id)
	switch {
	case err != nil:
	case events != 0:
		m.MindEvents(uint64(number))
	default:
		m.Mind(uint64(number))
	}
	return done(opManage, h.id, err)
}

//export pg_py_manager_news
func pg_py_manager_news(h C.polyipc_manager, to *C.uint64_t, capacity C.size_t, outCount *C.size_t) (s status) {
	defer guard(opManage, &s)
	debug.SetPanicOnFault(true)
	room(false)
	m, err := findManager(opManage, h.id)
	if err == nil {
		*outCount = C.size_t(m.News(unsafe.Slice((*uint64)(unsafe.Pointer(to)), int(capacity))))
	}
	return done(opManage, h.id, err)
}
