package serve

import (
	"encoding/binary"
	"log/slog"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/live"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/pipe"
)

type id = live.ID

// peer is a client. A local one has a pipe, through which frames go, and a socket, whose bytes are rings and whose
// end is its end; a remote one has the socket alone.
type peer struct {
	s        *Server
	client   live.Client
	name     string // for the log
	language string
	pid      int
	remote   bool
	pickle   bool // may send and get pickles
	gone     bool
	dying    bool // it hung up: what it said last is still to be taken
	damaged  bool // its pipe's file

	fd      int
	process int // a pidfd, or -1
	pipe    *pipe.Pipe
	slot    int
	word    *atomic.Uint32 // its bell word
	hosting bool           // as atHost told it
	active  bool           // its pipe is looked at
	heard   int64          // when something last came
	long    int            // how often a look at its pipe took long

	greeting bool
	hello    []byte // our first block, while it greets
	bound    []byte // what binds the greeting to the connection's TLS: a block before the first
	timer    *timer
	began    int64 // when it began to greet

	shaking *shaking    // its TLS begins
	got     int         // bytes, while it greets by TLS
	cover   frame.Cover // its TLS, or nil

	in        []byte   // of the socket: what is not a whole frame yet
	out       [][]byte // what did not fit yet, oldest first
	outBytes  int
	held      int // frames that wait for a commit
	heldBytes int
	events    uint32 // that epoll looks for
	withheld  bool   // events wait for it to read

	parked map[uint64]*call // calls under way
	grants map[uint64]grant
	order  uint64        // of grants
	refs   map[id]uint64 // references that it was sent
	subs   map[uint64]*subscription
	subNo  uint64
	kept   int                  // bytes of events that wait
	types  map[string]*hostType // that it hosts
	served map[uint64]*hostCall // calls that it was sent as a host
}

// socket takes what came by a socket.
func (s *Server) socket(p *peer, events uint32) {
	if events&(unix.EPOLLHUP|unix.EPOLLERR) != 0 || events&unix.EPOLLRDHUP != 0 && len(p.out) > 0 {
		s.left(p)
		return
	}
	var b [64 << 10]byte
	for n := 0; n < readsATurn && !p.gone && (p.pipe != nil || p.greeting || !p.full()); n++ {
		n, err := unix.Read(p.fd, b[:])
		if err == unix.EINTR {
			continue
		}
		if err == unix.EAGAIN {
			break
		}
		if n <= 0 {
			s.left(p)
			return
		}
		if p.pipe != nil {
			s.activate(p)
		} else if !s.tooMuch(p, n) {
			s.came(p, b[:n])
		}
		if n < len(b) {
			break
		}
	}
	if p.gone || p.dying {
		return
	}
	if events&unix.EPOLLOUT != 0 && p.flush() && p.pipe == nil {
		s.framesIn(p)
	}
}

// came takes what a remote client has sent, or one that greets.
func (s *Server) came(p *peer, b []byte) {
	if p.shaking != nil {
		s.feed(p, b)
		return
	}
	if b = s.opened(p, b); p.gone {
		return
	}
	p.in = append(p.in, b...)
	if p.greeting { // what is in here is bounded by a block, and by a read
		s.introduced(p)
		return
	}
	s.underWay(len(b))
	s.touch()
	s.framesIn(p)
}

// left ends a client whose socket has ended.
func (s *Server) left(p *peer) {
	if p.shaking != nil {
		s.noMore(p)
		return
	}
	if p.greeting {
		s.refuse(p, "it hung up in the middle of its greeting")
		return
	}
	s.hungUp(p, "it hung up")
}

// readsATurn is how often a socket is read, before the next one has its turn.
const readsATurn = 16

// framesIn takes the whole frames that a remote client has sent.
func (s *Server) framesIn(p *peer) {
	from := 0
	for !p.gone && !p.full() && len(p.in)-from >= 4 {
		size := int(binary.BigEndian.Uint32(p.in[from:]))
		if size > s.options.Frame {
			s.drop(p, "a frame larger than the limit")
			return
		}
		if len(p.in)-from < 4+size {
			break
		}
		s.frame(p, p.in[from+4:from+4+size])
		from += 4 + size
	}
	if p.gone || from == 0 {
		return
	}
	s.inFlight -= from
	p.in = append(p.in[:0], p.in[from:]...)
	if cap(p.in) > 1<<20 && len(p.in) < 1<<16 {
		p.in = append([]byte(nil), p.in...)
	}
}

// post sends a frame as soon as it fits. It keeps nothing of f.
func (p *peer) post(f []byte) {
	if p.gone || p.dying {
		return
	}
	if p.pipe == nil {
		var head [4]byte
		binary.BigEndian.PutUint32(head[:], uint32(len(f)))
		p.send(append(head[:], f...))
		return
	}
	if len(p.out) == 0 {
		switch err := p.pipe.TrySend(f, pipe.MsgPack); ipcerr.CodeOf(err) {
		case 0:
			return
		case ipcerr.Full:
		default:
			p.s.brokenPipe(p, err)
			return
		}
	}
	p.wait(append([]byte(nil), f...))
}

