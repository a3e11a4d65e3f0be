package serve_test

import (
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/serve"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// memory is a journal in maps, whose commits wait for the test, or fail.
type memory struct {
	waits bool

	mu      sync.Mutex
	gate    chan struct{} // a commit waits until it is closed; nil: none waits
	fails   error
	commits [][]serve.Change
	objects map[uint64]*stored
	closed  int
}

type stored struct {
	name, typ string
	head      []byte
	entries   map[uint64][]byte
}

func newMemory() *memory { return &memory{waits: true, objects: map[uint64]*stored{}} }

func (m *memory) Waits() bool { return m.waits }

func (m *memory) Stat() (string, int64) { return "memory", 77 }

func (m *memory) Close() error { m.closed++; return nil }

func (m *memory) Load(numbers []uint64, each func(serve.Kept) error) error {
	if numbers == nil {
		numbers = slices.Collect(maps.Keys(m.objects))
	}
	for _, n := range numbers {
		o := m.objects[n]
		if o == nil {
			continue
		}
		var entries iter.Seq2[uint64, []byte] = func(yield func(uint64, []byte) bool) {
			for _, k := range slices.Sorted(maps.Keys(o.entries)) {
				if !yield(k, o.entries[k]) {
					return
				}
			}
		}
		if err := each(serve.Kept{Number: n, Name: o.name, Type: o.typ, Head: o.head, Entries: entries}); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Commit(changes []serve.Change) error {
	m.mu.Lock()
	gate := m.gate
	m.mu.Unlock()
	if gate != nil {
		<-gate
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails != nil {
		return m.fails
	}
	m.commits = append(m.commits, changes)
	for _, c := range changes {
		switch o := m.objects[c.Object]; c.What {
		case serve.Make:
			m.objects[c.Object] = &stored{c.Key, string(codec.Body(c.Value)), nil, map[uint64][]byte{}}
		case serve.Remove:
			delete(m.objects, c.Object)
		case serve.Head:
			o.head = c.Value
		case serve.Set:
			o.entries[c.Number] = append([]byte(c.Key), c.Value...)
		case serve.Delete:
			delete(o.entries, c.Number)
		case serve.Clear:
			clear(o.entries)
		}
	}
	return nil
}

func (m *memory) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.commits)
}

// shut has commits wait until open is called.
func (m *memory) shut() (open func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	gate := make(chan struct{})
	m.gate = gate
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.gate = nil
		close(gate)
	})
}

// fail has commits fail; nil: no more.
func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fails = err
}

var full = &ipcerr.Error{Op: "write journal", Name: "memory", Code: ipcerr.NoSpace}
