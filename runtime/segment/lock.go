package segment

import (
	"context"

	"github.com/polyipc/polyipc/runtime/internal/mutex"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Lock takes the lock that every segment has, for what several processes change together; nobody is kept from
// the contents without it. ownerDied: a process died with the lock, and what it changed may be half changed.
//
// It is the one that Python's Value and Array have, where a thread may take it again; in Go it is like a
// sync.Mutex.
//
// TIMEOUT, CANCELLED, CLOSED, CORRUPT.
func (s *Segment) Lock(ctx context.Context) (ownerDied bool, err error) {
	c := s.call("lock")
	if err := c.Begin(); err != nil {
		return false, err
	}
	defer c.End(&err)
	return s.lock().Lock(ctx)
}

// TryLock takes the lock if it is free or its owner is dead.
func (s *Segment) TryLock() (locked, ownerDied bool, err error) {
	c := s.call("lock")
	if err := c.Begin(); err != nil {
		return false, false, err
	}
	defer c.End(&err)
	return s.lock().TryLock()
}

// Unlock frees the lock. INVALID if no goroutine of this process has it.
func (s *Segment) Unlock() (err error) {
	c := s.call("unlock")
	if err := c.Begin(); err != nil {
		return err
	}
	defer c.End(&err)
	// A thread's name there may be that of one who died with the lock.
	if token, _ := park.Holder(&s.h.Lock.Word); token != s.obj.Me || uint32(s.h.Lock.Owner.Load()>>32) == s.obj.Me {
		return s.notLocked()
	}
	return s.lock().Unlock()
}

// LockThread is Lock for a thread, which may take the lock several times. A thread is the kernel's number for it.
// For libraries.
func (s *Segment) LockThread(ctx context.Context, thread uint32) (ownerDied bool, err error) {
	c := s.call("lock")
	if err := c.Begin(); err != nil {
		return false, err
	}
	defer c.End(&err)
	return mutex.RLock(s.lock()).Lock(ctx, thread)
}

// TryLockThread is TryLock for a thread.
func (s *Segment) TryLockThread(thread uint32) (locked, ownerDied bool, err error) {
	c := s.call("lock")
	if err := c.Begin(); err != nil {
		return false, false, err
	}
	defer c.End(&err)
	return mutex.RLock(s.lock()).TryLock(thread)
}

// UnlockThread undoes one LockThread of the thread. INVALID if it does not have the lock.
func (s *Segment) UnlockThread(thread uint32) (err error) {
	c := s.call("unlock")
	if err := c.Begin(); err != nil {
		return err
	}
	defer c.End(&err)
	if err := mutex.RLock(s.lock()).Unlock(thread); err != ipcerr.Invalid {
		return err
	}
	return s.notLocked()
}

// OwnedByThread reports whether the thread has the lock.
func (s *Segment) OwnedByThread(thread uint32) (owned bool, err error) {
	c := s.call("look at lock of")
	if err := c.Begin(); err != nil {
		return false, err
	}
	defer c.End(&err)
	return mutex.RLock(s.lock()).Owned(thread), nil
}

// Of is the lock as a thread's, for psync.Condition.WaitWith.
func (s *Segment) Of(thread uint32) ThreadLock { return ThreadLock{s, thread} }

// ThreadLock is a segment's lock as a thread's.
type ThreadLock struct {
	s      *Segment
	thread uint32
}

// ReleaseAll frees the lock, and tells how often the thread had taken it. INVALID if it does not have it.
func (l ThreadLock) ReleaseAll() (depth uint32, err error) {
	c := l.s.call("unlock")
	if err := c.Begin(); err != nil {
		return 0, err
	}
	defer c.End(&err)
	if depth, err = mutex.RLock(l.s.lock()).UnlockAll(l.thread); err == ipcerr.Invalid {
		err = l.s.notLocked()
	}
	return depth, err
}

// AcquireAgain takes the lock as often as ReleaseAll freed it.
func (l ThreadLock) AcquireAgain(ctx context.Context, depth uint32) (ownerDied bool, err error) {
	c := l.s.call("lock")
	if err := c.Begin(); err != nil {
		return false, err
	}
	defer c.End(&err)
	return mutex.RLock(l.s.lock()).LockAgain(ctx, l.thread, depth)
}

func (s *Segment) lock() mutex.Lock {
	return mutex.Lock{Obj: &s.obj, H: &s.h.Lock, Sit: func() func() { return s.obj.Sit(s.h.Seat[:], waitsForLock) }}
}

func (s *Segment) notLocked() error {
	return s.invalid("unlock", "it is not locked by this thread: lock it first")
}
