package live

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// The methods of lists that look at many values, or change many.

// maxMade is how many values one call may make out of few: all others wait meanwhile. They share their bytes until somebody
// asks for all of them, so maxShared bounds how many there are then.
const (
	maxMade   = 1 << 22
	maxShared = 256 << 20
)

func (c call) tooMany() error {
	return &ipcerr.Error{Op: c.method.text, Code: ipcerr.TooLarge,
		Hint: fmt.Sprintf("that would make more than %d values at once, or of more than %d MiB; do it piece by piece", maxMade, maxShared>>20)}
}

func (l *list) slice(c call) (codec.Raw, error) {
	s, err := c.span(len(l.values))
	if err != nil {
		return nil, err
	}
	some := make([]codec.Raw, s.n)
	for i := range some {
		some[i] = l.values[s.at(i)]
	}
	return l.give(c.Request, array(some...)), nil
}

// setSlice puts other values where some are. A list may become longer or shorter if they lie side by side.
func (l *list) setSlice(c call) (codec.Raw, error) {
	s, err := c.span(len(l.values))
	if err != nil {
		return nil, err
	}
	given, err := c.values(3)
	if err != nil {
		return nil, err
	}
	fixed := s.step != 1 || l.fixed
	if fixed && len(given) != s.n {
		return nil, c.fault("ValueError", "there are %d values for %d places; give as many", len(given), s.n)
	}
	kept := make([]codec.Raw, len(given))
	for i, v := range given {
		if kept[i], err = l.code.take(c, v); err != nil {
			return nil, err
		}
	}
	if err := l.hold(c.Request, given...); err != nil {
		return nil, err
	}
	if !fixed {
		stop := max(s.start, s.stop)
		l.drop(l.values[s.start:stop]...)
		l.values = slices.Replace(l.values, s.start, stop, kept...)
		l.spliced(s.start, stop, len(kept))
		l.shrink()
	} else {
		for i, v := range kept {
			l.drop(l.values[s.at(i)])
			l.values[s.at(i)] = v
			if l.keeper != nil {
				l.keeper.Set(l.numbers[s.at(i)], "", v)
			}
		}
	}
	l.replaced()
	return rawNil, nil
}

func (l *list) deleteSlice(c call) (codec.Raw, error) {
	s, err := c.span(len(l.values))
	if err != nil || s.n == 0 {
		return rawNil, err
	}
	for i := range s.n {
		l.drop(l.values[s.at(i)])
		l.values[s.at(i)] = nil
		if l.keeper != nil {
			l.keeper.Delete(l.numbers[s.at(i)])
			l.numbers[s.at(i)] = 0
		}
	}
	l.numbers = slices.DeleteFunc(l.numbers, func(n uint64) bool { return n == 0 })
	l.values = slices.DeleteFunc(l.values, func(v codec.Raw) bool { return v == nil })
	l.shrink()
	l.replaced()
	return rawNil, nil
}

// search calls found with each place from start to stop where a value is, until that returns false.
func (l *list) search(value codec.Raw, start, stop int, found func(i int) bool) {
	form := canonical(value)
	for i := start; i < stop; i++ {
		if v := l.values[i]; bytes.Equal(v, form) || !plain(v) && bytes.Equal(canonical(v), form) {
			if !found(i) {
				return
			}
		}
	}
}

// first returns the first place of a value, or -1.
func (l *list) first(value codec.Raw, start, stop int) int {
	at := -1
	l.search(value, start, stop, func(i int) bool { at = i; return false })
	return at
}

func (l *list) remove(c call) (codec.Raw, error) {
	i := l.first(c.args[0], 0, len(l.values))
	if i < 0 {
		return nil, c.fault("ValueError", "%s is not in the list; ask contains", show(c.args[0]))
	}
	l.take(c, i)
	return rawNil, nil
}

func (l *list) find(c call) (codec.Raw, error) {
	n := len(l.values)
	start, err := c.bound(1, 0, n, 0, n)
	if err != nil {
		return nil, err
	}
	stop, err := c.bound(2, n, n, 0, n)
	if err != nil {
		return nil, err
	}
	i := l.first(c.args[0], start, stop)
	if i < 0 {
		return nil, c.fault("ValueError", "%s is not in the list from %d to %d; ask contains", show(c.args[0]), start, stop)
	}
	return rawInt(i), nil
}

func (l *list) count(c call) (codec.Raw, error) {
	n := 0
	l.search(c.args[0], 0, len(l.values), func(int) bool { n++; return true })
	return rawInt(n), nil
}

func (l *list) contains(c call) (codec.Raw, error) {
	return rawBool(l.first(c.args[0], 0, len(l.values)) >= 0), nil
}

func (l *list) reverse(call) (codec.Raw, error) {
	slices.Reverse(l.values)
	l.rewritten()
	l.replaced()
	return rawNil, nil
}

func (l *list) sort(c call) (codec.Raw, error) {
	reverse, err := c.bool(0, false)
	if err != nil {
		return nil, err
	}
	sorted := slices.Clone(l.values)
	slices.SortStableFunc(sorted, func(a, b codec.Raw) int {
		if err != nil {
			return 0
		}
		order, ok := compare(a, b)
		switch {
		case !ok:
			err = c.fault("TypeError", "%s and %s have no order; the list is as it was", typeName(a), typeName(b))
		case reverse:
			return -order
		}
		return order
	})
	if err != nil {
		return nil, err
	}
	l.values = sorted
	l.rewritten()
	l.replaced()
	return rawNil, nil
}

func (l *list) multiply(c call) (codec.Raw, error) {
	count, err := c.int(0, 1)
	if err != nil {
		return nil, err
	}
	if count <= 0 {
		return l.clear(c)
	}
	n := len(l.values)
	bytes := 0
	for _, v := range l.values {
		bytes += len(v)
	}
	if n > 0 && count > 1 && (count > maxMade/n || count > maxShared/bytes) {
		return nil, c.tooMany()
	}
	if l.refs {
		for range count - 1 {
			for _, v := range l.values[:n] {
				if err := l.room.Keep(v); err != nil {
					return nil, err // can't be: they are kept already
				}
			}
		}
	}
	l.values = slices.Repeat(l.values, count)
	l.spliced(n, n, len(l.values)-n)
	l.replaced()
	return rawNil, nil
}

// scan returns [position, values] of up to count values from a position on.
func (l *list) scan(c call) (codec.Raw, error) {
	position, err := c.int(0, 0)
	if err != nil {
		return nil, err
	}
	count, err := c.int(1, 1000)
	if err != nil {
		return nil, err
	}
	if position < 0 || count < 1 {
		return nil, c.fault("ValueError", "position %d or count %d is too small; begin with 0, and take at least 1", position, count)
	}
	begin := min(position, len(l.values))
	end, size := begin, 0
	for ; end < len(l.values) && end-begin < count && size < scanBytes; end++ {
		size += len(l.values[end])
	}
	next := rawNil
	if end < len(l.values) {
		next = rawInt(end)
	}
	return l.give(c.Request, array(next, array(l.values[begin:end]...))), nil
}

func (l *list) equals(c call) (codec.Raw, error) {
	if h := codec.HeadOf(c.args[0]); h.Kind != codec.KindArray || int(h.N) != len(l.values) {
		return rawFalse, nil
	}
	all, _, _ := members(c.args[0])
	i := 0
	for v := range all {
		if !equal(l.values[i], v) {
			return rawFalse, nil
		}
		i++
	}
	return rawTrue, nil
}
