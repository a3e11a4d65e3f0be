package member

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/shm"
)

// helpers are what other processes of a test do: the test binary runs itself with $MEMBER_HELPER.
var helpers = map[string]func(r *shm.Root) error{}

func TestMain(m *testing.M) {
	name := os.Getenv("MEMBER_HELPER")
	if name == "" {
		os.Exit(m.Run())
	}
	r, err := shm.OpenRoot(os.Args[1])
	if err == nil {
		err = helpers[name](r)
	}
	if err != nil {
		fmt.Println("helper failed:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func say(a ...any) { fmt.Println(a...) }

// waitStdin blocks a helper until its test lets it go on.
func waitStdin() { _, _ = io.Copy(io.Discard, os.Stdin) }

type process struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func command1(name string, r *shm.Root, env ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", r.Path())
	cmd.Env = append(append(os.Environ(), "MEMBER_HELPER="+name), env...)
	cmd.Stderr = os.Stderr
	return cmd
}

func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	p := &process{t, cmd, in, bufio.NewReader(out)}
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	return p
}

func (p *process) line() string {
	p.t.Helper()
	s, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("the helper said %q and ended: %v", s, err)
	}
	return strings.TrimSuffix(s, "\n")
}

// token reads the token that a helper says it has.
func (p *process) token() uint32 {
	p.t.Helper()
	s := p.line()
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		p.t.Fatalf("the helper said %q", s)
	}
	return uint32(n)
}

func (p *process) finish() {
	p.t.Helper()
	_ = p.in.Close()
	rest, _ := io.ReadAll(p.out)
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("the helper: %v: %s", err, rest)
	}
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(s))
}

// testRoot makes a root and checks in the end that no descriptor and no mapping of it is left.
func testRoot(t *testing.T) *shm.Root {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-test-")
	must(t, err)
	r, err := shm.OpenRoot(dir)
	must(t, err)
	t.Cleanup(func() {
		if !t.Failed() {
			if left := descriptors(t, dir); left > 0 {
				t.Errorf("%d descriptors are left", left)
			}
			if mappings(t, dir) {
				t.Error("a mapping is left")
			}
			joined.Lock()
			if len(joined.by) > 0 {
				t.Error("a membership is left")
			}
			joined.Unlock()
		}
		_ = os.RemoveAll(dir)
	})
	return r
}

// descriptors counts those of this process that are of files in dir.
func descriptors(t *testing.T, dir string) (n int) {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	for _, e := range all {
		if to, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.HasPrefix(to, dir) {
			n++
		}
	}
	return n
}

func mappings(t *testing.T, dir string) bool {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	must(t, err)
	return strings.Contains(string(maps), dir)
}

func join1(t *testing.T, r *shm.Root) *Member {
	t.Helper()
	m, err := Join(r)
	must(t, err)
	return m
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// becomes waits until Alive says what it should, and returns how long that took.
func becomes(t *testing.T, m *Member, token uint32, alive bool) time.Duration {
	t.Helper()
	begin := time.Now()
	for m.Alive(token) != alive {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("Alive(%#x) stays %v", token, !alive)
		}
		time.Sleep(100 * time.Microsecond)
	}
	return time.Since(begin)
}