// send sends bytes by the socket.
func (p *peer) send(b []byte) {
	if p.cover != nil {
		b = p.cover.Seal(b)
	}
	p.put(b)
}

// put sends bytes as they are.
func (p *peer) put(b []byte) {
	if len(p.out) == 0 {
		n, err := unix.SendmsgN(p.fd, b, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		if err != nil && err != unix.EAGAIN && err != unix.EINTR {
			p.s.hungUp(p, "it hung up")
			return
		}
		if b = b[max(n, 0):]; len(b) == 0 {
			return
		}
	}
	p.wait(append([]byte(nil), b...))
}

// wait keeps what did not fit.
func (p *peer) wait(b []byte) {
	p.out = append(p.out, b)
	if p.outBytes += len(b); p.outBytes > p.s.options.Frame+mostWaiting && len(p.out) > 1 {
		p.s.drop(p, "it does not read its answers")
		return
	}
	if p.pipe != nil {
		p.s.activate(p)
		return
	}
	if p.s.underWay(len(b)); !p.gone {
		p.look(p.wants())
	}
}

// underWay counts bytes that came from remote clients, or go to them. Beyond the bound who has most of them is closed.
func (s *Server) underWay(n int) {
	if s.inFlight += n; s.inFlight <= s.bounds.inFlight+s.options.Frame {
		return
	}
	var most *peer
	for p := range s.peers {
		if p.remote && !p.greeting && (most == nil || len(p.in)+p.outBytes > len(most.in)+most.outBytes) {
			most = p
		}
	}
	s.drop(most, "there is more under way to and from remote clients than may be, and it has most of it")
}

// mostWaiting is how many bytes of answers may wait for a client that does not read, beside the largest frame.
const mostWaiting = 1 << 20

// flush sends what did not fit, and reports whether nothing is left.
func (p *peer) flush() bool {
	for len(p.out) > 0 && !p.gone {
		b := p.out[0]
		if p.pipe != nil {
			began := object.Now()
			switch err := p.pipe.TrySend(b, pipe.MsgPack); ipcerr.CodeOf(err) {
			case 0:
			case ipcerr.Full:
				p.s.looked(p, began)
				return false
			default:
				p.s.brokenPipe(p, err)
				return false
			}
		} else {
			n, err := unix.SendmsgN(p.fd, b, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
			if err != nil && err != unix.EAGAIN && err != unix.EINTR {
				p.s.hungUp(p, "it hung up")
				return false
			}
			n = max(n, 0)
			p.s.inFlight -= n
			if n < len(b) {
				p.out[0], p.outBytes = b[n:], p.outBytes-n
				return false
			}
		}
		p.outBytes -= len(b)
		p.out[0] = nil
		p.out = p.out[1:]
	}
	if p.gone {
		return false
	}
	p.out = nil
	if p.pipe == nil && !p.greeting {
		p.look(p.wants())
	}
	if p.withheld {
		p.withheld = false
		p.s.later = append(p.s.later, func() { p.s.creditAll(p) })
	}
	return true
}

// look says what epoll looks for at a remote client's socket.
func (p *peer) look(events uint32) {
	if p.events != events {
		p.events = events
		_ = unix.EpollCtl(p.s.epoll, unix.EPOLL_CTL_MOD, p.fd, &unix.EpollEvent{Fd: int32(p.fd), Events: events})
	}
}

// brokenPipe ends a client whose pipe fails.
func (s *Server) brokenPipe(p *peer, err error) {
	p.damaged = ipcerr.CodeOf(err) == ipcerr.Corrupt
	if p.damaged || p.dying {
		s.drop(p, err.Error())
		return
	}
	s.hungUp(p, err.Error())
}

// drop ends a client: what it held is given back.
func (s *Server) drop(p *peer, why string) {
	if p.gone {
		return
	}
	p.gone = true
	if why != "" {
		s.log(slog.LevelDebug, "client left", p.name, why)
	}
	s.disarm(p.timer)
	if p.shaking != nil {
		p.shaking.gone.Store(true)
		p.shaking.end()
	}
	for _, fd := range []int{p.fd, p.process} {
		if fd >= 0 {
			delete(s.files, int32(fd))
			// A child that was just forked has it, too: it would stay in the epoll, under a number that may be another's by then.
			_ = unix.EpollCtl(s.epoll, unix.EPOLL_CTL_DEL, fd, nil)
			shm.CloseFile(fd, shm.OnDescriptor)
		}
	}
	delete(s.peers, p)
	s.trim.peers++
	s.touch()
	in := !p.greeting
	if in {
		s.leaving = append(s.leaving, p)
	} else {
		s.greeted(p)
	}
	if p.pipe != nil {
		if p.damaged {
			s.obj.Root.Discard(p.pipe.Name()) // else its last user removes it
		}
		_ = p.pipe.Close()
		s.freeSlot(p.slot)
	} else if in {
		s.inFlight -= len(p.in) + p.outBytes
	}
	p.in, p.out, p.outBytes = nil, nil, 0
	if len(s.peers) == 0 {
		s.idle = s.now
	}
}
