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
	for _, fd := range []int{p.fd, p.process} { // they would tell of it until it is dropped
		if fd >= 0 {
			_ = unix.EpollCtl(s.epoll, unix.EPOLL_CTL_DEL, fd, nil)
		}
	}
	s.dying = append(s.dying, departure{p, why})
}

// departure is a client that hung up.
type departure struct {
	peer *peer
	why  string
}

// departuresATurn is how many clients that hung up are given up before others have their turn: each takes some 0.2 ms.
const departuresATurn = 8

// depart gives up clients that hung up.
func (s *Server) depart() {
	for n := 0; n < departuresATurn && len(s.dying) > 0; n++ {
		d := s.dying[0]
		if s.dying = s.dying[1:]; len(s.dying) == 0 {
			s.dying = nil
		}
		if d.peer.gone {
			continue
		}
		s.guarded(d.peer, s.lastWords)
		s.drop(d.peer, d.why)
		s.tidy()
	}
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
		got := s.opened(p, b[:max(n, 0)])
		p.in = append(p.in, got...)
		s.underWay(len(got))
	}
}

// pending reports whether tidy has something to do.
func (s *Server) pending() bool { return len(s.dead)+len(s.leaving)+len(s.later) > 0 }
