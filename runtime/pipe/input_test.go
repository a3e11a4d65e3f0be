package pipe

import (
	"context"
	"errors"
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
		"capacity": {Capacity: -1}, "much": {Capacity: MaxCapacity + 1}, "end": {End: 3}, "both": {Kept: true, Transient: true},
	} {
		o.Root = dir
		_, err := Create("x", o)
		if !errors.Is(err, ipcerr.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, _, err := Pair("", Options{Root: dir, End: First})
	mustBe(t, err, ipcerr.Invalid)
	_, err = Open("x", Options{Root: dir})
	mustBe(t, err, ipcerr.NotFound)
	_, err = Open("", Options{Root: dir})
	mustBe(t, err, ipcerr.Invalid)
	a, err := OpenOrCreate("x", Options{Root: dir, Capacity: 100_000, OneWay: true})
	if err != nil || a.End() != First {
		t.Fatal(err)
	}
	b, err := OpenOrCreate("x", Options{Root: dir, Capacity: 131072, OneWay: true})
	if err != nil || b.End() != Second {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{"duplex": {Capacity: 131072}, "capacity": {OneWay: true}, "lifetime": {Capacity: 131072, OneWay: true, Transient: true}} {
		o.Root = dir
		if _, err := OpenOrCreate("x", o); !errors.Is(err, ipcerr.Mismatch) || !strings.Contains(err.Error(), "one-way") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, o := range map[string]Options{"pickle": {Pickle: true}, "capacity": {Capacity: 1 << 20}} {
		o.Root = dir
		if _, err := Open("x", o); !errors.Is(err, ipcerr.Mismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := Open("x", Options{Root: dir, End: First})
	if err != nil || c.End() != First {
		t.Fatal(err)
	}
	for _, p := range []*Pipe{a, b, c} {
		end(t, p)
	}
	if err := Unlink(dir, "x"); err != nil {
		t.Fatal(err)
	}
}

// TestDamage writes nonsense over each word of both directions: every verb must come back.
func TestDamage(t *testing.T) {
	dir := testroot.New(t)
	values := []byte{0xff, 0x01, 0x80}
	if testing.Short() {
		values = values[:1]
	}
	for _, value := range values {
		for off := layout.PipeOffset; off < layout.HeaderArea+256; off += 8 {
			switch at := off % layout.DirectionBytes; {
			case off >= layout.PipeOffset+8 && off < layout.DirectionBytes,
				at >= layout.QueueOffset+1152 && at < layout.RingOffset, at >= layout.RingOffset+160 && off < layout.HeaderArea,
				at < layout.QueueOffset && off < layout.HeaderArea && off >= layout.DirectionBytes,
				off >= layout.PipeHeaderBytes(2) && off < layout.HeaderArea:
				continue
			}
			damage(t, dir, off, value)
		}
	}
}

func damage(t *testing.T, dir string, off int, value byte) {
	t.Helper()
	a, b, err := Pair("damaged", Options{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = a.Close()
		_ = b.Close()
		files, _ := filepath.Glob(dir + "/*")
		for _, f := range files { // a damaged pipe may have lost sight of its parts
			if filepath.Base(f) != "members" {
				_ = os.Remove(f)
			}
		}
	}()
	for range 3 {
		mustSend(t, a, "0123456789")
		mustSend(t, b, "0123456789")
	}
	for i := range 8 {
		a.obj.File.Mem[off+i] = value
	}
	// A lock word may now hold a made-up owner: then a bounded wait is right.
	c, cancel := context.WithTimeout(ctx, 2*time.Millisecond)
	defer cancel()
	for _, p := range []*Pipe{a, b} {
		_ = p.TrySend([]byte("x"), Raw)
		_ = p.Send(c, make([]byte, 5000), Raw)
		for range 5 {
			_, _ = p.TryRecv()
		}
		_, _ = p.Recv(c)
		_ = p.TryPoll()
		_ = p.Poll(c)
		_, _ = p.Stat()
	}
}

func TestTruncated(t *testing.T) {
	dir := testroot.New(t)
	a, b, err := Pair("cut", Options{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	mustSend(t, a, "x")
	if err := os.Truncate(filepath.Join(dir, "cut"), 0); err != nil {
		t.Fatal(err)
	}
	mustBe(t, a.TrySend([]byte("x"), Raw), ipcerr.Corrupt)
	_, err = b.TryRecv()
	mustBe(t, err, ipcerr.Corrupt)
	_, err = b.Recv(ctx)
	mustBe(t, err, ipcerr.Corrupt)
	_, err = b.Stat()
	mustBe(t, err, ipcerr.Corrupt)
	for _, p := range []*Pipe{a, b} {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	_ = os.Remove(filepath.Join(dir, "cut"))
}

// TestPickleInASharedRoot wants whoever makes or opens a pipe for pickles where a group can write to it to say so.
func TestPickleInASharedRoot(t *testing.T) {
	dir := testroot.New(t)
	if err := os.Chmod(dir, 0o770|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	_, err := Create("p", Options{Root: dir, Pickle: true})
	mustBe(t, err, ipcerr.Denied)
	a, b, err := Pair("p", Options{Root: dir, Pickle: true, TrustGroup: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open("p", Options{Root: dir, Pickle: true})
	mustBe(t, err, ipcerr.Denied)
	if s, err := a.Stat(); err != nil || !s.Pickle {
		t.Errorf("not for pickles: %v", err)
	}
	for _, p := range []*Pipe{a, b} {
		end(t, p)
	}
	if err := Unlink(dir, "p"); err != nil {
		t.Fatal(err)
	}
}
