package segment

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

var ctx = context.Background()

// create makes a segment, which is closed and removed at the end, whatever was made of its file.
func create(t testing.TB, name string, o Options) *Segment {
	t.Helper()
	if o.Root == "" {
		o.Root = testroot.New(t)
	}
	s, err := Create(name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Close()
		_ = os.Remove(filepath.Join(o.Root, s.Name()))
	})
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
