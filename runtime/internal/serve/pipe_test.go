package serve_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/manager"
	"github.com/polyipc/polyipc/runtime/pipe"
)

// file is the file of an object in the root.
func (w *world) file(name string) string {
	w.Helper()
	all, err := filepath.Glob(filepath.Join(w.root, "*"+name+"*"))
	must(w, err)
	for _, f := range all {
		if st, err := os.Stat(f); err == nil && st.Mode().IsRegular() {
			return f
		}
	}
	w.Fatalf("no file of %s", name)
	return ""
}

// mapped maps the pipe of a client, as the client itself may.
func (r *raw) mapped(w *world) []byte {
	f, err := os.OpenFile(w.file(r.welcome.Pipe), os.O_RDWR, 0)
	must(r, err)
	defer func() { must(r, f.Close()) }()
	st, err := f.Stat()
	must(r, err)
	mem, err := unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	must(r, err)
	r.Cleanup(func() { must(r, unix.Munmap(mem)) })
	return mem
}

// gone waits until the server has no client but the one that behaves.
func (w *world) gone(clients int) {
	w.Helper()
	for began := time.Now(); w.state().clients != int64(clients); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > patience {
			w.Fatal("the client is still there")
		}
	}
}

func TestTruncatedPipe(t *testing.T) {
	w := newWorld(t, false, manager.Options{})
	w.during(func() {
		for _, size := range []int64{0, 4096, 8192} {
			for _, parked := range []bool{false, true} {
				r := w.raw()
				if parked {
					r.send(call(1, 0, "ping", 1))
					r.answer(1)
				}
				must(t, os.Truncate(w.file(r.welcome.Pipe), size))
				r.ring()
				w.gone(1)
				r.close()
			}
		}
	})
}

// TestTruncatedManager takes the manager's own file away: the server says so, and its clients learn that it ended,
// or go on.
func TestTruncatedManager(t *testing.T) {
	w := newWorld(t, false, manager.Options{})
	r := w.raw()
	var name string
	all, err := os.ReadDir(w.root)
	must(t, err)
	for _, f := range all {
		if strings.Contains(f.Name(), "test") && f.Type().IsRegular() {
			name = f.Name()
		}
	}
	must(t, os.Truncate(filepath.Join(w.root, name), 0))
	r.ring()
	for began := time.Now(); !w.logged("truncated"); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatal("nothing in the log")
		}
	}
	must(t, w.server.Close())
	_ = os.Truncate(filepath.Join(w.root, name), 1<<20)
}

// TestLies writes into a pipe what nobody writes there: that there is something, for ever; that the server's locks are held.
func TestLies(t *testing.T) {
	for name, lie := range map[string]struct {
		tell func(r *raw, in, out *layout.Queue)
		why  string
	}{
		"there is something": {func(_ *raw, in, _ *layout.Queue) { in.Rescan.Store(1) }, ""},
		"another ring":       {func(_ *raw, in, _ *layout.Queue) { in.First.Store(7) }, ""},
		"shut down":          {func(_ *raw, in, _ *layout.Queue) { in.Shutdown.Store(2) }, ""},
		"consumers locked":   {func(r *raw, in, _ *layout.Queue) { in.Rescan.Store(1); in.Consumers.Store(r.place.Token()) }, "holds a lock"},
		"producers locked":   {func(r *raw, _, out *layout.Queue) { out.Producers.Store(r.place.Token()) }, "holds a lock"},
		"locked by nobody":   {func(_ *raw, in, out *layout.Queue) { in.Consumers.Store(77777); out.Producers.Store(77777) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, false, manager.Options{})
			w.during(func() {
				r := w.raw()
				r.TB = t
				defer r.close()
				mem := r.mapped(w)
				queue := func(d int) *layout.Queue {
					return layout.View[layout.Queue](mem, layout.DirectionOffset(d)+layout.QueueOffset)
				}
				in, out := queue(0), queue(1)
				for i := range uint64(20) {
					lie.tell(r, in, out)
					r.send(call(i, 0, "ping", 1))
				}
				if lie.why == "" {
					_ = unix.Shutdown(r.fd, unix.SHUT_WR) // the last word: then it is gone, if it was not before
				}
				w.gone(1)
				if !w.logged(lie.why) {
					t.Errorf("the log does not say %q", lie.why)
				}
			})
		})
	}
}

// TestStoppedInSend has a client stop in the middle of a message, whose room it has reserved: the server sleeps, and has
// the message when it is done.
func TestStoppedInSend(t *testing.T) {
	w := newWorld(t, false, manager.Options{})
	w.during(func() {
		r := w.raw()
		defer r.close()
		mem := r.mapped(w)
		bell := r.place.Bell(int(r.welcome.Slot))
		for began := time.Now(); bell.Load()&layout.RingOnSend == 0; time.Sleep(time.Millisecond) {
			if time.Since(began) > patience {
				t.Fatal("the server does not sleep")
			}
		}
		f := call(1, 0, "ping", "this is how it is found in the pipe")
		must(t, r.pipe.TrySend(f, pipe.MsgPack))
		at := bytes.Index(mem, f)
		if at < 0 {
			t.Fatal("the message is not in the pipe")
		}
		record := layout.View[layout.Record](mem, at-layout.RecordHeader)
		ready := record.State()
		record.Move(ready, layout.ReservedBy(r.place.Token()))
		r.ring()
		w.idle()
		if !record.Move(layout.ReservedBy(r.place.Token()), ready) {
			t.Fatal("the server took what was not there")
		}
		r.ring()
		r.answer(1)
	})
}

// TestScribbled writes at random into the pipe of one client.
func TestScribbled(t *testing.T) {
	w := newWorld(t, false, manager.Options{})
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	w.during(func() {
		for range 30 {
			r := w.raw()
			mem := r.mapped(w)
			for i := range uint64(50) {
				at := layout.DirectionOffset(0) + rnd.IntN(4096*4)&^3 // behind what says how the file is to be removed
				for k := range 1 + rnd.IntN(8) {
					mem[at+k] = byte(rnd.Uint32())
				}
				if r.pipe.TrySend(call(i, 0, "ping", 1), 0) != nil {
					break
				}
				r.ring()
			}
			r.close()
		}
	})
}
