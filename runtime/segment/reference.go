package segment

import (
	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/object"
)

// Ref is the reference to s, to be part of a message.
func (s *Segment) Ref() codec.Ref { return s.obj.Ref(object.RefSegment) }

// MarshalMsgpack makes a segment within a value a reference to it.
func (s *Segment) MarshalMsgpack() ([]byte, error) { return codec.Marshal(s.Ref()) }

// OpenRef opens the segment of a reference that came in a message; root, "" for the default one, is that of
// references that came by other ways.
//
// ipcerr.Gone if that segment is not there any more, ipcerr.Invalid if it is a reference to something else.
func OpenRef(r codec.Ref, root string) (*Segment, error) {
	s := &Segment{}
	if err := s.obj.OpenRef(s.want("open segment"), root, r, object.RefSegment); err != nil {
		return nil, err
	}
	return s, nil
}
