package shm

import (
	"os"
	"testing"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

func openLink(r *Root, carrier *Object, n uint64, name string, kind layout.Kind) (*Object, error) {
	h, err := r.HoldLink(carrier.UUID, 'o', n)
	if err != nil {
		return nil, err
	}
	return h.Open(name, kind, testMembers, true)
}

// The sender lets go of the object before the receiver opens it; the receiver is its last user.
func TestLinkKeepsAlive(t *testing.T) {
	for _, unlinked := range []bool{false, true} {
		r := testRoot(t)
		carrier := create(t, r, "carrier", layout.Transient)
		x := create(t, r, "x", layout.Transient)
		must(t, r.Link(carrier.UUID, 'o', 7, x))
		want(t, r.Link(carrier.UUID, 'o', 7, x), ipcerr.Exists)
		if unlinked {
			must(t, r.Unlink("x", 0))
		}
		must(t, x.Close())
		if _, err := r.Reap(); err != nil {
			t.Fatal(err)
		}
		y, err := openLink(r, carrier, 7, "x", layout.KindQueue)
		must(t, err)
		if wanted := map[bool]string{false: "x", true: uuidName(x.UUID)}[unlinked]; y.Name != wanted || y.UUID != x.UUID {
			t.Fatal(y.Name, y.UUID)
		}
		must(t, r.RemovePart(carrier.UUID, 'o', 7))
		must(t, r.RemovePart(carrier.UUID, 'o', 7))
		must(t, y.Close())
		wantFiles(t, r, "carrier")
		must(t, carrier.Close())
		wantFiles(t, r)
	}
}

// A message that nobody received: its link goes, and the reaper takes the object.
func TestLinkGoesUnread(t *testing.T) {
	r := testRoot(t)
	carrier := create(t, r, "carrier", layout.Transient)
	x := create(t, r, "x", layout.Transient)
	must(t, r.Link(carrier.UUID, 'o', 1, x))
	must(t, x.Close())
	must(t, carrier.Close()) // takes its parts with it
	wantFiles(t, r, "x")
	if n, err := r.Reap(); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	wantFiles(t, r)
}

func TestLinkOfWhatIsGone(t *testing.T) {
	r := testRoot(t)
	carrier := create(t, r, "carrier", layout.Transient)
	defer func() { _ = carrier.Close() }()
	x := create(t, r, "x", 0)
	defer func() { _ = x.Close() }()
	must(t, os.Remove(at(r, "x")))
	want(t, r.Link(carrier.UUID, 'o', 1, x), ipcerr.Gone)
	other := create(t, r, "x", layout.Transient)
	want(t, r.Link(carrier.UUID, 'o', 1, x), ipcerr.Gone) // the name is another's now
	if _, err := os.Lstat(at(r, partName(carrier.UUID, 'o', 1))); !os.IsNotExist(err) {
		t.Fatal("a link to another object stays", err)
	}
	must(t, r.Link(carrier.UUID, 'o', 1, other))
	_, err := openLink(r, carrier, 2, "x", layout.KindQueue)
	want(t, err, ipcerr.Gone)
	_, err = openLink(r, carrier, 1, "x", layout.KindPipe)
	want(t, err, ipcerr.WrongKind)
	_, err = openLink(r, carrier, 1, "../x", layout.KindQueue)
	want(t, err, ipcerr.Invalid)
	must(t, r.RemovePart(carrier.UUID, 'o', 1))
	must(t, other.Close())
}

// What a link alone held goes with it, if it has no name.
func TestLinkGoesWithWhatItHeld(t *testing.T) {
	r := testRoot(t)
	carrier := create(t, r, "carrier", layout.Transient)
	for n, received := range []bool{false, true} {
		x := create(t, r, "", layout.Transient)
		must(t, r.Link(carrier.UUID, 'o', uint64(n), x))
		must(t, x.Close())
		var h *Held
		if received {
			var err error
			h, err = r.HoldLink(carrier.UUID, 'o', uint64(n))
			must(t, err)
		}
		must(t, r.RemoveLink(carrier.UUID, 'o', uint64(n)))
		must(t, r.RemoveLink(carrier.UUID, 'o', uint64(n)))
		if received {
			if _, err := os.Lstat(at(r, x.Name)); err != nil {
				t.Error(err)
			}
			h.Release()
		}
		wantFiles(t, r, "carrier")
	}
	must(t, carrier.Close())
}

// A link is listed as a part of its carrier, and takes up nothing.
func TestListLink(t *testing.T) {
	r := testRoot(t)
	carrier := create(t, r, "carrier", layout.Transient)
	defer func() { _ = carrier.Close() }()
	x := create(t, r, "x", layout.Transient)
	defer func() { _ = x.Close() }()
	must(t, r.Link(carrier.UUID, 'o', 1, x))
	all, err := r.List()
	must(t, err)
	seen := 0
	for _, e := range all {
		switch {
		case e.Err != nil:
			t.Error(e.Name, e.Err)
		case e.Part:
			seen++
			if e.UUID != carrier.UUID || e.Bytes != 0 {
				t.Errorf("%+v", e)
			}
		case e.Linked != (e.Name == "x"):
			t.Errorf("%+v", e)
		}
	}
	if seen != 1 {
		t.Fatal(seen)
	}
	must(t, r.RemovePart(carrier.UUID, 'o', 1))
}
