package doorbell

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// patience bounds a failure.
const patience = 20 * time.Second

// nobody is the token of a process that is dead.
const nobody = 7

func TestReadableWhileThereIsSomething(t *testing.T) {
	root := newRoot(t)
	a, b := openJar(t, root, "jar"), openJar(t, root, "jar")
	fd := a.fd(t)
	if wait(fd, 0) {
		t.Error("readable though the jar is empty")
	}
	b.put()
	b.put()
	for range 2 {
		if !wait(fd, 0) {
			t.Error("not readable though there is something")
		}
		if err := a.take(); err != nil {
			t.Error(err)
		}
	}
	if wait(fd, 0) {
		t.Error("readable though all was taken")
	}
	a.put() // by the handle itself
	if !wait(fd, 0) {
		t.Error("a put of one's own does not ring")
	}
}

func TestReadableAtOnce(t *testing.T) {
	j := openJar(t, newRoot(t), "jar")
	j.put()
	if !wait(j.fd(t), 0) {
		t.Error("not readable though there was something before the descriptor was made")
	}
}

// TestAnotherWasQuicker lets somebody else take what a bell was rung for: the try that fails ends the lie.
func TestAnotherWasQuicker(t *testing.T) {
	root := newRoot(t)
	a, b := openJar(t, root, "jar"), openJar(t, root, "jar")
	fd := a.fd(t)
	b.put()
	if err := b.take(); err != nil {
		t.Fatal(err)
	}
	if err := a.take(); ipcerr.CodeOf(err) != ipcerr.Empty {
		t.Fatal(err)
	}
	if wait(fd, 0) {
		t.Error("a loop would spin: readable though a try found nothing")
	}
	b.put()
	if !wait(fd, 0) {
		t.Error("not armed again")
	}
}

// TestPutBetweenLooks puts something when the bell has looked and is not armed yet: nobody rings.
func TestPutBetweenLooks(t *testing.T) {
	root := newRoot(t)
	a, b := openJar(t, root, "jar"), openJar(t, root, "jar")
	fd := a.fd(t)
	b.put()
	must(t, b.take())
	a.looked = func() {
		a.looked = nil
		b.put()
	}
	if ready, err := a.bells.At(layout.BellReadable).Ready(); !ready || err != nil || !wait(fd, 0) {
		t.Errorf("not readable, for ever: %v %v", ready, err)
	}
}

// TestCloseBetweenLooks has a close make the descriptor readable just before it is drained: who polls it must find out.
func TestCloseBetweenLooks(t *testing.T) {
	a := openJar(t, newRoot(t), "jar")
	fd, p := a.fd(t), a.bells.At(layout.BellReadable)
	release, err := p.Hold()
	must(t, err)
	closed := make(chan struct{})
	a.looked = func() {
		a.looked = nil
		go func() { a.close(); close(closed) }()
		if !wait(fd, patience) {
			t.Error("a close does not make the descriptor readable")
		}
	}
	_, _ = p.Ready()
	if !wait(fd, 0) {
		t.Error("not readable, for ever")
	}
	release()
	<-closed
}

// TestLateRing has a ringer write only after the bell was armed again.
func TestLateRing(t *testing.T) {
	j := openJar(t, newRoot(t), "jar")
	fd := j.fd(t)
	shm.WriteBell(fd)
	if err := j.take(); ipcerr.CodeOf(err) != ipcerr.Empty || wait(fd, 0) {
		t.Errorf("%v; a loop would spin", err)
	}
}

// TestRingUnderWay has a ringer, who has cleared the bit, write only long after the owner has found the message.
func TestRingUnderWay(t *testing.T) {
	root := newRoot(t)
	a, b := openJar(t, root, "jar"), openJar(t, root, "jar")
	fd := a.fd(t)
	b.quiet = true
	b.put()
	r := enter(b.bells.h, &b.obj)
	a.bells.disarm(layout.BellReadable, a.bells.mine[layout.BellReadable].Load().seat)
	r.pass()
	written := make(chan struct{})
	go func() {
		defer close(written)
		time.Sleep(20 * briefly)
		shm.WriteBell(fd)
		r.leave()
	}()
	must(t, a.take())
	<-written
	if wait(fd, 0) {
		t.Error("a loop would come, find nothing, and stay if it waits for a message")
	}
}

// TestRingForNothing has the owner take a message before its ringer comes.
func TestRingForNothing(t *testing.T) {
	root := newRoot(t)
	a, b := openJar(t, root, "jar"), openJar(t, root, "jar")
	fd := a.fd(t)
	b.quiet = true
	b.put()
	must(t, a.take())
	b.ring()
	if wait(fd, 0) {
		t.Error("a loop would come, find nothing, and stay if it waits for a message")
	}
	b.put()
	b.ring()
	if !wait(fd, 0) {
		t.Error("not armed any more")
	}
}

