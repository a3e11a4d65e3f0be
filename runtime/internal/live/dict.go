package live

import (
	"iter"

	"github.com/polyipc/polyipc/codec"
)

// dict is a dict, and a namespace, which is one whose keys are text.
type dict struct {
	base
	table
	watchers
	missing string // the exception for a key that is not there
}

var _ = define("dict", "entries=, **named", newDict, map[string]*method{
	"get":             on("key, default=", (*dict).get),
	"getitem":         on("key", (*dict).getItem),
	"set":             on("key, value", (*dict).set),
	"delete":          on("key", (*dict).delete),
	"contains":        on("key", (*dict).contains),
	"len":             on("", func(d *dict, _ call) (codec.Raw, error) { return rawInt(d.len()), nil }),
	"pop":             on("key, default=", (*dict).pop),
	"popitem":         on("", (*dict).popItem),
	"setdefault":      on("key, default=", (*dict).setDefault),
	"update":          on("entries=, **named", (*dict).update),
	"clear":           on("", (*dict).clearAll),
	"copy":            on("", (*dict).copy),
	"keys":            on("", (*dict).keys),
	"values":          on("", (*dict).allValues),
	"items":           on("", (*dict).items),
	"scan":            on("position=, count=, version=", func(d *dict, c call) (codec.Raw, error) { return d.scan(c, true) }),
	"increment":       on("key, by=", (*dict).increment),
	"compare_and_set": on("key, expected, value", (*dict).compareAndSet),
	"add":             on("key, value", (*dict).addNew),
	"pop_if":          on("key, expected", (*dict).popIf),
	"equals":          on("value", (*dict).equals),
})

func newDict(t *class, c call) (Object, error) {
	d := emptyDict(t, c.Room, "KeyError")
	_, err := d.update(c)
	return d, err
}

func emptyDict(t *class, room Room, missing string) *dict {
	d := &dict{base: base{t}, missing: missing}
	d.room = room
	return d
}

// Call does a call.
func (d *dict) Call(r *Request) (codec.Raw, error) { return d.class.call(d, r) }

// Snapshot is a map of all.
func (d *dict) Snapshot() (codec.Raw, bool) { return d.asMap(), d.refs }

// key finds the entry of a call's first argument: canonical is the key's form, and at the entry, or negative.
func (d *dict) key(c call) (canonical []byte, at int, err error) {
	canonical, unhashable := canonicalKey(c.args[0])
	if unhashable != "" {
		return nil, 0, c.badKey(unhashable)
	}
	at, ok := d.find(canonical)
	if !ok {
		at = -1
	}
	return canonical, at, nil
}

// present is key for a call that fails if there is none.
func (d *dict) present(c call) (at int, err error) {
	_, at, err = d.key(c)
	if err == nil && at < 0 {
		err = c.fault(d.missing, "%s is not there; ask contains, or give a default where there is one", show(c.args[0]))
	}
	return at, err
}

// put sets the value of a key, an entry of which is at a place, or nowhere.
func (d *dict) put(c call, canonical []byte, at int, key, value codec.Raw) error {
	if err := d.hold(c.Request, key, value); err != nil {
		return err
	}
	d.place(canonical, at, key, value)
	return nil
}

// place is put for a key and a value whose references are counted.
func (d *dict) place(canonical []byte, at int, key, value codec.Raw) {
	if at >= 0 {
		e := &d.entries[at]
		d.drop(key, e.value) // the entry goes on with the key that it has
		e.value = keep(value)
		if d.keeper != nil {
			d.keeper.Set(e.number, e.key, e.value)
		}
	} else {
		d.add(canonical, key, keep(value))
	}
	if d.watched() {
		d.changed(d.refs, "set", key, value)
	}
}

// take removes an entry and returns its value.
func (d *dict) take(c call, at int) codec.Raw {
	shared := d.refs
	c.Shared = c.Shared || shared
	e := d.remove(at)
	if d.watched() {
		d.changed(shared, "delete", codec.Raw(e.key))
	}
	d.forget(e)
	return e.value
}

