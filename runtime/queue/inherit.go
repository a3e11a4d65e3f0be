package queue

import (
	"github.com/polyipc/polyipc/runtime/internal/handover"
	"github.com/polyipc/polyipc/runtime/internal/layout"
)

// Inherited opens the queue that the parent process handed over in that role; see package spawn. Of o the root is not
// looked at. It may be called again.
//
// Errors are those of Open; ipcerr.NotFound for a role that nothing was handed over in, which lists those there are;
// ipcerr.WrongKind; ipcerr.Gone.
func Inherited(role string, o Options) (q *Queue, err error) {
	err = handover.Take(role, layout.KindQueue, func(e handover.Entry) (id [16]byte, closes func() error, err error) {
		o.Root = e.Root
		if q, err = Open(e.Name, o); err != nil {
			return id, nil, err
		}
		return q.obj.UUID(), q.Close, nil
	})
	if err != nil {
		return nil, err
	}
	return q, nil
}
