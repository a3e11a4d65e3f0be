package shm

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

func TestUnlinkWithUsers(t *testing.T) {
	r := testRoot(t)
	a := create(t, r, "x", 0)
	must(t, r.WritePart(a.UUID, 'm', 1, testMembers, []byte("part")))
	p := start(t, r, "user", "x")
	p.expect("open " + uuidName(a.UUID))

	want(t, r.Unlink("x", layout.KindPipe), ipcerr.WrongKind)
	must(t, r.Unlink("x", layout.KindQueue))
	if openCode(r, "x") != ipcerr.NotFound {
		t.Fatal("opened by a name that was taken away")
	}
	wantFiles(t, r, uuidName(a.UUID), partName(a.UUID, 'm', 1))
	if a.Header().Flags()&layout.Transient == 0 {
		t.Fatal("not transient now")
	}
	must(t, r.Unlink("x", layout.KindQueue)) // again
	b := create(t, r, "x", 0)                // the name is free
	must(t, r.Unlink(uuidName(a.UUID), layout.KindQueue))
	if n, err := r.Reap(); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	must(t, r.ReadPart(a.UUID, 'm', 1, testMembers, make([]byte, 4)))
	must(t, a.Close())
	wantFiles(t, r, uuidName(a.UUID), partName(a.UUID, 'm', 1), "x")
	p.finish()
	wantFiles(t, r, "x")
	must(t, b.Close())
	wantFiles(t, r, "x")
	must(t, r.Unlink("x", 0))
}

func TestUnlinkAndKill(t *testing.T) {
	r := testRoot(t)
	a := create(t, r, "x", 0)
	must(t, r.WritePart(a.UUID, 'm', 1, testMembers, []byte("part")))
	p := start(t, r, "user", "x")
	p.expect("open " + uuidName(a.UUID))
	must(t, a.Close())
	must(t, r.Unlink("x", 0))
	p.kill()
	if n, err := r.Reap(); n != 1 || err != nil {
		t.Fatal(n, err)
	}
}

// A process that holds the lock of a remover and is stopped: others give up after a while and say
// so, and go on when it does.
func TestStoppedRemover(t *testing.T) {
	r := testRoot(t)
	o := create(t, r, "x", layout.Transient)
	c, err := r.look("x")
	must(t, err)
	must(t, TryLock(c.fd, unix.F_WRLCK, nameLock))
	want(t, r.Unlink("x", 0), ipcerr.Timeout)
	c.close()
	must(t, r.Unlink("x", 0))
	must(t, o.Close())

	o = create(t, r, "y", 0)
	must(t, o.Close())
	c, err = r.look("y")
	must(t, err)
	must(t, c.setTransient())
	must(t, TryLock(c.fd, unix.F_WRLCK, userLock))
	_, err = r.Open("y", layout.KindQueue, testMembers, true)
	want(t, err, ipcerr.Timeout)
	_, err = r.Create("y", spec(0))
	want(t, err, ipcerr.Timeout)
	if n, err := r.Reap(); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	c.close() // it dies
	o = create(t, r, "y", layout.Transient)
	must(t, o.Close())
}

// A further link is a use: a message refers to the object.
func TestLinkedTransientIsKept(t *testing.T) {
	r := testRoot(t)
	carrier := create(t, r, "carrier", layout.Transient)
	o := create(t, r, "x", layout.Transient)
	ref := partName(carrier.UUID, 'o', 5)
	must(t, os.Link(at(r, "x"), at(r, ref)))
	must(t, o.Close())
	if n, err := r.Reap(); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	_, err := r.Create("x", spec(0))
	want(t, err, ipcerr.Exists)
	o = open(t, r, "x")
	must(t, r.RemovePart(carrier.UUID, 'o', 5))
	must(t, o.Close())
	wantFiles(t, r, "carrier")
	must(t, carrier.Close())
}

// An opener becomes a user for a moment, and in it the last user leaves and sees that there is
// another. Then the opener gives up: now it is for it to remove the object.
func TestOpenerIsTheLastUser(t *testing.T) {
	r := testRoot(t)
	s := spec(layout.Transient)
	s.Data, s.Twice = 0, false
	o, err := r.Create("x", s)
	must(t, err)
	// A data area that is whole, but cannot be mapped.
	o.Header().Size += 4096
	must(t, os.Truncate(at(r, "x"), layout.HeaderArea+4096))
	OnDescriptor = func(fd int, open bool) {
		if open {
			return
		}
		OnDescriptor = nil // the opener has given up its lock, and the last user its own
		unmap(o.Mem)
		must(t, unix.Close(o.FD))
	}
	defer func() { OnDescriptor = nil }()
	_, err = r.Open("x", layout.KindQueue, testMembers, true)
	want(t, err, ipcerr.Corrupt)
	wantFiles(t, r)
}

// An opener has the file of a name, and before its lock is in place the name is taken away: what it
// opens is what the name means then.
func TestUnlinkedWhileOpened(t *testing.T) {
	r := testRoot(t)
	for _, made := range []bool{false, true} {
		a := create(t, r, "x", 0)
		var b *Object
		OnDescriptor = func(int, bool) {
			OnDescriptor = nil
			must(t, r.Unlink("x", 0))
			if made {
				b = create(t, r, "x", 0)
			}
		}
		o, err := r.Open("x", layout.KindQueue, testMembers, true)
		OnDescriptor = nil
		if made {
			must(t, err)
			if o.UUID != b.UUID {
				t.Fatal("opened what no longer has the name")
			}
			must(t, b.Close())
			must(t, o.Close())
			must(t, r.Unlink("x", 0))
		} else {
			want(t, err, ipcerr.NotFound)
		}
		must(t, a.Close())
		wantFiles(t, r)
	}
}

// The reverse of a kept object with the same name as one that is left: neither is mistaken.
func TestLeaveDoesNotTouchTheNext(t *testing.T) {
	r := testRoot(t)
	a := create(t, r, "x", layout.Transient)
	must(t, r.Unlink("x", 0))
	b := create(t, r, "x", layout.Transient)
	must(t, a.Close())
	wantFiles(t, r, "x")
	if c := open(t, r, "x"); c.UUID != b.UUID {
		t.Fatal("another object")
	} else {
		must(t, c.Close())
	}
	must(t, b.Close())
}
