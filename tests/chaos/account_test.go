//go:build crash

package chaos

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/polyipc/polyipc/runtime/queue"
)

// message names a message: which producer's, and the how manieth.
type message struct{ id, index int }

func (m message) String() string { return fmt.Sprintf("%d/%d", m.id, m.index) }

// numbers reads n words that must be numbers behind the verb of a line; a message is two of them.
func numbers(line string, n int) (ns []int, ok bool) {
	words := strings.FieldsFunc(line, func(c rune) bool { return c == ' ' || c == '/' })
	if len(words) < n+1 {
		return make([]int, n), false
	}
	ns = make([]int, len(words)-1)
	for i := range ns {
		v, err := strconv.Atoi(words[i+1])
		if err != nil {
			return make([]int, n), false
		}
		ns[i] = v
	}
	return ns, true
}

// books are what the logs of a round say together.
type books struct {
	committed, doubtful map[message]bool
	sights              map[message][]seen
	by                  map[*worker][]message // in the order in which the worker saw them
	mayLose             int                   // messages that gets took with them
	mayClaim            int                   // messages that calls had claimed, unseen by anybody, when they were broken off
}

// seen is one time that a message came out.
type seen struct {
	by         *worker
	leased     bool // else gotten
	deliveries int  // 0 unknown: gotten
	acked      bool
	doubtful   bool // its ack was under way at the kill
	nacked     bool // or was about to be
}

// account holds the logs of a round against each other:
//
//   - what was committed and is not seen is lost; it may be so only within a get that a kill broke off
//   - what was seen was put, once; twice only after a lease that was not acked
//   - what one consumer sees of one producer for the first time is in the order of its puts
//
// What a kill leaves in doubt is counted exactly: a call that has no second line in the log.
func (rd *round) account() {
	rd.Helper()
	b := &books{map[message]bool{}, map[message]bool{}, map[message][]seen{}, map[*worker][]message{}, 0, 0}
	for _, w := range rd.all {
		if lines := w.lines(rd); w.consumes {
			b.readConsumer(rd, w, lines)
		} else {
			b.readProducer(rd, w, lines)
		}
	}
	var lost []message
	for m := range b.committed {
		if !taken(b.sights[m]) {
			lost = append(lost, m)
		}
	}
	if len(lost) > b.mayLose {
		rd.Errorf("%d messages lost, at most %d were in the hands of gets that were killed: %v", len(lost), b.mayLose, lost[:min(len(lost), 20)])
	}
	for m, ss := range b.sights {
		if !b.committed[m] && !b.doubtful[m] {
			rd.Errorf("message %s was never put", m)
		}
		rd.twice(m, ss)
	}
	outOfOrder := 0
	for w := range b.by {
		outOfOrder += b.order(w)
	}
	if outOfOrder > b.mayClaim {
		rd.Errorf("%d messages out of order that nobody had before; at most %d were claimed by calls that were killed", outOfOrder, b.mayClaim)
	}
}

// lines are the whole lines of the log; a kill may have torn the last one.
func (w *worker) lines(rd *round) []string {
	text := w.log
	if i := bytes.IndexByte(text, 0); i >= 0 {
		text = text[:i]
	}
	lines := strings.Split(string(text), "\n")
	torn := lines[len(lines)-1]
	if torn != "" && !w.killed {
		rd.Errorf("worker %d was not killed, and its log ends with %q", w.id, torn)
	}
	return lines[:len(lines)-1]
}

