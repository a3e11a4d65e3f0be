package queue

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// The benchmarks that need a second process run this binary again with $POLYIPC_PEER set.
func TestMain(m *testing.M) {
	if name := os.Getenv("POLYIPC_HOLD"); name != "" {
		hold(name)
		return
	}
	if name := os.Getenv("POLYIPC_PEER"); name != "" {
		peer(name)
		return
	}
	os.Exit(m.Run())
}

// peer empties the queue, or sends back what comes, until its standard input ends.
func peer(name string) {
	in, err := Open(name, Options{Root: os.Getenv("POLYIPC_ROOT")})
	if err != nil {
		panic(err)
	}
	var out *Queue
	if back := os.Getenv("POLYIPC_PEER_BACK"); back != "" {
		if out, err = Open(back, Options{Root: os.Getenv("POLYIPC_ROOT")}); err != nil {
			panic(err)
		}
	}
	buf := make([]byte, 1<<20)
	for {
		n, _, err := in.GetInto(ctx, buf)
		if err != nil {
			return
		}
		if out != nil {
			if err := out.Put(ctx, buf[:n], Raw); err != nil {
				return
			}
		}
	}
}

func startPeer(b *testing.B, in, back *Queue) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "POLYIPC_PEER="+in.Name(), "POLYIPC_ROOT="+in.obj.Root.Path())
	if back != nil {
		cmd.Env = append(cmd.Env, "POLYIPC_PEER_BACK="+back.Name())
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Shutdown(true)
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	})
}

func BenchmarkPutGet(b *testing.B) {
	q := fresh(b, Options{})
	body := make([]byte, 64)
	for b.Loop() {
		_ = q.TryPut(body, Raw)
		_, _, _ = q.TryGetInto(body)
	}
}

func BenchmarkLeaseAck(b *testing.B) {
	q := fresh(b, Options{})
	body := make([]byte, 64)
	for b.Loop() {
		_ = q.TryPut(body, Raw)
		l, _, _, _ := q.TryLeaseInto(body)
		_ = q.Ack(l)
	}
}

func BenchmarkOneWay(b *testing.B) {
	for _, size := range []int{16, 64, 1024, 65536, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			q := fresh(b, Options{Capacity: max(1<<20, 4*int64(size)+4096)})
			startPeer(b, q, nil)
			body := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				if err := q.Put(ctx, body, Raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	for _, size := range []int{64, 65536} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			there := fresh(b, Options{Capacity: 1 << 20})
			back, err := Create("", Options{Root: there.obj.Root.Path(), Capacity: 1 << 20})
			if err != nil {
				b.Fatal(err)
			}
			defer back.Close()
			startPeer(b, there, back)
			body := make([]byte, size)
			for b.Loop() {
				_ = there.Put(ctx, body, Raw)
				_, _, _ = back.GetInto(ctx, body)
			}
		})
	}
}
