package serve

import (
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/frame"
)

// TLS of remote clients. Its handshake takes up to some milliseconds of a processor, so a goroutine of its own does it, which
// waits for bytes without a thread: the loop reads and writes the socket, and hears by an eventfd of what the goroutine
// wants. From then on the loop itself seals and opens, as it sends and reads. Nothing is said to a client whose
// handshake fails, not even by TLS: it is hung up on.

// mostCovered bounds what a client sends in all until it has greeted by TLS, in bytes: certificates are less, and who has
// nothing to say but new keys costs us little.
const mostCovered = 64 << 10

// shaking is a handshake under way. It belongs to the loop.
type shaking struct {
	in    chan []byte // to the goroutine, one at a time, when it asks; closed when nothing comes any more
	asks  bool
	ended bool
	last  bool        // nothing comes behind what is there
	gone  atomic.Bool // its client was dropped: what is not computed yet need not be
}

func (h *shaking) end() {
	if !h.ended {
		h.ended = true
		close(h.in)
	}
}

// A notice is what a handshake's goroutine tells the loop: what to send, and that it waits for more, or that it is over.
type notice struct {
	peer  *peer
	out   []byte
	over  bool
	cover frame.Cover
	stale error // why TLS has files that are not used
	err   error
}

// handshakes are all that are under way.
type handshakes struct {
	computing sync.Mutex // one at a time: the others of this process have the other processors

	mu      sync.Mutex
	notices []notice
	fd      int // an eventfd: readable when there are notices; -1 without TLS, and when the server has ended
}

func (h *handshakes) tell(n notice) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fd >= 0 {
		h.notices = append(h.notices, n)
		_, _ = unix.Write(h.fd, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}

// end returns the descriptor, which nobody uses any more.
func (h *handshakes) end() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	fd := h.fd
	h.fd, h.notices = -1, nil
	return fd
}

// shake begins a handshake.
func (s *Server) shake(p *peer) {
	p.shaking = &shaking{in: make(chan []byte, 1)}
	go s.shaken.run(p, p.shaking, s.begin)
}

func (h *handshakes) run(p *peer, mine *shaking, begin func() (frame.Cover, error)) {
	h.computing.Lock()
	if mine.gone.Load() {
		h.computing.Unlock()
		return
	}
	cover, stale := begin()
	err := cover.Handshake(func(out []byte) ([]byte, error) {
		h.computing.Unlock()
		h.tell(notice{peer: p, out: out})
		b, more := <-mine.in
		h.computing.Lock()
		if !more || mine.gone.Load() {
			return nil, io.EOF
		}
		return b, nil
	})
	h.computing.Unlock()
	h.tell(notice{peer: p, over: true, cover: cover, stale: stale, err: err})
}

// hear takes the notices.
func (s *Server) hear() {
	var b [8]byte
	_, _ = unix.Read(s.shaken.fd, b[:])
	s.shaken.mu.Lock()
	list := s.shaken.notices
	s.shaken.notices = nil
	s.shaken.mu.Unlock()
	for _, n := range list {
		if n.stale != nil {
			s.log(slog.LevelWarn, "TLS", "", "files that have changed cannot be used, and the former ones are: "+n.stale.Error())
		}
		switch p := n.peer; {
		case p.gone:
		case n.err != nil:
			s.refuse(p, n.err.Error())
		case n.over:
			s.covered(p, n.cover)
		case len(n.out) > 0 && !p.tell(n.out):
			s.drop(p, "it hung up")
		default:
			p.shaking.asks = true
			s.feed(p, nil)
		}
	}
}

// tooMuch counts what a client sends that greets by TLS, and reports whether it is refused for that.
func (s *Server) tooMuch(p *peer, n int) bool {
	if !p.greeting || p.shaking == nil && p.cover == nil {
		return false
	}
	if p.got += n; p.got > mostCovered {
		s.refuse(p, "it sent more than TLS and a greeting need")
		return true
	}
	return false
}

// feed gives bytes to a handshake, once it asks for them.
func (s *Server) feed(p *peer, b []byte) {
	h := p.shaking
	p.in = append(p.in, b...)
	if h.asks && !h.ended && len(p.in) > 0 {
		h.asks = false
		h.in <- p.in
		p.in = nil
	}
	if h.last && len(p.in) == 0 {
		h.end()
	}
}

// noMore tells a handshake that its client has hung up: what it said before may say why.
func (s *Server) noMore(p *peer) {
	_ = unix.EpollCtl(s.epoll, unix.EPOLL_CTL_DEL, p.fd, nil)
	p.shaking.last = true
	s.feed(p, nil)
}

// covered goes on with the greeting after the handshake.
func (s *Server) covered(p *peer, cover frame.Cover) {
	binding, err := cover.Binding()
	if err != nil {
		s.refuse(p, "TLS: "+err.Error())
		return
	}
	p.shaking, p.cover, p.bound = nil, cover, frame.Block(binding)
	early := p.in
	p.in = nil
	if s.hello(p); !p.gone && len(early) > 0 {
		s.came(p, early)
	}
}

// opened returns what is in bytes that came, until the next call. What TLS has to answer itself is sent.
func (s *Server) opened(p *peer, b []byte) []byte {
	if p.cover == nil || len(b) == 0 {
		return b
	}
	plain, err := p.cover.Open(s.plain[:0], b)
	s.plain = plain
	switch {
	case err == io.EOF:
		s.left(p)
	case err != nil && p.greeting:
		s.refuse(p, "TLS: "+err.Error())
	case err != nil:
		s.hungUp(p, "TLS: "+err.Error())
	default:
		s.retort(p, p.cover.Seal(nil))
	}
	return plain
}

// retort sends what TLS has to say itself, to who changes its keys.
func (s *Server) retort(p *peer, b []byte) {
	switch {
	case len(b) == 0 || p.dying:
	case !p.greeting:
		p.put(b)
	case !p.whole(b):
		s.drop(p, "it hung up")
	}
}

// tooLong ends a greeting that took too long.
func (s *Server) tooLong(p *peer) {
	why := "the greeting took too long"
	if p.shaking != nil && p.got == 0 {
		why += ": nothing came for TLS; a client without TLS, perhaps"
	}
	s.refuse(p, why)
}