// readProducer sorts what the producer put into what is sure and what is in doubt.
func (b *books) readProducer(rd *round, w *worker, lines []string) {
	for i := 0; i < len(lines); i++ {
		if lines[i] == "E" {
			continue
		}
		p, ok := numbers(lines[i], 2)
		if !ok || lines[i][0] != 'p' {
			rd.Fatalf("worker %d, line %d: %q", w.id, i+1, lines[i])
		}
		last := i+1 >= len(lines)
		done := 0
		if !last && lines[i+1][0] == 'P' {
			i++
			if d, ok := numbers(lines[i], 1); ok {
				done = d[0]
			}
		} else if !last && lines[i+1] != "E" {
			rd.Fatalf("worker %d, line %d: %q", w.id, i+2, lines[i+1])
		}
		for k := range p[1] {
			m := message{w.id, p[0] + k}
			switch {
			case k < done:
				b.committed[m] = true
			case last && w.killed:
				b.doubtful[m] = true
			}
		}
	}
}

// readConsumer notes what the consumer saw, and what a kill broke off.
func (b *books) readConsumer(rd *round, w *worker, lines []string) {
	for i, line := range lines {
		ns, ok := numbers(line, 0)
		broken := w.killed && i == len(lines)-1
		switch line[0] {
		case 'g':
			if broken {
				b.mayLose += ns[0]
				b.mayClaim++ // a large one: claimed first, then taken
			}
		case 'G':
			for k := 0; k+1 < len(ns); k += 2 {
				b.note(w, message{ns[k], ns[k+1]}, seen{})
			}
		case 'l':
			if broken {
				b.mayClaim++
			}
		case 'L':
			if len(ns) != 3 {
				ok = false
				break
			}
			m := message{ns[0], ns[1]}
			s := seen{leased: true, deliveries: ns[2]}
			for k := i + 1; k < min(len(lines), i+3); k++ { // a line each for the end of the lease and its success
				switch lines[k] {
				case "a " + m.String():
					s.doubtful = true
				case "A":
					s.acked = true
				case "n " + m.String():
					s.nacked = true
				}
			}
			b.note(w, m, s)
		case 'a', 'n', 'A', 'N', 't', 'T', 'E':
		default:
			ok = false
		}
		if !ok {
			rd.Errorf("worker %d, line %d: %q", w.id, i+1, line)
		}
	}
}

func (b *books) note(w *worker, m message, s seen) {
	s.by = w
	b.sights[m] = append(b.sights[m], s)
	b.by[w] = append(b.by[w], m)
}

// taken reports whether the message was gotten or acked, or may have been acked.
func taken(ss []seen) bool {
	return slices.ContainsFunc(ss, func(s seen) bool { return !s.leased || s.acked || s.doubtful })
}

// twice checks that a message was seen more than once only as a lease that came back.
func (rd *round) twice(m message, ss []seen) {
	finals := 0
	for _, s := range ss {
		switch {
		case !s.leased || s.acked:
			finals++
		case !s.doubtful && !s.nacked && !s.by.killed:
			rd.Errorf("message %s: its lease ended in nothing", m)
		}
	}
	if finals > 1 {
		rd.Errorf("message %s was taken %d times: %+v", m, finals, ss)
	}
	counts := map[int]bool{}
	for _, s := range ss {
		if s.leased && counts[s.deliveries] {
			rd.Errorf("message %s was leased twice as delivery %d", m, s.deliveries)
		}
		counts[s.deliveries] = true
	}
}

// order counts the messages that this consumer saw behind a later one of the same producer, and
// that nobody had before: for those that came back it is right.
func (b *books) order(w *worker) (wrong int) {
	newest := map[int]int{}
	for _, m := range b.by[w] {
		again := false
		for _, s := range b.sights[m] {
			again = again || s.leased && (s.deliveries > 1 || s.by != w || len(b.sights[m]) > 1)
		}
		if again {
			continue
		}
		if was, ok := newest[m.id]; ok && m.index < was {
			wrong++
			continue
		}
		newest[m.id] = m.index
	}
	return wrong
}

// heading is the name of a message.
func heading(m queue.Message) string {
	var body []byte
	if err := m.Decode(&body); err != nil {
		return err.Error()
	}
	words := strings.SplitN(string(body[:min(len(body), 40)]), "/", 3)
	return strings.Join(words[:min(len(words), 2)], "/")
}
