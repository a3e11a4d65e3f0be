package serve_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/serve"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/manager"
)

// Each of these frames breaks a rule.
func brokenFrames() map[string][]byte {
	valid := call(1, 0, "ping", "x")
	bare := func(k frame.Kind, n int, id uint64) []byte { return frame.Open(nil, k, n, id) }
	all := map[string][]byte{
		"empty": {}, "nil": {0xc0}, "no kind": {0x90}, "no id": {0x91, 0}, "an unknown kind": bare(12, 2, 1), "a huge kind": {0x92, 0xcf, 255, 255, 255, 255, 255, 255, 255, 255, 1},
		"a negative kind": {0x92, 0xff, 1}, "a negative id": {0x95, 0, 0xff}, "claims": {0xdd, 255, 255, 255, 255, 0, 1}, "claims arguments": append(codec.AppendText(append(bare(frame.Call, 5, 1), 0), "ping"), 0xdd, 255, 255, 255, 255),
		"a result": frame.AppendResult(nil, frame.Result, 7, value(1)), "an error": frame.AppendFailure(nil, 7, frame.Failure{Code: 1}),
		"a grant": frame.AppendResult(nil, frame.Grant, 7, value(1)), "an event": append(bare(frame.Event, 3, 1), 0xc0), "a drop": bare(frame.Drop, 2, 1),
		"a call of a host": append(bare(frame.CallHost, 9, 1), 1, 0xa1, 'x', 0xa1, 'y', 0x90, 0x80, 1, 1),
		"more behind":      append(slices.Clone(valid), 0xc0), "a longer array": append([]byte{0x98}, valid[1:]...), "a shorter array": append([]byte{0x94}, valid[1:]...),
		"a cancel and more": append(bare(frame.Cancel, 3, 1), 1), "an ack and more": append(bare(frame.Ack, 2, 1), 1), "a release of text": append(bare(frame.Release, 3, 1), 0xa0), "a credit of nothing": bare(frame.Credit, 2, 1),
		"a method that is a number": append(bare(frame.Call, 5, 1), 0, 1, 0x90), "arguments that are a map": append(codec.AppendText(append(bare(frame.Call, 5, 1), 0), "ping"), 0x80),
		"too deep":            append(append(append(codec.AppendText(append(bare(frame.Call, 5, 1), 0), "ping"), 0x91), bytes.Repeat([]byte{0x91}, 300)...), 0xc0),
		"a batch of a number": append(bare(frame.Batch, 4, 1), 0, 7), "a batch of less": append(bare(frame.Batch, 4, 1), 0, 0x93, 0xc0),
		"not UTF-8": append(append(bare(frame.Call, 5, 1), 0), 0xa1, 0xff, 0x90),
	}
	for n := 1; n < len(valid); n++ {
		all[fmt.Sprint("truncated at ", n)] = valid[:n]
	}
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 20 {
		b := make([]byte, 1+r.IntN(100))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		all[fmt.Sprint("garbage ", n)] = b
	}
	return all
}

// TestBrokenFrames sends what breaks a rule: the sender is closed, and nobody else is disturbed.
func TestBrokenFrames(t *testing.T) {
	both(t, manager.Options{Frame: 64 << 10}, func(w *world) {
		all := brokenFrames()
		all["too large"] = call(1, 0, "ping", make([]byte, 64<<10))
		w.during(func() {
			for name, f := range all {
				w.TB.(*testing.T).Run(name, func(t *testing.T) {
					r := w.raw()
					defer r.close()
					r.TB = t
					if !r.send(f) && len(f) < 1000 {
						t.Error("no room for it")
					}
					r.refused()
				})
			}
		})
	})
}

