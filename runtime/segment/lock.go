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

func (s *Segment) lock() mutex.Lock {
	return mutex.Lock{Obj: &s.obj, H: &s.h.Lock, Sit: func() func() { return s.obj.Sit(s.h.Seat[:], waitsForLock) }}
}

func (s *Segment) notLocked() error {
	return s.invalid("unlock", "it is not locked by this thread: lock it first")
}
