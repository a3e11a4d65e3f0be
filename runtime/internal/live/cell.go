package live

import "github.com/polyipc/polyipc/codec"

// cell is a single value: a value, whose typecode says what it takes, and a counter, which is an int64.
type cell struct {
	base
	holder
	watchers
	code typecode
	now  codec.Raw
}

var _ = define("value", "typecode=, value=", newValue, cellMethods, map[string]*method{
	"typecode": on("", func(v *cell, _ call) (codec.Raw, error) { return v.code.raw(), nil }),
})

var _ = define("counter", "value=", newCounter, cellMethods)

var cellMethods = map[string]*method{
	"get":             on("", func(v *cell, c call) (codec.Raw, error) { return v.give(c.Request, v.now), nil }),
	"set":             on("value", func(v *cell, c call) (codec.Raw, error) { return rawNil, v.put(c, c.args[0]) }),
	"exchange":        on("value", (*cell).exchange),
	"increment":       on("by=", (*cell).increment),
	"compare_and_set": on("expected, value", (*cell).compareAndSet),
}

func newValue(t *class, c call) (Object, error) {
	code, err := typecodeOf(c)
	if err != nil {
		return nil, err
	}
	v := &cell{base: base{t}, holder: holder{room: c.Room}, code: code, now: code.zero()}
	if c.arg(1) != nil {
		err = v.put(c, c.args[1])
	}
	return v, err
}

func newCounter(t *class, c call) (Object, error) {
	v := &cell{base: base{t}, holder: holder{room: c.Room}, code: "q", now: rawZero}
	if c.left(0) {
		return v, nil
	}
	return v, v.put(c, c.args[0])
}

// Call does a call.
func (v *cell) Call(r *Request) (codec.Raw, error) { return v.class.call(v, r) }

// Drop forgets the references in the value.
func (v *cell) Drop() {
	v.drop(v.now)
	v.now, v.refs = v.code.zero(), false
}

// Snapshot is the value.
func (v *cell) Snapshot() (codec.Raw, bool) { return v.now, v.refs }

func (v *cell) put(c call, value codec.Raw) error {
	kept, err := v.code.take(c, value)
	if err != nil {
		return err
	}
	had := v.refs
	if err := v.hold(c.Request, value); err != nil {
		return err
	}
	if had {
		v.room.Forget(v.now)
	}
	v.now, v.refs = kept, c.Refs && v.keeper == nil
	if v.keeper != nil {
		v.keeper.Set(0, "", kept)
	}
	if v.watched() {
		v.changed(v.refs, "set", kept)
	}
	return nil
}

func (v *cell) exchange(c call) (codec.Raw, error) {
	former := v.give(c.Request, v.now)
	return former, v.put(c, c.args[0])
}

func (v *cell) increment(c call) (codec.Raw, error) {
	sum, err := increment(c, v.now, c.arg(0))
	if err != nil {
		return nil, err
	}
	return sum, v.put(c, sum)
}

func (v *cell) compareAndSet(c call) (codec.Raw, error) {
	if !equal(v.now, c.args[0]) {
		return rawFalse, nil
	}
	return rawTrue, v.put(c, c.args[1])
}
