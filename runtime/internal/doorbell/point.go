package doorbell

import (
	"github.com/polyipc/polyipc/runtime/internal/object"
)

// Point is one thing that an open object can be waited for: a wait.Waitable. There is one for each kind, so they can be
// compared.
type Point struct {
	bells *Bells
	kind  int
}

// At is the point of a kind.
func (b *Bells) At(kind int) *Point { return &b.points[kind] }

// PollFD returns the descriptor that is readable when the thing may be so, made on the first call. It belongs to the
// object, which closes it.
func (p *Point) PollFD() (fd int, err error) {
	c := object.Call{Object: p.bells.obj, Verb: "poll"}
	if err = c.Begin(); err != nil {
		return -1, err
	}
	defer c.End(&err)
	own, err := p.bells.open(p.kind)
	if err != nil {
		return -1, err
	}
	return own.fd, nil
}

// Ready reports whether the thing is so now, and sees to it that the descriptor, if there is one, says the same.
func (p *Point) Ready() (ready bool, err error) {
	c := object.Call{Object: p.bells.obj, Verb: "poll"}
	if err = c.Begin(); err != nil {
		return false, err
	}
	defer c.End(&err)
	if own := p.bells.mine[p.kind].Load(); own != nil {
		return p.bells.settle(p.kind, own, true)
	}
	return p.bells.of.Ready(p.kind, true)
}

// Hold keeps the descriptor open until release is called, for package wait.
func (p *Point) Hold() (release func(), err error) {
	o := p.bells.obj
	if !o.Calls.Enter() {
		return nil, o.Sentence("poll", o.Gone())
	}
	return o.Calls.Leave, nil
}
