package mutex

import (
	"context"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// RLock is a lock of threads. A thread is a number that means one thread of this process: the kernel's
// thread id, or an Owner of package psync, which begins where those end.
//
// Owner is the process's token and its thread in one word, so that what a dead process, or one with
// the same thread id, left there never looks like ours.
type RLock Lock

// MaxDepth is how often one thread may take an RLock.
const MaxDepth = 1 << 30

// Lock takes the lock, once more if the thread has it. Errors as for [Lock.Lock], and LIMIT.
func (l RLock) Lock(ctx context.Context, thread uint32) (ownerDied bool, err error) {
	if l.H.Owner.Load() == l.owner(thread) {
		return false, l.deeper()
	}
	if ownerDied, err = Lock(l).Lock(ctx); err == nil {
		l.own(thread, 1)
	}
	return ownerDied, err
}

// TryLock takes the lock if it is free, its owner is dead, or the thread has it.
func (l RLock) TryLock(thread uint32) (locked, ownerDied bool, err error) {
	if l.H.Owner.Load() == l.owner(thread) {
		err = l.deeper()
		return err == nil, false, err
	}
	if locked, ownerDied, err = Lock(l).TryLock(); locked {
		l.own(thread, 1)
	}
	return locked, ownerDied, err
}

// Unlock undoes one Lock of the thread. INVALID if it does not have the lock.
func (l RLock) Unlock(thread uint32) error {
	if l.H.Owner.Load() != l.owner(thread) {
		return ipcerr.Invalid
	}
	if d := l.H.Depth.Load(); d > 1 {
		l.H.Depth.Store(d - 1)
		return nil
	}
	l.free()
	return nil
}

// UnlockAll frees the lock however often the thread took it, and returns how often that was, for
// LockAgain. INVALID if the thread does not have it.
func (l RLock) UnlockAll(thread uint32) (depth uint32, err error) {
	if l.H.Owner.Load() != l.owner(thread) {
		return 0, ipcerr.Invalid
	}
	depth = l.H.Depth.Load()
	l.free()
	return depth, nil
}

// LockAgain takes the lock as often as UnlockAll freed it. INVALID if the thread has it.
func (l RLock) LockAgain(ctx context.Context, thread, depth uint32) (ownerDied bool, err error) {
	if l.Owned(thread) {
		return false, ipcerr.Invalid
	}
	if ownerDied, err = Lock(l).Lock(ctx); err == nil {
		l.own(thread, depth)
	}
	return ownerDied, err
}

// Owned reports whether the thread has the lock.
func (l RLock) Owned(thread uint32) bool { return l.H.Owner.Load() == l.owner(thread) }

// Holder tells who holds the lock now.
func (l RLock) Holder() Holder { return Lock(l).Holder() }

func (l RLock) owner(thread uint32) uint64 { return uint64(l.Obj.Me)<<32 | uint64(thread) }

func (l RLock) deeper() error {
	d := l.H.Depth.Load()
	if d >= MaxDepth {
		return ipcerr.Limit
	}
	l.H.Depth.Store(d + 1)
	return nil
}

// own says which thread took the word, last that it did. Killed before, the word has a dead owner all the same.
func (l RLock) own(thread, depth uint32) {
	crash.Point("mutex.rlock.locked")
	if l.H.Depth.Load() != depth { // mostly 1 from the last time
		l.H.Depth.Store(depth)
	}
	l.H.Owner.Store(l.owner(thread))
}

// free takes the name of the thread away before the word is free: once another thread of this process has
// the word, this thread must not find itself there. Killed in between, the word has a dead owner.
func (l RLock) free() {
	l.H.Owner.Store(0)
	crash.Point("mutex.rlock.disowned")
	park.Unlock(&l.H.Word)
}
