// Package psync has locks, semaphores, conditions, events and barriers between processes, in Go, C and
// Python at once.
//
//	l, err := psync.OpenOrCreateLock("ledger", psync.Options{})
//	...
//	defer l.Close()
//	ownerDied, err := l.Acquire(ctx)
//	if ownerDied {
//		// the former owner died with the lock: what it protects may be half changed
//	}
//	...
//	err = l.Release()
//
// All may be used by any number of goroutines and processes at once. What a process holds when it
// dies does not stay held: the next to want its lock gets it and is told, its place in a condition or a
// barrier is dropped, its read locks end, and its permits return where a semaphore was made so. Who sleeps
// learns of a death within 100 ms.
//
// Verbs that take a context wait until it ends: ipcerr.Timeout, ipcerr.Cancelled. Those that begin with
// Try do not wait.
package psync

import (
	"fmt"
	"time"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/doorbell"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Options say where an object lies and how long it lives. The zero value is the default root, and that
// objects with a name are kept.
type Options struct {
	Root      string // directory; "": $POLYIPC_ROOT, or /dev/shm/polyipc-<uid>
	Kept      bool   // lives until Unlink, also if anonymous
	Transient bool   // goes with its last user, also if named
	Reclaim   bool   // semaphores: permits held by a process that dies return
}

// Limits.
const (
	MaxValue   = 1<<31 - 1 // of a semaphore, as the system's
	MaxParties = 1000      // of a barrier
	maxWaiting = 1024      // threads in a condition, or in a barrier besides its parties
)

// Unlink removes the name of a synchronisation object of any type; that there is none is no error. Who
// has it open goes on using it; it goes with the last of them. root is as in Options.
func Unlink(root, name string) error { return object.Unlink(root, name, layout.KindSync) }

// base is what all types have in common; each embeds it.
type base struct {
	obj  object.Object
	h    *layout.Sync
	kind layout.SyncType

	places []layout.Place // of a condition or barrier
	ledger *layout.Ledger // of a semaphore that reclaims, and of an rwlock
	bells  doorbell.Bells // of an event
}

// Name returns the object's name.
func (b *base) Name() string { return b.obj.Name() }

// Unlink removes this object's name, as the function Unlink does.
func (b *base) Unlink() error { return b.obj.Unlink() }

// Close ends the use of this object: calls under way in other goroutines fail with ipcerr.Closed. What this
// process holds stays held until it ends: release it first. A transient object without another user goes.
// Closing again does nothing.
func (b *base) Close() error {
	return b.obj.Close(nil, func() {
		if b.kind == layout.SyncEvent {
			b.bells.Kick()
		}
		object.Kick(&b.h.Word, &b.h.Drained)
		for i := range b.places {
			if p := &b.places[i]; uint32(p.Who.Load()) == b.obj.Me {
				park.Kick(&p.Word)
			}
		}
	})
}

// Inherit describes the object for Adopt in a forked child. Only for libraries that survive a fork; a Go
// program does not.
func (b *base) Inherit() object.Inherited { return b.obj.Inherit() }

func (b *base) self() *base { return b }

// Object is what all types have in common.
type Object interface {
	Name() string
	Close() error
	Unlink() error
	Ref() codec.Ref
	Inherit() object.Inherited
	Stat() (Stat, error)
	Holders() ([]Holder, error)
	Waiters() ([]Holder, error)
	Type() Type
	Shared() (token uint32, header uintptr)
	self() *base
}

// what is what to open.
type what struct {
	Options
	kind  layout.SyncType
	limit int64
}

// how to open.
type how int

const (
	create how = iota
	openOnly
	openOrCreate
)

func (h how) String() string { return [...]string{"create", "open", "open or create"}[h] }

// open opens or makes an object of a type.
func open[T Object](o T, h how, name string, w what) (T, error) {
	var none T
	b := o.self()
	op := h.String() + " " + w.kind.String()
	if err := w.check(op, name, h); err != nil {
		return none, err
	}
	want := b.want(op, w.kind)
	want.Root, want.Name, want.Create, want.Open = w.Root, name, h != openOnly, h != create
	want.Spec = func(members [16]byte) shm.Spec { return w.spec(name, members) }
	want.Matches = func() error { return b.matches(op, w, h) }
	if err := b.obj.Open(want); err != nil {
		return none, err
	}
	return o, nil
}

// want is what opening and adopting have in common. 0 takes any type.
func (b *base) want(op string, kind layout.SyncType) *object.Want {
	w := &object.Want{Op: op, Noun: kind.String(), Kind: layout.KindSync}
	w.Attach = func() error { return b.attach(kind) }
	if kind == layout.SyncEvent {
		w.Free = b.bells.Close
	}
	return w
}

// attach looks at the header and finds what lies behind it.
func (b *base) attach(kind layout.SyncType) error {
	mem := b.obj.File.Mem
	b.h = layout.View[layout.Sync](mem, layout.SyncOffset)
	b.kind = b.h.Type
	places, used, size := b.h.Places, b.obj.File.Header().Used, shape(b.kind, b.h.Flags, int64(b.h.Limit))
	switch {
	case b.kind.String() == "":
		return corrupt("it is a synchronisation object of type %d", b.kind)
	case b.kind != kind:
		return nil // matches says so
	case b.h.Flags&^layout.SyncReclaim != 0:
		return corrupt("unknown flags %#x", b.h.Flags)
	case places != size.places || used != size.header:
		return corrupt("%d places and %d bytes of header, not %d and %d", places, used, size.places, size.header)
	}
	if places > 0 {
		b.places = layout.View[[layout.MaxPlaces]layout.Place](mem, layout.SyncArea)[:places]
	}
	if b.kind == layout.SyncEvent {
		b.bells.Init(&b.obj, layout.View[layout.Bells](mem, layout.SyncArea), doorbell.Of{
			Letter: 'b', Ready: b.isReady, Wanted: func(int) bool { return b.isSet() }, Slice: func() time.Duration { return slice },
		})
	}
	if size.ledger {
		b.ledger = layout.View[layout.Ledger](mem, layout.SyncArea)
	}
	return nil
}

func corrupt(format string, args ...any) error {
	return &ipcerr.Error{Op: "check header", Code: ipcerr.Corrupt, Hint: fmt.Sprintf(format, args...)}
}

// extent is what a type needs in its file.
type extent struct {
	places uint32
	ledger bool
	header uint32 // bytes
}

func shape(kind layout.SyncType, flags uint32, limit int64) (e extent) {
	size := 0
	switch kind {
	case layout.SyncCondition:
		e.places = maxWaiting
	case layout.SyncBarrier:
		// Those of a round that has ended leave theirs when they wake, while the next rounds come and go.
		e.places = uint32(min(max(limit, 0), MaxParties)) + maxWaiting
	case layout.SyncRWLock:
		e.ledger = true
	case layout.SyncEvent:
		size = layout.BellsSize
	case layout.SyncSemaphore, layout.SyncBoundedSemaphore:
		e.ledger = flags&layout.SyncReclaim != 0
	}
	if e.ledger {
		size = layout.LedgerSize
	}
	size += int(e.places) * layout.PlaceSize
	const page = 4096
	e.header = uint32((layout.SyncArea + size + page - 1) / page * page)
	return e
}

func (w *what) check(op, name string, h how) error {
	if err := object.CheckLifetime(op, name, w.Kept, w.Transient); err != nil {
		return err
	}
	hint := ""
	semaphore := w.kind == layout.SyncSemaphore || w.kind == layout.SyncBoundedSemaphore
	switch {
	case w.Reclaim && !semaphore:
		hint = "reclaim is for semaphores: leave it out"
	case h == openOnly:
	case w.limit != 0 && !semaphore && w.kind != layout.SyncBarrier:
		hint = fmt.Sprintf("value %d: %s has none, give 0", w.limit, a(w.kind))
	case semaphore && (w.limit < 0 || w.limit > MaxValue):
		hint = fmt.Sprintf("value %d: give 0 to %d", w.limit, MaxValue)
	case w.kind == layout.SyncBarrier && (w.limit < 1 || w.limit > MaxParties):
		hint = fmt.Sprintf("%d parties: give 1 to %d", w.limit, MaxParties)
	}
	if hint == "" {
		return nil
	}
	return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Invalid, Hint: hint}
}

