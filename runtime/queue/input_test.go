package queue

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

func TestOptions(t *testing.T) {
	dir := testroot.New(t)
	for name, o := range map[string]Options{
		"negative size":      {MaxSize: -1},
		"absurd size":        {MaxSize: math.MaxInt64},
		"negative capacity":  {Capacity: -1},
		"absurd capacity":    {Capacity: math.MaxInt64},
		"kept and transient": {Kept: true, Transient: true},
	} {
		o.Root = dir
		if _, err := Create("x", o); !errors.Is(err, ipcerr.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := Open("", Options{Root: dir})
	mustBe(t, err, ipcerr.Invalid)
	_, err = Open("nosuch", Options{Root: dir})
	mustBe(t, err, ipcerr.NotFound)
	if !errors.Is(err, os.ErrNotExist) {
		t.Error("not found is no fs.ErrNotExist")
	}

	q, err := Create("x", Options{Root: dir, MaxSize: 5, Capacity: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	defer Unlink(dir, "x")
	defer q.Close()
	_, err = Create("x", Options{Root: dir})
	mustBe(t, err, ipcerr.Exists)
	for name, o := range map[string]Options{
		"another size":     {MaxSize: 6, Capacity: 100_000},
		"another capacity": {MaxSize: 5, Capacity: 200_000},
		"no limits":        {},
		"transient":        {MaxSize: 5, Capacity: 100_000, Transient: true},
		"pickle":           {MaxSize: 5, Capacity: 100_000, Pickle: true},
	} {
		o.Root = dir
		if q, err := OpenOrCreate("x", o); !errors.Is(err, ipcerr.Mismatch) {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				q.Close()
			}
		}
	}
	for name, o := range map[string]Options{
		"the same":         {MaxSize: 5, Capacity: 100_000},
		"the same rounded": {MaxSize: 5, Capacity: 131072},
	} {
		o.Root = dir
		q, err := OpenOrCreate("x", o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		q.Close()
	}
	// Strict open: limits that are not given are not compared.
	p, err := Open("x", Options{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	_, err = Open("x", Options{Root: dir, MaxSize: 6})
	mustBe(t, err, ipcerr.Mismatch)
}

// TestDamage writes nonsense over each word of a queue's header and ring state, and over the records:
// every verb must come back, with an error or without one.
func TestDamage(t *testing.T) {
	dir := testroot.New(t)
	for _, value := range []byte{0xff, 0x01, 0x80} {
		for off := layout.QueueOffset; off < 65536+256; off += 8 {
			if off >= layout.QueueOffset+1152 && off < layout.RingOffset { // seats only inform
				off = layout.RingOffset
			}
			if off >= layout.RingOffset+160 && off < layout.HeaderArea {
				off = layout.HeaderArea
			}
			damage(t, dir, off, value)
		}
	}
}

func damage(t *testing.T, dir string, off int, value byte) {
	t.Helper()
	q, err := Create("damaged", Options{Root: dir, MaxSize: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = q.Close()
		files, _ := filepath.Glob(dir + "/*")
		for _, f := range files { // a damaged queue may have lost sight of its parts
			if filepath.Base(f) != "members" {
				_ = os.Remove(f)
			}
		}
	}()
	for range 3 {
		mustPut(t, q, "0123456789")
	}
	l, _ := q.TryLease()
	for i := range 8 {
		q.obj.File.Mem[off+i] = value
	}
	// A lock word may now hold a made-up owner. Nobody lives under that token, or this process: then
	// a bounded wait is right.
	c, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	_ = q.TryPut([]byte("x"), Raw)
	_, _ = q.TryPutMany([][]byte{{1}, {2}}, Raw)
	_ = q.Put(c, make([]byte, 5000), Raw)
	_, _ = q.TryGet()
	_, _ = q.TryLease()
	if l != nil {
		_ = l.Ack()
	}
	_, _ = q.GetMany(c, 10)
	_, _ = q.Stat()
	_, _ = q.Waiters()
	_, _ = q.Locks()
	cancel()
	_ = q.Join(c)
}

// TestTruncated takes the file away under an open queue: an error, not a SIGBUS.
func TestTruncated(t *testing.T) {
	for _, size := range []int64{0, 4096, 65536} {
		dir := testroot.New(t)
		q, err := Create("cut", Options{Root: dir})
		if err != nil {
			t.Fatal(err)
		}
		mustPut(t, q, string(body(100_000, 0))[:60_000])
		if err := os.Truncate(filepath.Join(dir, "cut"), size); err != nil {
			t.Fatal(err)
		}
		_, err = q.TryGet()
		mustBe(t, err, ipcerr.Corrupt)
		if size < 65536 {
			mustBe(t, q.TryPut([]byte("x"), Raw), ipcerr.Corrupt)
			c, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			_, err = q.Get(c)
			cancel()
			mustBe(t, err, ipcerr.Corrupt)
			_, err = q.Stat()
			mustBe(t, err, ipcerr.Corrupt)
		}
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(filepath.Join(dir, "cut"))
	}
}

// TestPickleInASharedRoot wants whoever makes or opens a queue for pickles where a group can write to it
// to say so, and only them.
func TestPickleInASharedRoot(t *testing.T) {
	dir := testroot.New(t)
	mode := func(m os.FileMode) {
		t.Helper()
		if err := os.Chmod(dir, m); err != nil {
			t.Fatal(err)
		}
	}
	verbs := map[string]func(string, Options) (*Queue, error){"create": Create, "open": Open, "open or create": OpenOrCreate}
	denied := func(when string) {
		t.Helper()
		for verb, f := range verbs {
			q, err := f("p", Options{Root: dir, Pickle: true})
			if err == nil {
				q.Close()
			}
			if !errors.Is(err, ipcerr.Denied) {
				t.Errorf("%s, %s: %v", when, verb, err)
			} else if !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "TrustGroup") {
				t.Errorf("%s, %s: the error names no cure: %v", when, verb, err)
			}
		}
	}
	opened := func(when string, f func(string, Options) (*Queue, error), o Options) {
		t.Helper()
		o.Root = dir
		q, err := f("p", o)
		if err != nil {
			t.Errorf("%s: %v", when, err)
			return
		}
		if s, err := q.Stat(); err != nil || !s.Pickle {
			t.Errorf("%s: not for pickles: %v", when, err)
		}
		q.Close()
	}

	mode(0o770 | os.ModeSetgid)
	denied("none there")
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("a refusal left %v, %v", files, err)
	}
	trusted := Options{Pickle: true, TrustGroup: true}
	opened("create, trusted", Create, trusted)
	denied("one there")
	opened("open, trusted", Open, trusted)
	opened("open or create, trusted", OpenOrCreate, trusted)
	opened("open, pickles left closed", Open, Options{})

	plain, err := Create("plain", Options{Root: dir, TrustGroup: true})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := plain.Stat(); err != nil || s.Pickle {
		t.Errorf("trust alone made a queue for pickles, or %v", err)
	}
	plain.Close()
	_ = Unlink(dir, "plain")

	for _, m := range []os.FileMode{0o700, 0o700 | os.ModeSetgid, 0o750 | os.ModeSetgid} { // nobody else can write
		mode(m)
		opened(m.String(), OpenOrCreate, Options{Pickle: true})
		opened(m.String()+", trusted", OpenOrCreate, trusted)
	}
	_ = Unlink(dir, "p")
}
