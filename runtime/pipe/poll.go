package pipe

import (
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/wait"
)

// Readable is for package wait: ready when TryRecv would not say ipcerr.Empty, also at the end of file. Its PollFD is
// for poll, epoll and select. Of an end that only sends it is ipcerr.Invalid.
func (p *Pipe) Readable() wait.Waitable {
	in, err := p.receiver()
	if err != nil {
		return wait.Never(err)
	}
	return in.Readable()
}

// Writable is for package wait: ready when TrySend of a small message would not say ipcerr.Full, also when nobody is
// left to receive. Of an end that only receives it is ipcerr.Invalid.
func (p *Pipe) Writable() wait.Waitable {
	out, err := p.sender()
	if err != nil {
		return wait.Never(err)
	}
	return out.Writable()
}

// Ring rings the doorbells of a kind, after the C library has sent or received something without Go.
func (p *Pipe) Ring(kind int) {
	way := p.out // what was sent makes the other end readable
	if kind == layout.BellWritable {
		way = p.in
	}
	if way != nil {
		way.Ring(kind)
	}
}
