//go:build crash

package chaos

import (
	"slices"
	"time"

	"github.com/polyipc/polyipc/runtime/queue"
)

func init() { scenarios = slices.Concat(scenarios, sharing) }

// shared is a scenario with a segment named s of 100 bytes, which a survivor has open as its first.
func shared(name string, run func(*world)) scenario {
	return scenario{name: "segment " + name, options: queue.Options{}, run: func(w *world) {
		w.survivor.Do("segment.create s 100 1000000 - - t")
		run(w)
		w.survivor.Do("segment.close 0")
		w.prove(0)
	}}
}

// says has the survivor do something that must be done within the bound.
func (w *world) says(want, format string, args ...any) {
	w.Helper()
	began := time.Now()
	if got := w.survivor.Do(format, args...); got != want {
		w.Fatalf(format+": %q, not %q", append(args, got, want)...)
	}
	if d := time.Since(began); d > bound {
		w.Fatalf(format+" took %v", append(args, d)...)
	}
}

// grows is a death within a grow, which leaves the segment as it was; the next one grows it.
func grows(point string) scenario {
	return shared("dies at "+point, func(w *world) {
		w.bareVictim(point, "segment.open s - -", "segment.write 0 99 07", "segment.grow 0 500000")
		w.says("- - 1 100 1000000", "segment.describe 0")
		w.says("", "segment.grow 0 700000")
		w.says("- - 1 700000 1000000", "segment.describe 0")
		w.says("x0700", "segment.read 0 99 2")
		w.says("x00", "segment.read 0 699999 1")
		w.says("", "segment.write 0 499999 01")
	})
}

var sharing = []scenario{
	grows("segment.grow.reserved"),
	grows("shm.reserve.allocated"),
	shared("changed, nobody told", func(w *world) {
		w.survivor.Send("segment.wait 0 -1 8 8 0")
		w.peer("segment.open s - -", "segment.atomic 0 add 8 8 7").Kill()
		w.answers("ok 7")
		w.says("", "segment.notify 0 8 8")
	}),
	shared("waiter killed", func(w *world) {
		p := w.peer("segment.open s - -")
		p.Send("segment.wait 0 -1 8 8 0")
		within(w, "one waits", func() bool {
			return w.survivor.Do("segment.stat 0") == "size=100 max=1000000 waiters=1 take_overs=0 holder=0"
		})
		p.Kill()
		w.survivor.Send("segment.wait 0 -1 8 8 0")
		q := w.peer("segment.open s - -", "segment.atomic 0 add 8 8 7", "segment.notify 0 8 8")
		w.answers("ok 7")
		q.Kill()
		w.says("size=100 max=1000000 waiters=0 take_overs=0 holder=0", "segment.stat 0")
	}),
	shared("lock held", func(w *world) {
		w.peer("segment.open s - -", "segment.lock 0 0").Kill()
		w.says("1", "segment.lock 0 2000")
		w.says("", "segment.unlock 0")
		p := w.peer("segment.open s - -", "segment.lock 0 0")
		w.survivor.Send("segment.lock 0 -1")
		p.Kill()
		w.answers("ok 1")
		w.says("", "segment.unlock 0")
		w.says("0", "segment.lock 0 0")
		w.says("", "segment.unlock 0")
	}),
}
