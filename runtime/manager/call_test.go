package manager

import (
	"context"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// TestComplete ends a call with its context, and leaves alone what does not fit.
func TestComplete(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		c := connect()
		q := numberOf(t, do(t, c, 0, "create", "queue"))
		get, err := c.Start(soon(t), &Call{Object: q, Method: "get"})
		must(t, err)
		_, _, err = c.Complete(short(), get, -1)
		mustBe(t, err, ipcerr.Timeout)
		_, _, err = c.Complete(short(), get, -1)
		mustBe(t, err, ipcerr.Invalid)
		do(t, c, q, "put", "item")
		get, err = c.Start(soon(t), &Call{Object: q, Method: "get"})
		must(t, err)
		_, size, err := c.Complete(soon(t), get, 4)
		if mustBe(t, err, ipcerr.TooSmall); size != 5 {
			t.Error(size)
		}
		v, _, err := c.Complete(soon(t), get, 5)
		if must(t, err); string(v) != "\xa4item" {
			t.Errorf("%q", v)
		}
	})
}

type interruptible struct{ context.Context }

func (interruptible) Interruptible() bool { return true }

// TestInterruptible ends waits of who reads and of who does not, without a signal: one may have come between two sleeps.
func TestInterruptible(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		c := connect()
		q := numberOf(t, do(t, c, 0, "create", "queue"))
		ended := make(chan error)
		for range 2 {
			go func() {
				id, err := c.Start(soon(t), &Call{Object: q, Method: "get"})
				if err == nil {
					_, _, err = c.Complete(interruptible{soon(t)}, id, -1)
				}
				ended <- err
			}()
		}
		for range 2 {
			mustBe(t, <-ended, ipcerr.Interrupted)
		}
		_, err := c.Do(interruptible{soon(t)}, &Call{Object: q, Method: "get"})
		mustBe(t, err, ipcerr.Interrupted)
		if v := do(t, c, 0, "stat").(map[string]any)["parked"]; v != int64(2) {
			t.Error("two of the three go on:", v)
		}
	})
}

// TestAnswers has a host answer calls twice, and calls that there never were: nobody is hurt.
func TestAnswers(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		host, c := connect(), connect()
		mustBe(t, host.Reply(soon(t), 1, nil), ipcerr.Invalid)
		do(t, host, 0, "register", "Echo", []any{"say"})
		made, err := c.Start(soon(t), &Call{Method: "create", Args: pack("Echo")})
		must(t, err)
		h, _, err := host.NextCall(soon(t), -1)
		must(t, err)
		mustBe(t, host.Reply(soon(t), h.Call+1, nil), ipcerr.Invalid)
		mustBe(t, host.Reply(soon(t), h.Call, []byte{0xc1}), ipcerr.Invalid)
		big := make([]byte, frame.DefaultFrame)
		mustBe(t, host.Reply(soon(t), h.Call, pack(big)[1:]), ipcerr.TooLarge) // and may try again
		must(t, host.Reply(soon(t), h.Call, nil))
		mustBe(t, host.Reply(soon(t), h.Call, nil), ipcerr.Invalid)
		mustBe(t, host.Fail(soon(t), h.Call, &RemoteError{Type: "E"}), ipcerr.Invalid)
		_, _, err = c.Finish(soon(t), made, -1)
		must(t, err)
		must(t, host.Close())
		mustBe(t, host.Reply(soon(t), h.Call, nil), ipcerr.Closed)
	})
}

// TestServersDescriptorsElsewhere has somebody hold the server's side of a connection that ends, as a child does that its
// process forks: the next client gets the number of its descriptor, and must not get its end.
func TestServersDescriptorsElsewhere(t *testing.T) {
	root := newRoot(t)
	serveIn(t, Options{Root: root})
	first := connectTo(t, root)
	for fd := range 512 {
		_, err := unix.Getpeername(fd)
		own, _ := unix.Getsockname(fd)
		if at, ok := own.(*unix.SockaddrUnix); err != nil || !ok || !strings.HasPrefix(at.Name, root) {
			continue
		}
		held, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 512)
		must(t, err)
		defer func() { _ = unix.Close(held) }()
	}
	must(t, first.Close())
	for range 10 {
		c := connectTo(t, root)
		for i := range 100 {
			if v := do(t, c, 0, "ping", i); v != int64(i) {
				t.Fatal(v)
			}
		}
		must(t, c.Close())
	}
}

// TestConnectFarAway connects over a way that takes longer than an interruptible wait: nothing is begun anew.
func TestConnectFarAway(t *testing.T) {
	s := serveIn(t, Options{Key: []byte("secret"), Listen: "127.0.0.1:0"})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		time.Sleep(park.InterruptEvery * 3 / 2)
		to, err := net.Dial("tcp", strings.TrimPrefix(s.Address(), remotePrefix))
		if err != nil {
			return
		}
		go func() { _, _ = io.Copy(to, c) }()
		_, _ = io.Copy(c, to)
	}()
	// Go's own signal of preemption would be taken for one of the program's.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var was unix.Sigset_t
	must(t, unix.PthreadSigmask(unix.SIG_BLOCK, &unix.Sigset_t{Val: [16]uint64{1 << (unix.SIGURG - 1)}}, &was))
	defer func() { _ = unix.PthreadSigmask(unix.SIG_SETMASK, &was, nil) }()
	c, err := Connect(interruptible{soon(t)}, remotePrefix+l.Addr().String(), Options{Key: []byte("secret")})
	must(t, err)
	must(t, c.Close())
}
