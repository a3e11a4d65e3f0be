package live

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// storm lets clients acquire, release, wait, give up, run out of time and die, at random, and looks after each step
// that what one has, no other has.
type storm struct {
	t       *testing.T
	r       *rand.Rand
	h       *hall
	o       Object
	clients []*caller
	parked  []*Request
	grants  []*Request       // not confirmed yet
	owned   map[*Client]int  // acquired and confirmed, or not yet
	told    int              // deaths of owners that were told
	counts  map[*Request]int // how many a grant gave
	seen    map[string]int   // what happened how often
}

func newStorm(t *testing.T, typ string, args ...any) *storm {
	h := newHall(t)
	s := &storm{t: t, r: random(t), h: h, owned: map[*Client]int{}, counts: map[*Request]int{}, seen: map[string]int{}}
	for range 4 {
		s.clients = append(s.clients, h.caller())
	}
	s.o = s.clients[0].make(typ, args...)
	return s
}

func (s *storm) pick() *caller { return s.clients[s.r.IntN(len(s.clients))] }

// call does a call and notes what came of it.
func (s *storm) call(c *caller, method string, args ...any) string {
	r := c.request(method, args...)
	result, err := s.o.Call(r)
	got := text(s.t, result, err)
	s.seen[method+" "+got]++
	if got == "parked" {
		s.parked = append(s.parked, r)
	} else {
		s.answered(r, got)
	}
	s.collect()
	return got
}

// collect notes what parked calls were answered.
func (s *storm) collect() {
	for r, got := range s.h.answers {
		delete(s.h.answers, r)
		s.parked = slices.DeleteFunc(s.parked, func(p *Request) bool { return p == r })
		s.answered(r, got)
	}
}

func (s *storm) answered(r *Request, got string) {
	if r.Undo == nil {
		return
	}
	n := 1
	if l := s.lock(); l != nil && r.Method == "wait" {
		n = l.count
	}
	if got == "2" {
		s.told++
	}
	s.owned[r.Client] += n
	s.counts[r] = n
	s.grants = append(s.grants, r)
}

// lock is the lock of the object, if it has one.
func (s *storm) lock() *lock {
	switch o := s.o.(type) {
	case *lock:
		return o
	case *condition:
		return o.lock
	}
	return nil
}

// forget takes a grant out of the list.
func (s *storm) forget(r *Request) {
	s.grants = slices.DeleteFunc(s.grants, func(g *Request) bool { return g == r })
}

// undo takes a grant back.
func (s *storm) undo(r *Request) {
	s.seen["undone "+r.Method]++
	s.forget(r)
	if s.owned[r.Client] -= s.counts[r]; s.owned[r.Client] == 0 {
		delete(s.owned, r.Client)
	}
	r.Undo()
	s.collect()
}

// die lets a client go, as the server does: what it waits for, what it was given and did not confirm, what it has.
func (s *storm) die(c *caller) (held bool) {
	for _, r := range slices.Clone(s.parked) {
		if r.Client == c.client {
			s.parked = slices.DeleteFunc(s.parked, func(p *Request) bool { return p == r })
			r.Parked.Cancel(r)
			s.collect()
		}
	}
	for _, r := range slices.Backward(slices.Clone(s.grants)) {
		if r.Client == c.client {
			s.undo(r)
		}
	}
	held = s.owned[c.client] > 0
	delete(s.owned, c.client)
	c.client.Leave()
	s.collect()
	if len(c.client.holds) > 0 {
		s.t.Fatal("a client that left holds something")
	}
	c.client = &Client{}
	return held
}

// weather is what may happen at any time.
func (s *storm) weather() {
	switch s.r.IntN(3) {
	case 0:
		if len(s.parked) > 0 {
			r := s.parked[s.r.IntN(len(s.parked))]
			if s.r.IntN(2) == 0 {
				s.parked = slices.DeleteFunc(s.parked, func(p *Request) bool { return p == r })
				s.seen["cancelled "+r.Method]++
				r.Parked.Cancel(r)
			} else if result, err := r.Parked.Expire(r); !IsParked(err) {
				s.parked = slices.DeleteFunc(s.parked, func(p *Request) bool { return p == r })
				s.answered(r, text(s.t, result, err))
			}
			s.collect()
		}
	case 1:
		if len(s.grants) > 0 {
			s.undo(s.grants[s.r.IntN(len(s.grants))])
		}
	case 2:
		s.grants = nil // all are confirmed
	}
}

