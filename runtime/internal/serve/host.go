package serve

import (
	"fmt"
	"slices"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/live"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// hostType is a type whose objects live in a client, its host.
type hostType struct {
	name    string
	peer    *peer
	methods []string
}

// hosted stands here for an object that lives with a host.
type hosted struct {
	s   *Server
	of  *hostType
	id  id
	new bool // its host has not made it yet
}

// hostCall is a call that is with a host.
type hostCall struct {
	call  *call // nil: the caller gave up
	peer  *peer // the host
	id    uint64
	makes *entry // the object that it makes, with a name perhaps
	name  string
}

// hostFault is a failure that a host reported.
type hostFault struct{ frame.Failure }

// Error returns type and message.
func (f *hostFault) Error() string { return f.Type + ": " + f.Message }

// Type implements live.Object.
func (h *hosted) Type() string { return h.of.name }

// Call implements live.Object: the host does it.
func (h *hosted) Call(r *live.Request) (codec.Raw, error) {
	return h.s.forward(r.Tag.(*call), h, r.Method, nil, "")
}

// Drop implements live.Object: the host may let go of it.
func (h *hosted) Drop() {
	if !h.of.peer.gone && !h.new {
		h.of.peer.post(frame.Open(nil, frame.Drop, 2, uint64(h.id)))
	}
}

// register makes a client the host of a type.
func (s *Server) register(c *call, a *arguments) (codec.Raw, error) {
	name := a.text("type")
	list := a.next("methods")
	if a.end() != nil {
		return nil, a.err
	}
	if err := validName("the name of a type", name); err != nil {
		return nil, err
	}
	methods, err := texts(list)
	if err != nil {
		return nil, err
	}
	if h := s.types[name]; h != nil && h.peer == c.peer {
		h.methods = methods
		return nil, nil
	} else if h != nil || ownTypes[name] != nil {
		return nil, &ipcerr.Error{Op: "register type", Name: name, Code: ipcerr.Exists, Hint: "there is a type of that name already: choose another one"}
	}
	if len(c.peer.types) >= mostTypes {
		return nil, &ipcerr.Error{Op: "register type", Name: name, Code: ipcerr.Limit, Hint: fmt.Sprintf("this client hosts %d types, as many as may be", mostTypes)}
	}
	h := &hostType{name, c.peer, methods}
	s.types[name] = h
	if c.peer.types == nil {
		c.peer.types, c.peer.served = map[string]*hostType{}, map[uint64]*hostCall{}
	}
	c.peer.types[name] = h
	c.peer.atHost(true)
	return nil, nil
}

// mostTypes is how many types a client may host, and mostMethods how many methods a type may have.
const (
	mostTypes   = 1024
	mostMethods = 4096
)

func texts(list codec.Raw) (all []string, err error) {
	var s codec.Scanner
	s.Reset(list)
	n, err := s.Array()
	if n > mostMethods {
		return nil, &ipcerr.Error{Op: "register type", Code: ipcerr.Limit, Hint: fmt.Sprintf("a type of %d methods; the most is %d", n, mostMethods)}
	}
	for i := 0; i < n && err == nil; i++ {
		var b []byte
		if b, err = s.Text(); err == nil {
			all = append(all, string(b))
		}
	}
	if err != nil {
		return nil, &live.Fault{Type: "TypeError", Message: "register(): methods must be an array of text"}
	}
	slices.Sort(all)
	return all, nil
}

// adopt gives a number to an object that its host has made by itself.
func (s *Server) adopt(c *call, a *arguments) (codec.Raw, error) {
	name := a.text("type")
	if a.end() != nil {
		return nil, a.err
	}
	of := s.types[name]
	if of == nil || of.peer != c.peer {
		return nil, &ipcerr.Error{Op: "adopt object", Name: name, Code: ipcerr.NotFound, Hint: "this client hosts no type of that name: register it first"}
	}
	if err := s.room(); err != nil {
		return nil, err
	}
	h := &hosted{s: s, of: of}
	e := s.add(h)
	h.id = e.id
	c.Shared = true
	return s.ref(e), nil
}

// createHosted has a host make an object.
func (s *Server) createHosted(c *call, of *hostType, name string) (codec.Raw, error) {
	h := &hosted{s: s, of: of, new: true}
	e := s.add(h)
	h.id = e.id
	result, err := s.forward(c, h, "__init__", e, name)
	if !live.IsParked(err) {
		delete(s.objects, e.id)
	}
	return result, err
}

// forward sends a call to the host, and lets it wait for the answer.
func (s *Server) forward(c *call, h *hosted, method string, makes *entry, name string) (codec.Raw, error) {
	host := h.of.peer
	switch {
	case host.gone:
		return nil, &ipcerr.Error{Op: "call object", Name: h.of.name, Code: ipcerr.PeerDied, Hint: "the process that hosted it is gone: make another one"}
	case len(host.served) >= frame.CallsAtOnce:
		return nil, &ipcerr.Error{Op: "call object", Name: h.of.name, Code: ipcerr.Limit, Hint: "its host has as many calls under way as may be: try later"}
	case c.pickles && !host.pickle:
		return nil, &ipcerr.Error{Op: "call object", Name: h.of.name, Code: ipcerr.Denied, Hint: "an argument is a pickle, which its host did not ask for"}
	}
	s.hosted++
	f := codec.AppendUint(frame.Open(nil, frame.CallHost, 9, s.hosted), uint64(h.id))
	f = codec.AppendText(codec.AppendText(f, h.of.name), method)
	args := len(f)
	f = codec.AppendArray(f, len(c.Args))
	for _, a := range c.Args {
		f = append(f, a...)
	}
	named := len(f)
	f = codec.AppendMap(f, len(c.Named))
	for _, n := range c.Named {
		f = append(codec.AppendText(f, n.Name), n.Value...)
	}
	end := len(f)
	f = codec.AppendUint(codec.AppendUint(f, c.peer.client.Number), c.Thread)
	if len(f) > s.options.Frame {
		return nil, &ipcerr.Error{Op: "call object", Name: h.of.name, Code: ipcerr.TooLarge, Hint: "the call does not fit into a frame"}
	}
	if c.Refs { // all are looked at before one is counted
		both := [][]byte{f[args:named], f[named:end]}
		err := s.count(both[1], func(*entry) {})
		for i := 0; i < len(both) && err == nil; i++ {
			err = s.share(host, both[i])
		}
		if err != nil {
			return nil, err
		}
	}
	c.host = &hostCall{call: c, peer: host, id: s.hosted, makes: makes, name: name}
	host.served[s.hosted] = c.host
	c.peer.atHost(true) // before its host could answer
	host.post(f)
	s.expect(host)
	s.handed = s.now
	return c.Park(c.host, -1)
}

// atHost tells a local client whether a third process has to run for what it waits for: who called a host is taken to do so
// again, until it calls another object. A host always waits for others.
func (p *peer) atHost(is bool) {
	if is = is || len(p.types) > 0; is == p.hosting || p.word == nil {
		return
	}
	if p.hosting = is; is {
		p.word.Or(layout.AtHost)
	} else {
		p.word.And(^layout.AtHost)
	}
}

// Cancel implements live.Parked: the host is asked to give the call up, and what it answers does not count.
func (h *hostCall) Cancel(*live.Request) {
	h.call = nil // it still has to answer
	if h.makes != nil {
		delete(h.makes.obj.(*hosted).s.objects, h.makes.id)
	}
	h.peer.post(frame.Open(nil, frame.Cancel, 2, h.id))
}

// Expire implements live.Parked; a hosted call has no timeout of its own.
func (h *hostCall) Expire(r *live.Request) (codec.Raw, error) {
	h.Cancel(r)
	return nil, ipcerr.Timeout
}

// hostAnswers takes a host's answer to a call.
func (s *Server) hostAnswers(p *peer, kind frame.Kind, n uint64) error {
	h := p.served[n]
	if h == nil {
		return &ipcerr.Error{Op: "read frame", Code: ipcerr.Invalid, Hint: "an answer to a call that this client was not sent"}
	}
	delete(p.served, n)
	var result codec.Raw
	var fault, err error
	if kind == frame.Error {
		var f frame.Failure
		if f, err = frame.ReadFailure(&s.scan); err == nil {
			fault = &hostFault{f}
		}
	} else {
		s.scan.Found = codec.Found{}
		result, err = s.scan.Value()
	}
	if err == nil {
		err = s.scan.End()
	}
	if err != nil {
		p.served[n] = h // hostGone answers it
		return err
	}
	if s.scan.Pickle && !p.pickle {
		fault = &ipcerr.Error{Op: "answer call", Code: ipcerr.Denied, Hint: "the host answered with a pickle, which was not agreed on"}
	}
	refs := s.scan.Refs
	s.settle(h, result, refs, fault)
	return nil
}

// settle hands the caller what its host answered, unless he gave up.
func (s *Server) settle(h *hostCall, result codec.Raw, refs bool, fault error) {
	c := h.call
	if c == nil {
		if h.makes != nil && fault == nil {
			h.peer.post(frame.Open(nil, frame.Drop, 2, uint64(h.makes.id)))
		}
		return
	}
	c.Shared = refs
	if h.makes != nil {
		if fault != nil {
			delete(s.objects, h.makes.id)
		} else {
			h.makes.obj.(*hosted).new = false
			if _, taken := s.names[h.name]; h.name != "" && !taken {
				s.nameIt(h.makes, h.name)
			}
			c.Shared, result = true, s.ref(h.makes)
			if n, ok := s.names[h.name]; ok { // of two who made it at once the first one's counts
				result = s.ref(s.objects[n])
			}
		}
	}
	s.answer(c, result, fault)
	s.handed = s.now
	s.unpark(c)
	if h.makes != nil && fault == nil && h.makes.count == 0 {
		s.dead = append(s.dead, h.makes) // nobody has it: the caller could not be told
	}
}

// hostGone ends what a client hosted.
func (s *Server) hostGone(p *peer) {
	for name := range p.types {
		delete(s.types, name)
	}
	for n, h := range p.served {
		delete(p.served, n)
		s.settle(h, nil, false, &ipcerr.Error{Op: "call object", Name: h.call.name(), Code: ipcerr.PeerDied,
			Hint: fmt.Sprintf("%s, which hosted it, is gone; the call may have run", p.name)})
	}
}

func (c *call) name() string {
	if c != nil && c.at != nil {
		return c.at.obj.Type()
	}
	return ""
}
