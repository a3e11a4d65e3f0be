package live

import "testing"

// three are clients of one hall.
func three(t *testing.T) (h *hall, a, b, c *caller) {
	h = newHall(t)
	return h, h.caller(), h.caller(), h.caller()
}

func TestLock(t *testing.T) {
	_, c, d, e := three(t)
	l := c.make("lock")
	steps(t, c, l, []step{
		{"release", nil, "RuntimeError"},
		{"acquire", nil, "1"},
		{"locked", nil, "true"},
		{"acquire", a(false), "0"},
		{"acquire", a(true, 0), "0"},
		{"acquire", a(true, -1), "0"},
		{"acquire", a(true, "x"), "TypeError"},
		{"acquire", a("x"), "TypeError"},
	})
	r1, r2 := d.parked(l, "acquire"), e.parked(l, "acquire", true, 5)
	if got := e.do(l, "release"); got != "nil" { // anybody may
		t.Error(got)
	}
	d.expect(r1, "1")
	e.expect(r2, "")
	if got, err := r2.Parked.Expire(r2); text(t, got, err) != "0" {
		t.Error("an expired acquire")
	}
	r2 = e.parked(l, "acquire")
	d.client.Leave()
	e.expect(r2, "2")
	if got := d.do(l, "locked"); got != "true" {
		t.Error("it is not locked")
	}
	e.do(l, "release")
	if len(c.client.holds)+len(d.client.holds)+len(e.client.holds) != 0 {
		t.Error("somebody holds something")
	}
	// Nobody waits: the next one is told, once.
	c.do(l, "acquire")
	c.client.Leave()
	steps(t, d, l, []step{{"locked", nil, "false"}, {"acquire", nil, "2"}, {"release", nil, "nil"}, {"acquire", nil, "1"}})
}

// TestLateRelease acquires in one process and releases in another, when the first is gone.
func TestLateRelease(t *testing.T) {
	_, c, d, _ := three(t)
	l, s := c.make("lock"), c.make("bounded_semaphore", 2)
	for _, object := range []Object{l, s} {
		c.do(object, "acquire")
	}
	c.client.Leave()
	steps(t, d, l, []step{
		{"release", nil, "nil"}, {"release", nil, "RuntimeError"}, // once
		{"acquire", nil, "2"}, {"release", nil, "nil"}, {"release", nil, "RuntimeError"},
	})
	steps(t, d, s, []step{{"release", a(2), "ValueError"}, {"release", nil, "nil"}, {"release", nil, "ValueError"}})

	_, c, d, _ = three(t)
	l, s = c.make("lock"), c.make("bounded_semaphore", 2)
	for _, object := range []Object{l, s} {
		c.do(object, "acquire")
	}
	c.client.Leave() // and who acquires after it owes a release of its own
	own := []step{{"acquire", nil, "1"}, {"release", nil, "nil"}}
	steps(t, d, s, append(own, step{"release", nil, "ValueError"}))
	own[0].want = "2"
	steps(t, d, l, append(own, step{"release", nil, "RuntimeError"}))
}

func TestLockUndo(t *testing.T) {
	_, c, d, e := three(t)
	l := c.make("lock")
	c.do(l, "acquire")
	undo := c.last.Undo
	r := d.parked(l, "acquire")
	undo()
	d.expect(r, "1") // who never had it changed nothing
	undo()
	if got := e.do(l, "locked"); got != "true" {
		t.Error("an undo took another's lock")
	}
	r2 := e.parked(l, "acquire")
	d.client.Leave() // the death is told although its undo comes after
	r.Undo()
	e.expect(r2, "2")
	r3 := c.parked(l, "acquire")
	r2.Undo() // who was told did not hear it
	c.expect(r3, "2")
}

func TestRLock(t *testing.T) {
	_, c, d, e := three(t)
	l := c.make("rlock")
	steps(t, c, l, []step{{"release", nil, "AssertionError"}, {"acquire", nil, "1"}, {"acquire", a(false), "1"}, {"release", nil, "nil"}})
	c.thread = 2
	steps(t, c, l, []step{{"release", nil, "AssertionError"}, {"acquire", a(false), "0"}})
	c.thread = 0
	r := d.parked(l, "acquire")
	steps(t, c, l, []step{{"acquire", nil, "1"}, {"release", nil, "nil"}, {"release", nil, "nil"}})
	d.expect(r, "1")
	d.do(l, "acquire")
	d.last.Undo()
	steps(t, d, l, []step{{"release", nil, "nil"}, {"locked", nil, "false"}})
	d.do(l, "acquire")
	d.do(l, "acquire")
	r = e.parked(l, "acquire")
	d.client.Leave()
	e.expect(r, "2")
}

