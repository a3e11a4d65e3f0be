package live

import "testing"

// answer is what a parked call was answered since; "" if it waits still.
func (c *caller) answered(r *Request) string { return c.h.answers[r] }

// parked does a call that has to wait.
func (c *caller) parked(o Object, method string, args ...any) *Request {
	c.h.t.Helper()
	if got := c.do(o, method, args...); got != "parked" {
		c.h.t.Fatalf("%s did not wait: %s", method, got)
	}
	return c.last
}

func (c *caller) expect(r *Request, want string) {
	c.h.t.Helper()
	if got := c.answered(r); got != want {
		c.h.t.Errorf("%s was answered %q, want %q", r.Method, got, want)
	}
}

func TestQueue(t *testing.T) {
	c := newHall(t).caller()
	q := c.make("queue", 3)
	steps(t, c, q, []step{
		{"get", a(false), "EMPTY"},
		{"get", a(true, 0), "EMPTY"},
		{"get", a(true, -1), "ValueError"},
		{"get", a(false, -1), "EMPTY"},
		{"put", a("a"), "nil"},
		{"put_many", a([]any{"b", "c"}), "nil"},
		{"put", a("d", false), "FULL"},
		{"put", a("d", named{"timeout", 0}), "FULL"},
		{"put_many", a([]any{1, 2, 3, 4}), "ValueError"},
		{"put_many", a(5), "TypeError"},
		{"full", nil, "true"},
		{"qsize", nil, "3"},
		{"maxsize", nil, "3"},
		{"get", nil, `"a"`},
		{"get_many", a(10), `["b" "c"]`},
		{"get_many", a(0), "ValueError"},
		{"empty", nil, "true"},
		{"ack", a(1), "LEASE_LOST"},
		{"ack", a("x"), "TypeError"},
		{"join", nil, "AttributeError"},
	})
}

func TestQueueOrder(t *testing.T) {
	c := newHall(t).caller()
	q := c.make("queue", 3)
	g1 := c.parked(q, "get")
	g2 := c.parked(q, "get_many", 5, true, 2.5)
	if g2.Timeout != 2500e6 {
		t.Errorf("timeout %v", g2.Timeout)
	}
	c.do(q, "put_many", []any{1, 2, 3})
	c.expect(g1, "1")
	c.expect(g2, "[2 3]")
	c.do(q, "put_many", []any{4, 5})
	p1 := c.parked(q, "put_many", []any{6, 7})
	p2 := c.parked(q, "put", 8) // there is room, but who came first is first
	if got := c.do(q, "put", 9, false); got != "FULL" {
		t.Errorf("a put that does not wait overtook: %s", got)
	}
	c.do(q, "get")
	c.expect(p1, "nil")
	c.expect(p2, "")
	c.do(q, "get")
	c.expect(p2, "nil")
	if got := c.do(q, "get_many", 9); got != "[6 7 8]" {
		t.Error(got)
	}
	// A large put in front that is given up lets others pass.
	c.do(q, "put_many", []any{1, 2})
	p1, p2 = c.parked(q, "put_many", []any{3, 4}), c.parked(q, "put", 5)
	p1.Parked.Cancel(p1)
	c.expect(p2, "nil")
	p3 := c.parked(q, "put", 6, true, 1)
	if got, err := p3.Parked.Expire(p3); text(t, got, err) != "FULL" {
		t.Error(got, err)
	}
	c.do(q, "get_many", 3)
	g1 = c.parked(q, "get", true, 1)
	if got, err := g1.Parked.Expire(g1); text(t, got, err) != "EMPTY" {
		t.Error(got, err)
	}
	c.do(q, "put", 1)
	if got := c.do(q, "qsize"); got != "1" {
		t.Error("a get that was given up took an item")
	}
}

