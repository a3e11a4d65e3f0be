package live

import (
	"slices"

	"github.com/polyipc/polyipc/codec"
)

// list is a list, and an array, which is one of fixed length whose values have a type.
type list struct {
	base
	holder
	watchers
	values  []codec.Raw
	numbers []uint64 // of each value, if a keeper is told of them
	fixed   bool     // an array
	code    typecode // of an array
}

var _ = define("list", "values=", newList, sequence, map[string]*method{
	"delete":       on("index", (*list).delete),
	"delete_slice": on("start=, stop=, step=", (*list).deleteSlice),
	"append":       on("value", (*list).append),
	"extend":       on("values", (*list).extend),
	"insert":       on("index, value", (*list).insert),
	"pop":          on("index=", (*list).pop),
	"remove":       on("value", (*list).remove),
	"index":        on("value, start=, stop=", (*list).find),
	"count":        on("value", (*list).count),
	"contains":     on("value", (*list).contains),
	"clear":        on("", (*list).clear),
	"reverse":      on("", (*list).reverse),
	"sort":         on("reverse=", (*list).sort),
	"multiply":     on("count", (*list).multiply),
	"scan":         on("position=, count=", (*list).scan),
	"pop_if":       on("index, expected", (*list).popIf),
	"equals":       on("value", (*list).equals),
})

// sequence are the methods that a list and an array have in common.
var sequence = map[string]*method{
	"get":             on("index", (*list).get),
	"set":             on("index, value", (*list).set),
	"slice":           on("start=, stop=, step=", (*list).slice),
	"set_slice":       on("start, stop, step, values", (*list).setSlice),
	"len":             on("", func(l *list, _ call) (codec.Raw, error) { return rawInt(len(l.values)), nil }),
	"copy":            on("", (*list).copy),
	"increment":       on("index, by=", (*list).increment),
	"compare_and_set": on("index, expected, value", (*list).compareAndSet),
}

func newList(t *class, c call) (Object, error) {
	l := &list{base: base{t}, holder: holder{room: c.Room}}
	if c.left(0) {
		return l, nil
	}
	_, err := l.extend(c)
	return l, err
}

// Call does a call.
func (l *list) Call(r *Request) (codec.Raw, error) { return l.class.call(l, r) }

// Drop removes all values and forgets the references in them.
func (l *list) Drop() {
	l.drop(l.values...)
	if l.keeper != nil && len(l.values) > 0 {
		l.keeper.Clear()
	}
	l.values, l.numbers, l.refs = nil, nil, false
}

// Snapshot is an array of all.
func (l *list) Snapshot() (codec.Raw, bool) { return array(l.values...), l.refs }

// values reads an argument that is an array of them.
func (c call) values(i int) ([]codec.Raw, error) {
	all, n, ok := members(c.args[i])
	if !ok {
		return nil, c.wrongType("values", "an array", c.args[i])
	}
	return slices.AppendSeq(make([]codec.Raw, 0, n), all), nil
}

// replaced tells watchers of all that there is now.
func (l *list) replaced() {
	if l.watched() {
		l.changed(l.refs, "replace", array(l.values...))
	}
}

// shrink gives memory back.
func (l *list) shrink() {
	if len(l.values) == 0 {
		l.refs = false
	}
	if cap(l.values) > 64 && len(l.values) < cap(l.values)/4 {
		l.values = append(make([]codec.Raw, 0, 2*len(l.values)), l.values...)
		l.numbers = append(make([]uint64, 0, 2*len(l.numbers)), l.numbers...)
	}
}

func (l *list) get(c call) (codec.Raw, error) {
	i, err := c.index(0, 0, len(l.values))
	if err != nil {
		return nil, err
	}
	return l.give(c.Request, l.values[i]), nil
}

func (l *list) set(c call) (codec.Raw, error) {
	i, err := c.index(0, 0, len(l.values))
	if err != nil {
		return nil, err
	}
	return rawNil, l.put(c, i, c.args[1])
}