// TestNothing sends what is allowed and means nothing: it costs nothing, and the sender goes on.
func TestNothing(t *testing.T) {
	both(t, manager.Options{Frame: 4 << 20}, func(w *world) {
		w.during(func() {
			r := w.raw()
			defer r.close()
			for _, n := range []uint64{0, 1, 7, 1 << 63} {
				r.send(frame.Open(nil, frame.Cancel, 2, n))
				r.send(frame.Open(nil, frame.Ack, 2, n))
				r.send(frame.AppendRelease(nil, n, n))
				r.send(codec.AppendUint(frame.Open(nil, frame.Credit, 3, n), n))
			}
			r.send(call(1, 0, "create", "list"))
			_, s := r.answer(1)
			refs, err := codec.Refs(must2(s.Value()))
			must(w, err)
			list := number(refs[0])
			r.send(frame.AppendRelease(nil, list, 1<<60))
			r.send(call(2, list, "len"))
			if k, _ := r.answer(2); k != frame.Error {
				w.Error("more references were given back than there were, and it is there")
			}
			for i, method := range []string{"", strings.Repeat("x", 1<<20), strings.Repeat("\x00", 1024)} {
				r.send(call(uint64(3+i), 0, method))
				k, s := r.answer(uint64(3 + i))
				f, err := frame.ReadFailure(&s)
				must(w, err)
				if k != frame.Error || len(f.Message) > 4100 {
					w.Errorf("a method's name of %d bytes: an answer of kind %d, with %d bytes", len(method), k, len(f.Message))
				}
			}
			many := append(codec.AppendText(append(frame.Open(nil, frame.Call, 5, 9), 0), "ping"), 0xdd, 0, 0x20, 0, 0)
			r.send(append(many, bytes.Repeat([]byte{0xc0}, 0x200000)...))
			k, s := r.answer(9)
			if f, err := frame.ReadFailure(&s); k != frame.Error || err != nil || f.Code != ipcerr.TooLarge {
				w.Errorf("two million arguments: %v, %v", f, err)
			}
		})
	})
}

func must2[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestTwice uses numbers twice, of a call that waits, and of a grant that is not acked: the item goes back.
func TestTwice(t *testing.T) {
	both(t, manager.Options{}, func(w *world) {
		q := number(w.do(w.good, 0, "open", "q", "queue"))
		w.do(w.good, q, "put", "item")
		w.during(func() {
			for _, second := range [][]byte{call(1, 0, "ping", 1), append(frame.Open(nil, frame.Batch, 4, 1), 0, 0x90)} {
				r := w.raw()
				r.send(call(1, q, "get"))
				r.answer(1)
				r.send(second)
				r.refused()
				r.close()
				waits := w.raw()
				waits.send(call(2, q, "get"))
				waits.answer(2)
				waits.send(call(1, q, "get"))
				waits.send(second)
				waits.refused()
				waits.close()
			}
			// A batch that breaks off in its middle.
			r := w.raw()
			b := append(frame.Open(nil, frame.Batch, 4, 1), 0, 0x92, 0x93)
			b = append(codec.AppendText(codec.AppendUint(b, q), "get"), 0x90)
			r.send(append(b, 0xc0))
			r.refused()
			r.close()
		})
		if n := w.do(w.good, q, "qsize"); n != int64(1) {
			t.Errorf("%v items are left", n)
		}
	})
}

// TestClosedElsewhere has somebody else hold the server's descriptors of a client that it closes, as a child does that was
// forked just now: nothing of that client stays in the epoll.
func TestClosedElsewhere(t *testing.T) {
	both(t, manager.Options{}, func(w *world) {
		before := w.watched()
		r := w.raw()
		if n := w.watched(); n <= before {
			w.Fatalf("epoll looks at %d descriptors, and at %d with one client more", before, n)
		}
		for fd, what := range descriptors(w) {
			if !strings.HasPrefix(what, "socket:") && !strings.Contains(what, "pidfd") {
				continue
			}
			held, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
			must(w, err)
			defer func() { _ = unix.Close(held) }()
		}
		r.send(nil) // breaks a rule
		w.gone(1)
		if n := w.watched(); n != before {
			w.Errorf("epoll looked at %d descriptors, and looks at %d", before, n)
		}
	})
}

// watched is how many descriptors epoll looks at.
func (w *world) watched() (n int) {
	w.Helper()
	for fd, what := range descriptors(w) {
		if what == "anon_inode:[eventpoll]" {
			b, err := os.ReadFile(fmt.Sprint("/proc/self/fdinfo/", fd))
			must(w, err)
			n += bytes.Count(b, []byte("tfd:"))
		}
	}
	return n
}

// descriptors are those of this process, and what they are.
func descriptors(t testing.TB) map[int]string {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	all := map[int]string{}
	for _, o := range open {
		fd, err := strconv.Atoi(o.Name())
		must(t, err)
		if what, err := os.Readlink("/proc/self/fd/" + o.Name()); err == nil { // that of the folder is closed
			all[fd] = what
		}
	}
	return all
}

// TestGrantsNotAcked takes and takes, and acks nothing.
func TestGrantsNotAcked(t *testing.T) {
	both(t, manager.Options{}, func(w *world) {
		s := number(w.do(w.good, 0, "open", "s", "semaphore", 100_000))
		w.during(func() {
			r := w.raw()
			defer r.close()
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				for i := range uint64(10_000) {
					if !r.send(call(i, s, "acquire")) {
						return
					}
				}
			}()
			r.refused()
			<-sent
		})
		if n := w.do(w.good, s, "get_value"); n != int64(100_000) {
			t.Error(n)
		}
	})
}

