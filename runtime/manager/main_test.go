package manager

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// patience bounds a failure.
const patience = 20 * time.Second

func newRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-test-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustBe(t testing.TB, err error, want ipcerr.Code) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%v; want %v", err, want)
	}
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func serveIn(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Root == "" {
		o.Root = newRoot(t)
	}
	o.Log = func(what, who, why string) { t.Log(what, who, why) }
	s, err := Serve("test", o)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func connectTo(t testing.TB, root string) *Client {
	t.Helper()
	c, err := Connect(soon(t), "test", Options{Root: root})
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func pack(args ...any) []byte {
	b := codec.AppendArray(nil, len(args))
	for _, a := range args {
		var err error
		if b, err = codec.Append(b, a); err != nil {
			panic(err)
		}
	}
	return b
}

func do(t testing.TB, c *Client, object uint64, method string, args ...any) any {
	t.Helper()
	v, err := try(t, c, object, method, args...)
	must(t, err)
	return v
}

func try(t testing.TB, c *Client, object uint64, method string, args ...any) (any, error) {
	t.Helper()
	b, err := c.Do(soon(t), &Call{Object: object, Method: method, Args: pack(args...)})
	if err != nil {
		return nil, err
	}
	v, err := codec.Decode(b)
	must(t, err)
	return v, nil
}

func numberOf(t testing.TB, v any) uint64 {
	t.Helper()
	r, ok := v.(codec.Ref)
	if !ok {
		t.Fatalf("%v is no reference", v)
	}
	n := uint64(0)
	for _, b := range r.UUID[8:] {
		n = n<<8 | uint64(b)
	}
	return n
}

func TestDict(t *testing.T) {
	root := newRoot(t)
	serveIn(t, Options{Root: root})
	a, b := connectTo(t, root), connectTo(t, root)
	d := numberOf(t, do(t, a, 0, "open", "d", "dict"))
	e := numberOf(t, do(t, b, 0, "open", "d"))
	do(t, a, d, "set", "x", 7)
	if v := do(t, b, e, "get", "x"); v != int64(7) {
		t.Error(v)
	}
	_, err := try(t, a, d, "getitem", "y")
	mustBe(t, err, ipcerr.RemoteError)
}