func (w *what) flags() uint32 {
	if w.Reclaim {
		return layout.SyncReclaim
	}
	return 0
}

func (w *what) spec(name string, members [16]byte) shm.Spec {
	e := shape(w.kind, w.flags(), w.limit)
	s := shm.Spec{Kind: layout.KindSync, Members: members, Header: int(e.header)}
	if object.Transient(name, w.Kept, w.Transient) {
		s.Flags = layout.Transient
	}
	s.Init = func(mem []byte) {
		h := layout.View[layout.Sync](mem, layout.SyncOffset)
		h.Type, h.Flags, h.Limit, h.Places = w.kind, w.flags(), uint64(w.limit), e.places
		if w.kind == layout.SyncSemaphore || w.kind == layout.SyncBoundedSemaphore {
			h.Value.Store(uint64(w.limit))
		}
	}
	return s
}

// matches compares what was opened with what was asked for.
func (b *base) matches(op string, w what, h how) error {
	if b.kind != w.kind {
		return &ipcerr.Error{Op: op, Name: b.Name(), Code: ipcerr.WrongKind,
			Hint: fmt.Sprintf("it is %s, not %s: open it as what it is, or choose another name", a(b.kind), a(w.kind))}
	}
	transient := b.obj.File.Header().Flags()&layout.Transient != 0
	whole := h == openOrCreate
	if (!w.Reclaim || b.h.Flags == layout.SyncReclaim) && (!whole ||
		uint64(w.limit) == b.h.Limit && w.flags() == b.h.Flags && (!w.Kept && !w.Transient || w.Transient == transient)) {
		return nil
	}
	return &ipcerr.Error{Op: op, Name: b.Name(), Code: ipcerr.Mismatch, Hint: fmt.Sprintf(
		"it exists with %s, %s; asked for were %s, %s: ask for the same, or unlink it",
		describe(b.kind, b.h.Limit, b.h.Flags), object.Lifetime(transient),
		describe(w.kind, uint64(w.limit), w.flags()), object.Lifetime(object.Transient(b.Name(), w.Kept, w.Transient)))}
}

