package shm

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
)

func duplexSpec(flags layout.Flags) Spec {
	return Spec{Kind: layout.KindPipe, Flags: flags | layout.Duplex, Members: testMembers,
		Header: layout.PipeHeaderBytes(2), Data: 2 * layout.HeaderArea, Twice: true}
}

// Each of the two areas is mapped twice, side by side, by the maker and by who opens it.
func TestTwoAreas(t *testing.T) {
	r := testRoot(t)
	made, err := r.Create("x", duplexSpec(layout.Transient))
	must(t, err)
	opened, err := r.Open("x", layout.KindPipe, testMembers, true)
	must(t, err)
	const size, data = layout.HeaderArea, layout.HeaderArea
	if len(made.Mem) != data+4*size || len(opened.Mem) != len(made.Mem) {
		t.Fatalf("mapped %d and %d bytes", len(made.Mem), len(opened.Mem))
	}
	for area, mark := range []byte{7, 9} {
		at := data + 2*area*size + 5
		made.Mem[at] = mark
		for _, mem := range [][]byte{made.Mem, opened.Mem} {
			if mem[at] != mark || mem[at+size] != mark {
				t.Errorf("area %d: %d and %d", area, mem[at], mem[at+size])
			}
		}
	}
	if opened.Mem[data+5] != 7 {
		t.Error("the second area lies on the first")
	}
	must(t, made.Close())
	must(t, opened.Close())
	wantFiles(t, r)
}

func TestTwoAreasOfAnOddFile(t *testing.T) {
	r := testRoot(t)
	s := duplexSpec(layout.Transient)
	s.Data = 3 * layout.HeaderArea
	s.Twice = false // as a damaged file might be
	o, err := r.Create("x", s)
	must(t, err)
	defer func() { must(t, o.Close()) }()
	if _, err := r.Open("x", layout.KindPipe, testMembers, true); err == nil {
		t.Fatal("opened a file whose two areas are not of one size")
	}
}

func TestEnds(t *testing.T) {
	r := testRoot(t)
	first, err := r.Create("x", duplexSpec(layout.Transient))
	must(t, err)
	must(t, first.TakeEnd(0))
	if first.EndTaken(1) || first.EndTaken(0) {
		t.Error("an end that nobody else has open")
	}
	second, err := r.Open("x", layout.KindPipe, testMembers, true)
	must(t, err)
	must(t, second.TakeEnd(1))
	third, err := r.Open("x", layout.KindPipe, testMembers, true)
	must(t, err)
	must(t, third.TakeEnd(1))
	for _, name := range []string{"both", "one"} {
		if !first.EndTaken(1) || !second.EndTaken(0) {
			t.Errorf("%s: an end that is open", name)
		}
		if name == "both" {
			must(t, third.Close())
		}
	}
	must(t, first.Unlink())
	must(t, second.Close())
	if first.EndTaken(1) {
		t.Error("the other end is closed")
	}
	must(t, first.Close())
	wantFiles(t, r)
}

// Unlink removes the name of an open object.
func (o *Object) Unlink() error { return o.root.Unlink(o.Name, o.Header().Kind) }

// A host may close all descriptors, and others get their numbers. The locks live on in the mappings, and the
// question goes another way.
func TestEndsAfterCloseFrom(t *testing.T) {
	r := testRoot(t)
	first, err := r.Create("x", duplexSpec(layout.Transient))
	must(t, err)
	must(t, first.TakeEnd(0))
	second, err := r.Open("x", layout.KindPipe, testMembers, true)
	must(t, err)
	must(t, second.TakeEnd(1))
	for _, o := range []*Object{first, second} {
		other, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
		must(t, err)
		must(t, unix.Dup3(other, o.FD, unix.O_CLOEXEC))
		must(t, unix.Close(other))
	}
	if !first.EndTaken(1) || !second.EndTaken(0) {
		t.Error("the ends are open")
	}
	must(t, second.Close())
	if first.EndTaken(1) {
		t.Error("the other end is closed")
	}
	must(t, first.Close())
	for _, fd := range []int{first.FD, second.FD} {
		must(t, unix.Close(fd))
	}
}

func TestAside(t *testing.T) {
	r := testRoot(t)
	o, err := r.Create("x", duplexSpec(layout.Transient))
	must(t, err)
	must(t, o.TakeEnd(0))
	other, err := r.Open("x", layout.KindPipe, testMembers, true)
	must(t, err)
	mem := o.Aside()
	if mem == nil {
		t.Fatal("not mapped")
	}
	must(t, o.Close())
	if other.EndTaken(0) {
		t.Error("what lies aside holds the lock of the end")
	}
	mem[4096] = 3
	if other.Mem[4096] != 3 {
		t.Error("another file")
	}
	Unmap(mem)
	must(t, other.Close())
}