func TestSemaphore(t *testing.T) {
	_, c, d, e := three(t)
	s := c.make("semaphore", 2)
	steps(t, c, s, []step{{"acquire", nil, "1"}, {"get_value", nil, "1"}, {"release", a(0), "ValueError"}, {"release", a(1 << 40), "ValueError"}})
	d.do(s, "acquire")
	r, r2 := e.parked(s, "acquire"), e.parked(s, "acquire", true, 1)
	c.client.Leave()
	e.expect(r, "1")
	if got, err := r2.Parked.Expire(r2); text(t, got, err) != "0" {
		t.Error("an expired acquire")
	}
	d.do(s, "release", 3) // one of his own, and two new ones
	steps(t, d, s, []step{{"get_value", nil, "3"}})
	d.client.Leave()
	steps(t, d, s, []step{{"get_value", nil, "3"}})
	r.Undo()
	r.Undo()
	steps(t, d, s, []step{{"get_value", nil, "4"}})

	c.do(s, "acquire")
	c.last.Undo()
	c.last.Undo()
	steps(t, c, s, []step{{"get_value", nil, "4"}})

	b := c.make("bounded_semaphore", 1)
	steps(t, c, b, []step{{"release", nil, "ValueError"}, {"acquire", nil, "1"}, {"acquire", a(false), "0"}})
	e.do(b, "release") // c's permit, by another
	c.client.Leave()
	steps(t, d, b, []step{{"get_value", nil, "1"}})
	if _, err := New("semaphore", c.request("", -1)); err == nil {
		t.Error("a negative semaphore")
	}
}

func TestEvent(t *testing.T) {
	_, c, d, e := three(t)
	v := c.make("event")
	steps(t, c, v, []step{{"is_set", nil, "false"}, {"wait", a(0), "false"}, {"wait", a(-1), "false"}, {"wait", a("x"), "TypeError"}})
	r, r2, r3 := c.parked(v, "wait"), d.parked(v, "wait", 1), e.parked(v, "wait")
	if got, err := r2.Parked.Expire(r2); text(t, got, err) != "false" {
		t.Error("an expired wait")
	}
	r3.Parked.Cancel(r3)
	c.do(v, "set")
	c.expect(r, "true")
	e.expect(r3, "")
	steps(t, c, v, []step{{"wait", nil, "true"}, {"is_set", nil, "true"}, {"clear", nil, "nil"}, {"is_set", nil, "false"}})
}

func TestBarrier(t *testing.T) {
	_, c, d, e := three(t)
	b := c.make("barrier", 2, 5)
	steps(t, c, b, []step{{"parties", nil, "2"}, {"broken", nil, "false"}})
	r := c.parked(b, "wait")
	if r.Timeout != 5e9 {
		t.Error("the barrier's own timeout is not used")
	}
	r.Parked.Cancel(r) // its place is free again
	r = d.parked(b, "wait", 1)
	steps(t, e, b, []step{{"n_waiting", nil, "1"}, {"wait", nil, "1"}})
	d.expect(r, "0")
	r, r2 := c.parked(b, "wait"), d
	_ = r2
	c.do(b, "reset")
	c.expect(r, "BrokenBarrierError")
	r = c.parked(b, "wait")
	steps(t, d, b, []step{{"abort", nil, "nil"}, {"broken", nil, "true"}, {"wait", nil, "BrokenBarrierError"}, {"reset", nil, "nil"}})
	c.expect(r, "BrokenBarrierError")
	r = c.parked(b, "wait")
	if got, err := r.Parked.Expire(r); text(t, got, err) != "BrokenBarrierError" {
		t.Error("an expired wait")
	}
	steps(t, d, b, []step{{"broken", nil, "true"}, {"reset", nil, "nil"}, {"wait", a(0), "BrokenBarrierError"}})
	if _, err := New("barrier", c.request("", 0)); err == nil {
		t.Error("a barrier of nobody")
	}
}

