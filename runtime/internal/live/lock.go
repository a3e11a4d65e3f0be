package live

import (
	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// lock is a lock, and an rlock, which its owner may acquire again.
type lock struct {
	base
	reentrant bool
	owner     Owner
	count     int    // how often the owner holds it
	turn      uint64 // counts the owners, so that who takes an acquire back knows whether it is still the same one
	died      bool   // an owner died with it, and nobody was told yet
	late      bool   // it was released by a death, and nobody acquired or released it since
	waiting   line
}

var lockMethods = map[string]*method{
	"acquire": on("block=, timeout=", (*lock).acquire),
	"release": on("", (*lock).release),
	"locked":  on("", func(l *lock, _ call) (codec.Raw, error) { return rawBool(l.count > 0), nil }),
}

var _ = define("lock", "", func(t *class, _ call) (Object, error) { return &lock{base: base{t}}, nil }, lockMethods)

var _ = define("rlock", "", func(t *class, _ call) (Object, error) { return newRLock(t), nil }, lockMethods)

func newRLock(t *class) *lock { return &lock{base: base{t}, reentrant: true} }

// What acquire returns.
var (
	notAcquired = rawInt(0)
	acquired    = rawInt(1)
	orphaned    = rawInt(2) // acquired, and the former owner died with it
)

// gone is the error of who waits in an object that is no more.
func gone(typ string) error {
	return &ipcerr.Error{Op: "wait in " + typ, Code: ipcerr.Gone, Hint: "nobody refers to it any more; keep a proxy of it while you wait"}
}

// Call does a call.
func (l *lock) Call(r *Request) (codec.Raw, error) { return l.class.call(l, r) }

// Drop answers who still waits, and lets the owner forget it.
func (l *lock) Drop() {
	l.free()
	l.waiting.answerAll(nil, gone(l.Type()))
}

// Cancel forgets who waits for the lock. If that was the wait of a condition, its notification goes to another.
func (l *lock) Cancel(r *Request) {
	wait, notified := r.place.wait, r.place.outcome
	l.waiting.leave(r)
	if wait != nil && notified {
		wait.wake(1)
	}
}

// Expire ends an acquire whose timeout has passed. A condition's wait has to have the lock, however long that takes.
func (l *lock) Expire(r *Request) (codec.Raw, error) {
	if r.place.wait != nil {
		return r.Park(l, -1)
	}
	l.waiting.leave(r)
	return notAcquired, nil
}

// Leave lets go what a client holds that is gone. The next owner is told.
func (l *lock) Leave(c *Client) {
	if l.count > 0 && l.owner.Client == c {
		l.died, l.late = true, true
		l.pass()
	}
}

func (l *lock) acquire(c call) (codec.Raw, error) {
	timeout, err := c.patience(0)
	if err != nil {
		return nil, err
	}
	if l.count > 0 && !(l.reentrant && l.owner == c.owner()) {
		if timeout == 0 {
			return notAcquired, nil
		}
		l.waiting.join(c.Request, place{})
		return c.Park(l, timeout)
	}
	return l.take(c.Request, 1), nil
}

func (l *lock) release(c call) (codec.Raw, error) {
	switch {
	case l.reentrant && (l.count == 0 || l.owner != c.owner()):
		return nil, c.fault("AssertionError", "the calling thread does not own it; only its owner releases an rlock")
	case l.late:
		// One process may acquire and another release: where the first is gone by then, its death was quicker.
		l.late = false
		return rawNil, nil
	case l.count == 0:
		return nil, c.fault("RuntimeError", "it is not held; release once for each acquire")
	}
	l.let(1)
	return rawNil, nil
}

// owner is who calls.
func (r *Request) owner() Owner { return Owner{r.Client, r.Thread} }

// take makes who asks the owner, or the owner so many times more, and returns what acquire returns.
func (l *lock) take(r *Request, count int) codec.Raw {
	if l.count == 0 {
		l.owner, l.late = r.owner(), false
		l.turn++
		l.owner.Client.Hold(l)
	}
	l.count += count
	told := l.died
	l.died = false
	turn := l.turn
	r.Undo = func() {
		if l.count < count || l.turn != turn {
			return // released meanwhile, or given on since the client left
		}
		l.died = told
		l.let(count)
	}
	if told {
		return orphaned
	}
	return acquired
}

// let releases the lock so many times.
func (l *lock) let(count int) {
	if l.count -= count; l.count == 0 {
		l.pass()
	}
}

// free makes nobody the owner.
func (l *lock) free() {
	if l.owner.Client != nil {
		l.owner.Client.Let(l)
	}
	l.owner, l.count = Owner{}, 0
	l.turn++
}

// pass gives the lock to who has waited longest.
func (l *lock) pass() {
	l.free()
	r := l.waiting.pop()
	switch {
	case r == nil:
	case r.place.wait != nil:
		r.place.wait.again(r, l)
	default:
		answer(r, l.take(r, 1), nil)
	}
}

// owned reports whether who asks holds the lock: for a plain one, which anybody may release, his client does.
func (l *lock) owned(r *Request) bool {
	return l.count > 0 && (l.owner == r.owner() || !l.reentrant && l.owner.Client == r.Client)
}
