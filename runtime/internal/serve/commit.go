package serve

import (
	"log/slog"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// keeping is what a server with a journal has besides.
type keeping struct {
	wake     int    // an eventfd: a commit has ended
	next     *group // what changes now
	flying   *group // what is being committed; nil: nothing
	commits  uint64
	rate     rate // of commits
	changes  uint64
	failures uint64 // commits without space
	full     bool   // the last commit found none, which was told
	broken   bool   // nothing is committed any more
}

// group is what is committed at once: the changes of some calls, each whole, and what waits for them. It belongs to the loop,
// but for err, which is written before done.
type group struct {
	changes []Change
	changed []*keeper // whose they are
	held    []held
	done    atomic.Bool
	err     error
}

// held is a frame that waits for a commit.
type held struct {
	peer   *peer
	frame  []byte
	id     uint64        // of the call that it answers
	grant  bool          // it gives something
	unheld func()        // takes that back if the commit fails; nil: it goes with the changes
	shared []codec.Raw   // values whose references the client was counted
	sub    *subscription // of an event
}

// mostHeld is how many frames of a client may wait for commits, and mostHeldBytes how many bytes, before its next calls wait.
const (
	mostHeld      = 1024
	mostHeldBytes = 1 << 20
)

// full reports whether a client's calls have to wait, until it reads its answers, or until some are committed.
func (p *peer) full() bool {
	return len(p.out) > 0 || !p.dying && (p.held >= mostHeld || p.heldBytes >= mostHeldBytes)
}

// wants is what epoll looks for at a remote client's socket.
func (p *peer) wants() uint32 {
	events := uint32(unix.EPOLLRDHUP)
	if len(p.out) > 0 {
		events |= unix.EPOLLOUT
	}
	if !p.full() {
		events |= unix.EPOLLIN
	}
	return events
}

// laterOf is the one of two groups that is committed last; nil if both have been.
func (s *Server) laterOf(a, b *group) *group {
	switch k := &s.keep; {
	case k.next == nil:
		return nil
	case a == k.next || b == k.next:
		return k.next
	case k.flying != nil && (a == k.flying || b == k.flying):
		return k.flying
	}
	return nil
}

// restsOn is the group without which a call cannot be answered; nil: none.
func (s *Server) restsOn(c *call) *group {
	if c.at == nil || c.at.keeper == nil {
		return s.laterOf(c.rests, nil)
	}
	return s.laterOf(c.rests, c.at.keeper.last)
}

// latest is the group that is committed last of all.
func (s *Server) latest() *group {
	if k := &s.keep; k.next != nil && len(k.next.changes) == 0 {
		return k.flying
	}
	return s.keep.next
}

// postWith sends a frame when a group is committed.
func (s *Server) postWith(g *group, h held, f []byte) {
	if h.peer.gone || h.peer.dying {
		return
	}
	h.frame = append([]byte(nil), f...)
	h.peer.held++
	h.peer.heldBytes += len(f)
	g.held = append(g.held, h)
	if h.peer.pipe == nil && h.peer.full() {
		h.peer.look(h.peer.wants())
	}
}

// hold keeps the answer to a call, which is in s.out, until a group is committed.
func (s *Server) hold(g *group, c *call, result codec.Raw, err error) {
	h := held{peer: c.peer, id: c.id, shared: c.shared}
	if err == nil {
		if h.grant = c.Undo != nil; h.grant {
			h.unheld = c.unheld
			if c.unheld == nil && !c.Told {
				h.unheld = c.Undo
			}
		}
		if c.Shared {
			h.shared = append(h.shared, result)
		}
	}
	s.postWith(g, h, s.out)
}

// flush sends what waited for a commit that has ended, and begins the next one. It reports whether it sent something. Nobody
// waits for the disk but those who are told that their changes are there: the loop goes on meanwhile.
func (s *Server) flush() (sent bool) {
	k := &s.keep
	if k.next == nil || k.broken {
		return false
	}
	if k.flying != nil && k.flying.done.Load() {
		s.committed()
		sent = true
	}
	for k.flying == nil && len(k.next.changes) > 0 && !k.broken {
		g := k.next
		k.next, k.flying = &group{}, g
		if s.options.Journal.Waits() {
			go s.commit(g)
			break
		}
		s.commit(g)
		s.committed()
		sent = true
	}
	return sent
}

// commit writes a group. A server that dies before its end has told nobody of these changes, one that dies behind it has them
// when it starts again; in neither case is there something to repair, for the journal has all or nothing.
func (s *Server) commit(g *group) {
	crash.Point("serve.commit.before")
	g.err = s.options.Journal.Commit(g.changes)
	crash.Point("serve.commit.after")
	g.done.Store(true)
	if s.options.Journal.Waits() {
		_, _ = unix.Write(s.keep.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}

// committed ends a commit.
func (s *Server) committed() {
	k := &s.keep
	g := k.flying
	k.flying = nil
	if ipcerr.CodeOf(g.err) == ipcerr.NoSpace {
		if k.failures++; !k.full {
			s.log(slog.LevelError, "commit", "", g.err.Error())
		}
		k.full = true
		s.rollBack(g)
		return
	}
	if g.err != nil {
		s.breakDown(g.err)
		return
	}
	k.full = false
	k.commits++
	k.rate.count(s.now)
	k.changes += uint64(len(g.changes))
	for _, c := range g.changed {
		if c.made == g {
			c.made = nil
		}
		if c.gone == g {
			c.e.keeper = nil
			s.unref(c.e, 1)
		}
	}
	s.unhold(g, func(h *held) {
		h.peer.post(h.frame)
		crash.Point("serve.commit.answered")
	})
	g.changes, g.changed, g.held = nil, nil, nil // objects that change no more go on naming the group
	s.tidy()
}

// unhold does something with all that waited for a group. Whose calls had to wait for it goes on.
func (s *Server) unhold(g *group, do func(*held)) {
	for i := range g.held {
		h := &g.held[i]
		p := h.peer
		waits := p.full()
		p.held--
		p.heldBytes -= len(h.frame)
		s.guarded(p, func(*peer) bool { do(h); return true })
		switch {
		case p.gone:
		case p.pipe != nil:
			s.activate(p) // it will call again
		case waits && !p.full():
			p.look(p.wants())
			s.later = append(s.later, func() { s.framesIn(p) })
		}
	}
}

// finish commits what is left, when the server ends. What clients hold then, they hold: an item that was given and is on its way
// does not come back, as it would not if the server were killed.
func (s *Server) finish() {
	for k := &s.keep; k.next != nil && !k.broken; k.drain() {
		if s.flush(); k.flying == nil {
			k.broken = true
			return
		}
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(k.wake), Events: unix.POLLIN}}, -1)
	}
}

// drain makes wake quiet again.
func (k *keeping) drain() {
	var b [8]byte
	_, _ = unix.Read(k.wake, b[:])
}

// openJournal makes what the journal needs, and all that is in it.
func (s *Server) openJournal() (err error) {
	if s.options.Journal == nil {
		return nil
	}
	if s.keep.wake, err = track(unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)); err != nil {
		return shm.Fail(op, s.Name(), err)
	}
	if err := s.restoreAll(); err != nil {
		return err
	}
	s.keep.next = &group{}
	return nil
}
