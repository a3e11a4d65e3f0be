package scale

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/manager"
)

// managed is the server of a process that is told to be one; it says where it is, and ends with its input.
func managed() error {
	s, err := manager.Serve("scale", manager.Options{Listen: "127.0.0.1:0", Key: []byte("key")})
	if err != nil {
		return err
	}
	fmt.Println(s.Address())
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	return s.Close()
}

// resident is how much memory a process has, in bytes.
func resident(t testing.TB, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	kib := 0
	for line := range strings.Lines(string(b)) {
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			break
		}
	}
	return kib << 10
}

// TestManager has 1,000 clients at once, half of them by pipe and half by TCP, with 100,000 objects. Within 10 seconds after
// they left, the server has no more memory than before, but for a fifth and 16 MiB.
func TestManager(t *testing.T) {
	const clients, each, patience = 1000, 100, 10 * time.Second
	descriptors(t, 16*clients)
	root := newRoot(t)
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "POLYIPC_ROOT="+root, "POLYIPC_SCALE=manager",
		"GOGC=off") // so that no collection of Go's own does by chance what is the server's to do
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	in, err := cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	address, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	address = strings.TrimSpace(address)
	connect := func(at string) (*manager.Client, error) {
		return manager.Connect(patient(), at, manager.Options{Root: root, Key: []byte("key")})
	}
	watcher, err := connect("scale")
	must(t, err)
	before := resident(t, cmd.Process.Pid)
	alone := quickest(t, watcher)

	all := make([]*manager.Client, clients)
	var group sync.WaitGroup
	for part := range 8 {
		group.Go(func() {
			for i := part; i < clients; i += 8 {
				c, err := connect([]string{"scale", address}[i%2])
				if err == nil {
					all[i] = c
					err = furnish(c, each)
				}
				if err != nil {
					t.Error(i, err)
					return
				}
			}
		})
	}
	group.Wait()
	stat, err := watcher.Stat(patient())
	must(t, err)
	if stat.Clients != clients+1 || stat.Objects != clients*each {
		t.Errorf("%d clients, %d objects", stat.Clients, stat.Objects)
	}
	most := resident(t, cmd.Process.Pid)
	if beside := quickest(t, watcher); beside > 2*alone+50*time.Microsecond {
		t.Errorf("a call takes %v alone, and %v beside %d who are idle", alone, beside, clients)
	}
	idle(t, cmd.Process.Pid)
	for _, c := range all {
		if c != nil {
			must(t, c.Close())
		}
	}
	left, longest := time.Now(), time.Duration(0)
	bound := before + before/5 + 16<<20
	for {
		now := resident(t, cmd.Process.Pid)
		if now <= bound {
			t.Logf("%d MiB before, %d MiB with all of them, %d MiB %.1f s after they left; a call took at most %v meanwhile",
				before>>20, most>>20, now>>20, time.Since(left).Seconds(), longest)
			break
		}
		if time.Since(left) > patience {
			t.Fatalf("%d MiB before, %d MiB with all of them, %d MiB after %v", before>>20, most>>20, now>>20, patience)
		}
		for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); { // giving memory back must hold up nobody
			began := time.Now()
			must(t, watcher.Ping(patient()))
			longest = max(longest, time.Since(began))
			time.Sleep(100 * time.Microsecond)
		}
	}
	stat, err = watcher.Stat(patient())
	must(t, err)
	if stat.Clients != 1 || stat.Objects != 0 || stat.References != 0 {
		t.Errorf("%+v", stat)
	}
	must(t, watcher.Close())
	must(t, in.Close())
	must(t, cmd.Wait())
}

// quickest is how long the quickest of some calls takes.
func quickest(t testing.TB, c *manager.Client) time.Duration {
	t.Helper()
	least := time.Hour
	for range 300 {
		began := time.Now()
		must(t, c.Ping(patient()))
		least = min(least, time.Since(began))
	}
	return least
}

// idle checks that a process takes no more than 1 % of a processor, once what it was busy with is done.
func idle(t testing.TB, pid int) {
	t.Helper()
	const over = time.Second
	used := time.Duration(0)
	for range 10 {
		before := worked(t, pid)
		time.Sleep(over)
		if used = worked(t, pid) - before; used <= over/100 {
			t.Logf("%v of a processor in %v", used, over)
			return
		}
	}
	t.Errorf("%v of a processor in %v, with nothing to do", used, over)
}

// worked is how long the threads of a process have run.
func worked(t testing.TB, pid int) (sum time.Duration) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	must(t, err)
	for _, file := range files {
		var ns int64
		b, _ := os.ReadFile(file)
		if _, err := fmt.Sscan(string(b), &ns); err != nil {
			t.Skip("no schedstat here: ", err)
		}
		sum += time.Duration(ns)
	}
	return sum
}

// furnish makes n objects, with something in them.
func furnish(c *manager.Client, n int) error {
	b := c.NewBatch()
	for i := range n {
		if i%2 == 0 {
			b.Add(c.Manager(), "create", "dict", map[string]any{"some": i, "text": "of a few words"})
		} else {
			b.Add(c.Manager(), "create", "list", []any{i, "and", 2.5})
		}
	}
	results, err := b.Do(context.Background())
	for i := range results {
		if err == nil {
			err = results[i].Err
		}
	}
	return err
}

// descriptors raises the limit of this process, and of those that it starts.
func descriptors(t *testing.T, n uint64) {
	t.Helper()
	var old syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old))
	if old.Max < n {
		t.Skipf("the limit of open files is %d; this takes %d", old.Max, n)
	}
	if old.Cur < n {
		must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: n, Max: old.Max}))
		t.Cleanup(func() { must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old)) })
	}
}
