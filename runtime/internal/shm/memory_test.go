package shm

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// told makes the kernel say what the files say, and returns what is left then.
func told(t *testing.T, files map[string]string) (int64, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(name), 0o700))
		must(t, os.WriteFile(name, []byte(text), 0o600))
	}
	oldProc, oldCgroup := procDir, cgroupDir
	procDir, cgroupDir = dir+"/proc", dir+"/cg"
	defer func() { procDir, cgroupDir = oldProc, oldCgroup }()
	return memoryLeft()
}

func TestMemoryLeft(t *testing.T) {
	const mib = 1 << 20
	meminfo := "MemTotal: 1048576 kB\nMemFree: 1 kB\nMemAvailable:  524288 kB\nSwapFree: 1024 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		left  int64
		whose string
	}{
		"nothing known": {nil, math.MaxInt64, "memory"},
		"no cgroup":     {map[string]string{"proc/meminfo": meminfo}, (512 + 1 - 16) * mib, "machine"},
		"v2, in a container": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n",
			"cg/memory.max": "104857600\n", "cg/memory.current": "52428800\n", "cg/memory.swap.max": "0\n", "cg/memory.swap.current": "0\n",
			"cg/memory.stat": "anon 1\nactive_file 1048576\ninactive_file 2097152\n"}, 50*mib + 3*mib - 100*mib/32, "cgroup /"},
		"v2, swap": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n",
			"cg/memory.max": "104857600\n", "cg/memory.current": "52428800\n", "cg/memory.swap.max": "max\n"}, 51*mib - 100*mib/32, "cgroup /"},
		"v2, nearest level": {map[string]string{"proc/self/cgroup": "0::/a/b/c\n",
			"cg/memory.max": "max\n", "cg/memory.current": "5\n",
			"cg/a/memory.max": "67108864\n", "cg/a/memory.current": "67108864\n",
			"cg/a/b/memory.max": "134217728\n", "cg/a/b/memory.current": "0\n"}, -2 * mib, "cgroup /a"},
		"v1": {map[string]string{"proc/self/cgroup": "4:memory:/x\n3:cpu,cpuacct:/y\n0::/\n",
			"cg/memory/memory.limit_in_bytes": "9223372036854771712\n", "cg/memory/memory.usage_in_bytes": "1\n",
			"cg/memory/x/memory.limit_in_bytes": "33554432\n", "cg/memory/x/memory.usage_in_bytes": "1048576\n",
			"cg/memory/x/memory.stat": "active_file 9\ntotal_inactive_file 4096\n"}, 31*mib + 4096 - mib, "cgroup /x"},
		"v1, in a container": {map[string]string{"proc/self/cgroup": "4:hugetlb,memory:/docker/0123\n",
			"cg/memory/memory.limit_in_bytes": "33554432\n", "cg/memory/memory.usage_in_bytes": "0\n"}, 31 * mib, "cgroup /"},
		"nonsense": {map[string]string{"proc/meminfo": "MemAvailable:\n", "proc/self/cgroup": "x\n0::../..\n::\n",
			"cg/memory.max": "-\n", "cg/memory.current": ""}, math.MaxInt64, "memory"},
	} {
		if left, whose := told(t, c.files); left != c.left || !strings.HasSuffix(whose, c.whose) && !strings.Contains(whose, c.whose) {
			t.Errorf("%s: %d of %q, want %d of %q", name, left, whose, c.left, c.whose)
		}
	}
}

// In a cgroup with little memory and a root with plenty of room, the limit is an error. Without
// the question the kernel kills the helper.
func TestMemoryLimit(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make a cgroup")
	}
	group, limit := "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
	if _, err := os.Stat(group + "/" + limit); err != nil {
		group, limit = "/sys/fs/cgroup", "memory.max"
	}
	group = filepath.Join(group, "polyipc-test-"+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Skip("cannot make a cgroup here:", err)
	}
	defer func() { _ = os.Remove(group) }()
	if err := os.WriteFile(filepath.Join(group, limit), []byte("67108864"), 0o600); err != nil {
		t.Skip("cannot limit memory here:", err)
	}
	r := testRoot(t)
	p := start(t, r, "poor", group)
	if s := p.line(); s != "done" {
		t.Fatal(s)
	}
	p.finish() // all that it made must go before the group can
}

func init() {
	helpers["poor"] = func(r *Root, args []string) error {
		if err := os.WriteFile(args[0]+"/cgroup.procs", []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
			return err
		}
		s := spec(layout.Transient)
		s.Data = 128 << 20
		_, err := r.Create("x", s)
		if err := expect(err, ipcerr.NoSpace); err != nil {
			return err
		}
		if !strings.Contains(err.Error(), "cgroup") {
			return fmt.Errorf("%q does not say why", err)
		}
		o, err := r.Create("x", spec(layout.Transient))
		if err != nil {
			return err
		}
		n := uint64(0)
		for err == nil && n < 1000 {
			n++
			err = r.WritePart(o.UUID, 'm', n, testMembers, make([]byte, 1<<20))
		}
		if err := expect(err, ipcerr.NoSpace); err != nil {
			return err
		}
		if n < 20 {
			return fmt.Errorf("only %d MiB of 64 could be used", n)
		}
		if err := o.Close(); err != nil {
			return err
		}
		println1("done")
		return nil
	}
}

func BenchmarkMemoryLeft(b *testing.B) {
	for b.Loop() {
		memoryLeft()
	}
}

func BenchmarkCreateClose(b *testing.B) {
	r, err := OpenRoot(filepath.Join("/dev/shm", "polyipc-bench-"+strconv.Itoa(os.Getpid())))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = os.Remove(r.Path()) }()
	for b.Loop() {
		o, err := r.Create("", spec(layout.Transient))
		if err == nil {
			err = o.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMessagePart(b *testing.B) {
	r, err := OpenRoot(filepath.Join("/dev/shm", "polyipc-bench-"+strconv.Itoa(os.Getpid())))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = os.Remove(r.Path()) }()
	buf := make([]byte, 1<<20)
	b.SetBytes(1 << 20)
	for b.Loop() {
		if err := r.WritePart([16]byte{1}, 'm', 1, testMembers, buf); err != nil {
			b.Fatal(err)
		}
		if err := r.ReadPart([16]byte{1}, 'm', 1, testMembers, buf); err != nil {
			b.Fatal(err)
		}
		if err := r.RemovePart([16]byte{1}, 'm', 1); err != nil {
			b.Fatal(err)
		}
	}
}
