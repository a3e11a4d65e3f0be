package pipe

import (
	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/handover"
	"github.com/polyipc/polyipc/runtime/internal/object"
)

// Inherited opens the end of a pipe that the parent process handed over in that role; see package spawn. Of o, End and
// Root are not looked at. It may be called again.
//
// Errors are those of Open; ipcerr.NotFound for a role that nothing was handed over in, which lists those there are;
// ipcerr.WrongKind; ipcerr.Gone.
func Inherited(role string, o Options) (p *Pipe, err error) {
	const op = "take inherited pipe"
	err = handover.Take("pipe", role, func(r codec.Ref, root string) error {
		if p, err = OpenRef(r, root); err != nil {
			return err
		}
		if err = object.Trust(op, p.Name(), p.obj.Root, o.Pickle, o.TrustGroup); err == nil {
			err = p.matches(op, o, false)
		}
		if err != nil {
			_ = p.Close()
		}
		return err
	}, refKinds[:]...)
	if err != nil {
		return nil, err
	}
	return p, nil
}
