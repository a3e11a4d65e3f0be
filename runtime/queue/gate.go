package queue

import "sync/atomic"

// gate counts who is inside, and frees what they use when it was shut and the last one has left.
type gate struct {
	n    atomic.Int64 // shut, freed, and how many are inside
	free func()       // called once
}

const (
	shut  = 1 << 62
	freed = 1 << 61
)

// enter lets the caller in, or says that the gate is shut. A caller let in must leave.
func (g *gate) enter() bool {
	if g.n.Add(1)&shut == 0 {
		return true
	}
	g.leave()
	return false
}

func (g *gate) leave() {
	if g.n.Add(-1) == shut && g.n.CompareAndSwap(shut, shut|freed) {
		g.free()
	}
}

// shut lets nobody in any more; false if it was shut before.
func (g *gate) shut() bool {
	g.n.Add(1)
	first := g.n.Or(shut)&shut == 0
	g.leave()
	return first
}

func (g *gate) isShut() bool { return g.n.Load()&shut != 0 }
