package shm

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

func init() {
	// user opens (or creates) an object and keeps it until its test lets it go.
	helpers["user"] = func(r *Root, args []string) error {
		o, err := r.Open(args[0], layout.KindQueue, testMembers, true)
		if err != nil {
			return err
		}
		println1("open " + uuidName(o.UUID))
		waitStdin()
		return o.Close()
	}
	helpers["maker"] = func(r *Root, args []string) error {
		o, err := r.Create(args[0], spec(layout.Transient))
		if err != nil {
			return err
		}
		for n := range uint64(3) {
			if err := r.WritePart(o.UUID, 'm', n, testMembers, []byte("x")); err != nil {
				return err
			}
		}
		println1("made")
		waitStdin()
		return o.Close()
	}
}

func println1(s string) { _, _ = os.Stdout.WriteString(s + "\n") }

func TestCreateOpenClose(t *testing.T) {
	r := testRoot(t)
	s := spec(0)
	s.Data = 2 * layout.HeaderArea
	s.Init = func(mem []byte) { mem[layout.HeaderSize] = 42 }
	a, err := r.Create("x", s)
	must(t, err)
	b := open(t, r, "x")
	if a.UUID != b.UUID || a.UUID == [16]byte{} || a.Name != "x" || b.Name != "x" || a.FD == b.FD {
		t.Fatal(a, b)
	}
	if len(b.Mem) != 5*layout.HeaderArea || b.Mem[layout.HeaderSize] != 42 {
		t.Fatal(len(b.Mem))
	}
	// The data are there twice, in every mapping, and are the same memory.
	first, second := layout.HeaderArea, 3*layout.HeaderArea
	a.Mem[second-1], a.Mem[first] = 1, 2
	if b.Mem[len(b.Mem)-1] != 1 || b.Mem[second] != 2 {
		t.Fatal("the data are not mapped twice")
	}
	h := b.Header()
	want(t, h.Check(layout.KindQueue, 3*layout.HeaderArea, testMembers), 0)
	if h.Pid != uint32(os.Getpid()) || h.Used != 4096 || h.UUID != a.UUID || h.Flags() != 0 || h.Created == 0 {
		t.Fatal(*h)
	}
	if got := openCode(r, "y"); got != ipcerr.NotFound {
		t.Fatal(got)
	}
	_, err = r.Create("x", s)
	want(t, err, ipcerr.Exists)
	must(t, a.Close())
	must(t, a.Close())
	must(t, b.Close())
	wantFiles(t, r, "x") // kept
	must(t, r.Unlink("x", layout.KindQueue))
	must(t, r.Unlink("x", layout.KindQueue))
}

// Every page that is in use is reserved, the rest of the header area is not.
func TestReservation(t *testing.T) {
	r := testRoot(t)
	s := spec(layout.Transient)
	s.Header, s.Data = 8192, 8<<20
	o, err := r.Create("x", s)
	must(t, err)
	st, err := fstat(o.FD)
	must(t, err)
	if st.Blocks*512 != 8192+8<<20 {
		t.Fatalf("%d bytes are reserved", st.Blocks*512)
	}
	must(t, o.Close())
}

func TestSpecs(t *testing.T) {
	r := testRoot(t)
	for _, c := range []struct {
		header int
		data   int64
		kind   layout.Kind
		code   ipcerr.Code
	}{
		{0, 0, layout.KindQueue, ipcerr.Invalid},
		{4095, 0, layout.KindQueue, ipcerr.Invalid},
		{-4096, 0, layout.KindQueue, ipcerr.Invalid},
		{layout.HeaderArea + 4096, 0, layout.KindQueue, ipcerr.Invalid},
		{4096, 1, layout.KindQueue, ipcerr.Invalid},
		{4096, -layout.HeaderArea, layout.KindQueue, ipcerr.Invalid},
		{4096, math.MaxInt64 &^ (layout.HeaderArea - 1), layout.KindQueue, ipcerr.TooLarge},
		{4096, layout.MaxFile, layout.KindQueue, ipcerr.TooLarge},
		{4096, layout.MaxFile - layout.HeaderArea, layout.KindQueue, ipcerr.NoSpace},
		{4096, 0, layout.KindRing, ipcerr.Invalid},
		{4096, 0, layout.KindMembers, ipcerr.Invalid},
		{4096, 0, 0, ipcerr.Invalid},
	} {
		_, err := r.Create("x", Spec{Kind: c.kind, Header: c.header, Data: c.data})
		want(t, err, c.code)
	}
	o, err := r.Create("x", Spec{Kind: layout.KindSegment, Flags: layout.Transient, Members: testMembers, Header: 4096})
	must(t, err)
	_, err = r.Open("x", layout.KindQueue, testMembers, false)
	want(t, err, ipcerr.WrongKind)
	_, err = r.Open("x", layout.KindSegment, [16]byte{9}, false)
	want(t, err, ipcerr.Mismatch)
	must(t, o.Close())
}

