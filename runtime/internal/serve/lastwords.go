package serve

import "golang.org/x/sys/unix"

// lastTurns bounds what is taken of a client that hung up: more than a pipe holds. A child that it forked may go on.
const lastTurns = 256

// hungUp ends a client that is gone, once what it said last was taken. Above all its acks: what it knew to have, a lock
// say, must not look as if it had never had it. Nothing is answered any more.
func (s *Server) hungUp(p *peer, why string) {
	if p.gone || p.dying {
		return
	}
	p.dying = true
	if p.pipe == nil {
		s.inFlight -= p.outBytes
	}
	p.out, p.outBytes = nil, 0
	s.later = append(s.later, func() {
		s.guarded(p, s.lastWords)
		s.drop(p, why)
	})
}

func (s *Server) lastWords(p *peer) bool {
	if p.pipe == nil {
		s.readAll(p)
		return true
	}
	for n := 0; n < lastTurns && !p.gone && s.servePipe(p); n++ {
	}
	return true
}

// readAll takes what is left in a remote client's socket.
func (s *Server) readAll(p *peer) {
	var b [64 << 10]byte
	for range lastTurns {
		s.framesIn(p)
		if p.gone {
			return
		}
		n, err := unix.Read(p.fd, b[:])
		if n <= 0 && err != unix.EINTR {
			return
		}
		p.in = append(p.in, b[:max(n, 0)]...)
		s.underWay(max(n, 0))
	}
}

// pending reports whether tidy has something to do.
func (s *Server) pending() bool { return len(s.dead)+len(s.leaving)+len(s.later) > 0 }
