package live

import "github.com/polyipc/polyipc/codec"

// condition lets its lock go while a call waits for a notification, and has it again before that call returns.
//
// A wait stands in the condition's line until it is notified or its timeout has passed, and then in the line of the
// lock. Who is gone between a notification and the lock leaves the notification to another.
type condition struct {
	base
	holder
	lock    *lock
	ref     codec.Raw // to the lock, unless it is the condition's own
	waiting line
}

var _ = define("condition", "lock=", newCondition, map[string]*method{
	"acquire":    on("block=, timeout=", func(d *condition, c call) (codec.Raw, error) { return d.lock.acquire(c) }),
	"release":    on("", func(d *condition, c call) (codec.Raw, error) { return d.lock.release(c) }),
	"wait":       on("timeout=", (*condition).wait),
	"notify":     on("n=", (*condition).notify),
	"notify_all": on("", (*condition).notifyAll),
})

func newCondition(t *class, c call) (Object, error) {
	d := &condition{base: base{t}, holder: holder{room: c.Room}}
	if c.left(0) {
		d.lock = newRLock(types["rlock"])
		return d, nil
	}
	_, o, err := c.Room.Find(c.args[0])
	if err != nil {
		return nil, err
	}
	l, ok := o.(*lock)
	if !ok {
		return nil, c.fault("TypeError", "lock must be a reference to a lock or an rlock, not to a %s", o.Type())
	}
	d.lock, d.ref = l, keep(c.args[0])
	return d, d.room.Keep(d.ref)
}

// Call does a call.
func (d *condition) Call(r *Request) (codec.Raw, error) { return d.class.call(d, r) }

// Drop answers who still waits, and forgets the lock.
func (d *condition) Drop() {
	d.waiting.answerAll(nil, gone(d.Type()))
	if d.ref != nil {
		d.room.Forget(d.ref)
		d.ref = nil
		return
	}
	d.lock.Drop()
}

// Cancel forgets a wait, whose caller does not have the lock again.
func (d *condition) Cancel(r *Request) { d.waiting.leave(r) }

// Expire ends a wait whose timeout has passed: at once if the lock is free, else when it is.
func (d *condition) Expire(r *Request) (codec.Raw, error) {
	d.waiting.leave(r)
	if d.lock.count > 0 {
		d.queue(r, false)
		return nil, errParked
	}
	return d.resume(r, d.lock, false), nil
}

func (d *condition) wait(c call) (codec.Raw, error) {
	timeout, _, err := c.seconds(0)
	if err != nil {
		return nil, err
	}
	if !d.lock.owned(c.Request) {
		return nil, c.notOwned()
	}
	if timeout == 0 && d.lock.waiting.n == 0 {
		return rawFalse, nil // nobody could come in between
	}
	d.waiting.join(c.Request, place{count: d.lock.count})
	d.lock.pass()
	if timeout == 0 {
		return d.Expire(c.Request)
	}
	return c.Park(d, timeout)
}

func (c call) notOwned() error {
	return c.fault("RuntimeError", "the caller does not hold the condition's lock; acquire it first")
}

func (d *condition) notify(c call) (codec.Raw, error) {
	n, err := c.int(0, 1)
	switch {
	case err != nil:
		return nil, err
	case !d.lock.owned(c.Request):
		return nil, c.notOwned()
	}
	d.wake(n)
	return rawNil, nil
}

func (d *condition) notifyAll(c call) (codec.Raw, error) {
	if !d.lock.owned(c.Request) {
		return nil, c.notOwned()
	}
	d.wake(d.waiting.n)
	return rawNil, nil
}

// wake sends so many waits to the lock.
func (d *condition) wake(n int) {
	for ; n > 0 && d.waiting.n > 0; n-- {
		r := d.waiting.pop()
		if d.lock.count == 0 { // whose notification it was is gone, and so is who held the lock
			result := d.resume(r, d.lock, true)
			answer(r, result, nil)
			continue
		}
		d.queue(r, true)
	}
}

// queue makes a wait stand in the lock's line.
func (d *condition) queue(r *Request, outcome bool) {
	d.lock.waiting.join(r, place{count: r.place.count, wait: d, outcome: outcome})
	r.Parked, r.Timeout = d.lock, -1
}

// again answers a wait that stood in the lock's line and is the first there.
func (d *condition) again(r *Request, l *lock) {
	result := d.resume(r, l, r.place.outcome)
	answer(r, result, nil)
}

// resume gives a wait the lock again, which is free, and returns what the wait does.
func (d *condition) resume(r *Request, l *lock, notified bool) codec.Raw {
	died := l.died
	l.take(r, r.place.count)
	l.died = died // a wait does not tell; the next acquire does
	undo := r.Undo
	r.Undo = func() {
		undo()
		if notified {
			d.wake(1)
		}
	}
	return rawBool(notified)
}
