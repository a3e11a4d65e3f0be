package member

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

func init() {
	// race joins when it is let go, says its token, and leaves when it is let go again.
	helpers["race"] = func(r *shm.Root) error {
		say("ready")
		buf := make([]byte, 1)
		_, _ = os.Stdin.Read(buf)
		m, err := Join(r)
		if err != nil {
			return err
		}
		say(m.Token())
		waitStdin()
		m.Release()
		return nil
	}
}

func TestJoinIsShared(t *testing.T) {
	r := testRoot(t)
	a, b := join1(t, r), join1(t, r)
	if a != b || a.Token() == 0 || a.Token()>>31 != 0 || a.UUID() == [16]byte{} {
		t.Fatal(a, b)
	}
	again, err := shm.OpenRoot(r.Path())
	must(t, err)
	if c := join1(t, again); c != a {
		t.Fatal("another Root of the same path is another membership")
	} else {
		c.Release()
	}
	a.Release()
	if descriptors(t, r.Path()) != 1 || !mappings(t, r.Path()) {
		t.Fatal("gone before its last release")
	}
	b.Release()
	if descriptors(t, r.Path()) != 0 || mappings(t, r.Path()) {
		t.Fatal("something is left after the last release")
	}
	c := join1(t, r)
	if s, _ := layout.SplitToken(c.Token()); s != 1 {
		t.Fatal("not round robin:", s)
	}
	if c.UUID() != a.UUID() {
		t.Fatal("another list of members")
	}
	c.Release()
	defer func() {
		if recover() == nil {
			t.Error("one Release too many goes unnoticed")
		}
	}()
	c.Release()
}

func TestJoinFromManyThreads(t *testing.T) {
	r := testRoot(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				m, err := Join(r)
				if err != nil {
					t.Error(err)
					return
				}
				if !m.Alive(m.Token()) || m.Alive(m.Token()+1) {
					t.Error("wrong")
				}
				m.Release()
			}
		})
	}
	wg.Wait()
}

func TestFiftyProcessesJoin(t *testing.T) {
	r := testRoot(t)
	var all []*process
	for range 50 {
		all = append(all, start(t, command1("race", r)))
	}
	for _, p := range all {
		if s := p.line(); s != "ready" {
			t.Fatal(s)
		}
	}
	for _, p := range all {
		_, err := p.in.Write([]byte("x"))
		must(t, err)
	}
	slots := map[int]bool{}
	var tokens []uint32
	for _, p := range all {
		token := p.token()
		slot, _ := layout.SplitToken(token)
		if slots[slot] {
			t.Fatalf("two have slot %d", slot)
		}
		slots[slot] = true
		tokens = append(tokens, token)
	}
	m := join1(t, r)
	for i, p := range all {
		if !m.Alive(tokens[i]) {
			t.Fatal("dead")
		}
		if i%2 == 0 {
			p.signal(syscall.SIGKILL)
		}
	}
	for i := range all {
		if i%2 == 0 {
			becomes(t, m, tokens[i], false)
		} else if !m.Alive(tokens[i]) {
			t.Fatal("the wrong one is dead")
		}
	}
	for i, p := range all {
		if i%2 == 1 {
			p.finish()
		}
	}
	m.Release()
}

// A slot that is taken again has another generation, also after the highest.
func TestGenerations(t *testing.T) {
	r := testRoot(t)
	m := join1(t, r)
	slot, g := layout.SplitToken(m.Token())
	m.Release()
	again := func(want uint32) {
		t.Helper()
		cursor(t, r, uint32(slot))
		n := join1(t, r)
		if s, now := layout.SplitToken(n.Token()); s != slot || now != want {
			t.Fatalf("slot %d, generation %d; want %d, %d", s, now, slot, want)
		}
		if n.Alive(layout.Token(slot, want-1)) || n.Alive(layout.Token(slot, want+1)) {
			t.Fatal("alive in another generation")
		}
		n.Release()
	}
	again(g + 1)
	again(g + 2)
	last := uint32(layout.Generations - 2)
	f := openMembers(t, r)
	must(t, shm.WriteAt(f, layout.SlotOffset(slot), layout.Bytes(&last)))
	must(t, unix.Close(f))
	again(layout.Generations - 1)
	again(1)
	// Nonsense in the file is as good as any generation.
	last = ^uint32(0)
	f = openMembers(t, r)
	must(t, shm.WriteAt(f, layout.SlotOffset(slot), layout.Bytes(&last)))
	must(t, unix.Close(f))
	again(1)
	cursor(t, r, ^uint32(0))
	join1(t, r).Release()
}

