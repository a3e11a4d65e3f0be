package serve

import (
	"log/slog"
	"maps"
	"slices"

	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/live"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// rollBack takes back what a group changed that could not be committed, and what was changed since, which may rest on it: each
// object is again what the journal has. Those whose answers rested on that are told so, and what they were given goes back.
func (s *Server) rollBack(g *group) {
	both := []*group{g, s.keep.next}
	s.keep.next = &group{}
	changed := map[uint64]*keeper{}
	for _, g := range both {
		for _, k := range g.changed {
			changed[uint64(k.e.id)] = k
		}
	}
	for n, k := range changed {
		if k.made != nil {
			s.unmake(k)
			delete(changed, n)
		}
	}
	if err := s.reload(changed); err != nil {
		s.breakDown(err)
		return
	}
	where, _ := s.options.Journal.Stat()
	failed := frame.FailureOf(&ipcerr.Error{Op: "keep object", Code: ipcerr.NoSpace, Hint: "nothing was changed: make room on the disk of " + where + ", and call again"})
	for _, g := range both {
		s.unhold(g, func(h *held) { s.takeBack(h, failed) })
	}
	for _, k := range changed {
		s.showAgain(k.e)
	}
	s.tidy()
}

// breakDown ends the server, since nobody knows what the journal has now: who starts again sees it. Until then nobody is told
// anything more.
func (s *Server) breakDown(err error) {
	s.log(slog.LevelError, "stop", "", err.Error())
	s.keep.broken = true
	s.Stop()
}

// unmake takes an object's name away that was not committed. It goes when those give it back who were to get it.
func (s *Server) unmake(k *keeper) {
	k.e.obj.(live.Keepable).KeepBy(nil)
	k.e.keeper = nil
	if k.gone == nil {
		delete(s.names, k.name)
		k.e.name = ""
	}
	s.unref(k.e, 1)
}

// reload makes objects what the journal has of them.
func (s *Server) reload(changed map[uint64]*keeper) error {
	if len(changed) == 0 {
		return nil
	}
	found := 0
	err := s.options.Journal.Load(slices.Collect(maps.Keys(changed)), func(o Kept) error {
		k := changed[o.Number]
		if k.gone != nil {
			k.gone = nil
			k.e.name = k.name
			s.names[k.name] = k.e.id
		}
		k.last = nil
		found++
		return s.restore(k, o)
	})
	if err == nil && found != len(changed) {
		err = &ipcerr.Error{Op: "restore object", Code: ipcerr.Corrupt, Hint: "an object that was committed is not there"}
	}
	return err
}

// takeBack answers a call whose changes were not committed.
func (s *Server) takeBack(h *held, failed frame.Failure) {
	p := h.peer
	if h.sub != nil {
		h.sub.credit++
		h.sub.lose()
		return
	}
	if _, ok := p.grants[h.id]; ok && h.grant {
		delete(p.grants, h.id)
		if h.unheld != nil {
			h.unheld()
		}
	}
	for _, v := range h.shared {
		_ = s.count(v, func(e *entry) { s.giveBack(p, e.id, 1) })
	}
	p.post(frame.AppendFailure(nil, h.id, failed))
}

// showAgain tells who watches an object that it is another one now.
func (s *Server) showAgain(e *entry) {
	for p := range s.peers {
		for n, sub := range p.subs {
			if sub.at == e {
				sub.lose()
				s.credit(p, n, 0)
			}
		}
	}
}
