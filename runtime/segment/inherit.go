package segment

import (
	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/handover"
	"github.com/polyipc/polyipc/runtime/internal/object"
)

// Inherited opens the segment that the parent process handed over in that role; see package spawn. It may be called
// again.
//
// Errors are those of OpenRef; ipcerr.NotFound for a role that nothing was handed over in, which lists those there are;
// ipcerr.WrongKind.
func Inherited(role string) (s *Segment, err error) {
	err = handover.Take("segment", role, func(r codec.Ref, root string) error {
		s, err = OpenRef(r, root)
		return err
	}, object.RefSegment)
	if err != nil {
		return nil, err
	}
	return s, nil
}