func openMembers(t *testing.T, r *shm.Root) int {
	t.Helper()
	fd, err := unix.Open(file(r), unix.O_RDWR|unix.O_CLOEXEC, 0)
	must(t, err)
	return fd
}

func cursor(t *testing.T, r *shm.Root, to uint32) {
	t.Helper()
	f := openMembers(t, r)
	must(t, shm.WriteAt(f, layout.MembersCursor, layout.Bytes(&to)))
	must(t, unix.Close(f))
}

func TestRegistryFull(t *testing.T) {
	r := testRoot(t)
	join1(t, r).Release() // makes the file
	f := openMembers(t, r)
	// One description can stand for all members.
	all := unix.Flock_t{Type: unix.F_WRLCK, Start: layout.SlotOffset(0), Len: layout.Slots * layout.SlotSize}
	must(t, unix.FcntlFlock(uintptr(f), unix.F_OFD_SETLK, &all))
	_, err := Join(r)
	if ipcerr.CodeOf(err) != ipcerr.Limit || !strings.Contains(err.Error(), "registry full") {
		t.Fatal(err)
	}
	if descriptors(t, r.Path()) != 1 || mappings(t, r.Path()) {
		t.Fatal("something is left after a Join that failed")
	}
	// One leaves, somewhere in the middle.
	one := unix.Flock_t{Type: unix.F_UNLCK, Start: layout.SlotOffset(3000), Len: 1}
	must(t, unix.FcntlFlock(uintptr(f), unix.F_OFD_SETLK, &one))
	m := join1(t, r)
	if s, _ := layout.SplitToken(m.Token()); s != 3000 {
		t.Fatal(s)
	}
	m.Release()
	must(t, unix.Close(f))
}

// The root is removed and made anew while we are members of it.
func TestRootMadeAnew(t *testing.T) {
	for _, how := range []string{"members", "root"} {
		t.Run(how, func(t *testing.T) {
			r := testRoot(t)
			a := join1(t, r)
			must(t, os.RemoveAll(map[string]string{"members": file(r), "root": r.Path()}[how]))
			_, err := shm.OpenRoot(r.Path())
			must(t, err)
			b := join1(t, r)
			if a == b || a.UUID() == b.UUID() {
				t.Fatal("still in the old one")
			}
			if !a.Alive(a.Token()) || a.Alive(a.Token()+1) || !b.Alive(b.Token()) {
				t.Fatal("wrong")
			}
			a.Release()
			if c := join1(t, r); c != b {
				t.Fatal("the release of the old one has hit the new one")
			}
			b.Release()
			b.Release()
		})
	}
}

// It is removed and made anew while we join.
func TestRootMadeAnewMeanwhile(t *testing.T) {
	r := testRoot(t)
	join1(t, r).Release()
	times := 0
	OnDescriptor = func(_ int, open bool) {
		if open && times < 3 {
			times++
			must(t, os.Remove(file(r)))
			must(t, r.CreateMembers())
		}
	}
	defer func() { OnDescriptor = nil }()
	m := join1(t, r)
	if times != 3 || !m.current() || !m.mine() {
		t.Fatal("joined a list that is gone")
	}
	m.Release()
}

