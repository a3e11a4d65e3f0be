package serve

import (
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/live"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// entry is an object, and how many refer to it: clients, other objects' values, its name, calls that wait in it.
type entry struct {
	id    id
	obj   live.Object
	count uint64
	name  string

	keeper *keeper // nil: it does not outlive the server
}

// add gives an object its number. Nobody refers to it yet.
func (s *Server) add(obj live.Object) *entry {
	s.last++
	e := &entry{id: s.last, obj: obj}
	s.objects[e.id] = e
	return e
}

// room reports whether there may be one object more.
func (s *Server) room() error {
	if len(s.objects) < s.options.Objects {
		return nil
	}
	return &ipcerr.Error{Op: "create object", Code: ipcerr.Limit,
		Hint: fmt.Sprintf("there are %d objects, as many as may be: let go of some, or raise the server's limit", len(s.objects))}
}

// find is the object of a number.
func (s *Server) find(n id) (*entry, error) {
	if e := s.objects[n]; e != nil {
		return e, nil
	}
	return nil, &ipcerr.Error{Op: "call object", Name: fmt.Sprint(n), Code: ipcerr.Gone, Hint: "there is no object of that number, or no more: nobody referred to it"}
}

// ref is the reference to an object.
func (s *Server) ref(e *entry) codec.Raw {
	r := codec.Ref{Kind: frame.RefKind, Name: e.obj.Type()}
	binary.BigEndian.PutUint64(r.UUID[:8], s.epoch)
	binary.BigEndian.PutUint64(r.UUID[8:], uint64(e.id))
	return codec.AppendRef(nil, r)
}

// of is the object of a reference; nil for references to other things.
func (s *Server) of(r codec.Ref) (*entry, error) {
	if r.Kind != frame.RefKind {
		return nil, nil
	}
	if epoch, _ := numbers(r.UUID); epoch != s.epoch {
		return nil, &ipcerr.Error{Op: "refer to object", Name: r.Name, Code: ipcerr.Invalid,
			Hint: "the object is another manager's, or of one that was here before: hand on its value, or reconnect"}
	}
	_, n := numbers(r.UUID)
	return s.find(id(n))
}

func numbers(u uuid.UUID) (epoch, number uint64) {
	return binary.BigEndian.Uint64(u[:8]), binary.BigEndian.Uint64(u[8:])
}

// Keep implements live.Room.
func (s *Server) Keep(v codec.Raw) error {
	return s.count(v, func(e *entry) { e.count++ })
}

// Forget implements live.Room.
func (s *Server) Forget(v codec.Raw) {
	_ = s.count(v, func(e *entry) { s.unref(e, 1) })
}

// Find implements live.Room.
func (s *Server) Find(v codec.Raw) (n live.ID, obj live.Object, err error) {
	refs, err := codec.Refs(v)
	if err == nil && len(refs) == 1 {
		var e *entry
		if e, err = s.of(refs[0]); e != nil {
			return e.id, e.obj, nil
		}
	}
	if err == nil {
		err = &live.Fault{Type: "TypeError", Message: "an object of the manager is needed here, not a value"}
	}
	return 0, nil, err
}

// count does something with each object that a value refers to; with none if one of them is no more.
func (s *Server) count(v codec.Raw, do func(*entry)) error {
	refs, err := codec.Refs(v)
	if err != nil {
		return err
	}
	var found []*entry
	for _, r := range refs {
		e, err := s.of(r)
		if err != nil {
			return err
		}
		if e != nil {
			found = append(found, e)
		}
	}
	for _, e := range found {
		do(e)
	}
	return nil
}

// share counts the references that a client is being sent.
func (s *Server) share(p *peer, v codec.Raw) error {
	return s.count(v, func(e *entry) {
		e.count++
		p.refs[e.id]++
	})
}

// unref takes references back. What is left without any goes in tidy: objects must not be called in the middle of
// another one's call.
func (s *Server) unref(e *entry, n uint64) {
	if e.count -= min(n, e.count); e.count == 0 {
		s.dead = append(s.dead, e)
	}
}

// tidy does, between two calls, what could not be done within one: objects without a reference go, and then those that they
// alone referred to; clients that left give back what they had. One after the other, since chains may be long.
func (s *Server) tidy() {
	for s.pending() {
		switch {
		case len(s.later) > 0:
			do := s.later[0]
			s.later = s.later[1:]
			do()
		case len(s.leaving) > 0:
			p := s.leaving[0]
			s.leaving = s.leaving[1:]
			s.release(p)
		default:
			e := s.dead[len(s.dead)-1]
			s.dead = s.dead[:len(s.dead)-1]
			if e.count == 0 && s.objects[e.id] == e {
				delete(s.objects, e.id)
				s.trim.objects++
				e.obj.Drop()
			}
		}
	}
	s.dead, s.leaving, s.later = s.dead[:0], nil, nil
	if cap(s.dead) > 1024 {
		s.dead = nil
	}
}
