package shm

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// smallRoot is a root on a tmpfs of its own.
func smallRoot(t *testing.T, options string) *Root {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount a small filesystem")
	}
	r := testRoot(t)
	if err := unix.Mount("tmpfs", r.Path(), "tmpfs", 0, "mode=0700,"+options); err != nil {
		t.Skip("cannot mount here:", err)
	}
	t.Cleanup(func() {
		if left := files(t, r); len(left) > 0 && !t.Failed() {
			t.Errorf("left in the root: %q", left)
		}
		if err := unix.Unmount(r.Path(), 0); err != nil {
			t.Errorf("something is still open or mapped in the root: %v", err)
		}
	})
	return r
}

func free(t *testing.T, r *Root) uint64 {
	t.Helper()
	fs, err := r.statfs()
	must(t, err)
	return fs.Bfree * uint64(fs.Bsize)
}

func TestFullFilesystem(t *testing.T) {
	for _, way := range []bool{true, false} {
		nameless.Store(way)
		t.Run(map[bool]string{true: "nameless", false: "tmp"}[way], testFull)
	}
	nameless.Store(true)
}

func testFull(t *testing.T) {
	r := smallRoot(t, "size=1m")
	o := create(t, r, "x", 0)
	before := free(t, r)
	s := spec(0)
	s.Data = 1 << 20
	_, err := r.Create("y", s)
	want(t, err, ipcerr.NoSpace)
	if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), r.Path()) || !strings.Contains(err.Error(), "bytes left") {
		t.Fatal(err)
	}
	want(t, r.WritePart(o.UUID, 'm', 1, testMembers, make([]byte, 1<<20)), ipcerr.NoSpace)
	ring := ringSpec()
	ring.Data = 1 << 20
	_, err = r.CreatePart(o.UUID, 'r', 1, ring)
	want(t, err, ipcerr.NoSpace)
	if free(t, r) != before {
		t.Fatalf("%d bytes free before, %d after", before, free(t, r))
	}
	wantFiles(t, r, "x")

	// Fill it to the last page: what was made before goes on, for its pages are reserved.
	n := uint64(0)
	for ; ; n++ {
		if err := r.WritePart(o.UUID, 'm', n, testMembers, make([]byte, 4096)); err != nil {
			want(t, err, ipcerr.NoSpace)
			break
		}
	}
	if n == 0 || free(t, r) > 8192 {
		t.Fatal(n, free(t, r))
	}
	for i := range o.Mem[:2*layout.HeaderArea] {
		if i < 4096 && i >= layout.HeaderSize || i >= layout.HeaderArea {
			o.Mem[i] = 1
		}
	}
	_, err = r.Create("", spec(0))
	want(t, err, ipcerr.NoSpace)
	must(t, r.Unlink("x", 0)) // no room is needed to clean up
	must(t, o.Close())
}

// What statfs promised is gone when it is taken.
func TestSpaceTakenMeanwhile(t *testing.T) {
	r := smallRoot(t, "size=1m")
	b, err := r.newBuild("test")
	must(t, err)
	must(t, b.truncate(4<<20))
	if err := allocate(b.fd, 0, 4<<20); err != unix.ENOSPC {
		t.Fatal(err)
	}
	b.discard()
	if free(t, r) != 1<<20 {
		t.Fatal("space is lost")
	}
}

func TestNoInodes(t *testing.T) {
	r := smallRoot(t, "size=16m,nr_inodes=3")
	a := create(t, r, "a", layout.Transient)
	var made []*Object
	for {
		o, err := r.Create("", spec(layout.Transient))
		if err != nil {
			want(t, err, ipcerr.NoSpace)
			if !strings.Contains(err.Error(), "inode") {
				t.Fatal(err)
			}
			break
		}
		made = append(made, o)
	}
	for _, o := range made {
		must(t, o.Close())
	}
	must(t, a.Close())
}
