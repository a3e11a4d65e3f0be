package serve_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/serve"
	"github.com/polyipc/polyipc/runtime/manager"
)

// TestBells calls a server that sleeps: it is rung for.
func TestBells(t *testing.T) {
	w := newWorld(t, false, manager.Options{})
	quickest := time.Hour
	for range 20 {
		time.Sleep(5 * time.Millisecond)
		began := time.Now()
		w.do(w.good, 0, "ping", 1)
		quickest = min(quickest, time.Since(began))
	}
	if quickest > 50*time.Millisecond { // a client that waits rings unasked, after 90 ms
		t.Errorf("no answer came within %v", quickest)
	}
}

// TestBellsCleared has somebody clear the bits by which the server asks its clients to ring: they do so in a while.
func TestBellsCleared(t *testing.T) {
	w := newWorld(t, false, manager.Options{})
	f, err := os.OpenFile(w.root+"/test", os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	mem, err := unix.Mmap(int(f.Fd()), 0, layout.ManagerHeaderBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	must(t, err)
	defer func() { must(t, unix.Munmap(mem)) }()
	words := layout.BellWords(mem)
	for range 5 {
		w.do(w.good, 0, "ping", 1)
		for began := time.Now(); words[0].Load()&layout.RingOnSend == 0; time.Sleep(time.Millisecond) {
			if time.Since(began) > patience {
				t.Fatal("the server does not sleep")
			}
		}
		for i := range words {
			words[i].Store(0)
		}
		ctx, cancel := context.WithTimeout(context.Background(), promptly)
		if _, err := w.good.Do(ctx, &manager.Call{Method: "ping", Args: pack(1)}); err != nil {
			t.Error(err)
		}
		cancel()
	}
}

// TestHeirOfASocket kills a client whose socket somebody else has, too, as a child that it forked would: what it held is free.
func TestHeirOfASocket(t *testing.T) {
	if root := os.Getenv("POLYIPC_SERVE_HEIR"); root != "" {
		beInherited(&world{TB: t, root: root})
	}
	w := newWorld(t, false, manager.Options{})
	l := number(w.do(w.good, 0, "open", "l", "lock"))
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestHeirOfASocket$")
	cmd.Env = append(os.Environ(), "POLYIPC_SERVE_HEIR="+w.root)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	heir := 0
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Error(err)
	} else if _, err := fmt.Sscanf(line, "heir %d", &heir); err != nil {
		t.Errorf("%q: %v", strings.TrimSpace(line), err)
	}
	must(t, cmd.Process.Kill())
	if v := w.do(w.good, l, "acquire"); v != int64(2) {
		t.Errorf("acquire says %v", v)
	}
	if heir != 0 {
		must(t, syscall.Kill(heir, syscall.SIGKILL))
	}
	_ = cmd.Wait()
}

// beInherited is a client that holds the lock, starts a child that has its socket, and waits for the kill.
func beInherited(w *world) {
	r := w.raw()
	r.send(call(1, 1, "acquire"))
	r.answer(1)
	r.send([]byte{0x92, 3, 1}) // the ack
	cmd := exec.Command("sleep", "60")
	cmd.ExtraFiles = []*os.File{os.NewFile(uintptr(r.fd), "socket")}
	must(w, cmd.Start())
	fmt.Printf("heir %d\n", cmd.Process.Pid)
	time.Sleep(patience)
}

// TestBellsOfHosts looks at the bell words of a host and of who calls it: that both wait for a third process, and that the
// server looks at their pipes, unasked, when they have something to say.
func TestBellsOfHosts(t *testing.T) {
	const look = 100 * time.Millisecond
	serve.Look(t, look)
	w := newWorld(t, false, manager.Options{})
	w.during(func() {
		host, caller := w.raw(), w.raw()
		defer host.close()
		defer caller.close()
		hosts, callers := host.place.Bell(int(host.welcome.Slot)), caller.place.Bell(int(caller.welcome.Slot))
		until := func(what string, so func() bool) {
			for began := time.Now(); !so(); time.Sleep(100 * time.Microsecond) {
				if time.Since(began) > patience {
					t.Fatal(what)
				}
			}
		}
		host.send(call(1, 0, "register", "T", []any{"m"}))
		host.answer(1)
		until("a host does not know that it is one", func() bool { return hosts.Load()&layout.AtHost != 0 })

		looks := func(word *atomic.Uint32) int {
			for began := time.Now(); time.Since(began) < look/4; time.Sleep(100 * time.Microsecond) {
				if word.Load()&layout.RingOnSend == 0 {
					return 1
				}
			}
			return 0
		}
		// One time can be chance, as when this test had to wait for a processor.
		const sure = 3
		looked, lookedBack := 0, 0
		object := uint64(0)
		for i := uint64(1); i < 30 && (looked < sure || lookedBack < sure); i++ {
			until("the server does not sleep", func() bool { return hosts.Load()&callers.Load()&layout.RingOnSend != 0 })
			if object == 0 {
				caller.send(call(i, 0, "create", "T"))
			} else {
				caller.send(call(i, object, "m"))
			}
			m, err := host.pipe.Recv(soon(w))
			must(w, err)
			var s codec.Scanner
			_, n, _, err := frame.Head(&s, m.Body)
			must(w, err)
			if callers.Load()&layout.AtHost == 0 {
				t.Error("a caller does not know that it waits for a host")
			}
			looked += looks(hosts)
			host.send(frame.AppendResult(nil, frame.Result, n, nil))
			_, s = caller.answer(i)
			if object == 0 {
				v, err := s.Value()
				must(w, err)
				ref, err := codec.Decode(v)
				must(w, err)
				object = number(ref)
			}
			lookedBack += looks(callers)
		}
		if looked < sure || lookedBack < sure {
			t.Errorf("the server looks at the host's pipe %d times, at the caller's %d times", looked, lookedBack)
		}
		caller.send(call(1000, 0, "ping", 1))
		caller.answer(1000)
		until("who calls the manager waits for a host for ever", func() bool { return callers.Load()&layout.AtHost == 0 })
		if hosts.Load()&layout.AtHost == 0 {
			t.Error("a host is none any more")
		}
	})
}
