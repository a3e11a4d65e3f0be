package serve

import (
	"bytes"
	"fmt"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/live"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// mostEvents is how many events of a subscription wait for credit, and mostEventBytes how many bytes they have; mostKept
// bounds the bytes of all subscriptions of a client.
const (
	mostEvents     = 1024
	mostEventBytes = 1 << 20
	mostKept       = 16 << 20
)

// mostSubscriptions is how many a client may have.
const mostSubscriptions = 1024

// subscription is a client that watches an object.
type subscription struct {
	peer   *peer
	id     uint64
	at     *entry
	credit uint64
	queue  []event // for which there is no credit, or no room in the pipe
	bytes  int     // of them
	lost   uint64  // how many were dropped; none are kept then
}

type event struct {
	value  codec.Raw
	shared bool
}

// subscribe begins one. The first event comes behind the call's answer.
func (s *Server) subscribe(c *call, a *arguments) (codec.Raw, error) {
	e := a.object()
	if a.end() != nil {
		return nil, a.err
	}
	w, ok := e.obj.(live.Watchable)
	if !ok {
		return nil, &live.Fault{Type: "TypeError", Message: fmt.Sprintf("a %s cannot be watched", e.obj.Type())}
	}
	p := c.peer
	if len(p.subs) >= mostSubscriptions {
		return nil, &ipcerr.Error{Op: "watch object", Code: ipcerr.Limit, Hint: "this client watches as many objects as may be"}
	}
	if p.subs == nil {
		p.subs = map[uint64]*subscription{}
	}
	p.subNo++
	sub := &subscription{peer: p, id: p.subNo, at: e, credit: frame.FirstCredit}
	p.subs[sub.id] = sub
	e.count++
	w.Watch(sub)
	s.later = append(s.later, sub.snapshot)
	return codec.AppendUint(nil, sub.id), nil
}

func (s *Server) unsubscribe(p *peer, n uint64) {
	if sub := p.subs[n]; sub != nil {
		delete(p.subs, n)
		sub.keep(-sub.bytes)
		sub.at.obj.(live.Watchable).Unwatch(sub)
		s.unref(sub.at, 1)
	}
}

func (s *Server) unsubscribeAll(p *peer) {
	for n := range p.subs {
		s.unsubscribe(p, n)
	}
}

func (sub *subscription) snapshot() {
	all, shared := sub.at.obj.(live.Watchable).Snapshot()
	sub.send(event{append(codec.AppendText(codec.AppendArray(nil, 2), "snapshot"), all...), shared})
}

// Changed implements live.Watcher.
func (sub *subscription) Changed(change codec.Raw, shared bool) {
	switch {
	case sub.lost > 0:
		sub.lost++
	case sub.may(0) && len(sub.queue) == 0:
		sub.send(event{change, shared})
	case len(sub.queue) < mostEvents && sub.bytes+len(change) <= mostEventBytes && sub.peer.kept+len(change) <= mostKept:
		sub.queue = append(sub.queue, event{bytes.Clone(change), shared})
		sub.keep(len(change))
	default:
		sub.lose()
	}
}

// lose drops what waits, and what would have come next.
func (sub *subscription) lose() {
	sub.lost = max(sub.lost, uint64(len(sub.queue))) + 1
	sub.queue = nil
	sub.keep(-sub.bytes)
}

// keep counts bytes of events that wait.
func (sub *subscription) keep(n int) {
	sub.bytes += n
	sub.peer.kept += n
}

// may reports whether an event may be sent, with so much credit left: not while the client does not read.
func (sub *subscription) may(left uint64) bool {
	if len(sub.peer.out) > 0 {
		sub.peer.withheld = true
		return false
	}
	return sub.credit > left && !sub.peer.gone
}

// send sends an event. One that is larger than a frame, or brings a pickle to who did not ask for any, is told as lost.
func (sub *subscription) send(e event) {
	p := sub.peer
	if p.gone {
		return
	}
	if sub.credit > 0 {
		sub.credit--
	}
	if len(e.value) > p.s.options.Frame-64 || !p.s.mayPickle(p, e.value) {
		e = event{lagged(1), false}
	}
	if e.shared {
		_ = p.s.share(p, e.value)
	}
	f := append(frame.Open(nil, frame.Event, 3, sub.id), e.value...)
	if k := sub.at.keeper; k != nil {
		if g := p.s.laterOf(k.last, nil); g != nil {
			p.s.postWith(g, held{peer: p, sub: sub}, f)
			return
		}
	}
	p.post(f)
}

func lagged(n uint64) codec.Raw {
	return codec.AppendUint(codec.AppendText(codec.AppendArray(nil, 2), "lagged"), n)
}

// credit lets more events be sent.
func (s *Server) credit(p *peer, n, more uint64) {
	sub := p.subs[n]
	if sub == nil {
		return // of one that was just ended
	}
	sub.credit = min(sub.credit+min(more, frame.FirstCredit), frame.FirstCredit)
	for len(sub.queue) > 0 && sub.may(0) {
		e := sub.queue[0]
		sub.queue = sub.queue[1:]
		sub.keep(-len(e.value))
		sub.send(e)
	}
	if sub.lost > 0 && sub.may(1) {
		sub.send(event{lagged(sub.lost), false})
		sub.lost = 0
		sub.snapshot()
	}
}

// creditAll sends what was withheld, since the client has read.
func (s *Server) creditAll(p *peer) {
	for n := range p.subs {
		s.credit(p, n, 0)
	}
}
