//go:build crash

package chaos

import (
	"fmt"
	"slices"
	"strings"

	"github.com/polyipc/polyipc/runtime/queue"
)

// scenario brings a queue into a state in which somebody dies, and says what must be in it then.
type scenario struct {
	name    string
	options queue.Options
	run     func(*world)
}

// Messages by the way they go: x01 and the like are copied under the lock; large ones within the
// ring and side parts are not. A ring of a queue that grows begins with 256 KiB.
const (
	large = "g5:20000"
	side  = "g6:100000"
)

var scenarios = slices.Concat(putting, growing, getting, leasing, repairing, ending, opening, referring, polling)

// dies is a scenario of one death: before is in the queue, somebody dies at the point in the last
// of the commands, after is what must be there, and the dead one took lost messages with it.
func dies(name, point string, before, commands []string, lost int, after ...string) scenario {
	return scenario{name: name, run: func(w *world) {
		w.put(before...)
		w.victim(point, commands...)
		w.prove(lost, after...)
	}}
}

func list(words ...string) []string { return words }

// many is n messages of the given length.
func many(n, length int) []string {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("g%d:%d", i, length)
	}
	return words
}

// tight is a queue of one ring of 64 KiB.
var tight = queue.Options{Capacity: 64 << 10}

var putting = []scenario{
	dies("put appended", "fifo.put.appended", list("x01"), list("put 0 0 x02"), 0, "x01", "x02"),
	dies("put unlocked", "fifo.put.unlocked", list("x01"), list("put 0 0 x02"), 0, "x01", "x02"),
	dies("put second", "fifo.put.appended:2", nil, list("put 0 0 x01", "put 0 0 x02"), 0, "x01", "x02"),
	longPut("staged", "fifo.put.staged", 0),
	longPut("published", "fifo.put.published", 1),
	longPut("wake", "fifo.put.wake", 1),
	dies("batch staged", "fifo.put_many.staged", list("x01"), list("put_many 0 0 x02 x03"), 0, "x01"),
	dies("batch published", "fifo.put_many.published", list("x01"), list("put_many 0 0 x02 x03"), 0, "x01", "x02", "x03"),
	{"batch staged over the record before", tight, func(w *world) {
		w.put("x01")
		w.get("x01")
		// 64 records of 1024 bytes: all of the ring, also where the newest record was.
		w.victim("fifo.put_many.staged", "put_many 0 0 "+strings.Join(many(64, 1000), " "))
		w.prove(0)
	}},
	{"batch staged over all of the ring", tight, func(w *world) {
		for _, body := range many(64, 1000) {
			w.put(body)
			w.get(body)
		}
		w.survivor.Do("full 0") // looks where the head is now, so that a batch in C knows it
		w.victim("fifo.put_many.staged", "put_many 0 0 "+strings.Join(many(64, 1000), " "))
		w.prove(0)
	}},
	dies("large reserved", "fifo.put_large.reserved", list("x01"), list("put 0 0 "+large), 0, "x01"),
	dies("large reserved first", "fifo.put_large.reserved", nil, list("put 0 0 "+large), 0),
	dies("large written", "fifo.put_large.written", list("x01"), list("put 0 0 "+large), 0, "x01"),
	dies("large committed", "fifo.put_large.committed", list("x01"), list("put 0 0 "+large), 0, "x01", large),
	dies("side reserved", "fifo.put_large.reserved", list("x01"), list("put 0 0 "+side), 0, "x01"),
	dies("side part written", "shm.message.written", list("x01"), list("put 0 0 "+side), 0, "x01"),
	dies("side part linked", "shm.message.linked", list("x01"), list("put 0 0 "+side), 0, "x01"),
	dies("side written", "fifo.put_large.written", list(side), list("put 0 0 "+side), 0, side),
	dies("side committed", "fifo.put_large.committed", list("x01"), list("put 0 0 "+side), 0, "x01", side),
	{"room reserved by the dead", queue.Options{MaxSize: 1}, func(w *world) {
		w.victim("fifo.put_large.reserved", "put 0 0 "+large)
		w.survivor.Do("put 0 %d x01", bound.Milliseconds())
		w.get("x01")
		w.proveBounded()
	}},
	{"bytes reserved by the dead", tight, func(w *world) {
		w.victim("fifo.put_large.reserved", "put 0 0 g1:60000")
		w.survivor.Do("put 0 %d g2:60000", bound.Milliseconds())
		w.prove(0, "g2:60000")
	}},
	{"a sleeper whose waker is dead", queue.Options{}, func(w *world) {
		w.survivor.Send("get 0 -1")
		w.waits("message")
		w.victim("fifo.put.unlocked", "put 0 0 x01")
		w.answers("ok x01")
		w.prove(1)
	}},
	{"a sleeper whose waker is dead, large", queue.Options{}, func(w *world) {
		w.survivor.Send("lease 0 -1")
		w.waits("message")
		w.victim("fifo.put_large.committed", "put 0 0 "+large)
		w.answers("ok 0 1 " + shown(large))
		w.survivor.Do("ack 0 0")
		w.prove(0)
	}},
}

