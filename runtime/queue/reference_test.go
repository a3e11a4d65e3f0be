package queue

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// request is a message that says where the answer is to go.
type request struct {
	N     int
	Reply *Queue
}

// received is the same as who gets it sees it.
type received struct {
	N     int
	Reply codec.Ref
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// made makes a queue that goes at the latest with the test.
func made(t testing.TB, name string, o Options) *Queue {
	t.Helper()
	o.Transient = true
	q, err := Create(name, o)
	must(t, err)
	t.Cleanup(func() { must(t, q.Close()) })
	return q
}

// TestReference sends an anonymous queue and lets go of it before anybody has it: it lives until the receiver,
// by then its only user, closes it.
func TestReference(t *testing.T) {
	q := fresh(t, Options{})
	for _, size := range []int{1, 100_000} { // in the ring, and as a part
		reply := made(t, "", Options{Root: q.obj.Root.Path()})
		must(t, reply.TryPut([]byte("kept"), Raw))
		must(t, Of[map[string]any](q).Put(ctx, map[string]any{"reply": reply, "pad": strings.Repeat("x", size)}))
		name := reply.Name()
		must(t, reply.Close())
		if _, err := GCRoot(q); err != nil {
			t.Fatal(err)
		}
		m, err := Of[map[string]any](q).Get(ctx)
		must(t, err)
		got, err := OpenRef(m["reply"].(codec.Ref), "")
		must(t, err)
		if got.Name() != name {
			t.Errorf("another name: %s", got.Name())
		}
		if b, err := got.TryGet(); err != nil || string(b.Body) != "kept" {
			t.Errorf("%q %v", b.Body, err)
		}
		must(t, got.Close())
	}
	onlyCarrier(t, q)
}

// GCRoot removes what is stale in the root of q.
func GCRoot(q *Queue) (int, error) { return q.obj.Root.Reap() }

// onlyCarrier expects that nothing but q and the list of members is left.
func onlyCarrier(t *testing.T, q *Queue) {
	t.Helper()
	if _, err := GCRoot(q); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(q.obj.Root.Path())
	must(t, err)
	for _, f := range files {
		if f.Name() != "members" && f.Name() != q.Name() {
			t.Errorf("left in the root: %s", f.Name())
		}
	}
}

// TestReferenceByLease: the lease keeps the link, so each delivery finds the object.
func TestReferenceByLease(t *testing.T) {
	q := fresh(t, Options{})
	reply := made(t, "", Options{Root: q.obj.Root.Path()})
	must(t, Of[request](q).Put(ctx, request{1, reply}))
	must(t, reply.Close())
	for range 2 {
		l, err := Of[received](q).Lease(ctx)
		must(t, err)
		r, err := OpenRef(l.Value.Reply, "")
		must(t, err)
		if err := r.Close(); err != nil { // the link still holds it
			t.Error(err)
		}
		if l.Deliveries == 1 {
			must(t, l.Nack())
		} else {
			must(t, l.Ack())
		}
	}
	onlyCarrier(t, q)
}

// TestReferenceUnread: messages that nobody opens, or that go with their queue, leave nothing.
func TestReferenceUnread(t *testing.T) {
	q := fresh(t, Options{})
	reply := made(t, "", Options{Root: q.obj.Root.Path()})
	for range 3 {
		must(t, Of[request](q).Put(ctx, request{1, reply}))
	}
	must(t, reply.Close())
	m, err := q.Get(ctx) // its receipt is given back unread
	must(t, err)
	if m.Format.Plain() != MsgPack || m.Format.Receipt() == 0 {
		t.Errorf("format %#x", m.Format)
	}
	m.Release()
	m.Release()
	ms, err := q.GetMany(ctx, 10) // comes alone, and is forgotten
	must(t, err)
	if len(ms) != 1 {
		t.Errorf("%d messages", len(ms))
	}
	ms[0].Release()
	must(t, q.Shutdown(true)) // drops the last
	if _, err := q.TryGet(); !errors.Is(err, ipcerr.Shutdown) {
		t.Error(err)
	}
	onlyCarrier(t, q)
}

// TestManyReceipts: whoever never opens what came keeps a bounded number of objects.
func TestManyReceipts(t *testing.T) {
	q := fresh(t, Options{})
	reply := made(t, "", Options{Root: q.obj.Root.Path()})
	before := descriptors(t)
	for range 1200 {
		must(t, Of[request](q).Put(ctx, request{1, reply}))
		_, err := q.Get(ctx)
		must(t, err)
	}
	if n := descriptors(t) - before; n > 1024 {
		t.Errorf("%d descriptors more", n)
	}
	for i := range uint32(1 << 13) {
		Message{Format: Format(i << 8)}.Release()
	}
	if n := descriptors(t) - before; n > 0 {
		t.Errorf("%d descriptors more after all was released", n)
	}
	must(t, reply.Close())
	onlyCarrier(t, q)
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(all)
}

func TestReferenceErrors(t *testing.T) {
	q := fresh(t, Options{})
	elsewhere := fresh(t, Options{})
	if err := Of[request](q).Put(ctx, request{1, elsewhere}); !errors.Is(err, ipcerr.Invalid) || !strings.Contains(err.Error(), "must lie in one") {
		t.Error(err)
	}
	root := Options{Root: q.obj.Root.Path()}
	reply := made(t, "", root)
	ref := reply.Ref()
	must(t, Of[request](q).Put(ctx, request{1, reply}))
	must(t, reply.Close())
	if err := Of[codec.Ref](q).Put(ctx, ref); !errors.Is(err, ipcerr.Invalid) || !strings.Contains(err.Error(), "not open in this process") {
		t.Error(err)
	}
	// Removed by hand, link and all, before it is opened.
	files, err := os.ReadDir(root.Root)
	must(t, err)
	for _, f := range files {
		if f.Name() != "members" && f.Name() != q.Name() {
			must(t, os.Remove(root.Root+"/"+f.Name()))
		}
	}
	m, err := Of[received](q).Get(ctx)
	must(t, err)
	if _, err := OpenRef(m.Reply, ""); !errors.Is(err, ipcerr.Gone) || !strings.Contains(err.Error(), ref.Name) {
		t.Error(err)
	}
	// Another object has the name by now.
	x := made(t, "x", root)
	old := x.Ref()
	must(t, x.Close())
	made(t, "x", root)
	if _, err := OpenRef(old, root.Root); !errors.Is(err, ipcerr.Gone) {
		t.Error(err)
	}
	if _, err := OpenRef(codec.Ref{Kind: 3, UUID: old.UUID, Name: "x"}, root.Root); !errors.Is(err, ipcerr.Invalid) {
		t.Error(err)
	}
	// A queue within itself needs no link.
	must(t, Of[request](q).Put(ctx, request{1, q}))
	m, err = Of[received](q).Get(ctx)
	must(t, err)
	same, err := OpenRef(m.Reply, root.Root)
	must(t, err)
	must(t, same.Close())
	// Full: the wait ends like any other.
	small := made(t, "", Options{Root: root.Root, MaxSize: 1})
	must(t, small.TryPut(nil, Raw))
	if err := Of[request](small).TryPut(request{1, q}); !errors.Is(err, ipcerr.Full) {
		t.Error(err)
	}
	soon, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if err := Of[request](small).Put(soon, request{1, q}); !errors.Is(err, ipcerr.Timeout) {
		t.Error(err)
	}
	go func() { time.Sleep(20 * time.Millisecond); _, _ = small.TryGet() }()
	must(t, Of[request](small).Put(ctx, request{1, q}))
}
