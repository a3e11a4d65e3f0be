package serve

import (
	"fmt"
	"maps"
	"slices"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/live"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// own does the manager's own methods: object 0.
func (s *Server) own(c *call) (codec.Raw, error) {
	a := arguments{call: c}
	switch c.Method {
	case "create":
		typ := a.text("type")
		if a.err != nil {
			return nil, a.err
		}
		return s.create(c, typ, "")
	case "open":
		result, err := s.openNamed(c, &a)
		c.rests = s.latest() // the object may have been made just now
		return result, err
	case "unlink":
		name := a.text("name")
		n, there := s.names[name]
		if a.end() != nil {
			return nil, a.err
		}
		if there {
			s.unname(s.objects[n])
		}
		c.rests = s.latest()
		return codec.AppendBool(nil, there), nil
	case "names":
		c.rests = s.latest()
		return s.listNames(), a.end()
	case "types":
		return s.listTypes(), a.end()
	case "describe":
		e := a.object()
		if a.end() != nil {
			return nil, a.err
		}
		return appendTexts(codec.AppendText(codec.AppendArray(nil, 2), e.obj.Type()), s.methods(e.obj.Type())), nil
	case "retain":
		e := a.object()
		if a.end() != nil {
			return nil, a.err
		}
		c.Shared = true
		return s.ref(e), nil
	case "register":
		return s.register(c, &a)
	case "adopt":
		return s.adopt(c, &a)
	case "watch":
		return s.subscribe(c, &a)
	case "unwatch":
		n := a.number("subscription")
		if a.end() == nil {
			s.unsubscribe(c.peer, n)
		}
		return nil, a.err
	case "stat":
		return s.figures(), a.end()
	case "ping":
		v := a.next("value")
		return slices.Clone(v), a.end()
	case "stop":
		s.later = append(s.later, s.Stop)
		return nil, a.end()
	}
	return nil, &live.Fault{Type: "AttributeError", Message: fmt.Sprintf("the manager has no method %q: see docs/spec/manager.md", c.Method)}
}

// arguments reads those of the manager's own methods, one after the other. The first error stays.
type arguments struct {
	call *call
	at   int
	err  error
}

func (a *arguments) next(what string) codec.Raw {
	if a.at >= len(a.call.Args) {
		a.fail("TypeError", "%s() is missing its argument %s", a.call.Method, what)
		return nil
	}
	a.at++
	return a.call.Args[a.at-1]
}

func (a *arguments) fail(typ, format string, args ...any) {
	if a.err == nil {
		a.err = &live.Fault{Type: typ, Message: fmt.Sprintf(format, args...)}
	}
}

func (a *arguments) text(what string) string {
	var s codec.Scanner
	s.Reset(a.next(what))
	b, err := s.Text()
	if err != nil {
		a.fail("TypeError", "%s(): %s must be text", a.call.Method, what)
	}
	return string(b)
}

func (a *arguments) number(what string) uint64 {
	var s codec.Scanner
	s.Reset(a.next(what))
	n, err := s.Uint()
	if err != nil {
		a.fail("TypeError", "%s(): %s must be a number that is not negative", a.call.Method, what)
	}
	return n
}

// object is an object, given by its number.
func (a *arguments) object() *entry {
	n := a.number("object")
	if a.err != nil {
		return nil
	}
	e, err := a.call.peer.s.find(id(n))
	if err != nil {
		a.err = err
	}
	return e
}

// end checks that there are no more arguments.
func (a *arguments) end() error {
	if a.at < len(a.call.Args) || len(a.call.Named) > 0 {
		a.fail("TypeError", "%s() takes %d arguments, by position", a.call.Method, a.at)
	}
	return a.err
}

// validName is 1 to 128 of [A-Za-z0-9._-].
func validName(what, name string) error {
	ok := len(name) >= 1 && len(name) <= 128
	for _, c := range []byte(name) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}
	if !ok {
		return &ipcerr.Error{Op: "name object", Name: name, Code: ipcerr.Invalid, Hint: what + " is 1 to 128 of [A-Za-z0-9._-]"}
	}
	return nil
}

