package object

import "sync/atomic"

// Gate counts who is inside, and frees what they use when it was shut and the last one has left.
type Gate struct {
	n    atomic.Int64 // shut, freed, and how many are inside
	Free func()       // called once
}

const (
	shut  = 1 << 62
	freed = 1 << 61
)

// Enter lets the caller in, or says that the gate is shut. A caller let in must Leave.
func (g *Gate) Enter() bool {
	if g.n.Add(1)&shut == 0 {
		return true
	}
	g.Leave()
	return false
}

// Leave undoes Enter.
func (g *Gate) Leave() {
	if g.n.Add(-1) == shut && g.n.CompareAndSwap(shut, shut|freed) {
		g.Free()
	}
}

// Shut lets nobody in any more; false if it was shut before.
func (g *Gate) Shut() bool {
	g.n.Add(1)
	first := g.n.Or(shut)&shut == 0
	g.Leave()
	return first
}

// IsShut reports whether Shut was called.
func (g *Gate) IsShut() bool { return g.n.Load()&shut != 0 }
