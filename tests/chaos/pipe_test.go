//go:build crash

package chaos

import (
	"slices"
	"strings"

	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/tests/peers"
)

// aside goes as a part in a pipe of 64 KiB, and has room there beside a small message.
const aside = "g6:30000"

func init() { scenarios = slices.Concat(scenarios, piping) }

// pipes is a scenario with a pipe named p, whose first end the survivor has as its number 0.
func pipes(name string, run func(*world)) scenario {
	return scenario{name: "pipe " + name, options: queue.Options{}, run: func(w *world) {
		w.survivor.Do("pipe.create p - 0 t")
		run(w)
		w.survivor.Do("pipe.close 0")
		w.prove(0)
	}}
}

// end2 is somebody who does the commands with the second end and dies at the point in the last of them.
func (w *world) end2(point string, commands ...string) {
	w.Helper()
	w.bareVictim(point, append([]string{"pipe.open p 1"}, commands...)...)
}

// hears has the survivor receive these messages and then the end of file, for which it may have to sleep.
func (w *world) hears(messages ...string) {
	w.Helper()
	for _, m := range messages {
		if got := w.survivor.Do("pipe.recv 0 %d", bound.Milliseconds()); got != peers.Shown(m) {
			w.Fatalf("received %.60s, not %.60s", got, peers.Shown(m))
		}
	}
	w.refuses("END_OF_FILE", "pipe.recv 0 -1")
	w.refuses("BROKEN", "pipe.send 0 -1 x01")
}

func (w *world) refuses(code, command string) {
	w.Helper()
	w.survivor.Send("%s", command)
	if got, there := w.survivor.Answer(bound); !there || !strings.HasPrefix(got, "err "+code+" ") {
		w.Fatalf("%s: %q, not %s", command, got, code)
	}
}

// sends is a death in a send: what was committed before it arrives.
func sends(name, point, message string, arrives ...string) scenario {
	return pipes("send "+name, func(w *world) {
		w.end2(point, "pipe.send 0 1000 x77", "pipe.send 0 1000 "+message)
		w.hears(append([]string{"x77"}, arrives...)...)
	})
}

// receives is a death in a receive: what was not taken goes to the next one at that end.
func receives(name, point, message string, again ...string) scenario {
	return pipes("receive "+name, func(w *world) {
		w.survivor.Do("pipe.send 0 1000 %s", message)
		w.end2(point, "pipe.recv 0 1000")
		w.hears()
		next := peers.Start(w, peers.Go, w.root)
		next.Do("pipe.open p 1")
		for _, m := range again {
			if got := next.Do("pipe.recv 0 %d", bound.Milliseconds()); got != peers.Shown(m) {
				w.Fatalf("received %.60s, not %.60s", got, peers.Shown(m))
			}
		}
		if got := next.Do("pipe.poll 0 0"); got != "0" {
			w.Fatalf("one more message than there should be")
		}
		w.survivor.Do("pipe.send 0 1000 x78")
		if got := next.Do("pipe.recv 0 1000"); got != "x78" {
			w.Fatalf("received %s", got)
		}
		next.Close()
	})
}

var piping = []scenario{
	sends("appended", "fifo.put.appended:2", "x01", "x01"),
	sends("unlocked", "fifo.put.unlocked:2", "x01", "x01"),
	sends("large reserved", "fifo.put_large.reserved", "g5:10000"),
	sends("large written", "fifo.put_large.written", "g5:10000"),
	sends("large committed", "fifo.put_large.committed", "g5:10000", "g5:10000"),
	sends("side linked", "shm.message.linked", aside),
	sends("side committed", "fifo.put_large.committed", aside, aside),
	receives("front", "fifo.get.front", "x01"),
	receives("claimed", "fifo.claim.leased", "g5:10000", "g5:10000"),
	receives("large read", "fifo.get_large.read", "g5:10000", "g5:10000"),
	receives("side read", "fifo.get_large.read", aside, aside),
	receives("large done", "fifo.get_large.done", "g5:10000"),
	pipes("opened by the dead", func(w *world) {
		w.bareVictim("pipe.open.taken", "pipe.open p 1")
		// It never was there: not the end of file.
		if got := w.survivor.Do("pipe.stat 0"); !strings.Contains(got, " other=0 ") {
			w.Fatalf("%s", got)
		}
		w.refuses("TIMEOUT", "pipe.recv 0 20")
		w.survivor.Do("pipe.send 0 1000 x01")
		next := peers.Start(w, peers.Go, w.root)
		next.Do("pipe.open p 1")
		if got := next.Do("pipe.recv 0 1000"); got != "x01" {
			w.Fatalf("received %s", got)
		}
		next.Close()
		w.hears()
	}),
	pipes("closed by the dead", func(w *world) {
		w.survivor.Send("pipe.drain 0") // asleep when it happens, and nobody wakes it
		w.end2("pipe.close.left", "pipe.close 0")
		if got, there := w.survivor.Answer(bound); !there || got != "ok 0" {
			w.Fatalf("%q", got)
		}
		w.hears()
	}),
	pipes("full", func(w *world) {
		p := peers.Start(w, w.language, w.root)
		p.Do("pipe.open p 1")
		w.survivor.Send("pipe.pour 0 1000000") // asleep for want of room
		for !w.survivor.Sleeping() {
			continue
		}
		p.Signal(9)
		p.Dies(bound)
		if got, there := w.survivor.Answer(bound); !there || !strings.HasPrefix(got, "ok ") {
			w.Fatalf("%q", got)
		}
		w.hears()
	}),
}
