package live

import (
	"iter"
	"math"
	"slices"

	"github.com/polyipc/polyipc/codec"
)

// The values of a list that is kept have numbers, which say their order. What is put between two gets a number between theirs;
// where there is none left, as few as will do get others. So one value put in, or taken out, anywhere, is one entry.

const (
	firstNumber = 1 << 63
	apart       = 1 << 32 // what lies between the numbers of values that are put at an end
	roomy       = 1 << 16 // and at least between those that get others
)

// KeepBy implements Keepable.
func (l *list) KeepBy(k Keeper) {
	l.keeper, l.numbers = k, nil
	if k != nil {
		if l.fixed {
			k.Head(l.code.raw())
		}
		l.numbers = make([]uint64, len(l.values))
		l.number(0, len(l.numbers))
	}
}

// Restore implements Keepable.
func (l *list) Restore(k Keeper, head codec.Raw, entries iter.Seq2[uint64, Entry]) (err error) {
	l.keeper, l.refs, l.values, l.numbers = nil, false, nil, nil
	if l.code, err = restoredCode(head); err != nil {
		return err
	}
	for number, e := range entries {
		v, err := l.code.take(l.checked(), e.First)
		if err != nil || e.Second != nil {
			l.values, l.numbers = nil, nil
			return malformed("a value that the object cannot have")
		}
		l.values, l.numbers = append(l.values, v), append(l.numbers, number)
	}
	l.keeper = k
	return nil
}

// spliced tells the keeper that the values from start to stop have become n others, which are in l.values already.
func (l *list) spliced(start, stop, n int) {
	if l.keeper == nil {
		return
	}
	for _, number := range l.numbers[start:stop] {
		l.keeper.Delete(number)
	}
	if stop-start != n {
		l.numbers = slices.Replace(l.numbers, start, stop, make([]uint64, n)...)
	}
	l.number(start, start+n)
}

// rewritten tells it that all values may be others.
func (l *list) rewritten() {
	if l.keeper == nil {
		return
	}
	for i, number := range l.numbers {
		l.keeper.Set(number, "", l.values[i])
	}
}

// number gives the values from one place to another numbers, and where those of their neighbours leave no room, as many
// around them.
func (l *list) number(from, to int) {
	if from == to {
		return
	}
	step := l.step(from, to)
	if step == 0 {
		first, behind := from, to
		for wide := 16; step < roomy && (first > 0 || behind < len(l.numbers)); wide *= 2 {
			first, behind = max(0, from-wide), min(len(l.numbers), to+wide)
			step = l.step(first, behind)
		}
		for i := first; i < behind; i++ {
			if i < from || i >= to {
				l.keeper.Delete(l.numbers[i])
			}
		}
		from, to = first, behind
	}
	low, high := l.bounds(from, to)
	switch {
	case from == 0 && to == len(l.numbers):
		step = min(step, apart)
		low = firstNumber
	case to == len(l.numbers):
		step = min(step, apart)
	case from == 0:
		step = min(step, apart)
		low = high - uint64(to-from+1)*step
	}
	for i := from; i < to; i++ {
		low += step
		l.numbers[i] = low
		l.keeper.Set(low, "", l.values[i])
	}
}

// step is how far apart the numbers of the values from one place to another can be.
func (l *list) step(from, to int) uint64 {
	low, high := l.bounds(from, to)
	return (high - low) / uint64(to-from+1)
}

// bounds are the numbers between which theirs must be.
func (l *list) bounds(from, to int) (low, high uint64) {
	high = math.MaxUint64
	if from > 0 {
		low = l.numbers[from-1]
	}
	if to < len(l.numbers) {
		high = l.numbers[to]
	}
	return low, high
}
