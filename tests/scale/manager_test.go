package scale

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
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
	cmd.Env = append(os.Environ(), "POLYIPC_ROOT="+root, "POLYIPC_SCALE=manager")
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
	for _, c := range all {
		if c != nil {
			must(t, c.Close())
		}
	}
	left := time.Now()
	bound := before + before/5 + 16<<20
	for {
		now := resident(t, cmd.Process.Pid)
		if now <= bound {
			t.Logf("%d MiB before, %d MiB with all of them, %d MiB %.1f s after they left", before>>20, most>>20, now>>20, time.Since(left).Seconds())
			break
		}
		if time.Since(left) > patience {
			t.Fatalf("%d MiB before, %d MiB with all of them, %d MiB after %v", before>>20, most>>20, now>>20, patience)
		}
		time.Sleep(50 * time.Millisecond)
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
