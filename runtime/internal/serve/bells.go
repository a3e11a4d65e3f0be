package serve

import (
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// servePipe takes what a local client has sent, and reports whether there was something.
func (s *Server) servePipe(p *peer) (worked bool) {
	if len(p.out) > 0 && !p.flush() {
		return false
	}
	for n := 0; n < framesATurn && !p.full() && !p.gone && p.pipe.Hint(); n++ {
		size, _, err := p.pipe.TryRecvInto(s.buf)
		switch ipcerr.CodeOf(err) {
		case 0:
			s.frame(p, s.buf[:size])
			worked = true
		case ipcerr.Empty:
			began := object.Now()
			if _, _, err := p.pipe.TryRecvInto(nil); ipcerr.CodeOf(err) == ipcerr.Empty {
				s.looked(p, began)
			}
			return worked
		case ipcerr.TooSmall:
			if size > s.options.Frame {
				s.drop(p, "a frame larger than the limit")
				return true
			}
			s.buf = make([]byte, size)
		default:
			s.brokenPipe(p, err)
			return true
		}
	}
	if len(s.buf) > frame.LeastFrame && worked {
		s.buf = make([]byte, frame.LeastFrame)
	}
	return worked
}

// quiet asks a local client to ring, and reports whether nothing had come until then.
func (s *Server) quiet(p *peer) bool {
	ask := layout.RingOnSend
	if len(p.out) > 0 {
		if p.flush(); p.gone {
			return true
		}
	}
	if len(p.out) > 0 {
		ask = layout.RingOnRecv // its calls have to wait until it reads
	}
	p.word.Or(ask)
	if ask == layout.RingOnSend && !p.pipe.Hint() || ask == layout.RingOnRecv && !p.flush() && !p.gone {
		return true
	}
	// The hint may be a false one, for ever, if the client wrote it. Who sends behind this look sees the bit.
	if ask == layout.RingOnSend && !s.servePipe(p) && len(p.out) == 0 {
		return true
	}
	p.heard = s.now
	p.word.And(^ask)
	return p.gone
}

// looked notes how long a look at a pipe took that found no message, or no room. The locks on the server's ways through a
// pipe are its own: a client that holds one makes each look last, for all others, and is dropped.
func (s *Server) looked(p *peer, began int64) {
	if object.Now()-began < longLook {
		p.long = 0
		return
	}
	if p.long++; p.long > 1 {
		s.drop(p, "it holds a lock of its pipe that is the server's")
	}
}

// longLook is how long a look at a pipe takes only if its lock is held, in nanoseconds: half of what it waits then.
const longLook = int64(object.TryGrace / 2)