func TestCondition(t *testing.T) {
	h, c, d, e := three(t)
	l := c.make("lock").(*lock)
	h.objects["lock"] = l
	v := c.make("condition", h.ref("lock"))
	if h.kept["lock"] != 1 {
		t.Error("the lock is not kept")
	}
	steps(t, c, v, []step{{"wait", nil, "RuntimeError"}, {"notify", nil, "RuntimeError"}, {"notify_all", nil, "RuntimeError"}, {"acquire", nil, "1"}})
	w1 := c.parked(v, "wait")
	d.do(v, "acquire")
	w2 := d.parked(v, "wait", 5)
	steps(t, e, v, []step{{"acquire", nil, "1"}, {"wait", a(0), "false"}, {"notify", nil, "nil"}})
	c.expect(w1, "") // it has to have the lock first
	steps(t, e, v, []step{{"release", nil, "nil"}})
	c.expect(w1, "true")
	if l.owner.Client != c.client {
		t.Error("the lock is not the notified one's")
	}
	// w2's timeout passes while the lock is held: it waits on, for the lock.
	if got, err := w2.Parked.Expire(w2); !IsParked(err) || w2.Timeout >= 0 {
		t.Error(got, err, w2.Timeout)
	}
	if got, err := w2.Parked.Expire(w2); !IsParked(err) {
		t.Error(got, err)
	}
	c.do(v, "release")
	d.expect(w2, "false")
	d.do(v, "release")

	// With the lock free, an expired wait has it at once.
	c.do(v, "acquire")
	w1 = c.parked(v, "wait", 1)
	if got, err := w1.Parked.Expire(w1); text(t, got, err) != "false" {
		t.Error(got, err)
	}
	w1.Undo()
	if l.count != 0 {
		t.Error("the lock stays with who gave the wait up")
	}
	v.Drop()
	if h.all() != 0 {
		t.Error("the lock is kept for ever")
	}
}

// A notification whose receiver goes is another's.
func TestNotificationPassesOn(t *testing.T) {
	_, c, d, e := three(t)
	v := c.make("condition")
	wait := func(c *caller) *Request {
		c.do(v, "acquire")
		c.do(v, "acquire") // twice: both come back
		return c.parked(v, "wait")
	}
	w1, w2 := wait(c), wait(d)
	e.do(v, "acquire")
	e.do(v, "notify")
	w1.Parked.Cancel(w1) // between the notification and the lock
	e.do(v, "release")
	d.expect(w2, "true")
	c.expect(w1, "")
	steps(t, d, v, []step{{"release", nil, "nil"}, {"release", nil, "nil"}, {"release", nil, "AssertionError"}})

	w1, w2 = wait(c), wait(d)
	e.do(v, "acquire")
	e.do(v, "notify")
	e.do(v, "release")
	c.expect(w1, "true")
	w1.Undo() // it had the lock, and did not hear of it
	d.expect(w2, "true")
	w2.Undo()

	w1, w2 = wait(c), wait(d)
	e.do(v, "acquire")
	e.do(v, "notify_all")
	e.client.Leave()
	c.expect(w1, "true")
	c.client.Leave()
	d.expect(w2, "true")
	d.do(v, "acquire") // the wait did not tell of a death, this does
	if d.last.Undo == nil || d.h.answers[w2] != "true" {
		t.Error("no grant")
	}
}

// Who waits in an object that goes is told so, and nobody holds anything of it.
func TestDropWhileWaiting(t *testing.T) {
	_, c, d, _ := three(t)
	for _, s := range []struct {
		typ    string
		args   []any
		first  string // what c does before d waits
		method string
		with   []any
	}{
		{"lock", nil, "acquire", "acquire", nil},
		{"rlock", nil, "acquire", "acquire", nil},
		{"semaphore", a(1), "acquire", "acquire", nil},
		{"event", nil, "clear", "wait", nil},
		{"barrier", a(2), "reset", "wait", nil},
		{"queue", nil, "qsize", "get", nil},
		{"queue", nil, "qsize", "lease", nil},
		{"condition", nil, "acquire", "acquire", nil},
	} {
		o := c.make(s.typ, s.args...)
		c.do(o, s.first)
		undo := c.last.Undo
		r := d.parked(o, s.method, s.with...)
		o.Drop()
		d.expect(r, "GONE")
		if len(c.client.holds) != 0 {
			t.Errorf("a client holds something of a %s that is gone", s.typ)
		}
		if undo != nil {
			undo()
		}
		delete(d.h.answers, r)
	}
	v := c.make("condition")
	d.do(v, "acquire")
	r := d.parked(v, "wait")
	v.Drop()
	d.expect(r, "GONE")
	q := c.make("queue", 1)
	c.do(q, "put", 1)
	r = c.parked(q, "put", c.h.ref("x"))
	q.Drop()
	c.expect(r, "GONE")
	if c.h.all() != 0 {
		t.Error("a put that waited keeps", c.h.kept)
	}
}
