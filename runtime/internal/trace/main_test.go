package trace

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// The environment is read once a process, so what it does is tested in processes of their own.
func TestMain(m *testing.M) {
	if what := os.Getenv("TRACE_ACT"); what != "" {
		act(what)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// event is what the runtime does when something happened.
func event(l slog.Level, name string, args ...any) {
	if On(l) {
		Note(l, name, "thing", args...)
	}
	Flush()
}

func act(what string) {
	switch what {
	case "all levels":
		for range 2 {
			event(slog.LevelDebug, "d")
			event(slog.LevelInfo, "i")
			event(slog.LevelWarn, "w")
			event(slog.LevelError, "e")
		}
	case "elsewhere": // as a daemon goes to another directory
		Start()
		check(os.Chdir("/"))
		event(slog.LevelError, "e")
	case "many":
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for i := range 200 {
					event(slog.LevelInfo, "many", "i", i, "filler", strings.Repeat("x", i))
				}
			})
		}
		all.Wait()
	case "little room":
		check(unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 120, Max: 120}))
		event(slog.LevelInfo, "first")
		event(slog.LevelInfo, "second")
	case "long":
		event(slog.LevelInfo, "long", "filler", strings.Repeat("x", 10000))
	case "descriptors":
		before := descriptors()
		event(slog.LevelError, "e")
		if after := descriptors(); after != before {
			panic(before + " became " + after)
		}
	case "stderr is ours": // closed, and its number given to an object
		check(unix.Close(2))
		fd, err := unix.Open(os.Getenv("TRACE_FILE"), unix.O_RDWR|unix.O_CLOEXEC, 0)
		check(err)
		if fd != 2 {
			panic(fd)
		}
		event(slog.LevelError, "e")
	case "stderr is closed":
		check(unix.Close(2))
		event(slog.LevelError, "e")
	case "stderr is full":
		for range 1000 {
			event(slog.LevelError, "e", "filler", strings.Repeat("x", 1000))
		}
		fmt.Println("done")
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func descriptors() string {
	d, err := os.ReadDir("/proc/self/fd")
	check(err)
	var names []string
	for _, e := range d {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// command is this binary, about to act with $POLYIPC_LOG so; "" is unset.
func command(t *testing.T, what, value string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), "TRACE_ACT="+what, "GORACE=atexit_sleep_ms=0"), env...)
	if value != "" {
		cmd.Env = append(cmd.Env, Variable+"="+value)
	}
	return cmd
}

// run returns what it wrote to stderr; it must have ended well and written nothing to stdout.
func run(t *testing.T, what, value string, env ...string) string {
	t.Helper()
	cmd := command(t, what, value, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil || out.Len() > 0 {
		t.Fatalf("%s with %q: %v, %s%s", what, value, err, out.String(), errs.String())
	}
	return errs.String()
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func logFile(t *testing.T) string { return filepath.Join(t.TempDir(), "log") }