func (s *storm) check(step int) {
	s.t.Helper()
	consistent(s.t, s.o)
	total := 0
	for c, n := range s.owned {
		total += n
		if l := s.lock(); l != nil && (l.owner.Client != c || l.count != n) {
			s.t.Fatalf("step %d: a client has it %d times, the lock says %d", step, n, l.count)
		}
	}
	if l := s.lock(); l != nil && (l.count != total || len(s.owned) > 1) {
		s.t.Fatalf("step %d: %d clients have a lock that is held %d times", step, len(s.owned), l.count)
	}
	if o, ok := s.o.(*semaphore); ok && o.value+total != 3 {
		s.t.Fatalf("step %d: %d permits of 3", step, o.value+total)
	}
}

// confirm is that a client goes on: it has seen what it was given.
func (s *storm) confirm(c *caller) {
	s.grants = slices.DeleteFunc(s.grants, func(r *Request) bool { return r.Client == c.client })
}

// release gives one back that a client has.
func (s *storm) release(c *caller) {
	if s.confirm(c); s.owned[c.client] == 0 {
		return
	}
	if s.owned[c.client]--; s.owned[c.client] == 0 {
		delete(s.owned, c.client)
	}
	if got := s.call(c, "release"); got != "nil" {
		s.t.Fatal("release:", got)
	}
}

func TestLockStorm(t *testing.T) {
	for _, typ := range []string{"lock", "rlock", "semaphore", "bounded_semaphore"} {
		var s *storm
		if typ == "lock" || typ == "rlock" {
			s = newStorm(t, typ)
		} else {
			s = newStorm(t, typ, 3)
		}
		deaths := 0
		// However short, it goes on until owners have died.
		for i := 0; i < modelSteps() || s.lock() != nil && deaths < 10 && i < 1_000_000; i++ {
			switch c := s.pick(); s.r.IntN(6) {
			case 0, 1:
				if len(s.parked) < 10 {
					s.call(c, "acquire", s.r.IntN(3) > 0)
				}
			case 2, 3:
				s.release(c)
			case 4:
				s.weather()
			case 5:
				if s.r.IntN(10) == 0 && s.die(c) {
					deaths++
				}
			}
			s.check(i)
		}
		if s.lock() != nil && (s.told < deaths/2 || deaths < 10) {
			t.Errorf("%s: %d deaths of owners, %d were told", typ, deaths, s.told)
		}
	}
}

// In the end all that wait are notified, and nobody may be left behind.
func TestConditionStorm(t *testing.T) {
	s := newStorm(t, "condition")
	for i := range modelSteps() {
		switch c := s.pick(); s.r.IntN(8) {
		case 0, 1:
			if len(s.parked) < 10 {
				s.call(c, "acquire", s.r.IntN(3) == 0)
			}
		case 2:
			s.release(c)
		case 3, 4:
			if s.confirm(c); s.owned[c.client] > 0 && len(s.parked) < 10 {
				delete(s.owned, c.client)
				if got := s.call(c, "wait", 1); got != "parked" {
					t.Fatal("wait:", got)
				}
			}
		case 5:
			if s.owned[c.client] > 0 {
				if got := s.call(c, "notify", s.r.IntN(3)); got != "nil" {
					t.Fatal("notify:", got)
				}
			}
		case 6:
			s.weather()
		case 7:
			if s.r.IntN(10) == 0 {
				s.die(c)
			}
		}
		s.check(i)
		if i%1000 == 999 { // let everybody finish
			for range 1000 {
				s.grants = nil
				for c := range s.owned {
					for _, k := range s.clients {
						if k.client == c {
							s.call(k, "notify_all")
							s.release(k)
						}
					}
				}
				if len(s.owned) == 0 && s.call(s.clients[0], "acquire", false) == "0" {
					t.Fatal("nobody has the lock, and nobody gets it")
				}
				s.check(i)
				if len(s.parked) == 0 {
					break
				}
			}
			if len(s.parked) > 0 {
				t.Fatalf("step %d: %d wait for ever", i, len(s.parked))
			}
		}
	}
	for _, what := range []string{"wait parked", "cancelled wait", "undone wait", "undone acquire", "cancelled acquire"} {
		if s.seen[what] < 10 {
			t.Errorf("only %d times: %s", s.seen[what], what)
		}
	}
}
