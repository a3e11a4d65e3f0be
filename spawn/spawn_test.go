package spawn_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/runtime/wait"
	"github.com/polyipc/polyipc/spawn"
)

var ctx = context.Background()

// acts are what the child of a test does: the test binary runs itself.
var acts = map[string]func() error{
	"echo": func() error {
		in, err := queue.Inherited("in", queue.Options{})
		if err != nil {
			return err
		}
		out, err := queue.Inherited("out", queue.Options{})
		if err != nil {
			return err
		}
		m, err := in.Get(ctx)
		if err != nil {
			return err
		}
		return errors.Join(out.Put(ctx, append(m.Body, '!'), m.Format), in.Close(), out.Close())
	},
	"twice": func() error {
		a, err := queue.Inherited("q", queue.Options{})
		if err != nil {
			return err
		}
		b, err := queue.Inherited("q", queue.Options{}) // its carried descriptor is gone, and its number perhaps a's
		if err != nil {
			return err
		}
		return errors.Join(a.Put(ctx, []byte("x"), queue.Raw), b.Put(ctx, []byte("y"), queue.Raw), a.Close(), b.Close())
	},
	"wrong": func() error {
		_, err := queue.Inherited("nothing", queue.Options{})
		if !errors.Is(err, ipcerr.NotFound) || !strings.Contains(err.Error(), "there are: a, b") {
			return fmt.Errorf("an unknown role: %w", err)
		}
		return nil
	},
	"grandchild": func() error {
		if _, err := queue.Inherited("a", queue.Options{}); err != nil {
			return err
		}
		// Neither that descriptor nor b's goes on to a program that knows nothing of polyipc.
		out, err := exec.Command("ls", "-l", "/proc/self/fd").Output()
		if err != nil || strings.Contains(string(out), os.Getenv("TEST_ROOT")) {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	},
	"sleep": func() error { time.Sleep(time.Hour); return nil },
}

func TestMain(m *testing.M) {
	act, is := acts[os.Getenv("TEST_ACT")]
	if !is {
		os.Exit(m.Run())
	}
	if err := act(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// start starts this binary to act. A command without objects sees none of an outer test's either.
func start(t *testing.T, root, act string, objects spawn.Objects) *spawn.Child {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "TEST_ACT="+act, "TEST_ROOT="+root)
	cmd.Stderr = os.Stderr
	c, err := spawn.Start(cmd, objects)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-spawn 100%-") // a path that has to be written with care
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		all, _ := os.ReadDir(dir)
		for _, f := range all {
			if f.Name() != "members" {
				t.Errorf("left in the root: %s", f.Name())
			}
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}

func create(t *testing.T, root, name string) *queue.Queue {
	t.Helper()
	q, err := queue.Create(name, queue.Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	return q
}

// TestAnonymous lets go of the queue that the child reads from before it can have opened it.
func TestAnonymous(t *testing.T) {
	root := newRoot(t)
	in, out := create(t, root, ""), create(t, root, "")
	if err := in.Put(ctx, []byte("hello"), queue.Raw); err != nil {
		t.Fatal(err)
	}
	c := start(t, root, "echo", spawn.Objects{"in": in, "out": out})
	_ = in.Close()
	m, err := out.Get(ctx)
	if err != nil || string(m.Body) != "hello!" {
		t.Errorf("%q %v", m.Body, err)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

// TestUnlinked takes the name away, and gives it to another queue, before the child looks.
func TestUnlinked(t *testing.T) {
	root := newRoot(t)
	old := create(t, root, "name")
	objects := spawn.Objects{"q": old}
	if err := old.Unlink(); err != nil {
		t.Fatal(err)
	}
	other := create(t, root, "name")
	c := start(t, root, "twice", objects)
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	if n, err := old.Size(); n != 2 || err != nil {
		t.Errorf("%d messages in the one that was handed over: %v", n, err)
	}
	_ = other.Unlink()
}

func TestRoles(t *testing.T) {
	root := newRoot(t)
	a, b := create(t, root, ""), create(t, root, "")
	for _, act := range []string{"wrong", "grandchild"} {
		if err := start(t, root, act, spawn.Objects{"a": a, "b": b}).Wait(); err != nil {
			t.Error(err)
		}
	}
	_, err := spawn.Start(exec.Command("true"), spawn.Objects{"a b": a})
	if !errors.Is(err, ipcerr.Invalid) {
		t.Error(err)
	}
}

func TestChildIsWaitable(t *testing.T) {
	root := newRoot(t)
	q := create(t, root, "")
	sleeper := start(t, root, "sleep", nil)
	quick := start(t, root, "twice", spawn.Objects{"q": q})
	ready, err := wait.Any(ctx, sleeper, quick)
	if err != nil || len(ready) != 1 || ready[0] != 1 {
		t.Error(ready, err)
	}
	if err := quick.Wait(); err != nil {
		t.Error(err)
	}
	if gone, err := quick.Ready(); !gone || err != nil {
		t.Error(gone, err)
	}
	_ = sleeper.Process.Kill()
	_ = sleeper.Wait()
}
