// Package scale takes objects of every kind to the numbers that are promised: thousands of cycles, a thousand
// open at once, hundreds of threads and processes on one of them.
package scale

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/runtime/pipe"
	"github.com/polyipc/polyipc/runtime/psync"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/runtime/segment"
	"github.com/polyipc/polyipc/tests/peers"
)

// open is what an object of any kind can.
type open interface {
	Name() string
	Close() error
	Unlink() error
}

// kind is how objects of one kind are made and opened.
type kind struct {
	name         string
	create, open func(name, root string) (open, error)
}

var kinds = allKinds()

func allKinds() []kind {
	all := []kind{
		{"queue",
			func(name, root string) (open, error) { return queue.Create(name, queue.Options{Root: root}) },
			func(name, root string) (open, error) { return queue.Open(name, queue.Options{Root: root}) }},
		{"pipe",
			func(name, root string) (open, error) { return pipe.Create(name, pipe.Options{Root: root}) },
			func(name, root string) (open, error) { return pipe.Open(name, pipe.Options{Root: root}) }},
		{"segment",
			func(name, root string) (open, error) {
				return segment.Create(name, segment.Options{Root: root, Format: "<q", Shape: []int64{8}})
			},
			func(name, root string) (open, error) { return segment.Open(name, segment.Options{Root: root}) }},
	}
	for t := psync.Type(1); t.String() != ""; t++ {
		value := map[string]int64{"semaphore": 3, "bounded_semaphore": 3, "barrier": 2}[strings.ReplaceAll(t.String(), " ", "_")]
		all = append(all, kind{t.String(),
			func(name, root string) (open, error) {
				return psync.Create(t, name, value, psync.Options{Root: root})
			},
			func(name, root string) (open, error) { return psync.Open(t, name, psync.Options{Root: root}) }})
	}
	return all
}

func TestMain(m *testing.M) {
	if what := os.Getenv("POLYIPC_SCALE"); what != "" {
		do := func() error { return crowd(what) }
		if what == "manager" {
			do = managed
		}
		if err := do(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	peers.Clean()
	os.Exit(code)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newRoot makes a root, in which the test must leave nothing.
func newRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-scale-")
	must(t, err)
	t.Cleanup(func() {
		for _, name := range list(t, dir) {
			if name != "members" {
				t.Errorf("left in the root: %s", name)
			}
		}
		must(t, os.RemoveAll(dir))
	})
	return dir
}

func list(t testing.TB, dir string) (names []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	must(t, err)
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}
