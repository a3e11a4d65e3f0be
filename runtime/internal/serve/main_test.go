package serve_test

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/serve"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/manager"
	"github.com/polyipc/polyipc/runtime/pipe"
	"github.com/polyipc/polyipc/tests/testroot"
)

// patience bounds a failure; promptly is how soon others must have their answers, on a machine that is busy, too.
const (
	patience = 20 * time.Second
	promptly = 2 * time.Second
)

var key = []byte("secret")

func TestMain(m *testing.M) {
	if path := os.Getenv("POLYIPC_SERVE_KNOCK"); path != "" {
		knockAs(path)
		return
	}
	os.Exit(m.Run())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// world is a server with a client that behaves.
type world struct {
	testing.TB
	root   string
	server *manager.Server
	remote bool        // clients come by TCP
	tls    manager.TLS // of the server, and of its client
	good   *manager.Client

	mu  sync.Mutex
	log []string
}

func newWorld(t testing.TB, remote bool, o manager.Options) *world {
	w := &world{TB: t, root: testroot.New(t), remote: remote, tls: o.TLS}
	o.Root = w.root
	o.Log = func(what, who, why string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.log = append(w.log, what+" "+who+": "+why)
	}
	if remote {
		o.Key, o.Listen = key, "127.0.0.1:0"
	}
	var err error
	w.server, err = manager.Serve("test", o)
	must(t, err)
	t.Cleanup(func() { must(t, w.server.Close()) })
	w.good = w.connect(o.Key)
	return w
}

func (w *world) connect(key []byte) *manager.Client {
	w.Helper()
	c, err := manager.Connect(soon(w), w.at(), manager.Options{Root: w.root, Key: key, TLS: w.tls})
	must(w, err)
	w.Cleanup(func() { _ = c.Close() })
	return c
}

func (w *world) at() string {
	if w.remote {
		return w.server.Address()
	}
	return "test"
}

// logged reports whether the server's log holds a text.
func (w *world) logged(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Contains(strings.Join(w.log, "\n"), text)
}

// both runs a test over a pipe and over TCP.
func both(t *testing.T, o manager.Options, f func(w *world)) {
	for _, remote := range []bool{false, true} {
		t.Run(map[bool]string{false: "pipe", true: "tcp"}[remote], func(t *testing.T) { f(newWorld(t, remote, o)) })
	}
}

// value is a value as its bytes.
func value(v any) codec.Raw {
	b, err := codec.Append(nil, v)
	if err != nil {
		panic(err)
	}
	return b
}

func pack(args ...any) codec.Raw {
	b := codec.AppendArray(nil, len(args))
	for _, a := range args {
		b = append(b, value(a)...)
	}
	return b
}

// call is a frame.
func call(id, object uint64, method string, args ...any) []byte {
	return frame.AppendCall(nil, id, object, method, pack(args...), nil, 0)
}

// do has a client that behaves call.
func (w *world) do(c *manager.Client, object uint64, method string, args ...any) any {
	w.Helper()
	b, err := c.Do(soon(w), &manager.Call{Object: object, Method: method, Args: pack(args...)})
	must(w, err)
	v, err := codec.Decode(b)
	must(w, err)
	return v
}

func number(v any) uint64 { u := v.(codec.Ref).UUID; return binary.BigEndian.Uint64(u[8:]) }

// raw is a client that says what it is told to.
type raw struct {
	testing.TB
	fd      int
	place   *serve.Place
	pipe    *pipe.Pipe
	welcome frame.Welcome
	in      []byte
}

// knock connects, and reads what the server says first.
func (w *world) knock() (r *raw, hello []byte) {
	w.Helper()
	r = &raw{TB: w, fd: -1}
	r.dial(w)
	return r, r.block()
}

// dial connects, and reads nothing.
func (r *raw) dial(w *world) {
	w.Helper()
	w.Cleanup(r.close)
	var err error
	if w.remote {
		at, err := serve.AddressOf("test", strings.TrimPrefix(w.server.Address(), "tcp://"))
		must(w, err)
		r.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		must(w, err)
		must(w, unix.Connect(r.fd, at))
	} else {
		r.place, err = serve.Find("test", w.root, "test")
		must(w, err)
		r.fd, err = r.place.Connect()
		must(w, err)
		must(w, unix.SetNonblock(r.fd, false))
	}
	must(w, unix.SetsockoptTimeval(r.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: int64(patience / time.Second)}))
	must(w, unix.SetsockoptTimeval(r.fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Usec: 200_000}))
}

// raw gets in.
func (w *world) raw() *raw {
	w.Helper()
	r, hello := w.knock()
	me := frame.Introduction{Language: "go", Pid: 1}
	k := key
	if !w.remote {
		k, me.Token = nil, uint64(r.place.Token())
	}
	r.write(frame.Block(frame.Prove(k, false, me.Body(), frame.Block(hello))))
	answer, err := frame.Proven(k, true, r.block(), frame.Block(hello), frame.Block(me.Body()))
	must(w, err)
	r.welcome, err = frame.ReadWelcome(answer)
	must(w, err)
	if !w.remote {
		r.pipe, err = pipe.Open(r.welcome.Pipe, pipe.Options{Root: w.root, End: pipe.Second})
		must(w, err)
	}
	return r
}

