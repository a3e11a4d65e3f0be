package live

import "math"

// span is a slice as Python resolves it against a length: n places from start on, step apart; stop is where it ends.
type span struct{ start, stop, step, n int }

// span reads the arguments start, stop and step.
func (c call) span(length int) (span, error) {
	step, err := c.int(2, 1)
	if err != nil {
		return span{}, err
	}
	if step == 0 {
		return span{}, c.fault("ValueError", "step is 0; it is how far apart the places are, -1 to go backwards")
	}
	s := span{step: max(step, -math.MaxInt)}
	low, high := 0, length
	first, last := 0, length
	if step < 0 {
		low, high = -1, length-1
		first, last = high, low
	}
	if s.start, err = c.bound(0, first, length, low, high); err != nil {
		return s, err
	}
	if s.stop, err = c.bound(1, last, length, low, high); err != nil {
		return s, err
	}
	switch {
	case step > 0 && s.start < s.stop:
		s.n = (s.stop-s.start-1)/s.step + 1
	case step < 0 && s.start > s.stop:
		s.n = (s.start-s.stop-1)/-s.step + 1
	}
	return s, nil
}

// bound reads an argument that is a place, where a negative one counts from the end, within low and high.
func (c call) bound(i, other, length, low, high int) (int, error) {
	if c.left(i) {
		return other, nil
	}
	n, err := c.int(i, 0)
	if n < 0 {
		n += length
	}
	return min(max(n, low), high), err
}

// at returns the i-th place.
func (s span) at(i int) int { return s.start + i*s.step }

// index reads an argument that is the place of something that is there.
func (c call) index(i, other, length int) (int, error) {
	n, err := c.int(i, other)
	if err != nil {
		return 0, err
	}
	at := n
	if at < 0 {
		at += length
	}
	if at < 0 || at >= length {
		return 0, c.fault("IndexError", "there is no place %d in %d values; ask len", n, length)
	}
	return at, nil
}
