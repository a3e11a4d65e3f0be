package shm

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

func TestReapOrphans(t *testing.T) {
	r := testRoot(t)
	o := create(t, r, "x", 0)
	orphan := [16]byte{1}
	for n := range uint64(3) {
		must(t, r.WritePart(o.UUID, 'm', n, testMembers, []byte("kept")))
		must(t, r.WritePart(orphan, 'm', n, testMembers, []byte("orphan")))
	}
	must(t, o.Close())
	reap(t, r, 3)
	wantFiles(t, r, partName(o.UUID, 'm', 0), partName(o.UUID, 'm', 1), partName(o.UUID, 'm', 2), "x")

	// While there is an object that cannot be read, it may be any part's parent.
	must(t, r.WritePart(orphan, 'm', 9, testMembers, []byte("orphan")))
	b, err := os.ReadFile(at(r, "x"))
	must(t, err)
	bad := slices.Clone(b)
	bad[8] = 99 // another version
	must(t, os.WriteFile(at(r, "x"), bad, 0o600))
	reap(t, r, 0)
	must(t, os.WriteFile(at(r, "x"), b, 0o600))
	reap(t, r, 1)
	must(t, r.Unlink("x", 0))
	wantFiles(t, r)
}

// Foreign files, directories and the like are nobody's business, and hinder nothing.
func TestReapForeign(t *testing.T) {
	r := testRoot(t)
	must(t, os.WriteFile(at(r, "notes.txt"), []byte("mine"), 0o600))
	must(t, os.Mkdir(at(r, "dir"), 0o700))
	must(t, os.Symlink("/nowhere", at(r, "link")))
	must(t, unix.Mkfifo(at(r, "fifo"), 0o600))
	must(t, os.WriteFile(at(r, "members"), []byte("not even valid"), 0o600))
	must(t, r.WritePart([16]byte{1}, 'm', 1, testMembers, []byte("orphan")))
	reap(t, r, 1)
	wantFiles(t, r, "dir", "fifo", "link", "members", "notes.txt")
	list, err := r.List()
	must(t, err)
	if len(list) != 5 {
		t.Fatal(list)
	}
	want(t, r.Unlink("dir", 0), ipcerr.Corrupt)
	for _, e := range list {
		if e.Err == nil || e.Part || e.Users {
			t.Errorf("%+v", e)
		}
		must(t, os.RemoveAll(at(r, e.Name)))
	}
}

func reap(t *testing.T, r *Root, n int) {
	t.Helper()
	if got, err := r.Reap(); got != n || err != nil {
		t.Fatalf("reaped %d, %v; want %d", got, err, n)
	}
}

func TestReapTmp(t *testing.T) {
	nameless.Store(false)
	defer nameless.Store(true)
	r := testRoot(t)
	b, err := r.newBuild("test")
	must(t, err)
	reap(t, r, 0) // its maker lives
	name := files(t, r)[0]
	if n, err := r.reapIdle(name); n != 0 || err != nil { // it came to life after the survey
		t.Fatal(n, err)
	}
	wantFiles(t, r, name)
	must(t, unix.Close(b.fd))
	// Its maker gives it its name and dies, just as the reaper has opened it.
	OnDescriptor = func(fd int, open bool) {
		OnDescriptor = nil
		must(t, os.Rename(at(r, name), at(r, "x")))
	}
	if n, err := r.reapIdle(name); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	must(t, os.Rename(at(r, "x"), at(r, name)))
	reap(t, r, 1)
	wantFiles(t, r)
}

// One listing has missed the parent of a part: the second and the UUID count, too.
func TestReapAsksTwice(t *testing.T) {
	r := testRoot(t)
	o := create(t, r, "x", 0)
	part := partName(o.UUID, 'm', 1)
	must(t, r.WritePart(o.UUID, 'm', 1, testMembers, []byte("part")))
	first := &survey{parts: map[string][16]byte{part: o.UUID}, parents: map[[16]byte]bool{}}
	if n, err := r.reapOrphans(first); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	wantFiles(t, r, part, "x")
	must(t, o.Close())
	must(t, os.Remove(at(r, "x")))
	must(t, os.Mkdir(at(r, uuidName(o.UUID)), 0o700)) // something is there, whatever it is
	if n, err := r.reapOrphans(first); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	must(t, os.Remove(at(r, uuidName(o.UUID))))
	if n, err := r.reapOrphans(first); n != 1 || err != nil {
		t.Fatal(n, err)
	}
}

// The reaper comes between the making of a .tmp file and its lock.
func TestReapTmpBeforeItsLock(t *testing.T) {
	nameless.Store(false)
	defer nameless.Store(true)
	r := testRoot(t)
	opened := 0
	Forks = func() uint64 { return 0 }
	OnDescriptor = func(fd int, open bool) {
		if !open {
			return
		}
		if opened++; opened == 1 {
			OnDescriptor = nil
			reap(t, r, 1)
		}
	}
	defer func() { OnDescriptor, Forks = nil, nil }()
	o := create(t, r, "x", layout.Transient)
	if opened != 1 {
		t.Fatal("the reaper did not come")
	}
	wantFiles(t, r, "x")
	must(t, o.Close())
}

// Without files that have no name, and without /proc, all goes the longer way.
func TestOtherWaysToPublish(t *testing.T) {
	old := procLinks
	defer func() { procLinks = old; nameless.Store(true) }()
	for name, set := range map[string]func(){
		"no O_TMPFILE": func() { nameless.Store(false) },
		"no proc":      func() { nameless.Store(true); procLinks = "/nowhere/" },
	} {
		t.Run(name, func(t *testing.T) {
			set()
			TestCreateOpenClose(t)
			TestTransient(t)
			TestParts(t)
			TestUnlinkWithUsers(t)
			TestInitPanicLeavesNothing(t)
		})
	}
}

func TestList(t *testing.T) {
	r := testRoot(t)
	a := create(t, r, "a", layout.Pickle)
	b := create(t, r, "b", 0)
	must(t, b.Close())
	must(t, r.WritePart(a.UUID, 'm', 3, testMembers, make([]byte, 10000)))
	must(t, r.CreateMembers())
	list, err := r.List()
	must(t, err)
	if len(list) != 4 || !slices.IsSortedFunc(list, func(x, y Entry) int { return strings.Compare(x.Name, y.Name) }) {
		t.Fatal(list)
	}
	for _, e := range list {
		if e.Err != nil || e.Created.IsZero() || e.Size < layout.HeaderArea || e.Bytes < 4096 {
			t.Errorf("%+v", e)
		}
		switch e.Name {
		case "a":
			if e.Kind != layout.KindQueue || e.UUID != a.UUID || !e.Users || e.Flags != layout.Pickle || e.Part {
				t.Errorf("%+v", e)
			}
		case "b":
			if e.Users {
				t.Errorf("%+v", e)
			}
		case "members":
			if e.Kind != layout.KindMembers {
				t.Errorf("%+v", e)
			}
		default:
			if !e.Part || e.Kind != layout.KindMessage || e.UUID != a.UUID || e.Size != layout.HeaderArea+10000 {
				t.Errorf("%+v", e)
			}
		}
	}
	must(t, r.Unlink("a", 0))
	must(t, a.Close())
	must(t, r.Unlink("b", 0))
	want(t, r.Unlink("members", 0), ipcerr.Invalid)
	must(t, os.Remove(at(r, "members")))
}