func TestBadMembersFiles(t *testing.T) {
	r := testRoot(t)
	join1(t, r).Release()
	good, err := os.ReadFile(file(r))
	must(t, err)
	set := func(b []byte) { must(t, os.WriteFile(file(r), b, 0o600)) }
	patch := func(at int, v byte) { b := append([]byte(nil), good...); b[at] = v; set(b) }
	for name, c := range map[string]struct {
		change func()
		code   ipcerr.Code
	}{
		"empty":     {func() { set(nil) }, ipcerr.Corrupt},
		"truncated": {func() { set(good[:100000]) }, ipcerr.Corrupt},
		"longer":    {func() { set(append(good[:len(good):len(good)], 0)) }, ipcerr.Corrupt},
		"magic":     {func() { patch(0, 'x') }, ipcerr.Corrupt},
		"version":   {func() { patch(8, 9) }, ipcerr.Version},
		"kind":      {func() { patch(12, 2) }, ipcerr.WrongKind},
		"two uuids": {func() { patch(48, good[48]^1) }, ipcerr.Corrupt},
		"symlink":   {func() { must(t, os.Remove(file(r))); must(t, os.Symlink("/dev/null", file(r))) }, ipcerr.Denied},
		"directory": {func() { must(t, os.Remove(file(r))); must(t, os.Mkdir(file(r), 0o700)) }, ipcerr.Corrupt},
		"fifo":      {func() { must(t, unix.Mkfifo(file(r), 0o600)) }, ipcerr.Corrupt},
	} {
		must(t, os.RemoveAll(file(r)))
		if name != "fifo" {
			set(good)
		}
		c.change()
		if _, err := Join(r); ipcerr.CodeOf(err) != c.code || !strings.Contains(err.Error(), r.Path()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, os.RemoveAll(r.Path()))
	if _, err := Join(r); ipcerr.CodeOf(err) != ipcerr.NotFound {
		t.Error(err)
	}
}

// The file is cut off while we are in it: nobody is taken for dead for that.
func TestTruncatedUnderOurFeet(t *testing.T) {
	r := testRoot(t)
	m := join1(t, r)
	p := start(t, command1("join", r))
	token := p.token()
	must(t, os.Truncate(file(r), 4096))
	if !m.Alive(token) {
		t.Fatal("dead")
	}
	if _, ok := m.Info(token); ok {
		t.Fatal("information out of nothing")
	}
	p.finish()
	m.Release()
}

func TestFullFilesystem(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount a small filesystem")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,mode=0700"); err != nil {
		t.Skip("cannot mount here:", err)
	}
	defer func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	}()
	r, err := shm.OpenRoot(dir)
	must(t, err)
	// With every number of free pages it works, or it is NO_SPACE and leaves nothing open.
	for pages := range 6 {
		fill := filepath.Join(dir, "fill")
		must(t, os.WriteFile(fill, make([]byte, (16-pages)*4096), 0o600))
		m, err := Join(r)
		if err == nil {
			m.Release()
		} else if ipcerr.CodeOf(err) != ipcerr.NoSpace {
			t.Fatal(err)
		}
		if (err == nil) != (pages >= 2) {
			t.Fatalf("with %d free pages: %v", pages, err)
		}
		must(t, os.Remove(fill))
		must(t, os.RemoveAll(file(r)))
	}
	// The list is there, but there is no room for our entry.
	join1(t, r).Release()
	cursor(t, r, 2000)
	must(t, os.WriteFile(filepath.Join(dir, "fill"), make([]byte, 14*4096), 0o600))
	if m, err := Join(r); ipcerr.CodeOf(err) != ipcerr.NoSpace {
		t.Fatal(m, err)
	}
}

// Descriptors that a forked child must close are announced, and a fork at any moment spoils no
// membership.
func TestHooks(t *testing.T) {
	r := testRoot(t)
	live := map[int]bool{}
	forked, n := uint64(0), 0
	OnDescriptor = func(fd int, open bool) {
		if live[fd] == open {
			t.Errorf("descriptor %d: told twice that open is %v", fd, open)
		}
		live[fd] = open
		if n++; n%5 == 0 {
			forked++
		}
	}
	shm.Forks = func() uint64 { return forked }
	defer func() { OnDescriptor, shm.Forks = nil, nil }()
	for range 20 {
		m := join1(t, r)
		if !live[m.fd] || !m.Alive(m.Token()) {
			t.Error("not announced")
		}
		m.Release()
	}
	for fd, open := range live {
		if open {
			t.Error("left open:", fd)
		}
	}
}

// A fork falls between the mapping and its marking: the child keeps the first membership alive, so
// there must be a second.
func TestForkWhileJoining(t *testing.T) {
	r := testRoot(t)
	join1(t, r).Release()
	opened, calls := 0, 0
	OnDescriptor = func(_ int, open bool) {
		if open {
			opened++
		}
	}
	shm.Forks = func() uint64 {
		if calls++; calls > 3 { // after the first descriptor was opened and announced
			return 1
		}
		return 0
	}
	defer func() { OnDescriptor, shm.Forks = nil, nil }()
	m := join1(t, r)
	if slot, _ := layout.SplitToken(m.Token()); opened != 4 || slot != 2 {
		t.Fatalf("%d descriptors, slot %d", opened, slot)
	}
	m.Release()
}

// Joining and leaving clean up after the dead.
func TestJoinReaps(t *testing.T) {
	r := testRoot(t)
	orphan := filepath.Join(r.Path(), "01234567-89ab-4def-8123-456789abcdef.m1")
	must(t, os.WriteFile(orphan, []byte("x"), 0o600))
	m := join1(t, r)
	if _, err := os.Stat(orphan); err == nil {
		t.Error("still there after the first join")
	}
	must(t, os.WriteFile(orphan, []byte("x"), 0o600))
	join1(t, r).Release()
	if _, err := os.Stat(orphan); err != nil {
		t.Error("not only the first join and the last release reap")
	}
	m.Release()
	if _, err := os.Stat(orphan); err == nil {
		t.Error("still there after the last release")
	}
}
