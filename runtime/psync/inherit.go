package psync

import (
	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/handover"
)

// Inherited opens the object that the parent process handed over in that role; see package spawn. It is a *Lock, if
// that was one, and so on. With types it must be of one of them. It may be called again.
//
// Errors are those of OpenRef; ipcerr.NotFound for a role that nothing was handed over in, which lists those there are;
// ipcerr.WrongKind.
func Inherited(role string, types ...Type) (x Object, err error) {
	var kinds []uint8
	for t, kind := range refKinds {
		if len(types) == 0 {
			kinds = append(kinds, kind)
		}
		for _, want := range types {
			if t == want {
				kinds = append(kinds, kind)
			}
		}
	}
	err = handover.Take("sync object", role, func(r codec.Ref, root string) error {
		x, err = OpenRef(r, root)
		return err
	}, kinds...)
	if err != nil {
		return nil, err
	}
	return x, nil
}
