package queue

import "github.com/polyipc/polyipc/codec"

// refKind is that of references to queues; docs/spec/codec.md.
const refKind = 1

// Ref is the reference to q, to be part of a message.
func (q *Queue) Ref() codec.Ref { return q.obj.Ref(refKind) }

// MarshalMsgpack makes a queue within a value a reference to it.
func (q *Queue) MarshalMsgpack() ([]byte, error) { return codec.Marshal(q.Ref()) }

// OpenRef opens the queue of a reference that came in a message. Options limit nothing here; their root is that
// of a reference that came by other ways.
//
// ipcerr.Gone if that queue is not there any more, ipcerr.Invalid if it is a reference to something else.
func OpenRef(r codec.Ref, o Options) (*Queue, error) {
	q := &Queue{}
	if err := q.obj.OpenRef(q.want("open queue"), o.Root, r, refKind); err != nil {
		return nil, err
	}
	q.countIn()
	return q, nil
}
