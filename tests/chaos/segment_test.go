//go:build crash

package chaos

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/runtime/segment"
	"github.com/polyipc/polyipc/tests/peers"
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

// TestSegmentKills kills processes that count in a segment at random times, by atomics and under the lock: the others go on,
// and each of the dead has left at most one increment under the lock undone that it had made by atomics.
func TestSegmentKills(t *testing.T) {
	kills := repetitions(t, "POLYIPC_CHAOS_KILLS", 100, 1000)
	seed := setting(t, "POLYIPC_CHAOS_SEED", int(time.Now().UnixNano()%1_000_000))
	t.Logf("POLYIPC_CHAOS_SEED=%d POLYIPC_CHAOS_KILLS=%d", seed, kills)
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	root := newRoot(t)
	s, err := segment.Create("s", segment.Options{Root: root, Size: 16, Transient: true})
	if err != nil {
		t.Fatal(err)
	}
	cells := [2]*atomic.Uint64{}
	for i := range cells {
		if cells[i], err = segment.Uint64At(s, int64(8*i)); err != nil {
			t.Fatal(err)
		}
	}
	start := func() *peers.Peer {
		p := peers.Start(t, languages[r.IntN(len(languages))], root)
		p.Do("segment.open s - -")
		p.Send("segment.count 0 1000000000")
		return p
	}
	workers := []*peers.Peer{start(), start(), start()}
	var waited []time.Duration
	for range kills {
		time.Sleep(time.Duration(r.IntN(2000)) * time.Microsecond)
		i := r.IntN(len(workers))
		workers[i].Kill()
		began, locked, free := time.Now(), cells[1].Load(), cells[0].Load()
		within(t, "the others go on", func() bool { return cells[1].Load() > locked+1 && cells[0].Load() > free+1 })
		waited = append(waited, time.Since(began))
		workers[i] = start()
	}
	for _, p := range workers {
		p.Kill()
	}
	free, locked := cells[0].Load(), cells[1].Load()
	if locked > free || free-locked > uint64(kills+len(workers)) {
		t.Errorf("%d increments by atomics, %d under the lock, %d kills", free, locked, kills)
	}
	if died, err := s.Lock(t.Context()); err != nil {
		t.Error(died, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	tally("segment", kills)
	report(t, "from a kill until the others had counted on", waited)
}
