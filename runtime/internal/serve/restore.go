package serve

import (
	"fmt"
	"iter"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/live"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// restoreAll makes the objects that the journal has. They keep the numbers that they have there.
func (s *Server) restoreAll() error {
	return s.options.Journal.Load(nil, func(o Kept) error {
		n, obj := id(o.Number), live.Empty(o.Type, s)
		_, taken := s.names[o.Name]
		if obj == nil || n == 0 || n > 1<<62 || s.objects[n] != nil || taken || validName("", o.Name) != nil {
			return corrupt(o, "its type, name or number cannot be")
		}
		e := &entry{id: n, obj: obj}
		e.keeper = &keeper{s: s, e: e, name: o.Name}
		s.objects[n], s.last = e, max(s.last, n)
		s.nameIt(e, o.Name)
		return s.restore(e.keeper, o)
	})
}

func corrupt(o Kept, hint string) error {
	return &ipcerr.Error{Op: "restore object", Name: o.Name, Code: ipcerr.Corrupt, Hint: fmt.Sprintf("a %.40q, number %d: %s", o.Type, o.Number, hint)}
}

// restore gives an object what the journal has of it.
func (s *Server) restore(k *keeper, o Kept) error {
	r := restoring{Kept: o, pickles: s.options.Pickle}
	if len(o.Head) > 0 {
		if r.value(o.Head); r.err == nil && len(r.rest) > 0 {
			r.err = corrupt(o, "bytes behind its head")
		}
	}
	if err := k.e.obj.(live.Keepable).Restore(k, o.Head, r.entries()); err != nil && r.err == nil {
		r.err = err
	}
	return r.err
}

// restoring checks what comes from a journal as strictly as what comes from a client.
type restoring struct {
	Kept
	pickles bool
	scan    codec.Scanner
	rest    []byte
	err     error
}

// value reads the first value of b.
func (r *restoring) value(b []byte) (first codec.Raw) {
	r.scan.Reset(b)
	first, err := r.scan.Value()
	switch {
	case err != nil:
		r.err = corrupt(r.Kept, err.Error())
		return nil
	case r.scan.Pickle && !r.pickles:
		r.err = &ipcerr.Error{Op: "restore object", Name: r.Name, Code: ipcerr.Denied, Hint: "it has pickles, which this server does not let through: start it with pickle"}
		return nil
	case r.scan.Refs:
		refs, err := codec.Refs(first)
		for _, ref := range refs {
			if ref.Kind == frame.RefKind {
				r.err = corrupt(r.Kept, "a reference to another object of the manager")
			}
		}
		if err != nil {
			r.err = corrupt(r.Kept, err.Error())
		}
	}
	r.rest = b[len(first):]
	return first
}

// entries are the object's, until one is not what it must be.
func (r *restoring) entries() iter.Seq2[uint64, live.Entry] {
	return func(yield func(uint64, live.Entry) bool) {
		if r.err != nil {
			return
		}
		for number, b := range r.Entries {
			e := live.Entry{First: r.value(b)}
			if r.err == nil && len(r.rest) > 0 {
				if e.Second = r.value(r.rest); r.err == nil && len(r.rest) > 0 {
					r.err = corrupt(r.Kept, "an entry of more than two values")
				}
			}
			if r.err != nil || !yield(number, e) {
				return
			}
		}
	}
}
