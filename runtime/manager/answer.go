package manager

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// answer is a value that came from the server, and the connection to which the references in it belong.
type answer struct {
	client  *Client
	version uint64
	data    []byte
	refs    bool
	taken   bool // objects have taken the references over
}

// decoding is an answer with references on its way into Go values. Its number is the receipt by which the objects in
// it find their client.
type decoding struct {
	*answer
	taken map[uint64]uint64 // references that objects have taken over, by number
}

var (
	decodings    sync.Map // number -> *decoding
	lastDecoding atomic.Uint32
)

// into decodes the answer into what v points to; one with references only once. If that fails, they are given back.
func (a *answer) into(v any) error {
	if !a.refs {
		return codec.Unmarshal(a.data, v)
	}
	if a.taken {
		return invalid("read answer", "", "the live objects in it were fetched before")
	}
	a.taken = true
	d := &decoding{a, map[uint64]uint64{}}
	number := lastDecoding.Add(1)
	decodings.Store(number, d)
	err := codec.UnmarshalReceived(a.data, number, v)
	if err == nil {
		switch v := v.(type) { // what has no type of its own gets objects for references
		case *any:
			*v = d.live(*v)
		case *[]any:
			d.live(*v)
		case *map[string]any:
			d.live(*v)
		}
	}
	decodings.Delete(number)
	if err != nil {
		d.giveBack()
	}
	return err
}

// live puts an Object in the place of each reference to one within a value as Decode makes it.
func (d *decoding) live(v any) any {
	switch v := v.(type) {
	case codec.Ref:
		if o, err := d.object(v); err == nil {
			return o
		}
	case []any:
		d.all(v)
	case codec.Tuple:
		d.all(v)
	case codec.Set:
		d.all(v)
	case codec.FrozenSet:
		d.all(v)
	case map[string]any:
		for k, e := range v {
			v[k] = d.live(e)
		}
	case codec.Pairs:
		for i := range v {
			v[i].Key, v[i].Value = d.live(v[i].Key), d.live(v[i].Value)
		}
	}
	return v
}

func (d *decoding) all(list []any) {
	for i, v := range list {
		list[i] = d.live(v)
	}
}

// object takes a reference over.
func (d *decoding) object(r codec.Ref) (Object, error) {
	if r.Kind != frame.RefKind {
		return Object{}, &ipcerr.Error{Op: "refer to object", Name: r.Name, Code: ipcerr.WrongKind, Hint: "it is no live object of a manager"}
	}
	_, n := numbersOf(r)
	d.taken[n]++
	return newObject(d.client, d.version, r), nil
}

// giveBack gives back what was not taken over.
func (d *decoding) giveBack() {
	refs, err := codec.Refs(d.data)
	if err != nil {
		return
	}
	for _, r := range refs {
		switch epoch, n := numbersOf(r); {
		case r.Kind != frame.RefKind || epoch != d.client.Info().Epoch:
		case d.taken[n] > 0:
			d.taken[n]--
		default:
			d.client.release(d.version, n, 1)
		}
	}
}

func numbersOf(r codec.Ref) (epoch, number uint64) {
	return binary.BigEndian.Uint64(r.UUID[:8]), binary.BigEndian.Uint64(r.UUID[8:])
}

// pieces are the values of an answer that is an array, one by one.
func (a *answer) pieces() ([]answer, error) {
	var s codec.Scanner
	s.Reset(a.data)
	n, err := s.Array()
	if err != nil {
		return nil, err
	}
	all := make([]answer, 0, n)
	for range n {
		s.Refs = false
		v, err := s.Value()
		if err != nil {
			return nil, err
		}
		all = append(all, answer{client: a.client, version: a.version, data: v, refs: s.Refs})
	}
	return all, nil
}

// entry is one of a map.
type entry struct {
	name  string
	value answer
}

// entries are those of an answer that is a map of text, or nil.
func (a *answer) entries() ([]entry, error) {
	var s codec.Scanner
	s.Reset(a.data)
	if len(a.data) == 0 || s.Nil() {
		return nil, nil
	}
	n, err := s.Map()
	all := make([]entry, 0, n)
	for range n {
		name, err := s.Text()
		if err != nil {
			return nil, err
		}
		s.Refs = false
		v, err := s.Value()
		if err != nil {
			return nil, err
		}
		all = append(all, entry{string(name), answer{client: a.client, version: a.version, data: v, refs: s.Refs}})
	}
	return all, err
}

// decoded is an answer as a T.
func decoded[T any](a answer, err error) (T, error) {
	var v T
	if err != nil {
		return v, err
	}
	return v, a.into(&v)
}
