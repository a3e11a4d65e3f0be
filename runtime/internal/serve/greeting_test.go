package serve_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/serve"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/manager"
)

// turnedAway checks that the server says no, as it does to all, and hangs up.
func (r *raw) turnedAway(why string) {
	r.Helper()
	_ = unix.Shutdown(r.fd, unix.SHUT_WR)
	said := r.in
	for b := make([]byte, 4096); ; {
		n, err := unix.Read(r.fd, b)
		if err == unix.EAGAIN {
			r.Errorf("%s: the server neither answers nor hangs up", why)
		}
		if n <= 0 {
			break
		}
		said = append(said, b[:n]...)
	}
	if !bytes.Equal(said, frame.Refusal) {
		r.Errorf("%s: the server said %q", why, said)
	}
	r.close()
}

// introduction is what a client says that knows the key.
func (w *world) introduction(r *raw, hello, key []byte) []byte {
	me := frame.Introduction{Language: "go", Pid: 1}
	if r.place != nil {
		me.Token = uint64(r.place.Token())
	}
	return frame.Block(frame.Prove(key, false, me.Body(), frame.Block(hello)))
}

// TestWhoMayIn tries to get in with anything but the right words. All who fail are told the same.
func TestWhoMayIn(t *testing.T) {
	both(t, manager.Options{Key: key}, func(w *world) {
		w.during(func() {
			try := func(name, cause string, words func(r *raw, hello []byte) []byte) {
				w.Helper()
				r, hello := w.knock()
				r.write(words(r, hello))
				r.turnedAway(name)
				if !w.logged(cause) {
					w.Errorf("%s: the log does not say %q", name, cause)
				}
			}
			var right, earlier []byte
			try("another key", "does not know the key", func(r *raw, hello []byte) []byte { return w.introduction(r, hello, []byte("guess")) })
			try("no key", "does not know the key", func(r *raw, hello []byte) []byte { return w.introduction(r, hello, nil) })
			try("too large", "too large", func(*raw, []byte) []byte { return frame.Block(make([]byte, frame.MostBlock+1)) })
			try("nothing", "hung up in the middle", func(*raw, []byte) []byte { return nil })
			try("a refusal", "ends at byte", func(*raw, []byte) []byte { return frame.Refusal })
			r, hello := w.knock()
			right = w.introduction(r, hello, key)
			if r.write(right); r.block() == nil {
				w.Fatal("the right words are refused")
			}
			r.close()
			earlier = right
			try("replayed", "does not know the key", func(*raw, []byte) []byte { return earlier })
			for n := range len(right) {
				try(fmt.Sprint("truncated at ", n), "", func(r *raw, hello []byte) []byte { return w.introduction(r, hello, key)[:n] })
			}
			for bit := range 8 * len(right) {
				try(fmt.Sprint("flipped bit ", bit), "", func(r *raw, hello []byte) []byte {
					b := w.introduction(r, hello, key)
					b[bit/8] ^= 1 << (bit % 8)
					return b
				})
			}
			if _, err := manager.Connect(soon(w), w.at(), manager.Options{Root: w.root, Key: []byte("guess")}); ipcerr.CodeOf(err) != ipcerr.Denied {
				w.Error(err)
			}
			if _, err := manager.Connect(soon(w), w.at(), manager.Options{Root: w.root}); ipcerr.CodeOf(err) != ipcerr.Denied {
				w.Error(err)
			}
		})
	})
}

// TestKeyNotAsked gives a key to a server that has none: it may not be the one that is meant.
func TestKeyNotAsked(t *testing.T) {
	w := newWorld(t, false, manager.Options{})
	_, err := manager.Connect(soon(t), "test", manager.Options{Root: w.root, Key: key})
	if ipcerr.CodeOf(err) != ipcerr.Denied {
		t.Error(err)
	}
	r, hello := w.knock()
	r.write(w.introduction(r, hello, key))
	r.turnedAway("a proof where none is asked for")
}

// between stands between a client and a server, and changes a bit of the server's n-th block.
func between(t *testing.T, server string, which, bit int) (address string, size chan int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	size = make(chan int, 1)
	go func() {
		defer l.Close()
		client, err := l.Accept()
		if err != nil {
			return
		}
		defer client.Close()
		s, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer s.Close()
		for n := range 2 {
			b := wholeBlock(s)
			if n == which {
				size <- len(b)
				b[bit/8] ^= 1 << (bit % 8)
			}
			_, _ = client.Write(b)
			if n == which {
				return
			}
			_, _ = s.Write(wholeBlock(client))
		}
	}()
	return "tcp://" + l.Addr().String(), size
}

