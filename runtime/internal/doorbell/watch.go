package doorbell

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/futex"
	"github.com/polyipc/polyipc/runtime/internal/object"
)

// longest bounds the time between two looks; tests lengthen it, so that a lost ring is a hang.
var longest = 90 * time.Millisecond

// watchdog looks at all bells of this process once a slice, for what no ring tells of. Its goroutine lives as
// long as there are some.
var watchdog watch

type watch struct {
	mu      sync.Mutex
	all     []*Bells
	running bool
	turn    atomic.Uint32 // a word to sleep on; nobody wakes it
}

func (w *watch) add(b *Bells) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, other := range w.all {
		if other == b {
			return
		}
	}
	w.all = append(w.all, b)
	if !w.running {
		w.running = true
		go w.run()
	}
}

func (w *watch) remove(b *Bells) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, other := range w.all {
		if other == b {
			w.all[i] = w.all[len(w.all)-1]
			w.all[len(w.all)-1] = nil
			w.all = w.all[:len(w.all)-1]
			return
		}
	}
}

// list copies the bells there are. None: the goroutine ends.
func (w *watch) list(to []*Bells) []*Bells {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running = len(w.all) > 0
	return append(to[:0], w.all...)
}

func (w *watch) run() {
	var all []*Bells
	d := longest
	for {
		_ = futex.Wait(&w.turn, 0, d)
		if all = w.list(all); len(all) == 0 {
			return
		}
		d = longest
		for i, b := range all {
			d = min(d, b.look())
			all[i] = nil // a closed one can be collected
		}
	}
}

// look settles each bell, and returns when to look next.
func (b *Bells) look() (next time.Duration) {
	next = longest
	c := object.Call{Object: b.obj, Verb: "watch"}
	if c.Begin() != nil {
		return next // being closed
	}
	var err error
	defer c.End(&err) // what is wrong, a verb will tell
	for kind := range b.mine {
		if own := b.mine[kind].Load(); own != nil {
			_, _ = b.settle(kind, own, true)
		}
	}
	return min(next, b.of.Slice())
}
