package main

/*
#include "keep.h"
*/
import "C"

import (
	"sync"
	"sync/atomic"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// A handle's number is {generation:11, index:20}. The generation goes up with each reuse of an
// index, so that a closed handle is not mistaken for the next one at its place.
const (
	indexBits     = C.PI_INDEX_BITS
	maxHandles    = 1 << indexBits
	maxGeneration = 1<<(31-indexBits) - 1

	// An index rests until so many others are free: a closed handle's number comes back only
	// after restFor * maxGeneration further handles.
	restFor = 64

	chunkBits = 10
	chunkSize = 1 << chunkBits
)

// object is what a handle stands for. It never changes; closing takes it out of the table.
type object struct {
	id   uint32
	kind *kind
	noun noun
}

type chunk [chunkSize]atomic.Pointer[object]

// table maps handles to objects. Finding takes no lock; opening and closing take mu and are within
// the gate (keep.h), so that a fork never copies a half-written entry.
type table struct {
	chunks [maxHandles / chunkSize]atomic.Pointer[chunk]

	mu   sync.Mutex
	used uint32   // indexes below it were used
	free []uint32 // those of them that are free, the longest first
}

var handles table

// restore makes the table fit the entries that a forked child inherited; elsewhere there are none.
// It runs before any call is let in.
func (t *table) restore() {
	if keep() == nil {
		return
	}
	// Within those that were used, an index without a generation is one whose open failed.
	for i := range uint32(keep().committed) {
		if entryAt(i).generation != 0 {
			t.used = i + 1
		}
	}
	for i := range t.used {
		if entryAt(i).live().Load() == 0 {
			t.free = append(t.free, i)
		}
	}
}

// find returns the object behind a handle, nil if there is none that this process opened or has
// adopted yet.
func (t *table) find(id uint32) *object {
	i := id % maxHandles
	if c := t.chunks[i/chunkSize].Load(); c != nil && id>>31 == 0 {
		if o := c[i%chunkSize].Load(); o != nil && o.id == id {
			return o
		}
	}
	return nil
}

// reserve takes an index for a handle to come, and makes its entry writable.
func (t *table) reserve(op string) (uint32, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if keep() == nil {
		return 0, &ipcerr.Error{Op: op, Code: ipcerr.NoMemory, Hint: "memory was short when the library was loaded: restart the program with more"}
	}
	if len(t.free) > restFor || t.used == maxHandles && len(t.free) > 0 {
		i := t.free[0]
		t.free = t.free[1:]
		return i, nil
	}
	if t.used == maxHandles {
		return 0, &ipcerr.Error{Op: op, Code: ipcerr.Limit, Hint: "1048576 handles are open in this process: close some"}
	}
	i := t.used
	if !C.pi_keep_commit(keep(), C.size_t(i)) {
		return 0, &ipcerr.Error{Op: op, Code: ipcerr.NoMemory, Hint: "no memory for another handle"}
	}
	t.used++
	return i, nil
}

// abandon gives a reserved index back.
func (t *table) abandon(i uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free = append(t.free, i)
}

// publish writes the entry of a reserved index and makes the handle valid.
func (t *table) publish(i uint32, k *kind, n noun) (uint32, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := entryAt(i)
	if err := e.write(inheritable(k, n)); err != nil {
		t.free = append(t.free, i)
		return 0, err
	}
	generation := uint32(e.generation)%maxGeneration + 1
	e.generation = C.uint32_t(generation)
	id := generation<<indexBits | i
	t.put(&object{id, k, n})
	e.live().Store(id)
	quicken(id, n)
	trackDescriptor(int(e.descriptor), false) // a child adopts it
	return id, nil
}

// put makes an object findable. mu is held.
func (t *table) put(o *object) {
	i := o.id % maxHandles
	c := t.chunks[i/chunkSize].Load()
	if c == nil {
		c = new(chunk)
		t.chunks[i/chunkSize].Store(c)
	}
	c[i%chunkSize].Store(o)
}

// take removes a handle of the kind k, so that exactly one of several closers gets its object. The entry is
// cleared before the descriptor is closed: a child must not adopt a number that became another's.
// A nil object with true is one that was inherited and never adopted; what tells of it.
func (t *table) take(id uint32, k *kind) (o *object, what inherited, ok bool) {
	t.mu.Lock()
	e := t.inheritedEntry(id)
	if e == nil || uint32(e.kind) != k.number {
		t.mu.Unlock()
		return nil, what, false
	}
	what = e.read()
	e.live().Store(0)
	i := id % maxHandles
	if o = t.find(id); o != nil {
		t.chunks[i/chunkSize].Load()[i%chunkSize].Store(nil)
	}
	t.mu.Unlock()
	slacken(id)
	t.abandon(i)
	return o, what, true
}

// inheritedEntry returns the entry of an open handle, adopted or not. mu is held.
func (t *table) inheritedEntry(id uint32) *entry {
	i := id % maxHandles
	if i >= t.used || id>>31 != 0 || id == 0 {
		return nil
	}
	if e := entryAt(i); e.live().Load() == id {
		return e
	}
	return nil
}