func wholeBlock(c net.Conn) []byte {
	_ = c.SetDeadline(time.Now().Add(patience))
	head := make([]byte, 4)
	if _, err := io.ReadFull(c, head); err != nil {
		return head
	}
	b := make([]byte, binary.BigEndian.Uint32(head))
	_, _ = io.ReadFull(c, b)
	return append(head, b...)
}

// TestChangedOnTheWay flips each bit of what the server says: no client takes it for the server.
func TestChangedOnTheWay(t *testing.T) {
	w := newWorld(t, true, manager.Options{})
	server := strings.TrimPrefix(w.server.Address(), "tcp://")
	w.during(func() {
		for which := range 2 {
			for bit, most := 0, 8; bit < most; bit++ {
				at, size := between(t, server, which, bit)
				if c, err := manager.Connect(soon(t), at, manager.Options{Root: w.root, Key: key}); err == nil {
					t.Errorf("block %d with bit %d flipped was taken", which, bit)
					_ = c.Close()
				}
				most = 8 * <-size
			}
		}
	})
}

// TestImpostor has a server that does not know the key.
func TestImpostor(t *testing.T) {
	welcome := frame.Welcome{Frame: frame.DefaultFrame}.Body()
	for name, answer := range map[string]func(hello, said []byte) []byte{
		"no proof":       func(_, _ []byte) []byte { return frame.Block(frame.Prove(nil, true, welcome)) },
		"another key":    func(h, s []byte) []byte { return frame.Block(frame.Prove([]byte("guess"), true, welcome, h, s)) },
		"what it said":   func(_, s []byte) []byte { return s },
		"nothing":        func(_, _ []byte) []byte { return nil },
		"an empty block": func(_, _ []byte) []byte { return frame.Block(nil) },
	} {
		for _, keyed := range []bool{true, false} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			go func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				hello := frame.Block(frame.Hello{Keyed: keyed}.Body())
				_, _ = c.Write(hello)
				if keyed {
					_, _ = c.Write(answer(hello, wholeBlock(c)))
				}
			}()
			if c, err := manager.Connect(soon(t), "tcp://"+l.Addr().String(), manager.Options{Key: key}); err == nil {
				t.Errorf("%s: it was believed", name)
				_ = c.Close()
			}
			must(t, l.Close())
		}
	}
}

// TestHalfOpen has many begin to greet and say nothing more: others get in all the same, and those are refused in time.
func TestHalfOpen(t *testing.T) {
	for _, crowd := range []int{100, 300} {
		if crowd > 200 {
			serve.Hurry(t, 5*time.Second, 300*time.Millisecond)
		}
		both(t, manager.Options{}, func(w *world) {
			w.during(func() {
				var all []*raw
				for range crowd {
					r := &raw{TB: w, fd: -1}
					all = append(all, r)
					r.dial(w)
				}
				ctx, cancel := context.WithTimeout(context.Background(), promptly)
				defer cancel()
				c, err := manager.Connect(ctx, w.at(), manager.Options{Root: w.root, Key: map[bool][]byte{true: key}[w.remote]})
				must(w, err)
				must(w, c.Close())
				for _, r := range all {
					r.close()
				}
			})
		})
	}
}

// TestSlowGreeting greets byte by byte.
func TestSlowGreeting(t *testing.T) {
	serve.Hurry(t, 300*time.Millisecond, 100*time.Millisecond)
	both(t, manager.Options{}, func(w *world) {
		w.during(func() {
			r, _ := w.knock()
			for i := range 100 { // a block of 256 bytes
				if !r.write([]byte{byte(i % 4 / 2 &^ i)}) || w.logged("took too long") {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			r.turnedAway("byte by byte")
			if !w.logged("took too long") {
				w.Error("nothing of it in the log")
			}
		})
	})
}

// TestOtherUser connects as another user, who can reach the socket.
func TestOtherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become another user")
	}
	w := newWorld(t, false, manager.Options{})
	must(t, os.Chmod(w.root, 0o755))
	socket := w.socket()
	must(t, os.Chmod(socket, 0o666))
	cmd := exec.Command("/proc/self/exe")
	cmd.Dir, cmd.Env = "/", append(os.Environ(), "POLYIPC_SERVE_KNOCK="+socket)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	said, err := cmd.Output()
	must(t, err)
	if !bytes.Equal(said, frame.Refusal) {
		t.Errorf("%q", said)
	}
	if !w.logged("it is of user 65534") {
		t.Error("nothing of it in the log")
	}
	must(t, os.Chmod(w.root, 0o700))
}

