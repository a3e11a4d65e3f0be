package psync

import (
	"context"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// RWLock is held by any number of readers or by one writer. A writer that waits lets no new readers in;
// readers that waited while a writer was in come before the next one. So neither starves, and who has a
// read lock must not wait for another one.
//
// What a dead process held ends; the next writer is told if it was a writer's.
type RWLock struct{ base }

// CreateRWLock makes an rwlock.
func CreateRWLock(name string, o Options) (*RWLock, error) {
	return open(&RWLock{}, create, name, what{o, layout.SyncRWLock, 0})
}

// OpenRWLock opens an existing rwlock.
func OpenRWLock(name string, o Options) (*RWLock, error) {
	return open(&RWLock{}, openOnly, name, what{o, layout.SyncRWLock, 0})
}

// OpenOrCreateRWLock opens the rwlock or makes it.
func OpenOrCreateRWLock(name string, o Options) (*RWLock, error) {
	return open(&RWLock{}, openOrCreate, name, what{o, layout.SyncRWLock, 0})
}

// How it works. A writer takes the lock in the header, which keeps readers out, waits until those who are in
// have left, and is in (Active). Readers are counted in the ledger, under the guard:
//
//	reader                               writer
//	                                     takes the lock
//	guard: the lock is taken, waits      guard: readers 0, Active = 1
//
// The guard orders the two, so one of them sees the other. A writer that leaves while readers wait sets Admit:
// they may pass although the next writer has the lock, which waits for them, but no longer than admitFor,
// since they may be dead. Tests lengthen it.
var admitFor = 10 * time.Millisecond

// ReadLock takes a read lock, waiting for it until ctx ends.
func (l *RWLock) ReadLock(ctx context.Context) (err error) {
	var o op
	if err = o.begin(&l.base, "read-lock"); err != nil {
		return err
	}
	defer o.End(&err)
	defer o.leave()
	if done, err := o.read(ctx, false); done || err != nil {
		return err
	}
	return l.waitToRead(ctx, o.again())
}

func (l *RWLock) waitToRead(ctx context.Context, o *op) error {
	defer o.leave()
	// Before the count, so that a writer which leaves now lets this reader pass.
	if err := o.pend(1); err != nil {
		return err
	}
	w := l.waiter(waitsToRead)
	w.Try = func() (bool, error) { return o.read(ctx, true) }
	err := park.Wait(ctx, &w)
	if err != nil {
		_ = o.pend(-1) // if not, the next writer waits for admitFor in vain
	}
	return err
}

// pend counts a reader that waits, or no longer does.
func (o *op) pend(by int) error {
	if err := o.guard(noWait); err != nil {
		return err
	}
	defer o.unguard()
	o.pending(by)
	return nil
}

// pending changes the count. Guard. It only steers how long a writer waits for readers to pass: the dead
// may be in it, and whoever gives up waiting for them makes it 0, though some may live.
func (o *op) pending(by int) {
	h := o.b.h
	switch {
	case by > 0:
		h.Pending++
	case h.Pending > 1:
		h.Pending--
	default:
		h.Pending, h.Admit = 0, 0
	}
}

// TryReadLock takes a read lock if no writer is in or waits.
func (l *RWLock) TryReadLock() (locked bool, err error) {
	var o op
	if err = o.begin(&l.base, "read-lock"); err != nil {
		return false, err
	}
	defer o.End(&err)
	defer o.leave()
	return o.read(noWait, false)
}

// read takes a read lock if it may. waited: it is one of those that a writer lets pass.
func (o *op) read(ctx context.Context, waited bool) (bool, error) {
	b, h := o.b, o.b.h
	if token, _ := park.Holder(&h.Lock.Word); token != 0 && token != b.obj.Me && !b.obj.Member.Alive(token) {
		if err := o.dropWriter(); err != nil {
			return false, err
		}
	}
	if err := o.guard(ctx); err != nil {
		return false, err
	}
	defer o.unguard()
	token, _ := park.Holder(&h.Lock.Word)
	if token != 0 && (h.Active.Load() != 0 || !waited || h.Admit == 0) {
		return false, nil
	}
	slot, count := o.mine()
	v := h.Value.Load()
	if count >= MaxValue || v >= layout.Slots*MaxValue {
		return false, ipcerr.Corrupt
	}
	o.enter(slot, count+1)
	crash.Point("psync.read.entered")
	h.Value.Store(v + 1)
	if waited {
		if o.pending(-1); h.Admit == 0 {
			park.WakeAll(&h.Drained)
		}
	}
	return true, nil
}

// dropWriter frees the lock of a dead writer, and leaves word for the next one.
func (o *op) dropWriter() error {
	ok, died, err := o.b.lock().TryLock()
	if err != nil || !ok {
		return err
	}
	if died {
		o.inherit() // killed from here on, the lock has a dead owner again
	}
	err = o.b.lock().Unlock()
	park.WakeAll(&o.b.h.Word)
	return err
}

// inherit leaves word for the next writer if the dead owner of the lock was in. One that still waited or had
// left already has changed nothing by half. Killed between the stores, whoever comes next does the same again.
func (o *op) inherit() {
	h := o.b.h
	if h.Active.Load() != 0 {
		h.Died.Store(1)
		crash.Point("psync.writer.inherited")
		h.Active.Store(0)
	}
}

// ReadUnlock gives a read lock of this process back; ipcerr.Invalid if it has none.
func (l *RWLock) ReadUnlock() (err error) {
	var o op
	if err = o.begin(&l.base, "read-unlock"); err != nil {
		return err
	}
	defer o.End(&err)
	defer o.leave()
	if err = o.guardSoon(); err != nil {
		return err
	}
	slot, count := o.mine()
	if count == 0 {
		o.unguard()
		return o.misuse("this process has no read lock: it was unlocked too many times")
	}
	o.enter(slot, count-1)
	crash.Point("psync.read.left")
	v := max(l.h.Value.Load(), 1) - 1
	l.h.Value.Store(v)
	o.unguard()
	if v == 0 {
		park.WakeAll(&l.h.Drained) // killed before, the writer sees it when its slice ends
	}
	return nil
}

// WriteLock takes the write lock, waiting for it until ctx ends. ownerDied: a writer died with it since the
// last one, and what it protects may be half changed.
func (l *RWLock) WriteLock(ctx context.Context) (ownerDied bool, err error) {
	var o op
	if err = o.begin(&l.base, "write-lock"); err != nil {
		return false, err
	}
	defer o.End(&err)
	defer o.leave()
	ownerDied, err = l.lock().Lock(ctx)
	if err != nil {
		return false, err
	}
	return o.becomeWriter(ctx, ownerDied)
}

// TryWriteLock takes the write lock if nobody is in.
func (l *RWLock) TryWriteLock() (locked, ownerDied bool, err error) {
	var o op
	if err = o.begin(&l.base, "write-lock"); err != nil {
		return false, false, err
	}
	defer o.End(&err)
	defer o.leave()
	locked, ownerDied, err = l.lock().TryLock()
	if err != nil || !locked {
		return false, false, err
	}
	ownerDied, err = o.becomeWriter(noWait, ownerDied)
	if err == ipcerr.Timeout {
		return false, false, nil
	}
	return err == nil, ownerDied, err
}

// becomeWriter waits until the readers are gone; with noWait it does not. The caller has the lock,
// and does not have it any more after an error.
func (o *op) becomeWriter(ctx context.Context, took bool) (ownerDied bool, err error) {
	b, h := o.b, o.b.h
	if took {
		o.inherit() // told that time is up, or killed, it has left word
	}
	crash.Point("psync.write.locked")
	done, err := o.drained()
	if !done && err == nil {
		err = ipcerr.Timeout
		if ctx != noWait {
			err = b.waitToWrite(ctx, o.again())
		}
	}
	if err != nil {
		_ = b.lock().Unlock()
		park.WakeAll(&h.Word) // readers that this writer kept out
		return false, err
	}
	return h.Died.Swap(0) != 0, nil
}

func (b *base) waitToWrite(ctx context.Context, o *op) error {
	defer o.leave()
	w := b.waiter(waitsToWrite)
	w.Word, w.Try = &b.h.Drained, o.drained
	w.Slice = func() time.Duration {
		if b.h.Admit != 0 {
			return admitFor
		}
		return slice
	}
	return park.Wait(ctx, &w)
}

// drained makes the caller, who has the lock, the writer if nobody reads.
func (o *op) drained() (bool, error) {
	h := o.b.h
	if err := o.guard(noWait); err != nil {
		return false, err
	}
	defer o.unguard()
	if h.Admit != 0 {
		if d := time.Duration(object.Now() - h.Admit); d >= 0 && d < admitFor {
			return false, nil
		}
		h.Pending, h.Admit = 0, 0
	}
	if h.Value.Load() != 0 && (!o.b.search() || !o.reclaim() || h.Value.Load() != 0) {
		return false, nil
	}
	h.Active.Store(1)
	return true, nil
}

// WriteUnlock gives the write lock back; ipcerr.Invalid if this process does not have it.
func (l *RWLock) WriteUnlock() (err error) {
	var o op
	if err = o.begin(&l.base, "write-unlock"); err != nil {
		return err
	}
	defer o.End(&err)
	defer o.leave()
	if err = o.guardSoon(); err != nil {
		return err
	}
	if token, _ := park.Holder(&l.h.Lock.Word); token != l.obj.Me || l.h.Active.Load() == 0 {
		o.unguard()
		return o.misuse("this process does not have it: write-lock it first")
	}
	l.h.Active.Store(0)
	if l.h.Pending > 0 {
		l.h.Admit = object.Now()
	}
	o.unguard()
	crash.Point("psync.write.left") // the lock has a dead owner, of which nobody is told: all was written
	err = l.lock().Unlock()
	park.WakeAll(&l.h.Word) // killed before, the readers see it when their slices end
	return err
}
