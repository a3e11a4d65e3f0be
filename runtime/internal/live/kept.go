package live

import (
	"iter"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Keepable is an object whose contents somebody else can keep, on a disk, so that they outlive it: a head, which is one value
// or none, and entries in the order of their numbers. A change of one value changes one entry, wherever it is.
type Keepable interface {
	Object
	// KeepBy tells k all that there is, and then of each change as it is made. nil: no more.
	KeepBy(k Keeper)
	// Restore gives up all that there is for what a keeper was told, and then tells k of each change. Who waits goes on waiting,
	// and clients keep those of their leases whose items are there. The entries' bytes are copied. CORRUPT, and then it is
	// empty and tells nobody.
	Restore(k Keeper, head codec.Raw, entries iter.Seq2[uint64, Entry]) error
}

// Keeper is told of changes, in the middle of a call. Nobody writes into what it is given.
type Keeper interface {
	Head(v codec.Raw)
	Set(number uint64, key string, value codec.Raw) // a new entry, or another value of one
	Delete(number uint64)
	Clear()
	// Allow refuses a value that cannot be kept.
	Allow(v codec.Raw) error
}

// Entry is one or two checked values: the key of a dict or a set, or the value of anything else; and a dict's value.
type Entry struct{ First, Second codec.Raw }

// empties make an object of each type that can be kept, with nothing in it.
var empties = map[string]func(t *class, room Room) Keepable{
	"dict":      func(t *class, room Room) Keepable { return emptyDict(t, room, "KeyError") },
	"namespace": func(t *class, room Room) Keepable { return emptyDict(t, room, "AttributeError") },
	"set":       func(t *class, room Room) Keepable { s := &set{base: base{t}}; s.room = room; return s },
	"list":      func(t *class, room Room) Keepable { return &list{base: base{t}, holder: holder{room: room}} },
	"array": func(t *class, room Room) Keepable {
		return &list{base: base{t}, holder: holder{room: room}, fixed: true}
	},
	"value": func(t *class, room Room) Keepable {
		return &cell{base: base{t}, holder: holder{room: room}, now: rawNil}
	},
	"counter": func(t *class, room Room) Keepable {
		return &cell{base: base{t}, holder: holder{room: room}, code: "q", now: rawZero}
	},
	"queue":          emptyQueue,
	"joinable_queue": emptyQueue,
}

// CanKeep reports whether objects of a type are Keepable.
func CanKeep(typ string) bool { return empties[typ] != nil }

// Empty makes an object to be restored; nil for a type that cannot be kept.
func Empty(typ string, room Room) Keepable {
	if make := empties[typ]; make != nil {
		return make(types[typ], room)
	}
	return nil
}

// malformed is the error of a Restore.
func malformed(hint string) error {
	return &ipcerr.Error{Op: "restore object", Code: ipcerr.Corrupt, Hint: hint}
}

// checked is a call for what checks its arguments.
func (b base) checked() call { return call{Request: &Request{}, method: b.class.new} }

// KeepBy implements Keepable.
func (t *table) KeepBy(k Keeper) {
	if t.keeper = k; k == nil {
		return
	}
	for _, e := range t.entries {
		if e.key != "" {
			k.Set(e.number, e.key, e.value)
		}
	}
}

// restore fills the table; values says whether its entries have some.
func (t *table) restore(k Keeper, entries iter.Seq2[uint64, Entry], values bool) (err error) {
	t.keeper, t.refs = nil, false
	t.clear()
	for number, e := range entries {
		if err = t.restoreEntry(number, e, values); err != nil {
			t.clear()
			return err
		}
	}
	t.keeper = k
	return nil
}

func (t *table) restoreEntry(number uint64, e Entry, values bool) error {
	canonical, unhashable := canonicalKey(e.First)
	_, twice := t.find(canonical)
	switch {
	case unhashable != "":
		return malformed("a key that cannot be one")
	case twice:
		return malformed("a key that is there twice")
	case values != (e.Second != nil):
		return malformed("an entry of too many values, or too few")
	}
	var value codec.Raw
	if values {
		value = keep(e.Second)
	}
	t.last = number - 1
	t.add(canonical, e.First, value)
	return nil
}

// Restore implements Keepable.
func (d *dict) Restore(k Keeper, _ codec.Raw, entries iter.Seq2[uint64, Entry]) error {
	return d.restore(k, entries, true)
}

// Restore implements Keepable.
func (s *set) Restore(k Keeper, _ codec.Raw, entries iter.Seq2[uint64, Entry]) error {
	return s.restore(k, entries, false)
}

// KeepBy implements Keepable.
func (v *cell) KeepBy(k Keeper) {
	if v.keeper = k; k != nil {
		k.Head(v.code.raw())
		k.Set(0, "", v.now)
	}
}

// Restore implements Keepable.
func (v *cell) Restore(k Keeper, head codec.Raw, entries iter.Seq2[uint64, Entry]) (err error) {
	v.keeper, v.refs = nil, false
	if v.code, err = restoredCode(head); err != nil {
		return err
	}
	v.now = v.code.zero()
	found := 0
	for _, e := range entries {
		if v.now, err = v.code.take(v.checked(), e.First); err != nil || e.Second != nil {
			v.now = v.code.zero()
			return malformed("a value that the object cannot have")
		}
		found++
	}
	if found != 1 {
		return malformed("not one value, as the object has")
	}
	v.keeper = k
	return nil
}

// restoredCode reads a typecode from a head.
func restoredCode(head codec.Raw) (typecode, error) {
	switch h := codec.HeadOf(orNil(head)); h.Kind {
	case codec.KindNil:
		return "", nil
	case codec.KindStr:
		return typecode(head[h.Size:]), nil
	}
	return "", malformed("a typecode that is no text")
}

func orNil(v codec.Raw) codec.Raw {
	if len(v) == 0 {
		return rawNil
	}
	return v
}