// longPut is a scenario in which somebody dies in a put that is not the usual one, since there is a
// second ring; put is how many messages that put has put.
func longPut(name, point string, put int) scenario {
	return scenario{name: "put the long way, " + name, run: func(w *world) {
		words := w.fill()
		w.put("g4:60000")
		w.victim(point, "put 0 0 x02")
		w.prove(0, append(append(words, "g4:60000"), list("x02")[:put]...)...)
	}}
}

// fill puts messages that leave no room for another of 60,000 bytes in ring 0.
func (w *world) fill() []string {
	words := many(4, 60_000)
	w.put(words...)
	return words
}

// growth is a scenario in which somebody dies while appending a ring.
func growth(name, point string) scenario {
	return scenario{name: name, run: func(w *world) {
		words := w.fill()
		w.victim(point, "put 0 0 g9:60000")
		w.put("g10:60000")
		w.prove(0, append(words, "g10:60000")...)
	}}
}

// twoRings leaves ring 0 empty and a message in ring 1; the next get takes ring 0 out of the chain.
func (w *world) twoRings() string {
	words := w.fill()
	w.put("g4:60000")
	w.get(words...)
	return "g4:60000"
}

// ringOne leaves ring 1 alone in the chain, and empty; the next get goes back to ring 0.
func (w *world) ringOne() {
	words := w.fill()
	w.put("g4:60000")
	w.get(words...)
	w.get("g4:60000")
}

// threeRings leaves a message in ring 0, which the survivor has on lease 0, ring 1 empty and a
// message in ring 2; the next get takes ring 1 out of the middle.
func (w *world) threeRings() (leased, ready string) {
	words := many(13, 60_000) // 4 in ring 0, 8 in ring 1
	w.put(words...)
	w.survivor.Do("lease 0 0")
	w.get(words[1:12]...)
	return words[0], words[12]
}

var growing = []scenario{
	growth("growth named", "fifo.grow.named"),
	growth("growth file made", "shm.create.built"),
	growth("growth file filled", "shm.create.filled"),
	growth("growth file linked", "shm.create.linked"),
	growth("growth linked", "fifo.grow.linked"),
	growth("growth published", "fifo.grow.published"),
	growth("growth staged", "fifo.put_large.reserved"),
	{"a batch staged in a new ring", queue.Options{}, func(w *world) {
		words := many(63, 4064) // 63 records of 4088 bytes, and no room for a 65th
		w.put(words...)
		w.put("g63:4064")
		w.victim("fifo.put_many.staged", "put_many 0 0 g1:4000 g2:4000")
		w.prove(0, append(words, "g63:4064")...)
	}},
	{"retiring ring 0 named", queue.Options{}, func(w *world) {
		rest := w.twoRings()
		w.victim("fifo.retire.named", "get 0 0")
		w.prove(0, rest)
	}},
	{"retiring ring 0 unchained", queue.Options{}, func(w *world) {
		rest := w.twoRings()
		w.victim("fifo.retire.unchained", "get 0 0")
		w.prove(0, rest)
	}},
	{"going back to ring 0 intended", queue.Options{}, func(w *world) {
		w.ringOne()
		w.victim("fifo.retire.seen_empty", "get 0 0")
		w.prove(0)
	}},
	{"going back to ring 0 named", queue.Options{}, func(w *world) {
		w.ringOne()
		w.victim("fifo.retire.named", "get 0 0")
		w.prove(0)
	}},
	{"going back to ring 0 unchained", queue.Options{}, func(w *world) {
		w.ringOne()
		w.victim("fifo.retire.unchained", "get 0 0")
		w.prove(0)
	}},
	{"going back to ring 0 removed", queue.Options{}, func(w *world) {
		w.ringOne()
		w.victim("fifo.retire.removed", "get 0 0")
		w.prove(0)
	}},
	{"retiring a ring in the middle named", queue.Options{}, func(w *world) {
		leased, ready := w.threeRings()
		w.victim("fifo.retire.named", "get 0 0")
		w.survivor.Do("nack 0 0")
		w.prove(0, leased, ready)
	}},
	{"retiring a ring in the middle unchained", queue.Options{}, func(w *world) {
		leased, ready := w.threeRings()
		w.victim("fifo.retire.unchained", "get 0 0")
		w.survivor.Do("nack 0 0")
		w.prove(0, leased, ready)
	}},
	{"retiring a ring in the middle removed", queue.Options{}, func(w *world) {
		leased, ready := w.threeRings()
		w.victim("fifo.retire.removed", "get 0 0")
		w.survivor.Do("nack 0 0")
		w.prove(0, leased, ready)
	}},
}

