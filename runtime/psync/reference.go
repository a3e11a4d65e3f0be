package psync

import (
	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// refKinds are the kinds of references to the types; docs/spec/codec.md.
var refKinds = map[layout.SyncType]uint8{
	layout.SyncLock: 5, layout.SyncRLock: 6, layout.SyncSemaphore: 7, layout.SyncCondition: 8, layout.SyncEvent: 9,
	layout.SyncBarrier: 10, layout.SyncRWLock: 11, layout.SyncBoundedSemaphore: 12,
}

// RefKind is the kind of references to a type, 0 for a number that is none.
func RefKind(t Type) uint8 { return refKinds[t] }

// Ref is the reference to the object, to be part of a message.
func (b *base) Ref() codec.Ref { return b.obj.Ref(refKinds[b.kind]) }

// MarshalMsgpack makes an object within a value a reference to it.
func (b *base) MarshalMsgpack() ([]byte, error) { return codec.Marshal(b.Ref()) }

// OpenRef opens the object of a reference that came in a message: a *Lock, if it refers to one. root, "" for the
// default one, is that of references that came by other ways.
//
// ipcerr.Gone if that object is not there any more, ipcerr.Invalid if it is a reference to something else.
func OpenRef(r codec.Ref, root string) (Object, error) {
	for t, kind := range refKinds {
		if kind != r.Kind {
			continue
		}
		o := fresh(t)
		b := o.self()
		if err := b.obj.OpenRef(b.want("open "+t.String(), t), root, r, kind); err != nil {
			return nil, err
		}
		return o, nil
	}
	return nil, &ipcerr.Error{Op: "open sync", Name: r.Name, Code: ipcerr.Invalid, Hint: "it is no reference to a lock, semaphore, condition, event or barrier"}
}
