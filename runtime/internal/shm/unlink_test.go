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