var getting = []scenario{
	dies("get at the front", "fifo.get.front", list("x01", "x02"), list("get 0 0"), 1, "x02"),
	{"get many out of order copied", queue.Options{}, func(w *world) {
		w.put("x01", "x02", "x03")
		w.survivor.Do("lease 0 0")
		w.victim("fifo.get.copied", "get_many 0 10 2")
		w.survivor.Do("nack 0 0")
		w.prove(0, "x01", "x02", "x03")
	}},
	{"get many out of order taken", queue.Options{}, func(w *world) {
		w.put("x01", "x02", "x03")
		w.survivor.Do("lease 0 0")
		w.victim("fifo.get.taken", "get_many 0 10 2")
		w.survivor.Do("nack 0 0")
		w.prove(1, "x01", "x03")
	}},
	dies("get many", "fifo.get_many.took:2", list("x01", "x02", "x03"), list("get_many 0 10 3"), 2, "x03"),
	dies("get large claimed", "fifo.claim.leased", list(large, "x01"), list("get 0 0"), 0, large, "x01"),
	dies("get large read", "fifo.get_large.read", list(large, "x01"), list("get 0 0"), 0, large, "x01"),
	dies("get large done", "fifo.get_large.done", list(large, "x01"), list("get 0 0"), 1, "x01"),
	dies("get side read", "fifo.get_large.read", list(side, "x01"), list("get 0 0"), 0, side, "x01"),
	dies("get side done", "fifo.get_large.done", list(side, "x01"), list("get 0 0"), 1, "x01"),
	dies("get side settling", "fifo.settle.dirty", list(side, "x01"), list("get 0 0"), 1, "x01"),
	{"get out of order copied", queue.Options{}, func(w *world) {
		w.put("x01", "x02", "x03")
		w.survivor.Do("lease 0 0")
		w.victim("fifo.get.copied", "get 0 0")
		w.survivor.Do("nack 0 0")
		w.prove(0, "x01", "x02", "x03")
	}},
	{"get out of order taken", queue.Options{}, func(w *world) {
		w.put("x01", "x02", "x03")
		w.survivor.Do("lease 0 0")
		w.victim("fifo.get.taken", "get 0 0")
		w.survivor.Do("nack 0 0")
		w.prove(1, "x01", "x03")
	}},
	{"room made by the dead", queue.Options{MaxSize: 1}, func(w *world) {
		w.put("x01")
		w.survivor.Send("put 0 -1 x02")
		w.waits("room")
		w.victim("fifo.get.front", "get 0 0")
		w.answers("ok")
		w.get("x02")
		w.proveBounded()
	}},
	{"room made by the dead, large", queue.Options{MaxSize: 1}, func(w *world) {
		w.put(large)
		w.survivor.Send("put 0 -1 x02")
		w.waits("room")
		w.victim("fifo.get_large.done", "get 0 0")
		w.answers("ok")
		w.get("x02")
		w.proveBounded()
	}},
}

