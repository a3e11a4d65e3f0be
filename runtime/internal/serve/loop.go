package serve

import (
	"container/heap"
	"log/slog"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
)

// How the loop divides its time.
const (
	framesATurn = 64                            // of one client, before the next one has its turn
	idleTurns   = 8                             // in a row between two looks at the clock
	spinFor     = int64(40 * time.Microsecond)  // looking at pipes before it sleeps: about what a sleep and a wake take
	spinLonger  = int64(120 * time.Microsecond) // if who came last came so soon after it had fallen asleep: he may do so again
	eventsEvery = int64(100 * time.Microsecond) // looks at sockets while pipes keep it busy
	quietAfter  = int64(2 * time.Millisecond)   // an active client that sends nothing for so long is asked to ring
)

// run is the loop.
func (s *Server) run() {
	debug.SetPanicOnFault(true) // a hostile client may truncate its pipe: guarded drops it
	defer func() {
		s.close()
		if s.options.Journal != nil {
			_ = s.options.Journal.Close()
		}
		s.over.Store(true)
		park.Kick(&s.word)
		close(s.ended)
	}()
	var looked, worked int64
	s.spin = spinFor
	for {
		s.now = object.Now()
		for range idleTurns {
			if s.turn() {
				s.learn(worked)
				worked = s.now
				s.touch()
				break
			}
		}
		s.depart()
		if s.flush() {
			worked = s.now
		}
		wait := 0
		switch {
		case s.spins(worked):
			if s.now-looked < eventsEvery {
				continue
			}
		case s.rest() && !s.pending():
			wait, s.slept = s.untilTimer(), true
		}
		looked = s.now
		if !s.events(wait) {
			return
		}
		s.now = object.Now()
		s.expire()
		s.tidy()
		if s.options.Idle > 0 && len(s.peers) == 0 && s.now-s.idle > int64(s.options.Idle) {
			s.log(slog.LevelInfo, "stop", "", "no client for a while")
			return
		}
	}
}

// spins reports whether the loop goes on looking at pipes, since there was work a moment ago. After a call of a hosted
// object was passed on, or its answer, somebody else has to act first: on two processors he may wait for the one that the
// loop spins on, so it lets him have it now and then.
func (s *Server) spins(worked int64) bool {
	if len(s.active) > 0 && s.now-worked < s.bounds.looks {
		return true
	}
	if s.now-worked >= s.spin || len(s.active) == 0 || park.Alone() {
		return false
	}
	if s.handed != worked && s.now-worked < spinFor {
		return true
	}
	if s.asked != worked {
		if s.polite {
			s.courtesy.Paid()
		}
		s.asked, s.polite = worked, s.courtesy.Pays()
	}
	s.polite = s.polite && s.courtesy.GiveWay()
	return s.polite || !park.Few()
}

// learn steers how long the loop spins, when it finds work: from who came when it had fallen asleep, since it last worked.
func (s *Server) learn(worked int64) {
	if !s.slept {
		return
	}
	s.slept, s.spin = false, spinFor
	if s.now-worked < spinLonger {
		s.spin = spinLonger
	}
}

// turn takes what the active clients have sent, and reports whether there was something.
func (s *Server) turn() (worked bool) {
	for i := 0; i < len(s.active); i++ {
		p := s.active[i]
		if p.gone {
			s.deactivate(i)
			i--
			continue
		}
		if s.guarded(p, s.servePipe) {
			worked, p.heard = true, s.now
		} else if s.now-p.heard > quietAfter+s.bounds.looks && s.guarded(p, s.quiet) {
			s.deactivate(i)
			i--
		}
	}
	return worked
}

// guarded does something with a client. If that meets memory which the client has taken away, it loses the client.
func (s *Server) guarded(p *peer, do func(*peer) bool) (did bool) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }:
			p.damaged = true
			s.drop(p, "its pipe, or the manager's own file, was truncated")
		default:
			panic(r)
		}
	}()
	return do(p)
}

// rest asks all clients to ring, and reports whether nothing came meanwhile: then the loop may sleep.
func (s *Server) rest() bool {
	for i := 0; i < len(s.active); i++ {
		if p := s.active[i]; p.gone || s.guarded(p, s.quiet) {
			s.deactivate(i)
			i--
		}
	}
	return len(s.active)+len(s.dying) == 0
}

