package doorbell

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// jar is a noun for tests: a number of things, of which one can be taken while there are some.
type jar struct {
	obj   object.Object
	n     *atomic.Int64
	bells Bells
	quiet bool // puts do not ring: their process dies in between

	looked func() // called behind each look
	asked  func() // called behind the look of who rings
}

const bellsAt = 4096

func openJar(t testing.TB, root, name string) *jar {
	t.Helper()
	j := &jar{}
	err := j.obj.Open(&object.Want{
		Op: "open jar", Noun: "jar", Kind: layout.KindQueue, Root: root, Name: name, Create: true, Open: true,
		Spec: func(members [16]byte) shm.Spec {
			return shm.Spec{Kind: layout.KindQueue, Flags: layout.Transient, Members: members, Header: 8192}
		},
		Attach: func() error {
			j.n = layout.View[atomic.Int64](j.obj.File.Mem, layout.HeaderSize)
			bells := layout.View[layout.Bells](j.obj.File.Mem, bellsAt)
			j.bells.Init(&j.obj, bells, Of{
				Letter: 'b', Ready: j.ready, Wanted: j.wanted, Slice: func() time.Duration { return time.Hour },
			})
			return nil
		},
		Matches: func() error { return nil },
		Free:    func() { j.bells.Close() },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.close)
	return j
}

func (j *jar) ready(int, bool) (bool, error) {
	is := j.n.Load() > 0
	if j.looked != nil {
		j.looked()
	}
	return is, nil
}

func (j *jar) wanted(int) bool {
	is := j.n.Load() > 0
	if j.asked != nil {
		j.asked()
	}
	return is
}

func (j *jar) close() { _ = j.obj.Close(nil, j.bells.Kick) }

// call is a verb.
func (j *jar) call(f func() error) (err error) {
	c := object.Call{Object: &j.obj, Verb: "test"}
	if err = c.Begin(); err != nil {
		return err
	}
	defer c.End(&err)
	return f()
}

func (j *jar) put() {
	_ = j.call(func() error {
		j.n.Add(1)
		return nil
	})
	if !j.quiet {
		j.ring()
	}
}

func (j *jar) ring() {
	_ = j.call(func() error {
		j.bells.Ring(layout.BellReadable)
		return nil
	})
}

func (j *jar) take() (err error) {
	return j.call(func() error {
		defer j.bells.Settle()
		for n := j.n.Load(); n > 0; n = j.n.Load() {
			if j.n.CompareAndSwap(n, n-1) {
				return nil
			}
		}
		return ipcerr.Empty
	})
}

func (j *jar) fd(t testing.TB) (fd int) {
	t.Helper()
	fd, err := j.bells.At(layout.BellReadable).PollFD()
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// wait polls the descriptor until it is readable.
func wait(fd int, d time.Duration) bool {
	for end := time.Now().Add(d); ; {
		ts := unix.NsecToTimespec(int64(max(0, time.Until(end))))
		n, err := unix.Ppoll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, &ts, nil)
		if err != unix.EINTR {
			return n == 1
		}
	}
}

// newRoot makes a root, in which the test must leave nothing.
func newRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-doorbell-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if all := files(t, dir); len(all) > 0 {
			t.Errorf("left in the root: %v", all)
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}

func files(t testing.TB, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.Name() != "members" {
			names = append(names, f.Name())
		}
	}
	return names
}

// TestMain is also another process of the tests. No watchdog helps: what it would have to mend is a hang.
func TestMain(m *testing.M) {
	longest = time.Hour
	what, root := os.Getenv("POLYIPC_ACT"), os.Getenv("POLYIPC_ROOT")
	if what == "" {
		os.Exit(m.Run())
	}
	t := &testing.B{}
	j := openJar(t, root, "jar")
	switch what {
	case "watch":
		j.fd(t)
	case "put":
		j.put()
	}
	fmt.Println("ready")
	for {
		time.Sleep(time.Hour)
	}
}

// other starts a process that does what it is told to the jar, and then waits to be killed.
func other(t *testing.T, root, what string) (kill func()) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "POLYIPC_ACT="+what, "POLYIPC_ROOT="+root)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	kill = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	t.Cleanup(kill)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the other process says %q: %v", line, err)
	}
	return kill
}