func (d *dict) get(c call) (codec.Raw, error) {
	_, at, err := d.key(c)
	if err != nil {
		return nil, err
	}
	if at >= 0 {
		return d.give(c.Request, d.entries[at].value), nil
	}
	return c.given(1), nil
}

func (d *dict) getItem(c call) (codec.Raw, error) {
	at, err := d.present(c)
	if err != nil {
		return nil, err
	}
	return d.give(c.Request, d.entries[at].value), nil
}

func (d *dict) set(c call) (codec.Raw, error) {
	canonical, at, err := d.key(c)
	if err != nil {
		return nil, err
	}
	return rawNil, d.put(c, canonical, at, c.args[0], c.args[1])
}

func (d *dict) delete(c call) (codec.Raw, error) {
	at, err := d.present(c)
	if err != nil {
		return nil, err
	}
	d.take(c, at)
	return rawNil, nil
}

func (d *dict) contains(c call) (codec.Raw, error) {
	_, at, err := d.key(c)
	return rawBool(at >= 0), err
}

func (d *dict) pop(c call) (codec.Raw, error) {
	_, at, err := d.key(c)
	switch {
	case err != nil:
		return nil, err
	case at >= 0:
		return d.take(c, at), nil
	case c.arg(1) != nil:
		return c.given(1), nil
	}
	return nil, c.fault(d.missing, "%s is not there; give a default", show(c.args[0]))
}

func (d *dict) popItem(c call) (codec.Raw, error) {
	if d.len() == 0 {
		return nil, c.fault("KeyError", "the dict is empty; ask len first")
	}
	at := len(d.entries) - 1
	key := codec.Raw(d.entries[at].key)
	return array(key, d.take(c, at)), nil
}

func (d *dict) setDefault(c call) (codec.Raw, error) {
	canonical, at, err := d.key(c)
	if err != nil {
		return nil, err
	}
	if at < 0 {
		at = len(d.entries)
		value := c.arg(1)
		if value == nil {
			value = rawNil
		}
		if err := d.put(c, canonical, -1, c.args[0], value); err != nil {
			return nil, err
		}
	}
	return d.give(c.Request, d.entries[at].value), nil
}

// update sets all entries or none.
func (d *dict) update(c call) (codec.Raw, error) {
	all, err := d.entriesOf(c)
	if err != nil {
		return nil, err
	}
	held := make([]codec.Raw, 0, 1+len(c.Named))
	if !c.left(0) {
		held = append(held, c.args[0])
	}
	for _, n := range c.Named {
		held = append(held, n.Value)
	}
	if err := d.hold(c.Request, held...); err != nil {
		return nil, err
	}
	set := func(key, value codec.Raw) {
		canonical, _ := canonicalKey(key)
		at, ok := d.find(canonical)
		if !ok {
			at = -1
		}
		d.place(canonical, at, key, value)
	}
	for k, v := range all {
		set(k, v)
	}
	for _, n := range c.Named {
		set(rawText(n.Name), n.Value)
	}
	return rawNil, nil
}

// entriesOf returns the pairs of a call's first argument, none if it was left out, whose keys can all be keys.
func (d *dict) entriesOf(c call) (iter.Seq2[codec.Raw, codec.Raw], error) {
	if c.left(0) {
		return func(func(_, _ codec.Raw) bool) {}, nil
	}
	all, ok := pairs(c.args[0])
	if !ok {
		return nil, c.wrongType("entries", "a map or an array of pairs", c.args[0])
	}
	for k := range all {
		if _, unhashable := canonicalKey(k); unhashable != "" {
			return nil, c.badKey(unhashable)
		}
	}
	return all, nil
}

func (d *dict) clearAll(call) (codec.Raw, error) {
	shared := d.refs
	d.Drop()
	d.changed(shared, "clear")
	return rawNil, nil
}

func (d *dict) copy(c call) (codec.Raw, error) { return d.give(c.Request, d.asMap()), nil }

func (d *dict) keys(c call) (codec.Raw, error) {
	return d.give(c.Request, d.appendAll(codec.AppendArray(nil, d.len()), true, false)), nil
}

func (d *dict) allValues(c call) (codec.Raw, error) {
	return d.give(c.Request, d.appendAll(codec.AppendArray(nil, d.len()), false, true)), nil
}
