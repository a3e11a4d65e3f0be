package psync

import (
	"errors"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Type is the type of an object, for those to whom it is data: bindings of other languages, operators.
type Type = layout.SyncType

// The types.
const (
	TypeLock             = layout.SyncLock
	TypeRLock            = layout.SyncRLock
	TypeSemaphore        = layout.SyncSemaphore
	TypeBoundedSemaphore = layout.SyncBoundedSemaphore
	TypeCondition        = layout.SyncCondition
	TypeEvent            = layout.SyncEvent
	TypeBarrier          = layout.SyncBarrier
	TypeRWLock           = layout.SyncRWLock
)

// Create makes an object of a type; value is a semaphore's permits, a barrier's parties, else 0.
func Create(t Type, name string, value int64, o Options) (Object, error) {
	return openAs(create, t, name, value, o)
}

// Open opens an existing object of a type.
func Open(t Type, name string, o Options) (Object, error) { return openAs(openOnly, t, name, 0, o) }

// OpenOrCreate opens an object of a type or makes it.
func OpenOrCreate(t Type, name string, value int64, o Options) (Object, error) {
	return openAs(openOrCreate, t, name, value, o)
}

// Look opens an existing object, of whatever type it is.
func Look(name string, o Options) (x Object, err error) {
	for t := layout.SyncLock; t <= layout.SyncRWLock; t++ {
		if x, err = Open(t, name, o); !errors.Is(err, ipcerr.WrongKind) {
			break
		}
	}
	return x, err
}

func openAs(h how, t Type, name string, value int64, o Options) (Object, error) {
	x := fresh(t)
	if x == nil {
		return nil, &ipcerr.Error{Op: h.String() + " sync", Name: name, Code: ipcerr.Invalid, Hint: "no type of object has this number"}
	}
	return open(x, h, name, what{o, t, value})
}

// Type is what the object is.
func (b *base) Type() Type { return b.kind }

// Shared is this process's owner token, and where the object's header is mapped until Close: for the C
// library, which acquires and releases without entering Go. A Go program has no use for it.
func (b *base) Shared() (token uint32, header uintptr) {
	file, _ := layout.Address(b.obj.File.Mem)
	return b.obj.Me, file + layout.SyncOffset
}
