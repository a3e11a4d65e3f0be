package live

import (
	"time"

	"github.com/polyipc/polyipc/codec"
)

// barrier lets parties go on when all of them have come. Who leaves before, leaves his place to another.
type barrier struct {
	base
	parties int
	timeout time.Duration // of a wait that has none of its own
	broken  bool
	waiting line
}

var _ = define("barrier", "parties, timeout=", newBarrier, map[string]*method{
	"wait":      on("timeout=", (*barrier).wait),
	"abort":     on("", (*barrier).abort),
	"reset":     on("", (*barrier).reset),
	"parties":   on("", func(b *barrier, _ call) (codec.Raw, error) { return rawInt(b.parties), nil }),
	"n_waiting": on("", func(b *barrier, _ call) (codec.Raw, error) { return rawInt(b.waiting.n), nil }),
	"broken":    on("", func(b *barrier, _ call) (codec.Raw, error) { return rawBool(b.broken), nil }),
})

func newBarrier(t *class, c call) (Object, error) {
	b := &barrier{base: base{t}}
	var err error
	if b.parties, err = c.int(0, 0); err != nil {
		return nil, err
	}
	if b.parties < 1 {
		return nil, c.fault("ValueError", "parties is %d; there must be one at least", b.parties)
	}
	b.timeout, _, err = c.seconds(1)
	return b, err
}

// Call does a call.
func (b *barrier) Call(r *Request) (codec.Raw, error) { return b.class.call(b, r) }

// Drop answers who still waits.
func (b *barrier) Drop() { b.waiting.answerAll(nil, gone(b.Type())) }

// Cancel forgets a wait.
func (b *barrier) Cancel(r *Request) { b.waiting.leave(r) }

// Expire breaks the barrier: one who was to come has not.
func (b *barrier) Expire(r *Request) (codec.Raw, error) {
	b.waiting.leave(r)
	return nil, b.fail("a wait's timeout passed")
}

// fail breaks the barrier, and is the error of who did it.
func (b *barrier) fail(why string) error {
	b.broken = true
	err := fault("BrokenBarrierError", "barrier.wait: %s; reset() makes the barrier whole again", why)
	b.waiting.answerAll(nil, err)
	return err
}

func (b *barrier) wait(c call) (codec.Raw, error) {
	timeout, _, err := c.seconds(0)
	if err != nil {
		return nil, err
	}
	if c.left(0) {
		timeout = b.timeout
	}
	switch {
	case b.broken:
		return nil, c.fault("BrokenBarrierError", "it is broken already; reset() makes it whole again")
	case b.waiting.n == b.parties-1:
		for i := range b.parties - 1 {
			answer(b.waiting.pop(), rawInt(i), nil)
		}
		return rawInt(b.parties - 1), nil
	case timeout == 0:
		return nil, b.fail("a wait's timeout passed")
	}
	b.waiting.join(c.Request, place{})
	return c.Park(b, timeout)
}

func (b *barrier) abort(call) (codec.Raw, error) {
	_ = b.fail("it was aborted")
	return rawNil, nil
}

func (b *barrier) reset(call) (codec.Raw, error) {
	b.waiting.answerAll(nil, fault("BrokenBarrierError", "barrier.wait: it was reset meanwhile; come again"))
	b.broken = false
	return rawNil, nil
}
