//go:build crash

package chaos

import (
	"strings"

	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/tests/peers"
)

// Scenarios in which those who repair die too, and those about the life of files.

// swept is a scenario in which somebody dies while the heads move over finished records, and
// whoever repairs that dies as well, each of them at one of the points.
func swept(name string, before []string, points ...string) scenario {
	return scenario{name: name, run: func(w *world) {
		w.put(before...)
		w.put("x77")
		for i, point := range points {
			if i == 0 {
				w.victim(point, "lease 0 0", "ack 0 0")
			} else {
				w.victim(point, "size 0")
			}
		}
		w.prove(0, append(before[1:], "x77")...)
	}}
}

var repairing = []scenario{
	{"take-over of the producer lock", queue.Options{}, func(w *world) {
		w.victim("fifo.put_many.staged", "put_many 0 0 m01")
		w.victim("park.lock.took_over", "put 0 0 x02")
		w.victim("park.lock.took_over", "put 0 0 x03")
		w.prove(0)
	}},
	{"take-over of the consumer lock", queue.Options{}, func(w *world) {
		w.put("x01", "x02")
		w.victim("fifo.get.front", "get 0 0")
		w.victim("park.lock.took_over", "get 0 0")
		w.prove(1, "x02")
	}},
	{"unlocked with others waiting", queue.Options{}, func(w *world) {
		w.victim("fifo.put_many.staged", "put_many 0 0 m01")
		w.victim("park.unlock.wake", "put 0 0 x02") // who takes over assumes that others wait
		w.prove(0, "x02")
	}},
	{"growth repaired by one who dies", queue.Options{}, func(w *world) {
		words := w.fill()
		w.victim("fifo.grow.linked", "put 0 0 g9:60000")
		w.victim("fifo.repair.growing", "put 0 0 x01")
		w.victim("fifo.grow.linked", "put 0 0 g9:60000")
		w.victim("park.lock.took_over", "put 0 0 x01")
		w.prove(0, words...)
	}},
	{"retiring repaired by one who dies", queue.Options{}, func(w *world) {
		w.ringOne()
		w.victim("fifo.retire.unchained", "get 0 0")
		w.victim("fifo.repair.retiring", "get 0 0")
		w.prove(0)
	}},
	{"retiring in the middle repaired by one who dies", queue.Options{}, func(w *world) {
		leased, ready := w.threeRings()
		w.victim("fifo.retire.unchained", "get 0 0")
		w.victim("fifo.put.staged", "put 0 0 x01") // takes the producer lock over
		w.victim("fifo.repair.retiring", "get 0 0")
		w.survivor.Do("nack 0 0")
		w.prove(0, leased, ready)
	}},
	{"both locks and a put between", queue.Options{}, func(w *world) {
		rest := w.twoRings()
		w.victim("fifo.retire.unchained", "get 0 0")
		w.survivor.Do("put 0 2000 x01")
		w.victim("fifo.claim.leased", "get 0 0")
		w.prove(0, rest, "x01")
	}},
	swept("sweep parts removed", list(side, "x02"), "fifo.sweep.parts_removed", "fifo.sweep.parts_removed"),
	swept("sweep written", list("x01", "x02"), "fifo.sweep.written", "fifo.sweep.written"),
	swept("sweep valid", list("x01", "x02"), "fifo.sweep.valid", "fifo.sweep.counted", "fifo.sweep.moved"),
	swept("sweep counted", list("x01"), "fifo.sweep.counted", "fifo.sweep.counted"),
	swept("sweep moved", list("x01", large), "fifo.sweep.moved", "fifo.sweep.moved", "park.lock.took_over"),
	{"lease returned by one who dies", queue.Options{}, func(w *world) {
		w.put("x01", "x02")
		p := w.peer("open q", "lease 0 0", "lease 0 0")
		p.Kill()
		w.victim("fifo.reclaim.returned", "get 0 0")
		w.victim("fifo.reclaim.returned", "get 0 0") // x01 has come back, x02 has not
		w.prove(0, "x01", "x02")
	}},
	{"reservation abandoned by one who dies", queue.Options{}, func(w *world) {
		w.victim("fifo.put_large.reserved", "put 0 0 "+large)
		w.victim("shm.message.linked", "put 0 0 "+side)
		w.victim("fifo.reclaim.abandoned", "get 0 0")
		w.victim("fifo.reclaim.abandoned", "get 0 0")
		w.prove(0)
	}},
}

// afterShutdown shows that the queue is shut down and ends with exactly these messages.
func (w *world) afterShutdown(want ...string) {
	w.Helper()
	w.survivor.Fails("SHUTDOWN", "put 0 2000 x99")
	w.survivor.Fails("SHUTDOWN", "put 0 2000 %s", large)
	w.get(want...)
	w.survivor.Fails("SHUTDOWN", "get 0 2000")
	w.survivor.Do("shutdown 0 0")
	w.survivor.Do("join 0 2000")
	s := w.consistent()
	if left := files(w, w.root); s.Unfinished != 0 || strings.Join(left, " ") != "q" {
		w.Fatalf("left %s, %+v", left, s)
	}
	w.end()
}