// TestRingerWhoLooked has a ringer look, and clear the bit only long after the owner has taken the message and looked.
func TestRingerWhoLooked(t *testing.T) {
	root := newRoot(t)
	a, b := openJar(t, root, "jar"), openJar(t, root, "jar")
	fd := a.fd(t)
	taken := make(chan error, 1)
	b.asked = func() {
		go func() { taken <- a.take() }()
		time.Sleep(20 * briefly)
	}
	b.put()
	must(t, <-taken)
	if wait(fd, 0) {
		t.Error("a loop would come, find nothing, and stay if it waits for a message")
	}
	b.asked = nil
	b.put()
	if !wait(fd, 0) {
		t.Error("not armed again")
	}
}

// TestRingerStopped has ringers stop before the bits: each is waited for once, and again when he rings again.
func TestRingerStopped(t *testing.T) {
	j := openJar(t, newRoot(t), "jar")
	fd := j.fd(t)
	var rings [2]ringer
	for step, c := range []struct {
		do    func()
		waits bool
	}{
		{func() { rings[0] = enter(j.bells.h, &j.obj) }, true},
		{func() { rings[1] = enter(j.bells.h, &j.obj) }, true},
		{func() {}, false},
		{func() { rings[0].leave() }, false},
		{func() { rings[0] = enter(j.bells.h, &j.obj) }, true},
		{func() { rings[0].leave(); rings[1].leave() }, false},
	} {
		c.do()
		began := time.Now()
		if err := j.take(); ipcerr.CodeOf(err) != ipcerr.Empty {
			t.Fatal(err)
		}
		if took := time.Since(began); took >= slowest != c.waits {
			t.Errorf("step %d: waits %v", step, took)
		}
	}
	j.put()
	if !wait(fd, 0) {
		t.Error("not rung")
	}
}

// TestRingerDied has ringers die on their way, before and behind the bits, and one who found no place: none is waited for,
// nor asked for again.
func TestRingerDied(t *testing.T) {
	root := newRoot(t)
	a, b := openJar(t, root, "jar"), openJar(t, root, "jar")
	a.fd(t)
	b.quiet = true
	for _, word := range []uint32{nobody, nobody | layout.BellPassed, 0} {
		b.bells.h.Ringer[3].Store(word)
		b.put()
		a.bells.disarm(layout.BellReadable, a.bells.mine[layout.BellReadable].Load().seat)
		began := time.Now()
		must(t, a.take())
		if took := time.Since(began); took > slowest/2 {
			t.Errorf("%#x: the owner waits %v for the dead", word, took)
		}
		if left := b.bells.h.Ringer[3].Load(); left != 0 {
			t.Errorf("%#x stays", left)
		}
	}
}

// TestRingersWithoutPlace has no place left for who rings, and one of the dead.
func TestRingersWithoutPlace(t *testing.T) {
	root := newRoot(t)
	a, b := openJar(t, root, "jar"), openJar(t, root, "jar")
	fd, h := a.fd(t), b.bells.h
	for i := range h.Ringer {
		h.Ringer[i].Store(b.obj.Me)
	}
	b.put()
	if !wait(fd, 0) {
		t.Error("not rung")
	}
	h.Ringer[7].Store(nobody)
	r := enter(h, &b.obj)
	if h.Ringer[7].Load() != b.obj.Me {
		t.Error("the place of the dead is not taken")
	}
	r.leave()
	if h.Ringer[7].Load() != 0 {
		t.Error("the place stays taken")
	}
}

// TestSoleReader takes, in a loop of its own, all that another puts: it must never come for nothing.
func TestSoleReader(t *testing.T) {
	const n = 5000
	root := newRoot(t)
	a, b := openJar(t, root, "jar"), openJar(t, root, "jar")
	fd := a.fd(t)
	go func() {
		for range n {
			b.put()
		}
	}()
	for i := range n {
		if !wait(fd, patience) {
			t.Fatalf("%d: nothing for %v", i, patience)
		}
		if err := a.take(); err != nil {
			t.Fatalf("%d: readable, and there is nothing: %v", i, err)
		}
	}
}

