package main

/*
#include "keep.h"
*/
import "C"

import (
	"context"
	"runtime/debug"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/psync"
	"golang.org/x/sys/unix"
)

// The verbs of what is acquired and released.

// caller is the thread that called, as the owner of an rlock.
func caller() psync.Owner { return psync.ThreadOwner(uint32(unix.Gettid())) }

// acquired is the error for an acquire that did not wait and found the lock held.
func acquired(op operation, ok bool, err error) error {
	if err == nil && !ok {
		return &ipcerr.Error{Op: string(op), Code: ipcerr.Timeout}
	}
	return err
}

// tryAcquire takes what x is, if that needs no waiting.
func tryAcquire(x noun) (ok, died bool, err error) {
	switch x := x.(type) {
	case *psync.Lock:
		return x.TryAcquire()
	case *psync.RLock:
		return x.TryAcquire(caller())
	case *psync.Condition:
		return x.TryAcquire(caller())
	case *psync.Semaphore:
		ok, err = x.TryAcquire()
	case *psync.BoundedSemaphore:
		ok, err = x.TryAcquire()
	}
	return ok, false, err
}

func acquire(x noun, ctx context.Context) (died bool, err error) {
	switch x := x.(type) {
	case *psync.Lock:
		return x.Acquire(ctx)
	case *psync.RLock:
		return x.Acquire(ctx, caller())
	case *psync.Condition:
		return x.Acquire(ctx, caller())
	case *psync.Semaphore:
		err = x.Acquire(ctx)
	case *psync.BoundedSemaphore:
		err = x.Acquire(ctx)
	}
	return false, err
}

//export pg_sync_acquire
func pg_sync_acquire(number, id C.uint32_t, timeout C.int64_t, outDied *C.int) (s status) {
	op := about("acquire", number)
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	touch(outDied)
	x, err := findSync[noun](op, number, id)
	if err != nil {
		return done(op, id, err)
	}
	ok, died, err := tryAcquire(x)
	if err == nil && !ok && timeout != 0 {
		died, err = acquire(x, wait(timeout))
		ok = err == nil
	}
	if err = acquired(op, ok, err); err == nil {
		tellFlag(outDied, died)
	}
	return done(op, id, err)
}

//export pg_sync_release
func pg_sync_release(number, id, count C.uint32_t) (s status) {
	op := about("release", number)
	defer guard(op, &s)
	room(false)
	x, err := findSync[noun](op, number, id)
	switch x := x.(type) {
	case *psync.Lock:
		err = x.Release()
	case *psync.RLock:
		err = x.Release(caller())
	case *psync.Condition:
		err = x.Release(caller())
	case *psync.Semaphore:
		err = x.Release(int64(count))
	case *psync.BoundedSemaphore:
		err = x.Release(int64(count))
	}
	return done(op, id, err)
}

//export pg_lock_locked
func pg_lock_locked(h C.polyipc_lock, out *C.int) status {
	return ask("look at lock", C.PI_LOCK, h.id, out != nil, func(l *psync.Lock) error {
		is, err := l.Locked()
		if err == nil {
			tellFlag(out, is)
		}
		return err
	})
}

// owner is what has an owner.
type owner interface {
	noun
	Owned(psync.Owner) (bool, error)
}

//export pg_sync_owned
func pg_sync_owned(number, id C.uint32_t, out *C.int) status {
	return ask(about("look at", number), number, id, out != nil, func(x owner) error {
		is, err := x.Owned(caller())
		if err == nil {
			tellFlag(out, is)
		}
		return err
	})
}

// valued is what has a value.
type valued interface {
	noun
	Value() (int64, error)
}

//export pg_sync_value
func pg_sync_value(number, id C.uint32_t, out *C.int64_t) status {
	return ask(about("look at", number), number, id, out != nil, func(x valued) error {
		n, err := x.Value()
		if err == nil {
			*out = C.int64_t(n)
		}
		return err
	})
}

//export pg_rwlock_read_lock
func pg_rwlock_read_lock(h C.polyipc_rwlock, timeout C.int64_t) (s status) {
	const op = operation("read-lock rwlock")
	defer guard(op, &s)
	room(false)
	l, err := findSync[*psync.RWLock](op, C.PI_RWLOCK, h.id)
	if err != nil {
		return done(op, h.id, err)
	}
	ok, err := l.TryReadLock()
	if err == nil && !ok && timeout != 0 {
		err = l.ReadLock(wait(timeout))
		ok = err == nil
	}
	return done(op, h.id, acquired(op, ok, err))
}

//export pg_rwlock_write_lock
func pg_rwlock_write_lock(h C.polyipc_rwlock, timeout C.int64_t, outDied *C.int) (s status) {
	const op = operation("write-lock rwlock")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	touch(outDied)
	l, err := findSync[*psync.RWLock](op, C.PI_RWLOCK, h.id)
	if err != nil {
		return done(op, h.id, err)
	}
	ok, died, err := l.TryWriteLock()
	if err == nil && !ok && timeout != 0 {
		died, err = l.WriteLock(wait(timeout))
		ok = err == nil
	}
	if err = acquired(op, ok, err); err == nil {
		tellFlag(outDied, died)
	}
	return done(op, h.id, err)
}

// unlock gives back what an rwlock gave.
func unlock(op operation, id C.uint32_t, how func(*psync.RWLock) error) (s status) {
	defer guard(op, &s)
	room(false)
	l, err := findSync[*psync.RWLock](op, C.PI_RWLOCK, id)
	if err == nil {
		err = how(l)
	}
	return done(op, id, err)
}

//export pg_rwlock_read_unlock
func pg_rwlock_read_unlock(h C.polyipc_rwlock) status {
	return unlock("read-unlock rwlock", h.id, (*psync.RWLock).ReadUnlock)
}

//export pg_rwlock_write_unlock
func pg_rwlock_write_unlock(h C.polyipc_rwlock) status {
	return unlock("write-unlock rwlock", h.id, (*psync.RWLock).WriteUnlock)
}