func TestInitPanicLeavesNothing(t *testing.T) {
	r := testRoot(t)
	s := spec(0)
	s.Init = func([]byte) { panic("on purpose") }
	func() {
		defer func() { _ = recover() }()
		_, _ = r.Create("x", s)
	}()
}

func TestTransient(t *testing.T) {
	r := testRoot(t)
	a := create(t, r, "", layout.Transient)
	if a.Name != uuidName(a.UUID) {
		t.Fatal(a.Name)
	}
	p, err := r.CreatePart(a.UUID, 'r', 1, ringSpec())
	must(t, err)
	must(t, r.WritePart(a.UUID, 'm', 2, testMembers, []byte("hello")))
	b := open(t, r, a.Name)
	must(t, a.Close())
	if openCode(r, b.Name) != 0 {
		t.Fatal("gone although it has a user")
	}
	must(t, b.Close())
	wantFiles(t, r)
	must(t, p.Close())
	must(t, p.Close())
	if openCode(r, b.Name) != ipcerr.NotFound {
		t.Fatal("there")
	}
}

// The last user is another process, and it is killed: the object goes with it.
func TestTransientAndKill(t *testing.T) {
	for _, how := range []string{"reap", "open", "create", "unlink"} {
		t.Run(how, func(t *testing.T) {
			r := testRoot(t)
			p := start(t, r, "maker", "x")
			p.expect("made")
			n, err := r.Reap()
			if n != 0 || err != nil {
				t.Fatal(n, err)
			}
			if len(files(t, r)) != 4 {
				t.Fatal(files(t, r))
			}
			p.kill()
			switch how {
			case "reap":
				n, err = r.Reap()
				if n != 1 || err != nil {
					t.Fatal(n, err)
				}
			case "open":
				_, err := r.Open("x", layout.KindQueue, testMembers, true)
				want(t, err, ipcerr.NotFound)
			case "create":
				o := create(t, r, "x", layout.Transient)
				wantFiles(t, r, "x")
				must(t, o.Close())
			case "unlink":
				must(t, r.Unlink("x", layout.KindQueue))
			}
		})
	}
}

// A stopped process is a user.
func TestTransientAndStop(t *testing.T) {
	r := testRoot(t)
	p := start(t, r, "maker", "x")
	p.expect("made")
	p.signal(unix.SIGSTOP)
	if n, err := r.Reap(); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	o := open(t, r, "x")
	must(t, o.Close())
	p.signal(unix.SIGCONT)
	p.finish()
}

// What a forked child inherits, it can adopt; its use is one more until both have closed.
func TestAdopt(t *testing.T) {
	r := testRoot(t)
	o := create(t, r, "x", layout.Transient)
	o.Mem[layout.HeaderArea] = 7
	addr := addressOf(o.Mem)
	_, err := r.Adopt("x", o.FD, addr, len(o.Mem)-1, layout.KindQueue, testMembers, true)
	want(t, err, ipcerr.Corrupt)
	_, err = r.Adopt("x", o.FD, addr, len(o.Mem), layout.KindPipe, testMembers, true)
	want(t, err, ipcerr.WrongKind)
	_, err = r.Adopt("x", 9999, addr, len(o.Mem), layout.KindQueue, testMembers, true)
	if err == nil {
		t.Fatal("adopted a descriptor that is not open")
	}
	// A second descriptor of the same description, and a mapping of it, are what fork gives.
	fd, err := unix.FcntlInt(uintptr(o.FD), unix.F_DUPFD_CLOEXEC, 0)
	must(t, err)
	mem, err := mapFile(fd, layout.HeaderArea, 1)
	must(t, err)
	child, err := r.Adopt("x", fd, addressOf(mem), len(mem), layout.KindQueue, testMembers, true)
	must(t, err)
	must(t, o.Close())
	wantFiles(t, r, "x")
	if child.UUID != o.UUID || child.Mem[layout.HeaderArea] != 7 {
		t.Fatal("not the same object")
	}
	must(t, child.Close())
}

// A host may close all descriptors; ours are gone then, and others may have their numbers.
func TestCloseAfterCloseFrom(t *testing.T) {
	r := testRoot(t)
	o := create(t, r, "x", layout.Transient)
	must(t, unix.Close(o.FD))
	other, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	must(t, err)
	if other != o.FD {
		must(t, unix.Dup3(other, o.FD, unix.O_CLOEXEC))
		must(t, unix.Close(other))
	}
	must(t, o.Close())
	if _, err := unix.Write(o.FD, []byte("x")); err != nil {
		t.Fatal("closed somebody else's descriptor:", err)
	}
	must(t, unix.Close(o.FD))
}

