package psync

import (
	"context"
	"sync/atomic"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/mutex"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Owner is who has an RLock. Goroutines have no identity that a program could ask for, so one takes an Owner
// and shows it: whoever has the same Owner may acquire again, whoever has another must wait.
type Owner struct{ thread uint32 }

// NewOwner returns an Owner that no one else in this process has.
func NewOwner() Owner { return Owner{firstOwner + owners.Add(1)%firstOwner} }

// firstOwner lies above all thread ids of the kernel, so that the threads of a C or Python program, which are
// known by those, never look like an Owner.
const firstOwner = 1 << 31

var owners atomic.Uint32

// ThreadOwner is the Owner that stands for a thread of the operating system: for other languages, whose
// threads have an identity.
func ThreadOwner(tid uint32) Owner { return Owner{tid} }

// Number is what ThreadOwner makes the same Owner of.
func (o Owner) Number() uint32 { return o.thread }

// RLock is a lock that its owner may acquire again; it is free when it was released as often.
type RLock struct{ base }

// CreateRLock makes an rlock.
func CreateRLock(name string, o Options) (*RLock, error) {
	return open(&RLock{}, create, name, what{o, layout.SyncRLock, 0})
}

// OpenRLock opens an existing rlock.
func OpenRLock(name string, o Options) (*RLock, error) {
	return open(&RLock{}, openOnly, name, what{o, layout.SyncRLock, 0})
}

// OpenOrCreateRLock opens the rlock or makes it.
func OpenOrCreateRLock(name string, o Options) (*RLock, error) {
	return open(&RLock{}, openOrCreate, name, what{o, layout.SyncRLock, 0})
}

func (b *base) rlock() mutex.RLock { return mutex.RLock(b.lock()) }

// Acquire takes the lock, once more if owner has it, waiting for it until ctx ends. ownerDied: its former
// owner died with it, and what it protects may be half changed.
func (l *RLock) Acquire(ctx context.Context, owner Owner) (ownerDied bool, err error) {
	return l.acquireAs(ctx, owner)
}

// TryAcquire takes the lock if it is free, its owner died, or owner has it.
func (l *RLock) TryAcquire(owner Owner) (acquired, ownerDied bool, err error) {
	return l.tryAcquireAs(owner)
}

// Release undoes one acquire of owner; ipcerr.Invalid if owner does not have the lock.
func (l *RLock) Release(owner Owner) error { return l.releaseAs(owner) }

// Owned reports whether owner has the lock.
func (l *RLock) Owned(owner Owner) (bool, error) { return l.ownedBy(owner) }

// The verbs of locks with owners, which conditions have too.

func (b *base) acquireAs(ctx context.Context, owner Owner) (ownerDied bool, err error) {
	var o op
	if err = o.begin(b, "acquire"); err != nil {
		return false, err
	}
	defer o.End(&err)
	ownerDied, err = b.rlock().Lock(ctx, owner.thread)
	return ownerDied, o.tooDeep(err)
}

func (b *base) tryAcquireAs(owner Owner) (acquired, ownerDied bool, err error) {
	var o op
	if err = o.begin(b, "acquire"); err != nil {
		return false, false, err
	}
	defer o.End(&err)
	acquired, ownerDied, err = b.rlock().TryLock(owner.thread)
	return acquired, ownerDied, o.tooDeep(err)
}

func (o *op) tooDeep(err error) error {
	if err == ipcerr.Limit {
		return &ipcerr.Error{Op: "acquire " + o.b.obj.Noun, Name: o.b.Name(), Code: ipcerr.Limit,
			Hint: "its owner acquired it 1073741824 times: release it as often"}
	}
	return err
}

func (b *base) releaseAs(owner Owner) (err error) {
	var o op
	if err = o.begin(b, "release"); err != nil {
		return err
	}
	defer o.End(&err)
	if err = b.rlock().Unlock(owner.thread); err == ipcerr.Invalid {
		err = o.notOwned()
	}
	return err
}

func (b *base) ownedBy(owner Owner) (owned bool, err error) {
	var o op
	if err = o.begin(b, "look at"); err != nil {
		return false, err
	}
	defer o.End(&err)
	return b.rlock().Owned(owner.thread), nil
}

func (o *op) notOwned() error {
	return o.misuse("the caller does not have it: acquire it first, in the same thread (in Go: with the same Owner)")
}

// Of is the lock as owner's, for Condition.WaitWith.
func (l *RLock) Of(owner Owner) Locker { return owned{&l.base, owner} }

// owned is the lock of an rlock or condition, as an owner's.
type owned struct {
	b     *base
	owner Owner
}

func (l owned) ReleaseAll() (depth uint32, err error) {
	var o op
	if err = o.begin(l.b, "release"); err != nil {
		return 0, err
	}
	defer o.End(&err)
	if depth, err = l.b.rlock().UnlockAll(l.owner.thread); err == ipcerr.Invalid {
		err = o.notOwned()
	}
	return depth, err
}

func (l owned) AcquireAgain(ctx context.Context, depth uint32) (ownerDied bool, err error) {
	var o op
	if err = o.begin(l.b, "acquire"); err != nil {
		return false, err
	}
	defer o.End(&err)
	return l.b.rlock().LockAgain(ctx, l.owner.thread, depth)
}
