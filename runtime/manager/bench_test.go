package manager

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime/pprof"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is the server, in a process that a benchmark starts; else it runs the tests.
func TestMain(m *testing.M) {
	root := os.Getenv("POLYIPC_BENCH_SERVER")
	if root == "" {
		os.Exit(m.Run())
	}
	if file := os.Getenv("POLYIPC_BENCH_PROFILE"); file != "" {
		if f, err := os.Create(file); err == nil {
			_ = pprof.StartCPUProfile(f)
			defer pprof.StopCPUProfile()
		}
	}
	s, err := Serve("bench", Options{Root: root})
	if err != nil {
		panic(err)
	}
	_ = s.Wait(context.Background())
}

// other is a client of a server in another process. Beside the time, it reports what each process used of a
// processor.
func other(b *testing.B, f func(ctx context.Context, c *Client)) {
	root := newRoot(b)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "POLYIPC_BENCH_SERVER="+root)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(b, cmd.Start())
	ctx := context.Background()
	var c *Client
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		var err error
		if c, err = Connect(ctx, "bench", Options{Root: root}); err == nil {
			break
		}
		if time.Since(began) > patience {
			b.Fatal(err)
		}
	}
	mine, its := used(), usedBy(cmd.Process.Pid)
	f(ctx, c)
	b.StopTimer()
	n := float64(b.N)
	b.ReportMetric(float64(used()-mine)/n, "client-ns/op")
	b.ReportMetric(float64(usedBy(cmd.Process.Pid)-its)/n, "server-ns/op")
	must(b, c.Stop(ctx))
	must(b, cmd.Wait())
}

func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// usedBy is what a process has used, in the kernel's ticks of 10 ms.
func usedBy(pid int) time.Duration {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	words := strings.Fields(string(b))
	if len(words) < 15 {
		return 0
	}
	var user, system time.Duration
	_, _ = fmt.Sscan(words[13]+" "+words[14], &user, &system)
	return (user + system) * 10 * time.Millisecond
}

func BenchmarkDictSet(b *testing.B) {
	other(b, func(ctx context.Context, c *Client) {
		d, err := NewDict[string, int](ctx, c, nil)
		must(b, err)
		b.ReportAllocs()
		for b.Loop() {
			must(b, d.Set(ctx, "x", 7))
		}
	})
}

func BenchmarkCounterIncrement(b *testing.B) {
	other(b, func(ctx context.Context, c *Client) {
		n, err := NewCounter(ctx, c, 0)
		must(b, err)
		for b.Loop() {
			_, err := n.Increment(ctx, 1)
			must(b, err)
		}
	})
}

// BenchmarkBatch has 100 calls in each.
func BenchmarkBatch(b *testing.B) {
	other(b, func(ctx context.Context, c *Client) {
		d, err := NewDict[string, int](ctx, c, nil)
		must(b, err)
		batch := c.NewBatch()
		for b.Loop() {
			for i := range 100 {
				batch.Add(d.Object, "set", "x", i)
			}
			_, err := batch.Do(ctx)
			must(b, err)
		}
	})
}
