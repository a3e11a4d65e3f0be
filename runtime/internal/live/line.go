package live

import "github.com/polyipc/polyipc/codec"

// line is where parked requests stand, the one that has waited longest first.
type line struct {
	first, last *Request
	n           int
}

// place is where a request stands in a line, and what for.
type place struct {
	line       *line
	prev, next *Request

	items []item // of a put
	count int    // of a get: how many it takes at most, 0: just one. Of a condition's wait: how often it held the lock
	lease bool   // of a get

	wait    *condition // of a condition's wait that is to have the lock again
	outcome bool       // and what it returns then
}

// join puts r at the end, for what p says.
func (l *line) join(r *Request, p place) {
	p.line, p.prev = l, l.last
	r.place = p
	if l.last == nil {
		l.first = r
	} else {
		l.last.place.next = r
	}
	l.last = r
	l.n++
}

// leave takes r out, wherever it stands. It may be in no line at all.
func (l *line) leave(r *Request) {
	p := &r.place
	if p.line != l {
		return
	}
	if p.prev == nil {
		l.first = p.next
	} else {
		p.prev.place.next = p.next
	}
	if p.next == nil {
		l.last = p.prev
	} else {
		p.next.place.prev = p.prev
	}
	p.line, p.prev, p.next = nil, nil, nil
	l.n--
}

// pop takes out who has waited longest; nil if nobody waits.
func (l *line) pop() *Request {
	r := l.first
	if r != nil {
		l.leave(r)
	}
	return r
}

// answer answers who is no longer in a line.
func answer(r *Request, result codec.Raw, err error) {
	r.place, r.Parked = place{}, nil
	r.Room.Answer(r, result, err)
}

// answerAll answers all in the line the same.
func (l *line) answerAll(result codec.Raw, err error) {
	for r := l.pop(); r != nil; r = l.pop() {
		answer(r, result, err)
	}
}