func (s *Server) deactivate(i int) {
	n := len(s.active) - 1
	s.active[i].active = false
	s.active[i] = s.active[n]
	s.active[n] = nil
	s.active = s.active[:n]
}

func (s *Server) activate(p *peer) {
	if !p.active && p.pipe != nil {
		p.active, p.heard = true, s.now
		s.active = append(s.active, p)
	}
}

// expect looks at a client's pipe without being asked to: it was sent what it will soon answer, or go on after. Its bell stays
// silent then, which spares both sides a ring and its socket's way through epoll.
func (s *Server) expect(p *peer) bool {
	if p.pipe == nil || p.gone {
		return false
	}
	if s.activate(p); p.word.Load()&layout.RingOnSend != 0 {
		p.word.And(^layout.RingOnSend)
	}
	return true
}

// events takes what epoll tells, waiting for so many milliseconds, -1 without limit; false to stop.
func (s *Server) events(wait int) bool {
	var list [128]unix.EpollEvent
	n, err := unix.EpollWait(s.epoll, list[:], wait)
	if err != nil && err != unix.EINTR {
		s.log(slog.LevelError, "stop", "", "epoll: "+err.Error())
		return false
	}
	s.now = object.Now()
	for _, e := range list[:max(n, 0)] {
		switch from, ok := s.files[e.Fd]; {
		case int(e.Fd) == s.stopFD:
			return false
		case int(e.Fd) == s.shaken.fd:
			s.hear()
		case int(e.Fd) == s.keep.wake:
			s.keep.drain()
		case int(e.Fd) == s.unix || int(e.Fd) == s.tcp:
			s.accept(int(e.Fd))
		case !ok || from.peer.gone:
		case from.process:
			if ended(int(e.Fd)) {
				s.hungUp(from.peer, "its process ended")
			}
		default:
			s.guarded(from.peer, func(p *peer) bool { s.socket(p, e.Events); return true })
		}
	}
	s.tidy()
	return true
}

// ended asks a pidfd: the event may be an old one, of a descriptor that had the number before.
func ended(pidfd int) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, 0)
	return err == nil && n == 1
}

// A timer is a parked call whose own timeout passes, a greeting that takes too long, or a look at memory.
type timer struct {
	at    int64
	call  *call
	peer  *peer
	trim  bool
	index int // in the heap; -1: not there
}

type timers []*timer

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].at < t[j].at }
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i, j
}

// Push and Pop are for package heap.
func (t *timers) Push(x any) {
	x.(*timer).index = len(*t)
	*t = append(*t, x.(*timer))
}

// Pop removes the last one.
func (t *timers) Pop() any {
	n := len(*t) - 1
	x := (*t)[n]
	(*t)[n] = nil
	*t = (*t)[:n]
	x.index = -1
	return x
}

func (s *Server) arm(t *timer, after time.Duration) {
	t.at = s.now + int64(after)
	heap.Push(&s.timers, t)
}

func (s *Server) disarm(t *timer) {
	if t != nil && t.index >= 0 && t.index < len(s.timers) && s.timers[t.index] == t {
		heap.Remove(&s.timers, t.index)
	}
}

// untilTimer is how many milliseconds the loop may sleep; a timer is late rather than early.
func (s *Server) untilTimer() int {
	ms := int64(-1)
	if len(s.timers) > 0 {
		ms = max(0, (s.timers[0].at-s.now+999_999)/1_000_000)
	}
	if s.options.Idle > 0 && len(s.peers) == 0 {
		left := max(0, (s.idle+int64(s.options.Idle)-s.now)/1_000_000+1)
		if ms < 0 || left < ms {
			ms = left
		}
	}
	return int(min(ms, 1<<30))
}

func (s *Server) expire() {
	for len(s.timers) > 0 && s.timers[0].at <= s.now {
		t := heap.Pop(&s.timers).(*timer)
		switch {
		case t.trim:
			s.trimNow()
		case t.peer != nil:
			s.tooLong(t.peer)
		default:
			s.expired(t.call)
			s.tidy()
		}
	}
}
