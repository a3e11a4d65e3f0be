package segment

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

var ctx = context.Background()

// root gives the test a root of its own, and looks at the end that nothing is left in it.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-test-segment-*")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// make makes a segment, closed at the end.
func create(t testing.TB, name string, o Options) *Segment {
	t.Helper()
	if o.Root == "" {
		o.Root = root(t)
	}
	s, err := Create(name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// again opens a segment a second time, as another process would.
func again(t testing.TB, s *Segment, o Options) *Segment {
	t.Helper()
	o.Root = s.obj.Root.Path()
	b, err := Open(s.Name(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func want(t testing.TB, err error, code ipcerr.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Errorf("got %v, want %s", err, code.Name())
	}
}