// create makes an object; the constructor's arguments are those behind the ones read so far.
func (s *Server) create(c *call, typ, name string) (codec.Raw, error) {
	skip := 1
	if name != "" {
		skip = 2
	}
	if err := s.room(); err != nil {
		return nil, err
	}
	c.Shared = true
	all := c.Args
	c.Args = c.Args[skip:]
	defer func() { c.Args = all }()
	if host := s.types[typ]; host != nil {
		return s.createHosted(c, host, name)
	}
	keep := s.keeps(typ, name)
	if keep && c.Refs {
		values := slices.Clone(c.Args)
		for _, n := range c.Named {
			values = append(values, n.Value)
		}
		if err := s.mayKeep(name, values...); err != nil {
			return nil, err
		}
	}
	obj, err := live.New(typ, &c.Request)
	if err != nil {
		return nil, err
	}
	e := s.add(obj)
	s.nameIt(e, name)
	if keep {
		s.keepIt(e)
	}
	return s.ref(e), nil
}

func (s *Server) nameIt(e *entry, name string) {
	if name != "" {
		e.name = name
		e.count++
		s.names[name] = e.id
	}
}

func (s *Server) unname(e *entry) {
	if e != nil && e.name != "" {
		delete(s.names, e.name)
		e.name = ""
		if e.keeper != nil {
			s.unkeep(e)
		} else {
			s.unref(e, 1)
		}
	}
}

func (s *Server) openNamed(c *call, a *arguments) (codec.Raw, error) {
	name := a.text("name")
	if a.err == nil {
		a.err = validName("the name of an object", name)
	}
	any := a.at < len(c.Args) && len(c.Args[a.at]) == 1 && c.Args[a.at][0] == codec.AppendNil(nil)[0] || a.at >= len(c.Args)
	typ := ""
	if !any {
		typ = a.text("type")
	}
	if a.err != nil {
		return nil, a.err
	}
	n, there := s.names[name]
	switch {
	case there && (any || s.objects[n].obj.Type() == typ):
		c.Shared = true
		return s.ref(s.objects[n]), nil
	case there:
		return nil, &ipcerr.Error{Op: "open object", Name: name, Code: ipcerr.WrongKind,
			Hint: fmt.Sprintf("it is a %s, not a %s: choose another name, or unlink it", s.objects[n].obj.Type(), typ)}
	case any:
		return nil, &ipcerr.Error{Op: "open object", Name: name, Code: ipcerr.NotFound, Hint: "there is none of that name: say of which type to make one"}
	}
	return s.create(c, typ, name)
}

func (s *Server) listNames() codec.Raw {
	b := codec.AppendMap(nil, len(s.names))
	for _, name := range slices.Sorted(maps.Keys(s.names)) {
		b = codec.AppendText(codec.AppendText(b, name), s.objects[s.names[name]].obj.Type())
	}
	return b
}

func appendTexts(b []byte, texts []string) []byte {
	b = codec.AppendArray(b, len(texts))
	for _, t := range texts {
		b = codec.AppendText(b, t)
	}
	return b
}

// ownTypes are those that the server itself has.
var ownTypes = live.Types()

func (s *Server) listTypes() codec.Raw {
	b := codec.AppendMap(nil, len(ownTypes)+len(s.types))
	for _, t := range slices.Sorted(maps.Keys(ownTypes)) {
		b = appendTexts(codec.AppendText(b, t), ownTypes[t])
	}
	for _, t := range slices.Sorted(maps.Keys(s.types)) {
		b = appendTexts(codec.AppendText(b, t), s.types[t].methods)
	}
	return b
}

func (s *Server) methods(typ string) []string {
	if h := s.types[typ]; h != nil {
		return h.methods
	}
	return ownTypes[typ]
}
