package serve

import (
	"errors"
	"fmt"
	"slices"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/live"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// call is one call of a client. Most are answered at once; a call that waits is in its client's table.
type call struct {
	live.Request
	peer    *peer
	id      uint64
	at      *entry // the object; it is referred to as long as the call waits
	pickles bool   // some argument is a pickle
	timer   *timer
	host    *hostCall   // it is with a host
	rests   *group      // what has to be committed before it is answered, besides what changed its object
	shared  []codec.Raw // results in it whose references the client was counted
	unheld  func()      // Undo, but of what does not go with a commit that fails
}

// grant is an answer that is not confirmed.
type grant struct {
	order uint64
	undo  func()
}

// frame does what a client asks for. A frame that breaks a rule loses the client.
func (s *Server) frame(p *peer, data []byte) {
	kind, n, left, err := frame.Head(&s.scan, data)
	if err == nil {
		switch kind {
		case frame.Call:
			err = s.oneCall(p, n, left)
		case frame.Batch:
			err = s.batch(p, n, left)
		case frame.Cancel:
			if err = s.scan.End(); err == nil {
				s.cancel(p, n)
			}
		case frame.Ack:
			if err = s.scan.End(); err == nil {
				delete(p.grants, n)
			}
		case frame.Release, frame.Credit:
			var count uint64
			if count, err = s.scan.Uint(); err == nil {
				err = s.scan.End()
			}
			switch {
			case err != nil:
			case kind == frame.Release:
				s.giveBack(p, id(n), count)
			default:
				s.credit(p, n, count)
			}
		case frame.Result, frame.Error:
			err = s.hostAnswers(p, kind, n)
		default:
			err = &ipcerr.Error{Op: "read frame", Code: ipcerr.Invalid, Hint: fmt.Sprintf("a frame of kind %d, which is the server's", kind)}
		}
	}
	if err != nil {
		s.drop(p, err.Error())
	}
	if s.pending() {
		s.tidy()
	}
}

// read reads the rest of a call into c: object, method, args, and perhaps named and thread.
func (s *Server) read(c *call, left int) (object uint64, err error) {
	scan := &s.scan
	scan.Found = codec.Found{}
	if object, err = scan.Uint(); err != nil {
		return 0, err
	}
	method, err := scan.Text()
	if err != nil {
		return 0, err
	}
	c.Method = s.wordOf(method)
	n, err := scan.Array()
	if err != nil {
		return 0, err
	}
	for range n {
		v, err := scan.Value()
		if err != nil {
			return 0, err
		}
		if len(c.Args) <= mostArguments { // the rest is read, and the call refused
			c.Args = append(c.Args, v)
		}
	}
	if left > 3 && !scan.Nil() {
		n, err := scan.Map()
		if err != nil {
			return 0, err
		}
		for range n {
			name, err := scan.Text()
			if err != nil {
				return 0, err
			}
			v, err := scan.Value()
			if err != nil {
				return 0, err
			}
			if len(c.Named) <= mostArguments {
				c.Named = append(c.Named, live.Named{Name: s.wordOf(name), Value: v})
			}
		}
	}
	if left > 4 {
		if c.Thread, err = scan.Uint(); err != nil {
			return 0, err
		}
	}
	c.Refs, c.pickles = scan.Refs, scan.Pickle
	return object, nil
}

// mostWords bounds the table of methods' names.
const mostWords = 10_000

// wordOf makes a string of a name, the same one each time.
func (s *Server) wordOf(b []byte) string {
	if w, ok := s.words[string(b)]; ok {
		return w
	}
	w := string(b)
	if len(s.words) < mostWords && len(b) < 64 {
		s.words[w] = w
	}
	return w
}

// fresh is a call to be filled in.
func (s *Server) fresh(p *peer, n uint64) *call {
	c := s.next
	if cap(c.Args)+cap(c.Named) > 1024 {
		c.Args, c.Named = nil, nil
	}
	*c = call{peer: p, id: n, Request: live.Request{Client: &p.client, Room: s, Args: c.Args[:0], Named: c.Named[:0], Tag: c}}
	return c
}

// oneCall does a call.
func (s *Server) oneCall(p *peer, n uint64, left int) error {
	c := s.fresh(p, n)
	object, err := s.read(c, left)
	if err == nil {
		err = s.scan.End()
	}
	if err != nil {
		return err
	}
	if err := p.free(n); err != nil {
		return err
	}
	var began int64
	if s.stat.sampled() {
		began = nowNS()
	}
	s.stat.count(s.now)
	result, err := s.invoke(c, id(object))
	if live.IsParked(err) {
		s.park(c)
		return nil
	}
	s.answer(c, result, err)
	p.atHost(false)
	if began != 0 {
		s.stat.tookNS(nowNS() - began)
	}
	return nil
}

func nowNS() int64 { return object.Now() }

// free checks that a number is that of no call under way, and of no grant that waits for its ack: its undo would be lost.
func (p *peer) free(n uint64) error {
	_, twice := p.parked[n]
	if !twice && len(p.grants) > 0 {
		_, twice = p.grants[n]
	}
	if twice {
		return &ipcerr.Error{Op: "read frame", Code: ipcerr.Invalid, Hint: "a call with the number of one that is under way"}
	}
	return nil
}

// invoke calls the method.
func (s *Server) invoke(c *call, n id) (codec.Raw, error) {
	if c.pickles && !c.peer.pickle {
		return nil, &ipcerr.Error{Op: "call object", Code: ipcerr.Denied, Hint: "an argument is a pickle, which server and client did not agree on: give both pickle=True, or send values"}
	}
	if err := c.bounded(); err != nil {
		return nil, err
	}
	if n == 0 {
		return s.own(c)
	}
	e, err := s.find(n)
	if err != nil {
		return nil, err
	}
	c.at = e
	return e.obj.Call(&c.Request)
}

// Bounds of what a call may bring: its arguments cost more here than on their way, and errors quote names.
const (
	mostArguments = 1 << 16
	mostName      = 1024
)

// bounded checks them.
func (c *call) bounded() error {
	hint := ""
	switch {
	case len(c.Args)+len(c.Named) > mostArguments:
		hint = fmt.Sprintf("more than %d arguments: put them into arrays, or send less at a time", mostArguments)
	case len(c.Method) > mostName:
		hint = fmt.Sprintf("a method's name of %d bytes; the most is %d", len(c.Method), mostName)
	default:
		for _, n := range c.Named {
			if len(n.Name) > mostName {
				hint = fmt.Sprintf("an argument's name of %d bytes; the most is %d", len(n.Name), mostName)
			}
		}
	}
	if hint == "" {
		return nil
	}
	return &ipcerr.Error{Op: "call object", Code: ipcerr.TooLarge, Hint: hint}
}

// park keeps a call that waits.
func (s *Server) park(c *call) {
	p := c.peer
	if len(p.parked) >= frame.CallsAtOnce {
		c.Parked.Cancel(&c.Request)
		s.answer(c, nil, &ipcerr.Error{Op: "call object", Code: ipcerr.Limit, Hint: fmt.Sprintf("this client has %d calls under way, as many as may be: wait for some", len(p.parked))})
		return
	}
	if c == s.next {
		s.next = &call{}
	}
	c.Args, c.Named = nil, nil // views of a frame that is gone
	p.parked[c.id] = c
	if c.at != nil {
		c.at.count++
	}
	if c.Timeout >= 0 && c.host == nil {
		c.timer = &timer{call: c, index: -1}
		s.arm(c.timer, c.Timeout)
	}
}

// unpark ends a call's waiting.
func (s *Server) unpark(c *call) {
	delete(c.peer.parked, c.id)
	s.disarm(c.timer)
	if c.host != nil {
		s.guarded(c.peer, s.expect)
	}
	if c.at != nil {
		s.unref(c.at, 1)
	}
}

// Answer implements live.Room. It is called in the middle of another request's call.
func (s *Server) Answer(r *live.Request, result codec.Raw, err error) {
	c := r.Tag.(*call)
	if c.peer.parked[c.id] != c {
		return // answered while it is being parked: cannot be, or cancelled
	}
	s.answer(c, result, err)
	s.unpark(c)
}

// expired answers a call whose own timeout has passed.
func (s *Server) expired(c *call) {
	result, err := c.Parked.Expire(&c.Request)
	if live.IsParked(err) {
		if c.Timeout >= 0 {
			s.arm(c.timer, c.Timeout)
		}
		return
	}
	s.answer(c, result, err)
	s.unpark(c)
}

// cancel gives up a call, or takes back what it was granted.
func (s *Server) cancel(p *peer, n uint64) {
	if c := p.parked[n]; c != nil {
		c.Parked.Cancel(&c.Request)
		s.answer(c, nil, &ipcerr.Error{Op: "call object", Code: ipcerr.Cancelled, Hint: "the caller gave it up"})
		s.unpark(c)
	} else if g, ok := p.grants[n]; ok {
		delete(p.grants, n)
		g.undo()
	}
}

// mostGrants is how many grants of a client wait for their acks. Its threads may ack later than the next one calls.
const mostGrants = 4 * frame.CallsAtOnce

// answer sends what came of a call.
func (s *Server) answer(c *call, result codec.Raw, err error) {
	p := c.peer
	if err == nil && !p.gone {
		if err = s.mayHave(p, c, result); err != nil && c.Undo != nil {
			s.later = append(s.later, c.Undo)
		}
	}
	switch {
	case p.gone && c.Undo != nil && err == nil:
		p.order++
		p.grants[c.id] = grant{p.order, c.Undo} // release comes yet
		return
	case p.gone:
		return
	case err != nil:
		s.out = frame.AppendFailure(s.out[:0], c.id, failure(err))
	case c.Undo != nil:
		if len(p.grants) >= mostGrants {
			s.later = append(s.later, c.Undo)
			s.drop(p, "it acks no grant")
			return
		}
		p.order++
		p.grants[c.id] = grant{p.order, c.Undo}
		s.out = frame.AppendResult(s.out[:0], frame.Grant, c.id, result)
	default:
		s.out = frame.AppendResult(s.out[:0], frame.Result, c.id, result)
	}
	if g := s.restsOn(c); g != nil {
		s.hold(g, c, result, err)
	} else {
		p.post(s.out)
	}
	if cap(s.out) > 1<<20 {
		s.out = nil
	}
}

// mayHave looks whether a client can be sent a result, and counts the references in it.
func (s *Server) mayHave(p *peer, c *call, result codec.Raw) error {
	if len(result) > s.options.Frame-64 {
		return &ipcerr.Error{Op: "answer call", Code: ipcerr.TooLarge,
			Hint: fmt.Sprintf("the result has %d bytes, more than a frame may have: ask for less at a time, or raise the server's limit", len(result))}
	}
	if !s.mayPickle(p, orNil(result)) {
		return &ipcerr.Error{Op: "answer call", Code: ipcerr.Denied, Hint: "the result is a pickle, which this client did not ask for: connect with pickle=True"}
	}
	if c.Shared {
		return s.share(p, orNil(result))
	}
	return nil
}

// mayPickle reports whether a value holds no pickle, or may.
func (s *Server) mayPickle(p *peer, v codec.Raw) bool {
	if !s.options.Pickle || p.pickle {
		return true
	}
	found, err := codec.Check(v)
	return err == nil && !found.Pickle
}

func orNil(v codec.Raw) codec.Raw {
	if len(v) == 0 {
		return codec.AppendNil(nil)
	}
	return v
}

// failure is an error as it travels.
func failure(err error) frame.Failure {
	var h *hostFault
	if errors.As(err, &h) {
		return h.Failure
	}
	failed := frame.FailureOf(err)
	var f *live.Fault
	if errors.As(err, &f) {
		failed = frame.Failure{Code: ipcerr.RemoteError, Type: f.Type, Message: f.Message}
	}
	if len(failed.Message) > mostMessage { // it quotes what was sent
		failed.Message = failed.Message[:mostMessage] + " ..."
	}
	return failed
}

// mostMessage is how long an error's message may be.
const mostMessage = 4096

// giveBack takes references back that a client does not need any more.
func (s *Server) giveBack(p *peer, n id, count uint64) {
	have := p.refs[n]
	if count = min(count, have); count == 0 {
		return
	}
	if p.refs[n] = have - count; have == count {
		delete(p.refs, n)
	}
	if e := s.objects[n]; e != nil {
		s.unref(e, count)
	}
}

// release gives back all that a client had: it is gone. First what it waits for, so that nothing else is given to
// it; then what it was given and had not confirmed, the last first, so that items come in their order again.
func (s *Server) release(p *peer) {
	for _, c := range p.parked {
		c.Parked.Cancel(&c.Request)
		s.unpark(c)
	}
	grants := make([]grant, 0, len(p.grants))
	for _, g := range p.grants {
		grants = append(grants, g)
	}
	p.grants = nil
	slices.SortFunc(grants, func(a, b grant) int { return int(int64(b.order) - int64(a.order)) })
	for _, g := range grants {
		g.undo()
	}
	p.client.Leave()
	s.unsubscribeAll(p)
	s.hostGone(p)
	for n, count := range p.refs {
		if e := s.objects[n]; e != nil {
			s.unref(e, count)
		}
	}
	p.refs = nil
}
