package pipe

import (
	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/object"
)

var refKinds = [2]uint8{object.RefPipe, object.RefPipeEnd}

// Ref is the reference to this end of the pipe, to be part of a message. As long as a message holds an end of it,
// no end of the pipe finds that nobody is at the other.
func (p *Pipe) Ref() codec.Ref { return p.obj.Ref(refKinds[p.end]) }

// MarshalMsgpack makes an end of a pipe within a value a reference to it.
func (p *Pipe) MarshalMsgpack() ([]byte, error) { return codec.Marshal(p.Ref()) }

// OpenRef opens the end of a pipe to which a reference refers that came in a message; root, "" for the default
// one, is that of references that came by other ways.
//
// ipcerr.Gone if that pipe is not there any more, ipcerr.Invalid if it is a reference to something else.
func OpenRef(r codec.Ref, root string) (*Pipe, error) {
	const op = "open pipe"
	p := &Pipe{}
	if err := p.obj.OpenRef(p.want(op), root, r, refKinds[:]...); err != nil {
		return nil, err
	}
	p.take(0)
	if r.Kind == object.RefPipeEnd {
		p.take(1)
	}
	err := p.enter(op, false)
	if err == nil {
		err = p.obj.File.LeaveEnd(1 - p.end) // it came with both
	}
	if err != nil {
		_ = p.obj.Close(nil, func() {})
		return nil, err
	}
	return p, nil
}