// TestLostRing has ringers die on their way: before they looked at the bits, and behind that.
func TestLostRing(t *testing.T) {
	root := newRoot(t)
	a, b := openJar(t, root, "jar"), openJar(t, root, "jar")
	fd := a.fd(t)
	b.quiet = true
	for _, cleared := range []bool{false, true} {
		b.put()
		if cleared {
			a.bells.disarm(layout.BellReadable, a.bells.mine[layout.BellReadable].Load().seat)
		}
		if wait(fd, 0) {
			t.Fatal("readable though nobody rang")
		}
		a.bells.look()
		if !wait(fd, 0) {
			t.Errorf("cleared %v: the watch does not find it", cleared)
		}
		if err := a.take(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSeatOfTheDead(t *testing.T) {
	root := newRoot(t)
	j := openJar(t, root, "jar")
	kill := other(t, root, "watch")
	if all := files(t, root); len(all) != 2 {
		t.Fatalf("a jar and a bell are there? %v", all)
	}
	kill()
	j.put()
	if all := files(t, root); len(all) != 1 {
		t.Errorf("ringing a dead process's bell leaves %v", all)
	}
	for i := range j.bells.h.Seat {
		if j.bells.h.Seat[i].Load() != 0 {
			t.Errorf("seat %d is not free", i)
		}
	}
}

// TestSeats fills the seats, first with the living, then with the dead.
func TestSeats(t *testing.T) {
	root := newRoot(t)
	j := openJar(t, root, "jar")
	for i := range j.bells.h.Seat {
		j.bells.h.Seat[i].Store(layout.BellSeat(uint32(1000+i), 0, j.obj.Me))
	}
	_, err := j.bells.At(layout.BellReadable).PollFD()
	if ipcerr.CodeOf(err) != ipcerr.Limit {
		t.Fatal(err)
	}
	j.bells.h.Seat[200].Store(layout.BellSeat(1200, 1, nobody))
	j.bells.h.Armed[layout.BellWritable][200/64].Store(1 << (200 % 64))
	fd := j.fd(t)
	if bits := j.bells.h.Armed[layout.BellWritable][200/64].Load(); bits != 0 {
		t.Errorf("bits of the dead are left: %#x", bits)
	}
	for i := range j.bells.h.Seat {
		if i != 200 {
			j.bells.h.Seat[i].Store(0)
		}
	}
	j.put()
	if !wait(fd, 0) {
		t.Error("not rung")
	}
}

// TestRounds has the numbers come round to one in use.
func TestRounds(t *testing.T) {
	root := newRoot(t)
	a, b := openJar(t, root, "jar"), openJar(t, root, "jar")
	a.fd(t)
	b.bells.h.Next.Add(^uint32(0))
	fd := b.fd(t)
	a.put()
	if !wait(fd, 0) {
		t.Error("not rung")
	}
}

func TestCloseGivesAllBack(t *testing.T) {
	root := newRoot(t)
	a, b := openJar(t, root, "jar"), openJar(t, root, "jar")
	fd := a.fd(t)
	a.close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != unix.EBADF {
		t.Errorf("the descriptor is still open: %v", err)
	}
	if all := files(t, root); len(all) != 1 {
		t.Errorf("left: %v", all)
	}
	b.put()
}

// TestHostileBells has nonsense in the header, and other files where FIFOs should be.
func TestHostileBells(t *testing.T) {
	root := newRoot(t)
	a, b := openJar(t, root, "jar"), openJar(t, root, "jar")
	fd := a.fd(t)
	var fifo string
	for _, name := range files(t, root) {
		if strings.Contains(name, ".b") {
			fifo = root + "/" + name
		}
	}
	must(t, os.Remove(fifo))
	must(t, os.WriteFile(fifo, nil, 0o600))
	for kind := range b.bells.h.Armed {
		for i := range b.bells.h.Armed[kind] {
			b.bells.h.Armed[kind][i].Store(^uint64(0))
		}
	}
	b.put()
	if st, err := os.Stat(fifo); err != nil || st.Size() != 0 {
		t.Errorf("a file was written to: %v", err)
	}
	if wait(fd, 0) {
		t.Error("rung through another file")
	}
	a.bells.look() // but its owner finds out
	if !wait(fd, 0) {
		t.Error("the watch does not find it")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoRingIsLost lets event loops take what producers put. There is no watch, so a lost ring is a hang.
func TestNoRingIsLost(t *testing.T) {
	const producers, loops, each = 3, 3, 3000
	root := newRoot(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	left := producers * each
	done := make([]int, 2)
	must(t, unix.Pipe2(done, unix.O_CLOEXEC))
	for range producers {
		j := openJar(t, root, "jar")
		wg.Go(func() {
			for range each {
				j.put()
			}
		})
	}
	for range loops {
		j := openJar(t, root, "jar")
		fd := j.fd(t)
		wg.Go(func() {
			for {
				ts := unix.NsecToTimespec(int64(patience))
				p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(done[0]), Events: unix.POLLIN}}
				n, err := unix.Ppoll(p, &ts, nil)
				switch {
				case err == unix.EINTR:
				case n == 0 || err != nil:
					t.Errorf("nothing for %v: %v", patience, err)
					return
				case p[1].Revents != 0:
					return
				case j.take() == nil:
					mu.Lock()
					if left--; left == 0 {
						_ = unix.Close(done[1])
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	_ = unix.Close(done[0])
}