// socket is where the server's socket is.
func (w *world) socket() string {
	w.Helper()
	all, err := filepath.Glob(w.root + "/*")
	must(w, err)
	i := slices.IndexFunc(all, func(name string) bool {
		st, err := os.Stat(name)
		return err == nil && st.Mode().Type() == os.ModeSocket
	})
	if i < 0 {
		w.Fatal("there is no socket")
	}
	return all[i]
}

// knockAs connects to a socket and prints what is said there.
func knockAs(socket string) {
	c, err := net.Dial("unix", socket)
	if err == nil {
		_, err = io.Copy(os.Stdout, c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestPickles lets pickles through only where server and client both ask for it.
func TestPickles(t *testing.T) {
	for _, server := range []bool{false, true} {
		both(t, manager.Options{Pickle: server}, func(w *world) {
			connect := func(pickle bool) *manager.Client {
				c, err := manager.Connect(soon(w), w.at(), manager.Options{Root: w.root, Pickle: pickle, Key: map[bool][]byte{true: key}[w.remote]})
				must(w, err)
				w.Cleanup(func() { _ = c.Close() })
				return c
			}
			with, without := connect(true), connect(false)
			d := number(w.do(w.good, 0, "open", "d", "dict"))
			w.do(with, 0, "open", "d")
			try := func(c *manager.Client, method string, args ...any) error {
				_, err := c.Do(soon(w), &manager.Call{Object: d, Method: method, Args: pack(args...)})
				return err
			}
			if err := try(without, "set", "x", codec.Pickle("p")); ipcerr.CodeOf(err) != ipcerr.Denied {
				w.Error("a client that does not pickle set one: ", err)
			}
			err := try(with, "set", "x", codec.Pickle("p"))
			if ok := err == nil; ok != server || !ok && ipcerr.CodeOf(err) != ipcerr.Denied {
				w.Error(err)
			}
			if !server {
				return
			}
			for method, args := range map[string][]any{"get": {"x"}, "copy": nil, "items": nil} {
				if err := try(without, method, args...); ipcerr.CodeOf(err) != ipcerr.Denied {
					w.Errorf("%s: a client that does not ask for pickles got one: %v", method, err)
				}
			}
			sub := w.do(without, 0, "watch", d)
			e, _, err := without.NextEvent(soon(w), uint64(sub.(int64)), -1)
			must(w, err)
			if found, err := codec.Check(e); err != nil || found.Pickle {
				w.Errorf("a pickle came as an event: %q, %v", e, err)
			}
			must(w, try(with, "set", "y", codec.Pickle("q")))
			if e, _, err = without.NextEvent(soon(w), uint64(sub.(int64)), -1); err == nil {
				if found, err := codec.Check(e); err != nil || found.Pickle {
					w.Errorf("a pickle came as an event: %q, %v", e, err)
				}
			}
			b := codec.AppendArray(nil, 1)
			b = append(codec.AppendText(codec.AppendUint(append(b, 0x93), d), "copy"), 0x90)
			if _, err := without.DoBatch(soon(w), b, 0); ipcerr.CodeOf(err) != ipcerr.Denied {
				w.Error("a batch brought a pickle: ", err)
			}
		})
	}
}

// TestNoDescriptors has the server's process run out of descriptors: who comes then is refused, and who is there goes on.
func TestNoDescriptors(t *testing.T) {
	both(t, manager.Options{}, func(w *world) {
		var old unix.Rlimit
		must(w, unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
		w.during(func() {
			family, at := unix.AF_UNIX, unix.Sockaddr(nil)
			if w.remote {
				var err error
				family = unix.AF_INET
				at, err = serve.AddressOf("test", strings.TrimPrefix(w.server.Address(), "tcp://"))
				must(w, err)
			} else {
				at = &unix.SockaddrUnix{Name: w.socket()}
			}
			var late []*raw
			for range 5 {
				fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
				must(w, err)
				late = append(late, &raw{TB: w, fd: fd})
			}
			must(w, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 256, Max: old.Max}))
			var all []int
			for {
				fd, err := unix.Dup(2)
				if err != nil {
					break
				}
				all = append(all, fd)
			}
			for _, r := range late {
				must(w, unix.SetsockoptTimeval(r.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: int64(patience / time.Second)}))
				must(w, unix.Connect(r.fd, at))
				if b := r.block(); !bytes.Equal(frame.Block(b), frame.Refusal) {
					w.Errorf("without a descriptor, the server said %q", b)
				}
			}
			for _, r := range late {
				r.close()
			}
			for _, fd := range all {
				must(w, unix.Close(fd))
			}
			must(w, unix.Setrlimit(unix.RLIMIT_NOFILE, &old))
			if !w.logged("no descriptor is left") {
				w.Error("nothing of it in the log")
			}
			w.raw().close()
		})
	})
}
