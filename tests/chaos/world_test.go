//go:build crash

package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/tests/peers"
)

// world is a queue named q with a survivor who has it open before anybody dies, and the test
// process, which has it open too.
type world struct {
	testing.TB
	root     string
	language peers.Language // of those who die
	q        *queue.Queue
	survivor *peers.Peer
}

// died are the crash points where a process really died, and where one of each language did: "c point".
var died sync.Map

func newWorld(t testing.TB, l peers.Language, o queue.Options) *world {
	t.Helper()
	w := &world{TB: t, root: newRoot(t), language: l}
	o.Root = w.root
	var err error
	if w.q, err = queue.Create("q", o); err != nil {
		t.Fatal(err)
	}
	w.survivor = peers.Start(t, peers.Go, w.root)
	w.survivor.Do("open q")
	return w
}

// victim starts a peer that does the commands, with q open as its queue 0, and dies at the point in
// the last of them. point may have ":2" behind it, for the second time it is reached.
func (w *world) victim(point string, commands ...string) {
	w.Helper()
	w.bareVictim(point, append([]string{"open q"}, commands...)...)
}

func (w *world) bareVictim(point string, commands ...string) {
	w.Helper()
	p := peers.Start(w, w.language, w.root, "POLYIPC_CRASH="+point)
	last := len(commands) - 1
	for _, c := range commands[:last] {
		p.Do("%s", c)
	}
	p.Send("%s", commands[last])
	p.Dies(peers.Bound)
	name, _, _ := strings.Cut(point, ":")
	died.Store(name, true)
	died.Store(string(w.language)+" "+name, true)
}

// put puts messages from the test process.
func (w *world) put(words ...string) {
	w.Helper()
	for _, word := range words {
		if err := w.q.TryPut(peers.Bytes(word), queue.Raw); err != nil {
			w.Fatalf("put %s: %v", word, err)
		}
	}
}

// get gets messages in the test process, and says that their tasks are done.
func (w *world) get(words ...string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	for _, word := range words {
		m, err := w.q.Get(ctx)
		if err != nil {
			w.Fatalf("get %s: %v", word, err)
		}
		if string(m.Body) != string(peers.Bytes(word)) {
			w.Fatalf("got %d bytes, beginning with %.20x, not %s", len(m.Body), m.Body, word)
		}
		if err := w.q.TaskDone(); err != nil {
			w.Fatal(err)
		}
	}
}

// prove shows that the queue is in order and holds exactly these messages, in this order: it is
// used, emptied and looked at by the survivor and the test process in turns. lost is how many
// messages the dead have taken with them.
func (w *world) prove(lost int, want ...string) {
	w.Helper()
	w.survivor.Do("put 0 %d x616674657231", bound.Milliseconds())
	w.consistent()
	w.put("x616674657232")
	w.drain(append(slices.Clone(want), "x616674657231", "x616674657232"))
	if m, err := w.q.TryGet(); err == nil {
		w.Fatalf("one more message than there should be: %d bytes, beginning with %.20x", len(m.Body), m.Body)
	}
	for range lost {
		if err := w.q.TaskDone(); err != nil {
			w.Fatalf("task done for a message lost with a dead process: %v", err)
		}
	}
	if err := w.q.TaskDone(); err == nil {
		w.Fatalf("unfinished messages after everything was done")
	}
	w.survivor.Do("join 0 %d", bound.Milliseconds())
	s := w.consistent()
	if s.Messages+s.Leased+s.Reserved+s.Unfinished != 0 || s.Rings != 1 || s.Bytes != 0 {
		w.Fatalf("not empty at the end: %+v", s)
	}
	if left := files(w, w.root); fmt.Sprint(left) != "[q]" {
		w.Fatalf("besides the queue there is %s", left)
	}
	w.end()
}

// end gives everything back.
func (w *world) end() {
	w.Helper()
	w.survivor.Do("unlink q")
	w.survivor.Close()
	if err := w.q.Close(); err != nil {
		w.Fatal(err)
	}
}

// consistent holds Stat against itself.
func (w *world) consistent() queue.Stat {
	w.Helper()
	return consistent(w, w.q)
}