// TestHosts has a host answer twice, what it was not asked, and not at all.
func TestHosts(t *testing.T) {
	both(t, manager.Options{}, func(w *world) {
		w.during(func() {
			r := w.raw()
			r.send(call(1, 0, "register", "Bad", []any{"m"}))
			r.answer(1)
			result := make(chan error)
			go func() {
				_, err := w.good.Do(soon(w), &manager.Call{Method: "create", Args: pack("Bad")})
				result <- err
			}()
			var s codec.Scanner
			_, id, _, err := frame.Head(&s, r.recv())
			must(w, err)
			r.send(frame.AppendResult(nil, frame.Result, id+1, nil))
			r.refused()
			if err := <-result; ipcerr.CodeOf(err) != ipcerr.PeerDied {
				w.Error(err)
			}
			r.close()

			r = w.raw()
			r.send(call(1, 0, "register", "Bad", []any{"m"}))
			r.answer(1)
			c := w.connect(map[bool][]byte{true: key}[w.remote])
			go func() {
				_, err := c.Do(soon(w), &manager.Call{Method: "create", Args: pack("Bad")})
				result <- err
			}()
			_, id, _, err = frame.Head(&s, r.recv())
			must(w, err)
			r.send(frame.AppendResult(nil, frame.Result, id, nil))
			must(w, <-result)
			r.send(frame.AppendResult(nil, frame.Result, id, nil))
			r.refused()
			r.close()
			must(w, c.Close())

			r = w.raw()
			methods := make([]any, 5000)
			for i := range methods {
				methods[i] = fmt.Sprint(i)
			}
			r.send(call(1, 0, "register", "Bad", methods))
			if k, _ := r.answer(1); k != frame.Error {
				w.Error("5000 methods")
			}
			for i := range 1025 {
				r.send(call(2, 0, "register", fmt.Sprint("Bad", i), []any{}))
				if k, _ := r.answer(2); (k == frame.Error) != (i == 1024) {
					w.Error("type ", i)
				}
			}
			r.close()
		})
	})
}

// TestNotRead sends, or is sent, what it never reads.
func TestNotRead(t *testing.T) {
	both(t, manager.Options{Frame: 1 << 20}, func(w *world) {
		d := number(w.do(w.good, 0, "open", "d", "dict"))
		q := number(w.do(w.good, 0, "open", "q", "queue"))
		c := w.connect(map[bool][]byte{true: key}[w.remote])
		w.during(func() {
			r := w.raw()
			for i := uint64(0); r.send(call(i, 0, "ping", make([]byte, 10_000))); i++ {
				if i > 10_000 {
					w.Error("it could call for ever")
					break
				}
			}
			r.close()
		})
		w.during(func() {
			r := w.raw()
			for i := range uint64(10) {
				r.send(call(i, 0, "watch", d))
				r.answer(i)
			}
			for range 100 {
				w.do(c, d, "set", "x", make([]byte, 100_000))
			}
			w.do(c, d, "clear")
			r.close()
		})
		w.during(func() {
			r := w.raw()
			for i := range uint64(500) {
				r.send(call(i, q, "get"))
			}
			for w.do(c, 0, "stat").(map[string]any)["parked"] != int64(500) {
				time.Sleep(time.Millisecond)
			}
			for i := range 500 {
				w.do(c, q, "put", append(make([]byte, 10_000), byte(i), byte(i>>8)))
			}
			r.close()
			for began := time.Now(); w.do(c, q, "qsize") != int64(500); time.Sleep(time.Millisecond) {
				if time.Since(began) > patience {
					w.Fatal("items are lost: ", w.do(c, q, "qsize"))
				}
			}
			for i := range 500 {
				if b := w.do(c, q, "get").([]byte)[10_000:]; int(b[0])+int(b[1])<<8 != i {
					w.Fatalf("item %d comes as number %d", int(b[0])+int(b[1])<<8, i)
				}
			}
		})
	})
}