var leasing = []scenario{
	dies("lease claimed", "fifo.claim.leased", list("x01", "x02"), list("lease 0 0"), 0, "x01", "x02"),
	dies("lease read", "fifo.lease.read", list("x01", "x02"), list("lease 0 0"), 0, "x01", "x02"),
	dies("lease read side", "fifo.lease.read", list(side, "x02"), list("lease 0 0"), 0, side, "x02"),
	dies("lease second", "fifo.lease.read:2", list("x01", large), list("lease 0 0", "lease 0 0"), 0, "x01", large),
	dies("acked", "fifo.lease.ended", list("x01", "x02"), list("lease 0 0", "ack 0 0"), 0, "x02"),
	dies("acked side", "fifo.lease.ended", list(side, "x02"), list("lease 0 0", "ack 0 0"), 0, "x02"),
	dies("acked and dirty", "fifo.settle.dirty", list("x01", "x02"), list("lease 0 0", "ack 0 0"), 0, "x02"),
	dies("acked out of order", "fifo.lease.ended", list("x01", "x02", "x03"),
		list("lease 0 0", "lease 0 0", "ack 0 1"), 0, "x01", "x03"),
	// The get moves the cursor over the leased record, so somebody has to lead it back.
	dies("nacked", "fifo.lease.ended", list("x01", "x02"), list("lease 0 0", "get 0 0", "nack 0 0"), 1, "x01"),
	dies("nacked and rescan", "fifo.nack.rescan", list("x01", "x02"), list("lease 0 0", "get 0 0", "nack 0 0"), 1, "x01"),
	dies("task done", "fifo.task_done.counted", list("x01", "x02"), list("get 0 0", "task_done 0"), 0, "x02"),
	{"nacked before a sleeper", queue.Options{}, func(w *world) {
		w.put("x01", "x02")
		w.survivor.Do("get 0 0") // x01
		w.victimHolding("lease 0 0", func() {
			w.survivor.Send("lease 0 -1")
			w.waits("message")
		}, "fifo.lease.ended", "nack 0 0")
		w.answers("ok 0 2 x02")
		w.survivor.Do("ack 0 0")
		w.prove(1)
	}},
	{"lease holder killed before a sleeper", queue.Options{}, func(w *world) {
		w.put("x01")
		p := w.peer("open q", "lease 0 0")
		w.survivor.Send("lease 0 -1")
		w.waits("message")
		p.Kill()
		w.answers("ok 0 2 x01")
		w.survivor.Do("ack 0 0")
		w.prove(0)
	}},
	{"lease holder killed while messages abound", queue.Options{}, func(w *world) {
		w.put("x01", "x02", "x03")
		w.peer("open q", "lease 0 0").Kill()
		came := false
		within(w, "the dead one's message comes again", func() bool { // though the queue never gets empty
			w.put("x04", "x04")
			m, again := w.leaseAndAck()
			came = came || m == "x01" && again
			return came
		})
		for {
			if _, err := w.q.TryGet(); err != nil {
				break
			}
			if err := w.q.TaskDone(); err != nil {
				w.Fatal(err)
			}
		}
		w.prove(0)
	}},
	{"joining alone behind a dead reservation", queue.Options{}, func(w *world) {
		w.victim("fifo.put_large.reserved", "put 0 0 "+large)
		w.survivor.Do("join 0 %d", bound.Milliseconds())
		w.prove(0)
	}},
	{"a dead reservation beside a lease that is held", queue.Options{}, func(w *world) {
		w.put("x01", "x02", "x03")
		w.survivor.Do("lease 0 0")
		w.victim("shm.message.linked", "put 0 0 "+side)
		w.get("x02", "x03")
		within(w, "the reservation goes, though somebody holds a lease", func() bool {
			_, err := w.q.TryGet()
			return err != nil && w.consistent().Reserved == 0
		})
		w.survivor.Do("nack 0 0")
		w.prove(0, "x01")
	}},
	{"acked before one who joins", queue.Options{}, func(w *world) {
		w.put("x01")
		w.victimHolding("lease 0 0", func() {
			w.survivor.Send("join 0 -1")
			w.waits("join")
		}, "fifo.lease.ended", "ack 0 0")
		w.answers("ok")
		w.prove(0)
	}},
	{"acked before one who wants room", queue.Options{MaxSize: 1}, func(w *world) {
		w.put("x01")
		w.victimHolding("lease 0 0", func() {
			w.survivor.Send("put 0 -1 x02")
			w.waits("room")
		}, "fifo.lease.ended", "ack 0 0")
		w.answers("ok")
		w.get("x02")
		w.proveBounded()
	}},
}
