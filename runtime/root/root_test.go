package root

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/queue"
)

// TestMain is also another process of the tests: it makes a transient queue and holds it until it
// is killed.
func TestMain(m *testing.M) {
	dir := os.Getenv("ROOT_TEST_HOLDER")
	if dir == "" {
		os.Exit(m.Run())
	}
	if _, err := queue.Create("theirs", queue.Options{Root: dir, Transient: true}); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	time.Sleep(time.Minute) // ends with its parent at the latest
	os.Exit(1)
}

func newRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-test-")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, name string, o queue.Options) *queue.Queue {
	t.Helper()
	q, err := queue.Create(name, o)
	must(t, err)
	t.Cleanup(func() { _ = q.Close() })
	return q
}

func find(t *testing.T, dir, name string) Object {
	t.Helper()
	o, err := Find(dir, name)
	must(t, err)
	return o
}

func TestThereIsNoRoot(t *testing.T) {
	dir := filepath.Join(newRoot(t), "none")
	if all, err := List(dir); err != nil || len(all) != 0 {
		t.Errorf("list: %v %v", all, err)
	}
	if all, err := Processes(dir); err != nil || len(all) != 0 {
		t.Errorf("processes: %v %v", all, err)
	}
	if n, err := GC(dir); err != nil || n != 0 {
		t.Errorf("gc: %v %v", n, err)
	}
	if _, err := Find(dir, "x"); !errors.Is(err, ipcerr.NotFound) {
		t.Errorf("find: %v", err)
	}
	if err := Remove(dir, "x"); !errors.Is(err, ipcerr.NotFound) {
		t.Errorf("remove: %v", err)
	}
	if _, err := os.Lstat(dir); !os.IsNotExist(err) {
		t.Errorf("looking at the root made it: %v", err)
	}
}

func TestPath(t *testing.T) {
	def := fmt.Sprintf("/dev/shm/polyipc-%d", os.Geteuid())
	if _, err := os.Lstat(def); os.IsNotExist(err) {
		t.Cleanup(func() { _ = os.Remove(def) }) // only if it is still empty
	}
	dir := newRoot(t)
	t.Chdir(dir)
	for _, c := range []struct{ env, dir string }{{"", ""}, {dir + "/a/", ""}, {dir, "b"}, {"", dir + "/../" + filepath.Base(dir)}} {
		t.Setenv(shm.EnvRoot, c.env)
		if c.env == dir+"/a/" {
			must(t, os.Mkdir(c.env, 0o700))
		}
		r, err := shm.OpenRoot(c.dir)
		must(t, err)
		if Path(c.dir) != r.Path() {
			t.Errorf("Path(%q) with root %q is %q, but objects are in %q", c.dir, c.env, Path(c.dir), r.Path())
		}
	}
}

func TestListAndFind(t *testing.T) {
	dir := newRoot(t)
	before := time.Now()
	kept := create(t, "kept", queue.Options{Root: dir, Pickle: true})
	open := create(t, "open", queue.Options{Root: dir, Transient: true})
	must(t, kept.Put(context.Background(), make([]byte, 1<<20), queue.Raw)) // too large for its ring: a part
	must(t, kept.Close())

	all, err := List(dir)
	must(t, err)
	if len(all) != 2 || all[0].Name != "kept" || all[1].Name != "open" {
		t.Fatalf("list: %+v", all)
	}
	k, o := find(t, dir, "kept"), find(t, dir, "open")
	if k.Kind != "queue" || k.Transient || !k.Pickle || k.Users || k.Stale || k.Parts != 1 || k.Err != nil {
		t.Errorf("kept: %+v", k)
	}
	if k.Bytes < 1<<20 || o.Bytes > 1<<20 || o.Bytes < 64<<10 {
		t.Errorf("bytes: kept %d, open %d", k.Bytes, o.Bytes)
	}
	if o.Kind != "queue" || !o.Transient || o.Pickle || !o.Users || o.Stale || o.Parts != 0 || o.UUID == k.UUID {
		t.Errorf("open: %+v", o)
	}
	if age := o.Created.Sub(before); age < -time.Second || age > time.Minute {
		t.Errorf("created at %v, the test began at %v", o.Created, before)
	}

	must(t, Remove(dir, "kept"))
	must(t, Remove(dir, "open")) // in use: it goes on under its UUID
	all, err = List(dir)
	must(t, err)
	if len(all) != 1 || all[0].UUID != o.UUID || all[0].Name == "open" || all[0].Stale {
		t.Errorf("after removal: %+v", all)
	}
	must(t, open.Close())
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("left besides the members: %v %v", files, err)
	}
}