// put sets the value at a place.
func (l *list) put(c call, i int, value codec.Raw) error {
	kept, err := l.code.take(c, value)
	if err != nil {
		return err
	}
	if err := l.hold(c.Request, value); err != nil {
		return err
	}
	l.drop(l.values[i])
	l.values[i] = kept
	if l.keeper != nil {
		l.keeper.Set(l.numbers[i], "", kept)
	}
	if l.watched() {
		l.changed(l.refs, "set", rawInt(i), kept)
	}
	return nil
}

// insertAt puts a value whose references are counted at a place and moves those that follow.
func (l *list) insertAt(i int, kept codec.Raw) {
	l.values = slices.Insert(l.values, i, kept)
	l.spliced(i, i, 1)
	if l.watched() {
		l.changed(l.refs, "insert", rawInt(i), kept)
	}
}

// take removes the value at a place and returns it.
func (l *list) take(c call, i int) codec.Raw {
	v := l.give(c.Request, l.values[i])
	l.values = slices.Delete(l.values, i, i+1)
	l.spliced(i, i+1, 0)
	if l.watched() {
		l.changed(l.refs, "delete", rawInt(i))
	}
	l.drop(v)
	l.shrink()
	return v
}

func (l *list) delete(c call) (codec.Raw, error) {
	i, err := c.index(0, 0, len(l.values))
	if err != nil {
		return nil, err
	}
	l.take(c, i)
	return rawNil, nil
}

func (l *list) append(c call) (codec.Raw, error) {
	if err := l.hold(c.Request, c.args[0]); err != nil {
		return nil, err
	}
	l.insertAt(len(l.values), keep(c.args[0]))
	return rawInt(len(l.values)), nil
}

func (l *list) extend(c call) (codec.Raw, error) {
	values, err := c.values(0)
	if err != nil {
		return nil, err
	}
	if err := l.hold(c.Request, values...); err != nil {
		return nil, err
	}
	l.values = slices.Grow(l.values, len(values))
	for _, v := range values {
		l.insertAt(len(l.values), keep(v))
	}
	return rawInt(len(l.values)), nil
}

func (l *list) insert(c call) (codec.Raw, error) {
	n := len(l.values)
	i, err := c.bound(0, 0, n, 0, n)
	if err != nil {
		return nil, err
	}
	if err := l.hold(c.Request, c.args[1]); err != nil {
		return nil, err
	}
	l.insertAt(i, keep(c.args[1]))
	return rawInt(len(l.values)), nil
}

func (l *list) pop(c call) (codec.Raw, error) {
	i, err := c.index(0, -1, len(l.values))
	if err != nil {
		return nil, err
	}
	return l.take(c, i), nil
}

func (l *list) clear(call) (codec.Raw, error) {
	shared := l.refs
	l.Drop()
	l.changed(shared, "clear")
	return rawNil, nil
}

func (l *list) copy(c call) (codec.Raw, error) { return l.give(c.Request, array(l.values...)), nil }

func (l *list) increment(c call) (codec.Raw, error) {
	i, err := c.index(0, 0, len(l.values))
	if err != nil {
		return nil, err
	}
	sum, err := increment(c, l.values[i], c.arg(1))
	if err != nil {
		return nil, err
	}
	return sum, l.put(c, i, sum)
}

func (l *list) compareAndSet(c call) (codec.Raw, error) {
	i, err := c.index(0, 0, len(l.values))
	if err != nil || !equal(l.values[i], c.args[1]) {
		return rawFalse, err
	}
	return rawTrue, l.put(c, i, c.args[2])
}

func (l *list) popIf(c call) (codec.Raw, error) {
	i, err := c.index(0, 0, len(l.values))
	if err != nil || !equal(l.values[i], c.args[1]) {
		return rawFalse, err
	}
	l.take(c, i)
	return rawTrue, nil
}
