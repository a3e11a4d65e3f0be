package queue

import (
	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/handover"
	"github.com/polyipc/polyipc/runtime/internal/object"
)

// Inherited opens the queue that the parent process handed over in that role; see package spawn. Of o the root is not
// looked at. It may be called again.
//
// Errors are those of Open; ipcerr.NotFound for a role that nothing was handed over in, which lists those there are;
// ipcerr.WrongKind; ipcerr.Gone.
func Inherited(role string, o Options) (q *Queue, err error) {
	const op = "take inherited queue"
	err = handover.Take("queue", role, func(r codec.Ref, root string) error {
		if q, err = OpenRef(r, root); err != nil {
			return err
		}
		if err = object.Trust(op, q.Name(), q.obj.Root, o.Pickle, o.TrustGroup); err == nil {
			err = q.matches(op, o, false)
		}
		if err != nil {
			_ = q.Close()
		}
		return err
	}, object.RefQueue)
	if err != nil {
		return nil, err
	}
	return q, nil
}
