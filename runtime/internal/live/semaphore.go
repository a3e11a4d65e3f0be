package live

import (
	"math"

	"github.com/polyipc/polyipc/codec"
)

// semaphore has permits. Those that a client holds come back when it is gone.
type semaphore struct {
	base
	value   int
	most    int             // that may be free: of a bounded one what it began with
	held    map[*Client]int // permits acquired and not released, by client
	late    int             // permits that a death released, and nobody acquired or released since
	waiting line
}

var semaphoreMethods = map[string]*method{
	"acquire":   on("block=, timeout=", (*semaphore).acquire),
	"release":   on("n=", (*semaphore).release),
	"get_value": on("", func(s *semaphore, _ call) (codec.Raw, error) { return rawInt(s.value), nil }),
}

var _ = define("semaphore", "value=", func(t *class, c call) (Object, error) {
	return newSemaphore(t, c, math.MaxInt32)
}, semaphoreMethods)

var _ = define("bounded_semaphore", "value=", func(t *class, c call) (Object, error) {
	value, err := c.int(0, 1)
	if err != nil {
		return nil, err
	}
	return newSemaphore(t, c, value)
}, semaphoreMethods)

func newSemaphore(t *class, c call, most int) (Object, error) {
	value, err := c.int(0, 1)
	if err != nil {
		return nil, err
	}
	if value < 0 || value > math.MaxInt32 {
		return nil, c.fault("ValueError", "value %d is not in 0 to %d", value, math.MaxInt32)
	}
	return &semaphore{base: base{t}, value: value, most: most, held: map[*Client]int{}}, nil
}

// Call does a call.
func (s *semaphore) Call(r *Request) (codec.Raw, error) { return s.class.call(s, r) }

// Drop answers who still waits, and lets clients forget it.
func (s *semaphore) Drop() {
	for c := range s.held {
		c.Let(s)
	}
	clear(s.held)
	s.waiting.answerAll(nil, gone(s.Type()))
}

// Cancel forgets an acquire.
func (s *semaphore) Cancel(r *Request) { s.waiting.leave(r) }

// Expire ends an acquire whose timeout has passed.
func (s *semaphore) Expire(r *Request) (codec.Raw, error) {
	s.waiting.leave(r)
	return notAcquired, nil
}

// Leave takes the permits back that a client holds that is gone.
func (s *semaphore) Leave(c *Client) {
	n := s.giveUp(c, s.held[c])
	s.late += n
	s.add(n)
}

func (s *semaphore) acquire(c call) (codec.Raw, error) {
	timeout, err := c.patience(0)
	switch {
	case err != nil:
		return nil, err
	case s.value > 0:
		return s.take(c.Request), nil
	case timeout == 0:
		return notAcquired, nil
	}
	s.waiting.join(c.Request, place{})
	return c.Park(s, timeout)
}

func (s *semaphore) release(c call) (codec.Raw, error) {
	n, err := c.int(0, 1)
	switch {
	case err != nil:
		return nil, err
	case n < 1:
		return nil, c.fault("ValueError", "n is %d; release 1 at least", n)
	case n > s.most-s.value && n <= s.late:
		// One process may acquire and another release: where the first is gone by then, its death was quicker.
		s.late -= n
		return rawNil, nil
	case n > s.most-s.value:
		return nil, c.fault("ValueError", "with %d more, more than %d would be free; release once for each acquire", n, s.most)
	}
	s.giveUp(c.Client, n)
	s.add(n)
	return rawNil, nil
}

// take gives a permit to who asks.
func (s *semaphore) take(r *Request) codec.Raw {
	c := r.Client
	s.value--
	s.late = 0
	s.held[c]++
	c.Hold(s)
	r.Undo = func() { s.add(s.giveUp(c, 1)) }
	return acquired
}

// giveUp counts a client's permits n fewer, as far as it has any, and returns by how many.
func (s *semaphore) giveUp(c *Client, n int) int {
	n = min(n, s.held[c])
	if s.held[c] -= n; s.held[c] == 0 {
		delete(s.held, c)
		c.Let(s)
	}
	return n
}

// add makes permits free, for who has waited longest. Others may have released those of a client that is gone: a
// bounded semaphore has no more than it may.
func (s *semaphore) add(n int) {
	s.value = min(s.value+n, s.most)
	for s.value > 0 && s.waiting.n > 0 {
		r := s.waiting.pop()
		answer(r, s.take(r), nil)
	}
}
