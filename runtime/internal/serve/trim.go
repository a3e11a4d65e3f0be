package serve

import (
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"time"
)

// After many clients or objects have left, their memory goes back to the system: Go by itself would wait for its next
// collection, up to two minutes where nothing is done any more, and keeps room for as much again. That is looked at now and
// then, once the loop has done something since.

const (
	trimEvery = 2 * time.Second
	trimLeast = 16 << 20 // bytes that may have become garbage
)

// trimmer notes what has left since memory was given back.
type trimmer struct {
	timer   timer
	objects int    // that were dropped
	peers   int    // that left
	bytes   uint64 // what Go had allocated so far, the last time
}

// touch has the loop look in a while whether memory can be given back.
func (s *Server) touch() {
	if t := &s.trim.timer; t.index < 0 {
		s.arm(t, trimEvery)
	}
}

// trimNow gives memory back if much may have become free. The collection has a goroutine of its own: it takes as long as
// there are objects, and the loop is held up only for moments.
func (s *Server) trimNow() {
	t := &s.trim
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	allocated, live := sample[0].Value.Uint64(), sample[1].Value.Uint64()
	if allocated-t.bytes < trimLeast+live/2 && t.objects <= 1000+len(s.objects)/2 && t.peers <= 10+len(s.peers)/2 {
		return
	}
	t.objects, t.peers, t.bytes = 0, 0, allocated
	s.files, s.peers, s.objects = slim(s.files), slim(s.peers), slim(s.objects)
	s.names, s.words = slim(s.names), slim(s.words)
	if cap(s.timers) > 4*len(s.timers) {
		s.timers = slices.Clip(slices.Clone(s.timers))
	}
	if cap(s.active) > 4*len(s.active) {
		s.active = slices.Clip(slices.Clone(s.active))
	}
	go debug.FreeOSMemory()
}

// slim is a map of the same entries. A map keeps room for the most that it ever had.
func slim[K comparable, V any](m map[K]V) map[K]V {
	if len(m) > 10_000 {
		return m // for the time that it would take
	}
	n := make(map[K]V, len(m))
	for k, v := range m {
		n[k] = v
	}
	return n
}
