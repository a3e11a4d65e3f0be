package queue

import (
	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/object"
)

// Ref is the reference to q, to be part of a message.
func (q *Queue) Ref() codec.Ref { return q.obj.Ref(object.RefQueue) }

// MarshalMsgpack makes a queue within a value a reference to it.
func (q *Queue) MarshalMsgpack() ([]byte, error) { return codec.Marshal(q.Ref()) }

// OpenRef opens the queue of a reference that came in a message; root, "" for the default one, is that of
// references that came by other ways.
//
// ipcerr.Gone if that queue is not there any more, ipcerr.Invalid if it is a reference to something else.
func OpenRef(r codec.Ref, root string) (*Queue, error) {
	q := &Queue{}
	if err := q.obj.OpenRef(q.want("open queue"), root, r, object.RefQueue); err != nil {
		return nil, err
	}
	q.countIn()
	return q, nil
}