func TestQueueUndo(t *testing.T) {
	c := newHall(t).caller()
	q := c.make("queue")
	c.do(q, "put_many", []any{1, 2, 3, 4, 5})
	var undo []func()
	for range 3 {
		c.do(q, "get")
		undo = append(undo, c.last.Undo)
	}
	undo[0]()
	undo[2]()
	undo[1]()
	if got := c.do(q, "get_many", 9); got != "[1 2 3 4 5]" {
		t.Error("order is lost:", got)
	}
	undo1 := c.last.Undo
	g := c.parked(q, "get")
	undo1()
	c.expect(g, "1")
	g.Undo()
	if got := c.do(q, "get_many", 9); got != "[1 2 3 4 5]" {
		t.Error("order is lost:", got)
	}
}

func TestLease(t *testing.T) {
	h := newHall(t)
	c, other := h.caller(), h.caller()
	q := c.make("joinable_queue")
	c.do(q, "put_many", []any{"a", "b", "c"})
	steps(t, c, q, []step{
		{"lease", nil, `[1 "a" 1]`},
		{"lease", nil, `[2 "b" 1]`},
		{"nack", a(1), "nil"},
		{"nack", a(1), "LEASE_LOST"},
		{"lease", nil, `[3 "a" 2]`},
		{"ack", a(2), "nil"},
		{"ack", a(2), "LEASE_LOST"},
		{"qsize", nil, "1"},
		{"task_done", nil, "nil"},
		{"join", a(0), "false"},
	})
	c.last = nil
	if got := other.do(q, "ack", 3); got != "LEASE_LOST" {
		t.Error("another client's lease was acked:", got)
	}
	c.client.Leave()
	if got := other.do(q, "lease"); got != `[4 "a" 3]` {
		t.Error("a dead client's lease:", got)
	}
	undo := other.last.Undo
	undo()
	undo()
	if got := other.do(q, "lease"); got != `[5 "a" 3]` {
		t.Error("a lease taken back counts:", got)
	}
	if len(c.client.holds) != 0 || len(other.client.holds) != 1 {
		t.Error("holds are wrong")
	}
	other.do(q, "ack", 5)
	if len(other.client.holds) != 0 {
		t.Error("nothing leased is held")
	}
}

func TestJoin(t *testing.T) {
	c := newHall(t).caller()
	q := c.make("joinable_queue")
	steps(t, c, q, []step{{"join", nil, "true"}, {"task_done", nil, "ValueError"}, {"put", a(1), "nil"}, {"put", a(2), "nil"}})
	j, k := c.parked(q, "join"), c.parked(q, "join", 1)
	if got, err := k.Parked.Expire(k); text(t, got, err) != "false" {
		t.Error("an expired join")
	}
	c.do(q, "get")
	c.do(q, "task_done")
	c.expect(j, "")
	c.do(q, "lease")
	c.do(q, "ack", 1)
	c.expect(j, "true")
}

func TestShutdown(t *testing.T) {
	h := newHall(t)
	c, other := h.caller(), h.caller()
	q := c.make("joinable_queue", 1)
	c.do(q, "put", 1)
	p := c.parked(q, "put", 2)
	c.do(q, "shutdown")
	c.expect(p, "SHUTDOWN")
	steps(t, c, q, []step{{"put", a(1), "SHUTDOWN"}, {"lease", nil, "[1 1 1]"}, {"get", nil, "SHUTDOWN"}})
	g := other.parked(q, "get") // what is leased may come back
	c.do(q, "ack", 1)
	c.expect(g, "SHUTDOWN")
	if got := c.do(q, "join"); got != "true" {
		t.Error(got)
	}
	q = c.make("joinable_queue")
	c.do(q, "put_many", []any{1, 2, 3})
	c.do(q, "lease")
	j := c.parked(q, "join")
	c.do(q, "shutdown", true)
	if got := c.do(q, "qsize"); got != "0" {
		t.Error("an immediate shutdown leaves", got)
	}
	g = other.parked(q, "get_many", 1)
	c.expect(j, "")
	c.do(q, "nack", 2)
	c.do(q, "nack", 1)
	c.expect(j, "true")
	c.expect(g, "SHUTDOWN")
}
