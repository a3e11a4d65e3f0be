package shm

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// helpers are what other processes of a test do: the test binary runs itself with $SHM_HELPER.
var helpers = map[string]func(r *Root, args []string) error{}

func TestMain(m *testing.M) {
	if os.Getenv("SHM_WAY") == "tmp" {
		nameless.Store(false)
	}
	name := os.Getenv("SHM_HELPER")
	if name == "" {
		os.Exit(m.Run())
	}
	r, err := OpenRoot(os.Args[1])
	if err == nil {
		err = helpers[name](r, os.Args[2:])
	}
	if err != nil {
		fmt.Println("helper failed:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// process is a running helper.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(t *testing.T, r *Root, name string, args ...string) *process {
	t.Helper()
	return startEnv(t, nil, r, name, args...)
}

func startEnv(t *testing.T, env []string, r *Root, name string, args ...string) *process {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", append([]string{r.Path()}, args...)...)
	cmd.Env = append(append(os.Environ(), "SHM_HELPER="+name), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	p := &process{t, cmd, in, bufio.NewReader(out)}
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	return p
}

// line returns what the helper says next.
func (p *process) line() string {
	p.t.Helper()
	s, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("the helper said %q and ended: %v", s, err)
	}
	return strings.TrimSuffix(s, "\n")
}

func (p *process) expect(want string) {
	p.t.Helper()
	if got := p.line(); got != want {
		p.t.Fatalf("the helper said %q, not %q", got, want)
	}
}

// finish lets the helper go on and waits for its good end.
func (p *process) finish() {
	p.t.Helper()
	_ = p.in.Close()
	rest, _ := io.ReadAll(p.out)
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("the helper: %v: %s", err, rest)
	}
}

func (p *process) kill() {
	p.t.Helper()
	must(p.t, p.cmd.Process.Kill())
	_ = p.cmd.Wait()
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(s))
}

// waitStdin blocks a helper until its test calls finish.
func waitStdin() { _, _ = io.Copy(io.Discard, os.Stdin) }

// testRoot makes a root of its own for a test, and checks afterwards that the test left no file in
// it, no descriptor and no mapping.
func testRoot(t *testing.T) *Root {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-test-")
	must(t, err)
	r, err := OpenRoot(dir)
	must(t, err)
	before := descriptors(t)
	t.Cleanup(func() {
		if !t.Failed() {
			if left := files(t, r); len(left) > 0 {
				t.Errorf("left in the root: %q", left)
			}
			for fd, to := range descriptors(t) {
				if before[fd] != to && strings.HasPrefix(to, dir) {
					t.Errorf("left open: %s -> %s", fd, to)
				}
			}
			if maps, _ := os.ReadFile("/proc/self/maps"); strings.Contains(string(maps), dir) {
				t.Errorf("left mapped:\n%s", maps)
			}
		}
		_ = os.RemoveAll(dir)
	})
	return r
}

func descriptors(t *testing.T) map[string]string {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	m := map[string]string{}
	for _, e := range all {
		m[e.Name()], _ = os.Readlink("/proc/self/fd/" + e.Name())
	}
	return m
}

func files(t *testing.T, r *Root) []string {
	t.Helper()
	all, err := r.fileNames()
	must(t, err)
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want fails unless err has the code, and says something useful.
func want(t *testing.T, err error, code ipcerr.Code) {
	t.Helper()
	if ipcerr.CodeOf(err) != code {
		t.Fatalf("got %v (%s), want %s", err, ipcerr.CodeOf(err).Name(), code.Name())
	}
	if code != 0 && len(err.Error()) < 20 {
		t.Fatalf("%q does not say enough", err)
	}
}

func wantFiles(t *testing.T, r *Root, names ...string) {
	t.Helper()
	if got := files(t, r); fmt.Sprint(got) != fmt.Sprint(names) {
		t.Fatalf("the root has %q, not %q", got, names)
	}
}

var testMembers = [16]byte{1, 2, 3}

func spec(flags layout.Flags) Spec {
	return Spec{Kind: layout.KindQueue, Flags: flags, Members: testMembers, Header: 4096, Data: layout.HeaderArea, Twice: true}
}

func ringSpec() Spec {
	s := spec(0)
	s.Kind = layout.KindRing
	return s
}

func create(t *testing.T, r *Root, name string, flags layout.Flags) *Object {
	t.Helper()
	o, err := r.Create(name, spec(flags))
	must(t, err)
	return o
}

func open(t *testing.T, r *Root, name string) *Object {
	t.Helper()
	o, err := r.Open(name, layout.KindQueue, testMembers, true)
	must(t, err)
	return o
}

func openCode(r *Root, name string) ipcerr.Code {
	o, err := r.Open(name, layout.KindQueue, testMembers, true)
	if err == nil {
		_ = o.Close()
	}
	return ipcerr.CodeOf(err)
}

func at(r *Root, name string) string { return filepath.Join(r.Path(), name) }
