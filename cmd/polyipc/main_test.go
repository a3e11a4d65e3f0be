package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/queue"
)

// executable is the command as users get it, built by TestMain.
var executable string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "polyipc-command-")
	if err == nil {
		executable = filepath.Join(dir, "polyipc")
		build := exec.Command("go", "build", "-o", executable, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stderr = os.Stderr
		err = build.Run()
	}
	code := 1
	if err == nil {
		code = m.Run()
	} else {
		fmt.Fprintln(os.Stderr, "building the command:", err)
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// newRoot makes a root that the commands of this test use. At the end there may be no object left
// but those named kept*, and no process in it.
func newRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-test-")
	must(t, err)
	t.Setenv("POLYIPC_ROOT", dir)
	t.Cleanup(func() {
		files, err := os.ReadDir(dir)
		must(t, err)
		for _, f := range files {
			if f.Name() != "members" && !strings.HasPrefix(f.Name(), "kept") {
				t.Errorf("left in the root: %s", f.Name())
			}
		}
		if out := polyipc("ls", "-p").ok(t); out != "" {
			t.Errorf("left in the root:\n%s", out)
		}
		must(t, os.RemoveAll(dir))
	})
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// result is what a run of the command did.
type result struct {
	args      []string
	out, errs string
	code      int
}

func polyipc(args ...string) result { return polyipcIn("", args...) }

// polyipcIn runs the command with a standard input. It is killed if it takes unreasonably long.
func polyipcIn(in string, args ...string) result {
	var out, errs bytes.Buffer
	cmd := exec.Command(executable, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, &errs
	err := cmd.Start()
	if err == nil {
		late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		err = cmd.Wait()
		late.Stop()
	}
	r := result{args, out.String(), errs.String(), 0}
	if err != nil {
		r.code = -1
		if exit := new(exec.ExitError); errors.As(err, &exit) {
			r.code = exit.ExitCode()
		}
	}
	return r
}

// ok expects success without a message, and returns the output.
func (r result) ok(t *testing.T) string {
	t.Helper()
	if r.code != 0 || r.errs != "" {
		t.Fatalf("polyipc %q: exit code %d, %s", r.args, r.code, r.errs)
	}
	return r.out
}

// fails expects an exit code, no output, and a message that matches a pattern.
func (r result) fails(t *testing.T, code int, message string) {
	t.Helper()
	if r.code != code || r.out != "" || !regexp.MustCompile(message).MatchString(r.errs) {
		t.Errorf("polyipc %q: exit code %d, output %q, message %q; want %d, none, %q", r.args, r.code, r.out, r.errs, code, message)
	}
	if strings.Contains(r.errs, "goroutine ") {
		t.Errorf("polyipc %q panicked", r.args)
	}
}

func (r result) prints(t *testing.T, want string) {
	t.Helper()
	if out := r.ok(t); out != want {
		t.Errorf("polyipc %q: printed %q, want %q", r.args, out, want)
	}
}

// parsed returns the output, which must be one JSON value.
func parsed[T any](t *testing.T, r result) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.ok(t)), &v); err != nil {
		t.Fatalf("polyipc %q: %v in %q", r.args, err, r.out)
	}
	return v
}

// statJSON is the form of stat --json, written down apart from the code that makes it.
type statJSON struct {
	Name, Kind, Lifetime string
	InUse                bool `json:"in_use"`
	Blocked              bool
	Counts               *struct {
		Messages, Leased, Unfinished, Bytes, Capacity, Put, Taken, Redelivered int64
		MaxSize                                                                int64 `json:"max_size"`
	}
	Rates *struct {
		Put float64 `json:"put_per_second"`
	}
	Locks, Waiters, Leases []struct {
		What       string
		Seconds    float64
		Pid        int
		Command    string
		Alive      bool
		Deliveries int
		Bytes      int64
	}
}

func stat(t *testing.T, name string) statJSON {
	t.Helper()
	return parsed[statJSON](t, polyipc("stat", name, "--json", "--interval", "0"))
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// running is a command in the background.
type running struct {
	t         *testing.T
	cmd       *exec.Cmd
	out, errs bytes.Buffer
}

// begin starts the command in a process group of its own; stdout may be nil.
func begin(t *testing.T, stdin, stdout *os.File, args ...string) *running {
	t.Helper()
	r := &running{t: t, cmd: exec.Command(executable, args...)}
	r.cmd.Stderr = &r.errs
	if stdin != nil {
		r.cmd.Stdin = stdin
	}
	if r.cmd.Stdout = &r.out; stdout != nil {
		r.cmd.Stdout = stdout
	}
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, r.cmd.Start())
	t.Cleanup(func() { r.signal(syscall.SIGKILL) })
	return r
}

// signal goes to the whole group, as from a terminal.
func (r *running) signal(s syscall.Signal) { _ = syscall.Kill(-r.cmd.Process.Pid, s) }

// ends waits for the exit code.
func (r *running) ends(code int) result {
	r.t.Helper()
	late := time.AfterFunc(time.Minute, func() { r.signal(syscall.SIGKILL) })
	defer late.Stop()
	_ = r.cmd.Wait()
	if got := r.cmd.ProcessState.ExitCode(); got != code {
		r.t.Errorf("polyipc %q: %v, want exit code %d; %s", r.cmd.Args[1:], r.cmd.ProcessState, code, r.errs.String())
	}
	return result{r.cmd.Args[1:], r.out.String(), r.errs.String(), r.cmd.ProcessState.ExitCode()}
}

// waitsFor waits until the process sleeps on the queue.
func (r *running) waitsFor(name, what string) {
	r.t.Helper()
	eventually(r.t, "it waits for "+what, func() bool {
		for _, w := range stat(r.t, name).Waiters {
			if w.Pid == r.cmd.Process.Pid && w.What == what {
				return true
			}
		}
		return false
	})
}

// open opens a queue in the test's own process.
func open(t *testing.T, dir, name string) *queue.Queue {
	t.Helper()
	q, err := queue.Open(name, queue.Options{Root: dir})
	must(t, err)
	t.Cleanup(func() { _ = q.Close() })
	return q
}
