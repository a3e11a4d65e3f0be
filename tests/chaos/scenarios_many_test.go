//go:build crash

package chaos

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/tests/peers"
)

// polling are deaths around doorbells: of who makes one, of who rings one, of who waits for many.
var polling = []scenario{
	poll("bell seated", "doorbell.take.seated", "many.poll r0"),
	poll("bell made", "doorbell.take.made", "many.poll r0"),
	poll("bell of the second kind made", "doorbell.take.made:2", "many.wait 1 r0 w0"),
	poll("bell left", "doorbell.leave.closed", "many.poll r0", "close 0"),
	ring("ringer has entered", "doorbell.ring.entered", "put 0 0 x01"),
	ring("ringer looks at the bits", "doorbell.ring.looks", "put 0 0 x01"),
	ring("ringer has cleared the bit", "doorbell.ring.cleared", "put 0 0 x01"),
	ring("ringer of a batch", "doorbell.ring.cleared", "put_many 0 0 x01"),
	ring("ringer of a large message", "doorbell.ring.cleared", "put 0 0 "+large),
	{"ringer for room", queue.Options{MaxSize: 1}, func(w *world) {
		w.put("x01")
		w.survivor.Send("many.wait -1 w0")
		w.armed(1)
		w.victim("doorbell.ring.cleared", "get 0 0")
		w.answers("ok w0")
		w.end()
	}},
	{"bell of the dead removed", queue.Options{}, func(w *world) {
		dead := w.peer("open q", "many.poll r0")
		dead.Kill()
		w.victim("doorbell.free.removed", "put 0 0 x01")
		w.rings("x01")
	}},
	{"process killed while it waits for many", queue.Options{}, func(w *world) {
		w.survivor.Do("many.poll r0")
		dead := w.peer("open q", "create - 0 0 -")
		dead.Send("many.wait -1 r0 r1")
		w.armed(3)
		dead.Kill()
		w.rings()
	}},
	{"holder of a lease dies while loops wait", queue.Options{}, func(w *world) {
		w.put("x01")
		dead := w.peer("open q", "lease 0 0")
		w.survivor.Send("many.wait -1 r0")
		w.armed(1)
		began := time.Now()
		dead.Kill()
		w.answers("ok r0")
		w.Logf("after %v", time.Since(began))
		w.rings("x01")
	}},
}

// poll is a scenario in which somebody dies who has a doorbell, or is about to.
func poll(name, point string, commands ...string) scenario {
	return scenario{name: name, run: func(w *world) {
		w.victim(point, commands...)
		w.rings()
	}}
}

// ring is a scenario in which somebody dies who has put a message and is about to ring for it.
func ring(name, point, command string) scenario {
	return scenario{name: name, run: func(w *world) {
		w.survivor.Send("many.wait -1 r0")
		w.armed(1)
		w.victim(point, command)
		w.answers("ok r0")
		words := strings.Fields(command)
		w.rings(words[len(words)-1])
	}}
}

// armed waits until so many doorbells are there, and armed but for an instant.
func (w *world) armed(n int) {
	w.Helper()
	within(w, "doorbells are made", func() bool {
		bells := 0
		for _, f := range files(w, w.root) {
			if strings.Contains(f, ".b") {
				bells++
			}
		}
		return bells >= n
	})
	within(w, "the survivor sleeps", w.survivor.Sleeping)
}

// rings shows that descriptors say what is so, and ends the world. The queue holds the given messages.
func (w *world) rings(held ...string) {
	w.Helper()
	for _, word := range held {
		w.survivor.Do("many.wait %d r0", bound.Milliseconds())
		if got := w.survivor.Do("get 0 0"); got != peers.Shown(word) {
			w.Fatalf("got %s, not %s", got, word)
		}
	}
	for _, word := range []string{"x0a", large} {
		if got := w.survivor.Do("many.poll r0"); got != "0" {
			w.Fatal("the descriptor of an empty queue is readable")
		}
		w.put(word)
		if got := w.survivor.Do("many.poll r0"); got != "1" {
			w.Fatal("nobody has rung")
		}
		w.survivor.Do("get 0 0")
	}
	w.end()
}

// TestStoppedWhileOthersWaitForMany stops the owner of each lock: a wait for many keeps its deadline all the same, finds
// nothing ready that may not be, and finds it when the owner goes on.
func TestStoppedWhileOthersWaitForMany(t *testing.T) {
	for _, c := range []struct{ item, point, command string }{
		{"r0", "fifo.get.front", "get 0 -1"},
		{"w0", "fifo.put_many.staged", "put_many 0 -1 x02"},
	} {
		t.Run(c.item, func(t *testing.T) {
			w := newWorld(t, peers.Go, queue.Options{})
			w.put("x01")
			p := w.stopped(c.point, c.command)
			w.timesOut("many.wait %d " + c.item)
			w.timesOut("many.wait %d " + c.item) // now that there is a descriptor
			w.survivor.Send("many.wait -1 " + c.item)
			p.Signal(syscall.SIGCONT)
			if _, there := p.Answer(bound); !there {
				t.Fatal("the stopped one does not go on")
			}
			if c.item == "r0" {
				w.put("x02")
			}
			w.answers("ok " + c.item)
			p.Close()
			w.end()
		})
	}
}

// TestStoppedWhileRinging stops who rings for a message, before and behind the bits: who takes that message awaits him, so
// that his loop does not come again.
func TestStoppedWhileRinging(t *testing.T) {
	for _, point := range []string{"doorbell.ring.entered", "doorbell.ring.looks", "doorbell.ring.cleared"} {
		t.Run(point, func(t *testing.T) {
			w := newWorld(t, peers.Go, queue.Options{})
			w.survivor.Do("many.poll r0")
			p := w.stopped(point, "put 0 0 x01")
			w.survivor.Send("get 0 0")
			time.Sleep(holdUp / 3)
			p.Signal(syscall.SIGCONT)
			w.answers("ok x01")
			if _, there := p.Answer(bound); !there {
				t.Fatal("the stopped one does not go on")
			}
			p.Close()
			w.rings()
		})
	}
}