// a is a type with its article.
func a(kind layout.SyncType) string {
	if kind == layout.SyncEvent {
		return "an event"
	}
	return "a " + kind.String()
}

// describe is the options of an object in words.
func describe(kind layout.SyncType, limit uint64, flags uint32) string {
	s := "no limit"
	switch kind {
	case layout.SyncBarrier:
		s = fmt.Sprintf("%d parties", limit)
	case layout.SyncSemaphore, layout.SyncBoundedSemaphore:
		s = fmt.Sprintf("value %d", limit)
	}
	if flags&layout.SyncReclaim != 0 {
		s += ", reclaim"
	}
	return s
}

// Adopt makes an object of what a forked child inherited: a Lock, if that is its type.
func Adopt(kind Type, in object.Inherited) (Object, error) {
	o := fresh(kind)
	if o == nil {
		return nil, &ipcerr.Error{Op: "adopt sync after fork", Name: in.Name, Code: ipcerr.Internal, Hint: "no type of object has this number"}
	}
	if err := o.self().obj.Adopt(o.self().want("adopt "+kind.String()+" after fork", kind), in); err != nil {
		return nil, err
	}
	return o, nil
}

// fresh is a closed object of a type, nil for a number that is none.
func fresh(kind layout.SyncType) Object {
	switch kind {
	case layout.SyncLock:
		return &Lock{}
	case layout.SyncRLock:
		return &RLock{}
	case layout.SyncSemaphore:
		return &Semaphore{}
	case layout.SyncBoundedSemaphore:
		return &BoundedSemaphore{}
	case layout.SyncCondition:
		return &Condition{}
	case layout.SyncEvent:
		return &Event{}
	case layout.SyncBarrier:
		return &Barrier{}
	case layout.SyncRWLock:
		return &RWLock{}
	}
	return nil
}