func TestWhatDoesNotBelong(t *testing.T) {
	dir := newRoot(t)
	q := create(t, "q", queue.Options{Root: dir})
	must(t, q.Put(context.Background(), make([]byte, 1<<20), queue.Raw))
	must(t, q.Close())
	must(t, os.Remove(dir+"/q")) // by hand: its message is an orphan now
	must(t, os.WriteFile(dir+"/junk", bytes.Repeat([]byte("junk"), 50000), 0o600))
	must(t, os.Mkdir(dir+"/sub", 0o700))

	all, err := List(dir)
	must(t, err)
	if len(all) != 3 {
		t.Fatalf("list: %+v", all)
	}
	slices.SortFunc(all, func(a, b Object) int { return cmp.Compare(len(b.Name), len(a.Name)) })
	orphan, junk, sub := all[0], all[1], all[2] // the orphan has a UUID in its name, and lengths differ
	if orphan.Kind != "message" || !orphan.Stale || orphan.Err != nil {
		t.Errorf("orphan: %+v", orphan)
	}
	if !errors.Is(junk.Err, ipcerr.Corrupt) || junk.Kind != "" || junk.Stale || junk.Bytes < 200000 {
		t.Errorf("junk: %+v", junk)
	}
	if !errors.Is(sub.Err, ipcerr.Corrupt) {
		t.Errorf("directory: %+v", sub)
	}

	if err := Remove(dir, "junk"); err != nil {
		t.Errorf("removing a damaged file: %v", err)
	}
	for name, code := range map[string]ipcerr.Code{
		"sub": ipcerr.Corrupt, "members": ipcerr.Invalid, "../x": ipcerr.Invalid, "": ipcerr.Invalid,
		orphan.Name: ipcerr.Invalid, "none": ipcerr.NotFound,
	} {
		if err := Remove(dir, name); !errors.Is(err, code) {
			t.Errorf("remove %q: %v, want %s", name, err, code.Name())
		}
	}
	if n, err := GC(dir); n != 1 || err != nil {
		t.Errorf("gc removed %d, %v; want the orphan alone", n, err)
	}
}

func TestOtherProcesses(t *testing.T) {
	dir := newRoot(t)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "ROOT_TEST_HOLDER="+dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	kill := func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	t.Cleanup(kill)
	line := make([]byte, 64)
	if n, _ := out.Read(line); string(line[:n]) != "ready\n" {
		t.Fatalf("the other process says %q", line[:n])
	}

	processes, err := Processes(dir)
	must(t, err)
	if len(processes) != 1 || processes[0].Pid != cmd.Process.Pid || processes[0].Language != "go" ||
		processes[0].Command != "/proc/self/exe" || time.Since(processes[0].Joined).Abs() > time.Minute {
		t.Errorf("processes: %+v", processes)
	}
	if o := find(t, dir, "theirs"); o.Stale || !o.Users {
		t.Errorf("while its maker lives: %+v", o)
	}
	kill()
	if processes, err = Processes(dir); err != nil || len(processes) != 0 {
		t.Errorf("processes after the kill: %+v %v", processes, err)
	}
	if o := find(t, dir, "theirs"); !o.Stale || o.Users {
		t.Errorf("after the kill: %+v", o)
	}
	if n, err := GC(dir); n != 1 || err != nil {
		t.Errorf("gc removed %d, %v", n, err)
	}

	// We see ourselves, too, though the kernel shows a lock to everyone but its holder.
	create(t, "", queue.Options{Root: dir})
	if processes, err = Processes(dir); err != nil || len(processes) != 1 || processes[0].Pid != os.Getpid() {
		t.Errorf("processes with us: %+v %v", processes, err)
	}
}

func TestDamagedMembers(t *testing.T) {
	dir := newRoot(t)
	must(t, os.WriteFile(dir+"/members", []byte("nonsense"), 0o600))
	if _, err := Processes(dir); !errors.Is(err, ipcerr.Corrupt) {
		t.Errorf("processes: %v", err)
	}
	all, err := List(dir)
	must(t, err)
	if len(all) != 1 || !errors.Is(all[0].Err, ipcerr.Corrupt) {
		t.Errorf("a damaged list of members is to be seen: %+v", all)
	}
	must(t, os.Remove(dir+"/members"))
	must(t, os.Symlink("/etc/passwd", dir+"/members"))
	if _, err := Processes(dir); err == nil {
		t.Error("the list of members may not be a link")
	}
}

func TestText(t *testing.T) {
	if s := text([]byte("a\x1b[31m\xff b\u00e9\u0085\x00rest")); s != "a?[31m? b\u00e9?" {
		t.Errorf("%q", s)
	}
}