// TestBatchOfCopies asks for much with little.
func TestBatchOfCopies(t *testing.T) {
	both(t, manager.Options{Frame: 1 << 20}, func(w *world) {
		l := number(w.do(w.good, 0, "create", "list"))
		w.do(w.good, l, "append", make([]byte, 500_000))
		w.during(func() {
			r := w.raw()
			defer r.close()
			b := codec.AppendArray(append(frame.Open(nil, frame.Batch, 4, 1), 0), 50_000)
			for range 50_000 {
				b = append(codec.AppendText(codec.AppendUint(append(b, 0x93), l), "copy"), 0x90)
			}
			r.send(b)
			k, s := r.answer(1)
			if f, err := frame.ReadFailure(&s); k != frame.Error || err != nil || f.Code != ipcerr.TooLarge {
				w.Error(k, f, err)
			}
		})
	})
}

// TestHalf sends halves of frames and closes halves of sockets.
func TestHalf(t *testing.T) {
	both(t, manager.Options{}, func(w *world) {
		w.during(func() {
			var all []*raw
			for i := range 20 {
				r := w.raw()
				all = append(all, r)
				b := frame.Block(call(1, 0, "ping", make([]byte, 1000)))
				r.write(b[:1+i*len(b)/20])
			}
			time.Sleep(20 * time.Millisecond)
			for i, r := range all {
				if i%2 == 0 {
					must(w, unix.Shutdown(r.fd, unix.SHUT_WR))
					r.refused()
				}
				r.close()
			}
		})
	})
}

// TestInFlight has clients send halves of frames until there is too much of them: those go that have most.
func TestInFlight(t *testing.T) {
	serve.BoundInFlight(t, 1<<20)
	w := newWorld(t, true, manager.Options{Frame: 1 << 20})
	w.during(func() {
		var all []*raw
		for range 4 {
			r := w.raw()
			all = append(all, r)
			b := frame.Block(call(1, 0, "ping", make([]byte, 900_000)))
			r.write(b[:len(b)-1])
		}
		for began := time.Now(); !w.logged("has most of it"); time.Sleep(time.Millisecond) {
			if time.Since(began) > patience {
				t.Fatal("all may be under way")
			}
		}
		w.do(w.good, 0, "ping", make([]byte, 100_000))
		for _, r := range all {
			r.close()
		}
	})
	for range 100 {
		w.raw().close()
	}
}

// TestLastWords has a client ack what it was given and be gone at once: it had seen it, and it stays with it.
func TestLastWords(t *testing.T) {
	both(t, manager.Options{}, func(w *world) {
		q := number(w.do(w.good, 0, "open", "q", "queue"))
		w.during(func() {
			for range 20 {
				w.do(w.good, q, "put", "item")
				r := w.raw()
				r.send(call(1, q, "get"))
				r.answer(1)
				f := frame.Open(nil, frame.Ack, 2, 1)
				if w.remote {
					r.write(frame.Block(f))
				} else if err := r.pipe.TrySend(f, 0); err != nil { // and does not ring
					w.Error(err)
				}
				must(w, unix.Shutdown(r.fd, unix.SHUT_RDWR))
				r.close()
				w.gone(1)
				if n := w.do(w.good, q, "qsize"); n != int64(0) {
					w.Fatal("the item came back")
				}
			}
		})
	})
}