// block reads a block; nil at the end.
func (r *raw) block() []byte {
	head := r.read(4)
	if head == nil {
		return nil
	}
	return r.read(int(binary.BigEndian.Uint32(head)))
}

// read reads so many bytes from the socket; nil at the end.
func (r *raw) read(n int) []byte {
	for len(r.in) < n {
		b := make([]byte, 64<<10)
		k, err := unix.Read(r.fd, b)
		if err == unix.EINTR {
			continue
		}
		if k <= 0 {
			if err == unix.EAGAIN {
				r.Error("the server neither answers nor hangs up")
			}
			return nil
		}
		r.in = append(r.in, b[:k]...)
	}
	b := r.in[:n:n]
	r.in = r.in[n:]
	return b
}

// write writes to the socket, and reports whether all could be written soon.
func (r *raw) write(b []byte) bool {
	for len(b) > 0 {
		n, err := unix.SendmsgN(r.fd, b, nil, nil, unix.MSG_NOSIGNAL)
		if err != nil && err != unix.EINTR {
			return false
		}
		b = b[max(n, 0):]
	}
	return true
}

// send sends a frame, and reports whether there was room soon.
func (r *raw) send(f []byte) bool {
	if r.pipe == nil {
		return r.write(frame.Block(f))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	err := r.pipe.Send(ctx, f, pipe.MsgPack)
	r.ring()
	return err == nil
}

// ring wakes the server, whether it wants to be or not.
func (r *raw) ring() {
	_, _ = unix.SendmsgN(r.fd, []byte{1}, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
}

// recv receives a frame; nil when the server has closed the connection.
func (r *raw) recv() []byte {
	r.Helper()
	if r.pipe == nil {
		return r.block()
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	m, err := r.pipe.Recv(ctx)
	if ipcerr.CodeOf(err) == ipcerr.Timeout {
		r.Error("the server neither answers nor hangs up")
	}
	r.ring()
	if err != nil {
		return nil
	}
	return m.Body
}

// answer receives frames until the one to a call.
func (r *raw) answer(id uint64) (k frame.Kind, s codec.Scanner) {
	r.Helper()
	for {
		f := r.recv()
		if f == nil {
			r.Fatal("the server has hung up")
		}
		k, n, _, err := frame.Head(&s, f)
		must(r, err)
		if n == id && (k == frame.Result || k == frame.Grant || k == frame.Error) {
			return k, s
		}
	}
}

// refused reads until the server hangs up.
func (r *raw) refused() {
	r.Helper()
	for r.recv() != nil {
	}
}

func (r *raw) close() {
	if r.pipe != nil {
		_ = r.pipe.Close()
	}
	if r.fd >= 0 {
		_ = unix.Close(r.fd)
	}
	if r.place != nil {
		r.place.Close()
	}
	r.pipe, r.fd, r.place = nil, -1, nil
}

// state is what a client may cost.
type state struct {
	clients, objects, references, parked any
	descriptors                          int
}

func (w *world) state() state {
	w.Helper()
	m := w.do(w.good, 0, "stat").(map[string]any)
	all, err := os.ReadDir("/proc/self/fd")
	must(w, err)
	return state{m["clients"], m["objects"], m["references"], m["parked"], len(all)}
}

// during calls all the time while f runs, and fails if an answer takes long. Then all must be as it was, and
// nobody at work.
func (w *world) during(f func()) {
	w.Helper()
	before := w.state()
	stop, ended := make(chan struct{}), make(chan time.Duration)
	go func() {
		longest := time.Duration(0)
		for {
			select {
			case <-stop:
				ended <- longest
				return
			default:
			}
			began := time.Now()
			if _, err := w.good.Do(context.Background(), &manager.Call{Method: "ping", Args: pack(1)}); err != nil {
				w.Error("a client that behaves: ", err)
				<-stop
				ended <- longest
				return
			}
			longest = max(longest, time.Since(began))
			time.Sleep(time.Millisecond)
		}
	}()
	f()
	close(stop)
	if longest := <-ended; longest > promptly {
		w.Errorf("an answer took %v", longest)
	}
	var now state
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if now = w.state(); now == before {
			break
		}
		if time.Since(began) > promptly {
			w.Errorf("before %+v, now %+v", before, now)
			break
		}
	}
	w.idle()
}

// idle waits until no thread of this process runs, but the one that looks; the server is one of them.
func (w *world) idle() {
	w.Helper()
	for began, calm := time.Now(), 0; calm < 5; time.Sleep(3 * time.Millisecond) {
		running := 0
		threads, err := filepath.Glob("/proc/self/task/*/stat")
		must(w, err)
		for _, name := range threads {
			b, _ := os.ReadFile(name)
			if _, rest, ok := strings.Cut(string(b), ") "); ok && rest[0] == 'R' {
				running++
			}
		}
		if running <= 1 { // a loop that spins runs in each sample
			calm++
		}
		if time.Since(began) > 5*time.Second {
			w.Error("the server does not come to rest")
			return
		}
	}
}