func consistent(t testing.TB, q *queue.Queue) queue.Stat {
	t.Helper()
	s, err := q.Stat()
	if err != nil {
		t.Fatal(err)
	}
	live := uint64(s.Messages + s.Leased + s.Reserved)
	if s.Put != s.Taken+s.Abandoned+live || s.Unfinished < int64(live) || s.Put > 1<<40 ||
		s.MaxSize > 0 && int64(live) > s.MaxSize || s.Rings < 1 {
		t.Fatalf("stat contradicts itself: %+v", s)
	}
	return s
}

// drain takes exactly these messages out of the queue, on leases that the survivor and the test
// process hold in turns. Those delivered for the first time come in order, and so do those that come
// again; but what a dead process had on lease comes when its death has been noticed.
func (w *world) drain(want []string) {
	w.Helper()
	at := map[string][]int{} // where in want
	for i, word := range want {
		at[shown(word)] = append(at[shown(word)], i)
	}
	last := map[bool]int{false: -1, true: -1} // by whether it came again
	for i := range want {
		var message string
		var again bool
		if i%2 == 0 {
			words := strings.Fields(w.survivor.Do("lease 0 %d", bound.Milliseconds()))
			message, again = words[2], words[1] != "1"
			w.survivor.Do("ack 0 %s", words[0])
		} else {
			message, again = w.leaseAndAck()
		}
		places := at[message]
		if len(places) == 0 || places[0] < last[again] {
			w.Fatalf("message %d of %v is %s (again: %v): not in order, or twice, or none of them", i, want, message, again)
		}
		last[again], at[message] = places[0], places[1:]
	}
}

func (w *world) leaseAndAck() (message string, again bool) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	l, err := w.q.Lease(ctx)
	if err == nil {
		err = l.Ack()
	}
	if err != nil {
		w.Fatal(err)
	}
	return peers.ShownBytes(l.Body), l.Deliveries > 1
}

// proveBounded is prove for a queue of one message, which must be empty.
func (w *world) proveBounded() {
	w.Helper()
	for _, word := range []string{"x01", large} {
		w.survivor.Do("put 0 %d %s", bound.Milliseconds(), word)
		w.survivor.Fails("FULL", "put 0 0 x02")
		w.consistent()
		w.get(word)
		w.survivor.Fails("EMPTY", "get 0 0")
	}
	if left := files(w, w.root); fmt.Sprint(left) != "[q]" {
		w.Fatalf("besides the queue there is %s", left)
	}
	w.end()
}

// peer starts one more peer and has it do the commands.
func (w *world) peer(commands ...string) *peers.Peer {
	w.Helper()
	p := peers.Start(w, w.language, w.root)
	for _, c := range commands {
		p.Do("%s", c)
	}
	return p
}

// victimHolding is victim for somebody who holds something from the first command on, while others
// come to wait for it.
func (w *world) victimHolding(first string, meanwhile func(), point, last string) {
	w.Helper()
	p := peers.Start(w, w.language, w.root, "POLYIPC_CRASH="+point)
	p.Do("open q")
	p.Do("%s", first)
	meanwhile()
	p.Send("%s", last)
	p.Dies(peers.Bound)
	died.Store(point, true)
	died.Store(string(w.language)+" "+point, true)
}

// waits waits until somebody sleeps for what.
func (w *world) waits(what string) {
	w.Helper()
	within(w, "somebody sleeps for "+what, func() bool {
		ws, err := w.q.Waiters()
		if err != nil {
			w.Fatal(err)
		}
		return slices.ContainsFunc(ws, func(h queue.Holder) bool { return h.What == what })
	})
}

// answers waits for the survivor's answer to what it was sent.
func (w *world) answers(want string) {
	w.Helper()
	if got, there := w.survivor.Answer(bound); !there || got != want {
		w.Fatalf("the survivor says %q, not %q", got, want)
	}
}

// answersWith is answers for the beginning of the answer.
func (w *world) answersWith(want string) {
	w.Helper()
	if got, there := w.survivor.Answer(bound); !there || !strings.HasPrefix(got, want) {
		w.Fatalf("the survivor says %q, not %q", got, want)
	}
}

// shown is how a peer shows the message that word made.
func shown(word string) string { return peers.Shown(word) }
