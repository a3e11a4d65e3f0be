package psync

import (
	"context"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/mutex"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Lock is a mutual exclusion lock. It belongs to the process that acquired it, but any goroutine of any
// process may release it. A process that has it does not get it again.
type Lock struct{ base }

// CreateLock makes a lock; it fails with ipcerr.Exists if the name is taken. An empty name makes an
// anonymous one with a UUID for a name. The same holds for the other types.
func CreateLock(name string, o Options) (*Lock, error) {
	return open(&Lock{}, create, name, what{o, layout.SyncLock, 0})
}

// OpenLock opens an existing lock; it fails with ipcerr.NotFound if there is none, and with
// ipcerr.WrongKind if it is of another type.
func OpenLock(name string, o Options) (*Lock, error) {
	return open(&Lock{}, openOnly, name, what{o, layout.SyncLock, 0})
}

// OpenOrCreateLock opens the lock or makes it.
func OpenOrCreateLock(name string, o Options) (*Lock, error) {
	return open(&Lock{}, openOrCreate, name, what{o, layout.SyncLock, 0})
}

// lock is the lock within the header.
func (b *base) lock() mutex.Lock { return mutex.Lock{Obj: &b.obj, H: &b.h.Lock, Sit: b.sitForLock} }

func (b *base) sitForLock() func() { return b.obj.Sit(b.h.Seat[:], waitsForLock) }

// Acquire takes the lock, waiting for it until ctx ends. ownerDied: its former owner died with it, and what
// it protects may be half changed.
func (l *Lock) Acquire(ctx context.Context) (ownerDied bool, err error) {
	var o op
	if err = o.begin(&l.base, "acquire"); err != nil {
		return false, err
	}
	defer o.End(&err)
	return l.lock().Lock(ctx)
}

// TryAcquire takes the lock if it is free or its owner died.
func (l *Lock) TryAcquire() (acquired, ownerDied bool, err error) {
	var o op
	if err = o.begin(&l.base, "acquire"); err != nil {
		return false, false, err
	}
	defer o.End(&err)
	return l.lock().TryLock()
}

// Release frees the lock, whoever has it; ipcerr.Invalid if nobody does.
func (l *Lock) Release() (err error) {
	var o op
	if err = o.begin(&l.base, "release"); err != nil {
		return err
	}
	defer o.End(&err)
	if err = l.lock().Unlock(); err == ipcerr.Invalid {
		err = o.misuse("it is not held: it was released too many times")
	}
	return err
}

// Locked reports whether somebody has the lock now.
func (l *Lock) Locked() (locked bool, err error) {
	var o op
	if err = o.begin(&l.base, "look at"); err != nil {
		return false, err
	}
	defer o.End(&err)
	return l.lock().Holder().Token != 0, nil
}

// Locker is what Condition.WaitWith releases while it waits: a *Lock, or what RLock.Of or Segment.Of returns.
type Locker interface {
	// ReleaseAll frees the lock, and tells how often it was acquired. INVALID if the caller does not have it.
	ReleaseAll() (depth uint32, err error)
	// AcquireAgain takes it as often as ReleaseAll freed it.
	AcquireAgain(ctx context.Context, depth uint32) (ownerDied bool, err error)
}

// ReleaseAll is Release, for Condition.WaitWith.
func (l *Lock) ReleaseAll() (uint32, error) { return 1, l.Release() }

// AcquireAgain is Acquire, for Condition.WaitWith.
func (l *Lock) AcquireAgain(ctx context.Context, _ uint32) (bool, error) { return l.Acquire(ctx) }
