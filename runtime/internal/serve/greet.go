package serve

import (
	"bytes"
	"container/heap"
	"encoding/binary"
	"log/slog"
	"math/bits"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/pipe"
)

// greet begins a greeting.
func (s *Server) greet(p *peer) {
	s.peers[p] = struct{}{}
	s.files[int32(p.fd)] = source{peer: p}
	s.waiting[p.side()]++
	p.greeting = true
	if !p.remote {
		if why := s.local(p); why != "" {
			s.refuse(p, why)
			return
		}
	}
	if err := s.watchFD(p.fd, unix.EPOLLIN|unix.EPOLLRDHUP); err != nil {
		s.refuse(p, "epoll: "+err.Error())
		return
	}
	p.began = s.now
	p.timer = &timer{peer: p, index: -1}
	s.arm(p.timer, s.bounds.greeting)
	if p.remote && s.begin != nil {
		s.shake(p)
		return
	}
	s.hello(p)
}

// hello says who we are.
func (s *Server) hello(p *peer) {
	hello := frame.Hello{Keyed: len(s.options.Key) > 0}
	if _, err := unix.Getrandom(hello.Nonce[:], 0); err != nil {
		s.refuse(p, "no random numbers: "+err.Error())
		return
	}
	p.hello = frame.Block(hello.Body())
	if !p.tell(p.hello) {
		s.drop(p, "it hung up")
	}
}

// tell sends what belongs to a greeting, and reports whether all of it went.
func (p *peer) tell(b []byte) bool {
	if p.cover != nil {
		b = p.cover.Seal(b)
	}
	return p.whole(b)
}

// whole sends bytes as they are, if all of them fit.
func (p *peer) whole(b []byte) bool {
	n, _ := unix.SendmsgN(p.fd, b, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
	return n == len(b)
}

// hurry gives those who greet less time: others wait.
func (s *Server) hurry(side int) {
	for p := range s.peers {
		if p.greeting && p.side() == side && p.timer.at > p.began+int64(s.bounds.hurried) {
			p.timer.at = p.began + int64(s.bounds.hurried)
			heap.Fix(&s.timers, p.timer.index)
		}
	}
}

// side is 0 for local, 1 for remote clients.
func (p *peer) side() int {
	if p.remote {
		return 1
	}
	return 0
}

// greeted ends a greeting, well or badly. If those who knock had to wait for it, they wait no longer.
func (s *Server) greeted(p *peer) {
	p.greeting = false
	if s.waiting[p.side()]--; s.waiting[p.side()] == mostGreeting-1 {
		s.knock(p.side(), unix.EPOLLIN)
	}
}

// knock says whether epoll looks at a listening socket.
func (s *Server) knock(side int, events uint32) {
	fd := [...]int{s.unix, s.tcp}[side]
	_ = unix.EpollCtl(s.epoll, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Fd: int32(fd), Events: events})
}

// refuse says no, in the same words to all; in the middle of TLS by hanging up.
func (s *Server) refuse(p *peer, why string) {
	s.log(slog.LevelWarn, "refused", p.name, why)
	if p.shaking == nil {
		p.tell(frame.Refusal)
	}
	_ = unix.Shutdown(p.fd, unix.SHUT_WR)
	s.drop(p, "")
}

// introduced goes on with a greeting when something came, and reports whether the block was whole.
func (s *Server) introduced(p *peer) {
	if len(p.in) < 4 {
		return
	}
	size := binary.BigEndian.Uint32(p.in)
	if size > frame.MostBlock {
		why := "a block of the greeting is too large"
		if p.in[0] == 0x16 { // begins each handshake of TLS
			why = "it speaks TLS, and this server does not: give the server a certificate, or the client no CA"
		}
		s.refuse(p, why)
		return
	}
	if len(p.in) < 4+int(size) {
		return
	}
	data := bytes.Clone(p.in[4 : 4+size])
	p.in = p.in[4+size:]
	body, err := frame.Proven(s.options.Key, false, data, p.bound, p.hello)
	var who frame.Introduction
	if err == nil {
		who, err = frame.ReadIntroduction(body)
	}
	switch {
	case err != nil:
		s.refuse(p, err.Error())
	case !p.remote && !s.alive(who.Token):
		s.refuse(p, "it is no member of the server's root: another root, or already dead")
	case len(s.peers)-s.waiting[0]-s.waiting[1] >= s.options.Clients:
		s.refuse(p, "there are as many clients as may be: raise the limit")
	default:
		s.welcome(p, who, body)
	}
}

// welcome lets a client in.
func (s *Server) welcome(p *peer, who frame.Introduction, body []byte) {
	p.language, p.pickle = who.Language, who.Pickle && s.options.Pickle
	if p.remote {
		p.pid = int(who.Pid)
	}
	w := frame.Welcome{Epoch: s.epoch, Client: s.numbers + 1, Frame: uint64(s.options.Frame), Pickle: p.pickle}
	if !p.remote {
		if why := s.givePipe(p); why != "" {
			s.refuse(p, why)
			return
		}
		w.Pipe, w.Slot = p.pipe.Name(), uint64(p.slot)
	}
	if p.process >= 0 {
		s.files[int32(p.process)] = source{p, true}
		if err := s.watchFD(p.process, unix.EPOLLIN); err != nil {
			s.refuse(p, "epoll: "+err.Error())
			return
		}
	}
	s.numbers++
	p.client.Number = s.numbers
	s.disarm(p.timer)
	s.greeted(p)
	if p.remote {
		s.inFlight += len(p.in)
	} else {
		p.in = nil // rings
	}
	p.refs, p.parked, p.grants = map[id]uint64{}, map[uint64]*call{}, map[uint64]grant{}
	answer := frame.Block(frame.Prove(s.options.Key, true, w.Body(), p.bound, p.hello, frame.Block(body)))
	p.hello, p.bound = nil, nil
	if !p.tell(answer) {
		s.drop(p, "it hung up")
		return
	}
	s.activate(p)
	if p.remote {
		s.framesIn(p) // it need not have waited
	}
}

// givePipe makes the pipe of a local client.
func (s *Server) givePipe(p *peer) (why string) {
	slot := s.takeSlot()
	if slot < 0 {
		return "there are as many local clients as can be"
	}
	p.slot, p.word = slot, &s.bells[slot]
	p.word.Store(0)
	made, err := pipe.Create("", pipe.Options{Root: s.obj.Root.Path()})
	if err != nil {
		s.freeSlot(slot)
		p.word = nil
		return "its pipe cannot be made: " + err.Error()
	}
	p.pipe = made
	return ""
}

func (s *Server) takeSlot() int {
	for i, word := range s.slots {
		if free := bits.TrailingZeros64(^word); free < 64 {
			s.slots[i] |= 1 << free
			return 64*i + free
		}
	}
	return -1
}

func (s *Server) freeSlot(slot int) { s.slots[slot/64] &^= 1 << (slot % 64) }