var ending = []scenario{
	{"shutdown flagged", queue.Options{}, func(w *world) {
		w.put("x01", "x02")
		w.victim("fifo.shutdown.flagged", "shutdown 0 0")
		w.afterShutdown("x01", "x02")
	}},
	{"shutdown flagged before sleepers", queue.Options{}, func(w *world) {
		w.survivor.Send("get 0 -1")
		w.waits("message")
		w.victim("fifo.shutdown.flagged", "shutdown 0 0")
		w.answersWith("err SHUTDOWN")
		w.afterShutdown()
	}},
	{"shutdown with a dead reservation", queue.Options{}, func(w *world) {
		w.put("x01")
		w.victim("fifo.put_large.written", "put 0 0 "+side)
		w.victim("fifo.shutdown.abandoned", "shutdown 0 0")
		w.afterShutdown("x01")
	}},
	{"shutdown with a dead lease", queue.Options{}, func(w *world) {
		w.put("x01")
		w.victim("fifo.lease.read", "lease 0 0")
		w.survivor.Do("shutdown 0 0")
		w.afterShutdown("x01")
	}},
	{"shutdown at once flagged", queue.Options{}, func(w *world) {
		w.put("x01", side)
		w.victim("fifo.shutdown.flagged", "shutdown 0 1")
		w.afterShutdown()
	}},
	{"shutdown at once discarding", queue.Options{}, func(w *world) {
		w.put("x01", side, "x02")
		w.victim("fifo.discard.one:2", "shutdown 0 1")
		w.victim("fifo.discard.one", "get 0 0")
		w.afterShutdown()
	}},
}

// another is a scenario in which somebody dies while making a second queue, called q2. exists says
// whether it is there then.
func another(name, point string, exists bool) scenario {
	return scenario{name: name, run: func(w *world) {
		w.bareVictim(point, "create q2 0 0 -")
		if exists {
			w.survivor.Fails("EXISTS", "create q2 0 0 -")
			w.survivor.Do("open q2")
		} else {
			w.survivor.Fails("NOT_FOUND", "open q2")
			w.survivor.Do("create q2 0 0 -")
		}
		w.survivor.Do("put 1 0 x01")
		w.survivor.Do("unlink q2")
		w.survivor.Do("close 1")
		w.prove(0)
	}}
}

// vanishes is a scenario in which somebody dies while the last use of a queue with a side part ends;
// whoever comes or goes next removes what is left.
func vanishes(name, point string) scenario {
	return scenario{name: name, run: func(w *world) {
		w.bareVictim(point, "create q2 0 0 t", "put 0 0 "+side, "close 0")
		p := w.peer("open q")
		within(w, "what the dead left is removed", func() bool { return strings.Join(files(w, w.root), " ") == "q" })
		p.Close()
		w.survivor.Fails("NOT_FOUND", "open q2")
		w.prove(0)
	}}
}

var opening = []scenario{
	another("create built", "shm.create.built", false),
	another("create filled", "shm.create.filled", false),
	another("create linked", "shm.create.linked", true),
	vanishes("close unlocked", "shm.close.unlocked"),
	vanishes("remove exclusive", "shm.remove.exclusive"),
	vanishes("remove parts", "shm.remove.parts"),
	{"open locked", queue.Options{}, func(w *world) {
		w.put("x01")
		w.bareVictim("shm.open.locked", "open q")
		w.prove(0, "x01")
	}},
	{"open of the last user locked", queue.Options{}, func(w *world) {
		p := w.peer("create q2 0 0 t")
		w.bareVictim("shm.open.locked", "open q2")
		p.Close()
		w.survivor.Fails("NOT_FOUND", "open q2")
		w.prove(0)
	}},
	{"unlink flagged", queue.Options{}, func(w *world) {
		p := w.peer("create q2 0 0 k", "put 0 0 "+side)
		w.bareVictim("shm.unlink.flagged", "unlink q2")
		w.survivor.Do("open q2") // has its name still
		w.survivor.Do("unlink q2")
		w.survivor.Fails("NOT_FOUND", "open q2")
		p.Do("get 0 0")
		p.Close()
		w.survivor.Do("close 1")
		w.prove(0)
	}},
	{"joining locked", queue.Options{}, func(w *world) {
		w.bareVictim("member.join.locked", "open q")
		w.prove(0)
	}},
	{"joining with a new generation", queue.Options{}, func(w *world) {
		w.bareVictim("member.join.generation", "open q")
		w.prove(0)
	}},
	{"members written", queue.Options{}, func(w *world) {
		root := newRoot(w)
		p := peers.Start(w, w.language, root, "POLYIPC_CRASH=shm.members.written")
		p.Send("create q 0 0 t")
		p.Dies(peers.Bound)
		died.Store("shm.members.written", true)
		p = peers.Start(w, w.language, root)
		p.Do("create q 0 0 t")
		p.Do("put 0 0 x01")
		p.Close()
		w.prove(0)
	}},
}