func TestHooks(t *testing.T) {
	r := testRoot(t)
	live := map[int]bool{}
	forked, n, doubtful := uint64(0), 0, -1
	OnDescriptor = func(fd int, open bool) {
		if doubtful >= 0 && (fd != doubtful || open) {
			t.Errorf("a child has descriptor %d and does not know it, and it is not made anew", doubtful)
		}
		doubtful = -1
		if live[fd] == open {
			t.Errorf("descriptor %d: told twice that open is %v", fd, open)
		}
		live[fd] = open
		if open {
			if n++; n%3 == 0 {
				forked++ // a fork between open and this call
				doubtful = fd
			}
		}
	}
	Forks = func() uint64 { return forked }
	defer func() { OnDescriptor, Forks = nil, nil }()
	o := create(t, r, "x", 0)
	p, err := r.CreatePart(o.UUID, 'r', 1, ringSpec())
	must(t, err)
	must(t, p.Close())
	q := open(t, r, "x")
	if !live[o.FD] || !live[q.FD] {
		t.Error("not told of the object's descriptor")
	}
	must(t, r.Unlink("x", 0))
	must(t, q.Close())
	must(t, o.Close())
	for fd, open := range live {
		if open {
			t.Error("left open:", fd)
		}
	}
}

func TestParts(t *testing.T) {
	r := testRoot(t)
	o := create(t, r, "", layout.Transient)
	p, err := r.CreatePart(o.UUID, 'r', 7, ringSpec())
	must(t, err)
	p.Mem[layout.HeaderArea] = 5
	q, err := r.OpenPart(o.UUID, 'r', 7, layout.KindRing, testMembers, true)
	must(t, err)
	if q.Mem[2*layout.HeaderArea] != 5 || q.Header().Number != 7 || q.Header().UUID != o.UUID {
		t.Fatal("not the same part")
	}
	// A forked child maps parts itself; of the object it keeps the mapping.
	again := open(t, r, o.Name) // a mapping of a file that was made without a name does not show it
	if forked(t, partName(o.UUID, 'r', 7)+"\n") || !forked(t, o.Name+"\n") {
		t.Error("the wrong mappings are inherited")
	}
	must(t, again.Close())
	must(t, q.Close())
	_, err = r.CreatePart(o.UUID, 'r', 7, ringSpec())
	want(t, err, ipcerr.Exists)
	_, err = r.OpenPart(o.UUID, 'r', 8, layout.KindRing, testMembers, true)
	want(t, err, ipcerr.NotFound)
	_, err = r.OpenPart(o.UUID, 'r', 7, layout.KindMessage, testMembers, true)
	want(t, err, ipcerr.WrongKind)
	_, err = r.CreatePart(o.UUID, '/', 8, ringSpec())
	want(t, err, ipcerr.Invalid)
	_, err = r.CreatePart(o.UUID, 'r', 8, spec(0))
	want(t, err, ipcerr.Invalid)
	must(t, r.RemovePart(o.UUID, 'r', 7))
	must(t, r.RemovePart(o.UUID, 'r', 7))
	p.Mem[layout.HeaderArea]++ // the mapping outlives the name
	must(t, p.Close())

	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	vec := [][]byte{nil, body[:5], nil, body[5:700000], body[700000:], {}}
	for range 2000 { // more than one system call takes
		vec = append(vec, []byte{1})
	}
	must(t, r.WritePart(o.UUID, 'm', 9, testMembers, vec...))
	want(t, r.WritePart(o.UUID, 'm', 9, testMembers, vec...), ipcerr.Exists)
	got := make([]byte, len(body)+2000)
	must(t, r.ReadPart(o.UUID, 'm', 9, testMembers, got))
	if !bytes.Equal(got[:len(body)], body) || !bytes.Equal(got[len(body):], bytes.Repeat([]byte{1}, 2000)) {
		t.Fatal("not what was written")
	}
	want(t, r.ReadPart(o.UUID, 'm', 9, testMembers, got[1:]), ipcerr.Corrupt)
	want(t, r.ReadPart(o.UUID, 'm', 9, [16]byte{4}, got), ipcerr.Mismatch)
	must(t, os.Truncate(at(r, partName(o.UUID, 'm', 9)), int64(layout.HeaderArea+100)))
	want(t, r.ReadPart(o.UUID, 'm', 9, testMembers, got), ipcerr.Corrupt)
	must(t, r.WritePart(o.UUID, 'm', 10, testMembers))
	must(t, r.ReadPart(o.UUID, 'm', 10, testMembers, nil))
	// Under another's name it is not taken for that.
	must(t, os.Rename(at(r, partName(o.UUID, 'm', 10)), at(r, partName(o.UUID, 'm', 11))))
	want(t, r.ReadPart(o.UUID, 'm', 11, testMembers, nil), ipcerr.Corrupt)
	must(t, o.Close())
}

// forked reports whether a mapping whose line in smaps contains name is inherited by children.
func forked(t *testing.T, name string) bool {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/smaps")
	must(t, err)
	_, rest, found := strings.Cut(string(maps), name)
	if !found {
		return false
	}
	_, flags, _ := strings.Cut(rest, "VmFlags:")
	flags, _, _ = strings.Cut(flags, "\n")
	return !strings.Contains(flags, " dc")
}
