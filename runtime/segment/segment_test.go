package segment

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

func TestBytes(t *testing.T) {
	a := create(t, "a", Options{Size: 5000})
	b := again(t, a, Options{})
	x, err := a.Bytes()
	if err != nil || len(x) != 5000 || cap(x) != 5000 {
		t.Fatalf("%d of %d bytes, %v", len(x), cap(x), err)
	}
	y, _ := b.Bytes()
	x[0], x[4999] = 1, 2
	if y[0] != 1 || y[4999] != 2 {
		t.Error("two openings do not see the same bytes")
	}
	if a.Format() != "" || a.Shape() != nil || a.ItemSize() != 1 || a.MaxSize() != 5000 {
		t.Errorf("format %q, shape %v, item size %d, max size %d", a.Format(), a.Shape(), a.ItemSize(), a.MaxSize())
	}
	d := create(t, "d", Options{Size: 10, Data: []byte("hello"), Root: a.obj.Root.Path()})
	if z, _ := again(t, d, Options{}).Bytes(); string(z) != "hello\x00\x00\x00\x00\x00" {
		t.Errorf("%q", z)
	}
	// A single number costs two pages.
	v := create(t, "v", Options{Format: "q", Root: a.obj.Root.Path()})
	st, err := os.Stat(filepath.Join(a.obj.Root.Path(), "v"))
	if err != nil {
		t.Fatal(err)
	}
	if blocks := st.Sys().(*syscall.Stat_t).Blocks; blocks*512 != 8192 {
		t.Errorf("a number takes %d bytes", blocks*512)
	}
	_ = v.Close()
	_, err = v.Bytes()
	want(t, err, ipcerr.Closed)
	_, err = v.Size()
	want(t, err, ipcerr.Closed)
	want(t, v.Grow(1), ipcerr.Closed)
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}

type point struct {
	X int32
	Y float64
	N [5]byte
	_ [3]byte
	M [2][3]int16
}

func TestSlices(t *testing.T) {
	format, err := FormatOf[point]()
	if err != nil || format != "T{<i:X:4x<d:Y:(5)<B:N:3x(2,3)<h:M:4x}" {
		t.Fatalf("%q, %v", format, err)
	}
	a := create(t, "a", Options{Format: format, Shape: []int64{3}})
	b := again(t, a, Options{Format: format})
	x, err := Slice[point](a)
	if err != nil || len(x) != 3 {
		t.Fatal(len(x), err)
	}
	y, _ := Slice[point](b)
	x[2] = point{X: 1, Y: 2.5, M: [2][3]int16{{}, {0, 0, 7}}}
	if y[2] != x[2] {
		t.Errorf("%v", y[2])
	}
	if _, err := Slice[[16]byte](a); err == nil || !strings.Contains(err.Error(), "[16]uint8") {
		t.Error(err)
	}
	type other struct {
		X float32
		Y float64
		N [5]byte
		_ [3]byte
		M [2][3]int16
	}
	_, err = Slice[other](a)
	want(t, err, ipcerr.Mismatch)
	_, err = Slice[*int](create(t, "", Options{Size: 100}))
	want(t, err, ipcerr.Mismatch)
	_, err = Slice[struct{}](create(t, "", Options{Size: 100}))
	want(t, err, ipcerr.Mismatch)
	if s, err := Slice[int64](create(t, "", Options{Size: 100})); err != nil || len(s) != 12 {
		t.Errorf("%d numbers in 100 bytes, %v", len(s), err)
	}
	if s, err := Slice[int32](create(t, "", Options{Format: "i", Shape: []int64{0}})); err != nil || len(s) != 0 {
		t.Errorf("%d numbers in none, %v", len(s), err)
	}
	for _, c := range []struct {
		format string
		err    error
	}{
		{"?", fits[bool]("?")}, {"b", fits[int8]("b")}, {"c", fits[byte]("c")}, {"h", fits[int16]("h")}, {"H", fits[uint16]("H")},
		{"i", fits[int32]("i")}, {"I", fits[uint32]("I")}, {"l", fits[int]("l")}, {"Q", fits[uint64]("Q")}, {"n", fits[int64]("n")},
		{"f", fits[float32]("f")}, {"d", fits[float64]("d")}, {"Zf", fits[complex64]("Zf")}, {"Zd", fits[complex128]("Zd")},
		{"w", fits[rune]("w")}, {"5s", fits[[5]byte]("5s")}, {"(2,3)d", fits[[2][3]float64]("(2,3)d")},
	} {
		if c.err != nil {
			t.Errorf("%s: %v", c.format, c.err)
		}
	}
	for _, err := range []error{fits[int32]("I"), fits[int64]("i"), fits[int32](">i"), fits[[4]byte]("5s"), fits[[3][2]float64]("(2,3)d"), fits[uint16]("e")} {
		if err == nil {
			t.Error("what does not fit is let through")
		}
	}
}

func fits[T any](format string) error {
	it, err := read(format, 0)
	if err != nil {
		return err
	}
	return it.fits(reflect.TypeFor[T]())
}

func TestMismatch(t *testing.T) {
	dir := testroot.New(t)
	o := Options{Root: dir, Format: "i", Shape: []int64{2, 3}}
	a := create(t, "a", o)
	for _, c := range []struct {
		o    Options
		open bool // whether open takes it; open_or_create does not, unless it is o
	}{
		{Options{}, true}, {Options{Format: "i"}, true}, {Options{Format: "<i", Shape: []int64{2, 3}}, true}, {Options{Size: 24}, true},
		{Options{Format: "I"}, false}, {Options{Format: "i", Shape: []int64{3, 2}}, false}, {Options{Format: "i", Shape: []int64{6}}, false},
		{Options{Size: 25}, false}, {Options{MaxSize: 25}, false}, {Options{MaxSize: 24}, true},
	} {
		c.o.Root = dir
		b, err := Open("a", c.o)
		if err == nil {
			_ = b.Close()
		}
		if (err == nil) != c.open {
			t.Errorf("open with %+v: %v", c.o, err)
		}
		if !c.open {
			want(t, err, ipcerr.Mismatch)
		}
	}
	_, err := OpenOrCreate("a", Options{Root: dir, Format: "d", Shape: []int64{3}})
	if err == nil || !strings.Contains(err.Error(), "format <i, shape (2, 3)") || !strings.Contains(err.Error(), "format <d, shape (3)") {
		t.Errorf("does not show both: %v", err)
	}
	b, err := OpenOrCreate("a", o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(b.Shape(), []int64{2, 3}) || b.Format() != "<i" || b.ItemSize() != 4 {
		t.Errorf("%v %s", b.Shape(), b.Format())
	}
	_ = b.Close()
	_, err = Create("a", o)
	want(t, err, ipcerr.Exists)
	_ = a.Close()
	if err := Unlink(dir, "a"); err != nil {
		t.Fatal(err)
	}
	_, err = Open("a", Options{Root: dir})
	want(t, err, ipcerr.NotFound)
	for _, o := range []Options{
		{}, {Size: -1}, {Size: MaxSize + 1}, {Size: 10, MaxSize: 9}, {Size: 10, MaxSize: MaxSize + 1}, {Size: 10, Format: "i"}, {Size: 10, Shape: []int64{1}},
		{Format: "y"}, {Format: "i", Shape: make([]int64, 9)}, {Format: "i", Shape: []int64{-1}}, {Format: "i", Shape: []int64{1 << 40, 1 << 40}},
		{Format: "i", ItemSize: 5}, {Size: 1, ItemSize: 5}, {Size: 1, Kept: true, Transient: true}, {Format: "70000000000000s"}, {Size: 4, Data: make([]byte, 5)},
	} {
		o.Root = dir
		_, err := Create("", o)
		want(t, err, ipcerr.Invalid)
	}
}

func TestGrow(t *testing.T) {
	a := create(t, "a", Options{Size: 100, MaxSize: 1 << 20})
	b := again(t, a, Options{})
	x, _ := a.Bytes()
	x[99] = 9
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := []*Segment{a, b}[i%2]
			for n := range 50 {
				if err := s.Grow(int64(100 + n*1000 + i)); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
	if n, _ := b.Size(); n != 49107 {
		t.Errorf("%d bytes", n)
	}
	y, _ := b.Bytes()
	if y[99] != 9 || y[100] != 0 || y[49106] != 0 {
		t.Error("growing changed what was there, or what came is not zero")
	}
	x[50] = 5 // the old slice is still the same memory
	if y[50] != 5 {
		t.Error("a slice from before does not show")
	}
	if err := a.Grow(10); err != nil {
		t.Error(err)
	}
	want(t, a.Grow(1<<20+1), ipcerr.TooLarge)
	want(t, a.Grow(-1), ipcerr.Invalid)
	st, _ := os.Stat(filepath.Join(a.obj.Root.Path(), "a"))
	if used := st.Sys().(*syscall.Stat_t).Blocks * 512; used != 4096+49152 {
		t.Errorf("%d bytes are reserved", used)
	}
	huge := create(t, "", Options{Size: 1, MaxSize: 1 << 42, Root: a.obj.Root.Path()})
	err := huge.Grow(1 << 42)
	want(t, err, ipcerr.NoSpace)
	if n, _ := huge.Size(); n != 1 {
		t.Errorf("%d bytes after a grow that failed", n)
	}
}

// TestAtomics does the same to a cell and to a number of Go.
func TestAtomics(t *testing.T) {
	s := create(t, "", Options{Size: 64})
	const start = 0xfedcba9876543210
	for _, width := range []int64{4, 8} {
		mask := uint64(1)<<(8*width-1)*2 - 1
		model := start & mask
		if _, err := s.Atomic(Store, 16, width, start); err != nil {
			t.Fatal(err)
		}
		for i, c := range []struct {
			op Op
			f  func(a, b uint64) uint64
		}{
			{Add, func(a, b uint64) uint64 { return a + b }}, {Sub, func(a, b uint64) uint64 { return a - b }}, {And, func(a, b uint64) uint64 { return a & b }},
			{Or, func(a, b uint64) uint64 { return a | b }}, {Xor, func(a, b uint64) uint64 { return a ^ b }}, {Exchange, func(_, b uint64) uint64 { return b }},
			{Load, func(a, _ uint64) uint64 { return a }}, {Store, func(_, b uint64) uint64 { return b }},
		} {
			v := uint64(0xff00ff00ff00ff00) >> i
			before, err := s.Atomic(c.op, 16, width, v)
			if err != nil || before != model {
				t.Errorf("width %d, op %d: %x, %v, not %x", width, c.op, before, err, model)
			}
			model = c.f(model, v) & mask
		}
		if before, err := s.CompareExchange(16, width, model+1, 5); err != nil || before != model {
			t.Errorf("%x, %v", before, err)
		}
		if before, err := s.CompareExchange(16, width, model, 5); err != nil || before != model {
			t.Errorf("%x, %v", before, err)
		}
		if now, err := s.Wait(ctx, 16, width, 4); err != nil || now != 5 {
			t.Errorf("%x, %v", now, err)
		}
	}
	for _, c := range [][2]int64{{-8, 8}, {60, 8}, {64, 4}, {57, 4}, {1 << 62, 8}, {4, 8}, {0, 2}, {0, 0}, {-1 << 63, 8}} {
		_, err := s.Atomic(Load, c[0], c[1], 0)
		want(t, err, ipcerr.Invalid)
		_, err = s.CompareExchange(c[0], c[1], 0, 0)
		want(t, err, ipcerr.Invalid)
		_, err = s.Wait(ctx, c[0], c[1], 1)
		want(t, err, ipcerr.Invalid)
	}
	want(t, s.Notify(64), ipcerr.Invalid)
	_, err := Int64At(s, 4)
	want(t, err, ipcerr.Invalid)
	_, err = Uint32At(s, 61)
	want(t, err, ipcerr.Invalid)
	cell, err := Int32At(s, 60)
	if err != nil {
		t.Fatal(err)
	}
	cell.Store(-1)
	if v, _ := s.Atomic(Load, 56, 8, 0); v>>32 != 1<<32-1 {
		t.Errorf("%x", v)
	}
}

// TestNoNotifyIsLost hands a number back and forth between sleepers, each of whom waits for the other on a
// cell of its own; the slices would heal a wake that went missing, but only at 11 steps a second.
func TestNoNotifyIsLost(t *testing.T) {
	a := create(t, "a", Options{Size: 4096})
	b := again(t, a, Options{})
	const rounds = 2000
	began := time.Now()
	done := make(chan error, 2)
	side := func(s *Segment, mine, other int64) {
		cell, _ := Uint64At(s, mine)
		for i := uint64(1); i <= rounds; i++ {
			if mine == 0 {
				cell.Store(i << 32) // the low half stays as it is
				_ = s.Notify(mine)
			}
			if now, err := s.Wait(ctx, other, 8, (i-1)<<32); err != nil || now != i<<32 {
				done <- err
				return
			}
			if mine != 0 {
				cell.Store(i << 32)
				_ = s.Notify(mine)
			}
		}
		done <- nil
	}
	go side(a, 0, 8)
	go side(b, 8, 0)
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(began); d > 20*time.Second {
		t.Errorf("%d rounds took %v", rounds, d)
	}
}

func TestWaitEnds(t *testing.T) {
	s := create(t, "", Options{Size: 64})
	began := time.Now()
	_, err := s.Wait(object.Until(began.Add(30*time.Millisecond)), 0, 8, 0)
	want(t, err, ipcerr.Timeout)
	if d := time.Since(began); d < 30*time.Millisecond || d > 2*time.Second {
		t.Errorf("after %v", d)
	}
	// Nobody notifies: seen within a slice. And one notify wakes all.
	var woke atomic.Int32
	var wg sync.WaitGroup
	for range 5 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if now, err := s.Wait(ctx, 8, 4, 0); err != nil || now != 7 {
				t.Error(now, err)
			}
			woke.Add(1)
		}()
	}
	for {
		if ws, _ := s.Waiters(); len(ws) == 5 {
			break
		}
	}
	cell, _ := Uint32At(s, 8)
	cell.Store(7)
	wg.Wait()
	// Closing wakes, by moving on what is slept on.
	other := again(t, s, Options{})
	sequence := func() uint32 { return other.word(16).Load() >> 1 }
	before := sequence()
	ended := make(chan error)
	go func() {
		_, err := s.Wait(ctx, 16, 8, 0)
		ended <- err
	}()
	for {
		if st, _ := s.Stat(); st.Waiters == 1 {
			break
		}
	}
	_ = s.Close()
	want(t, <-ended, ipcerr.Closed)
	if sequence() == before {
		t.Error("nobody was told that it was closed")
	}
}

// TestHostile opens a segment with each field of its header set to nonsense.
func TestHostile(t *testing.T) {
	for name, spoil := range map[string]func(h *layout.Segment){
		"size":       func(h *layout.Segment) { h.Size.Store(1 << 60) },
		"max":        func(h *layout.Segment) { h.MaxSize = 1 << 60 },
		"max less":   func(h *layout.Segment) { h.MaxSize = 4 },
		"max more":   func(h *layout.Segment) { h.MaxSize += layout.HeaderArea },
		"format":     func(h *layout.Segment) { h.Format = 1 << 31 },
		"format 0":   func(h *layout.Segment) { h.Text[0] = 0 },
		"native":     func(h *layout.Segment) { h.Format = 1; h.Text[0] = 'i' },
		"dims":       func(h *layout.Segment) { h.Dims = 9 },
		"shape":      func(h *layout.Segment) { h.Shape[0] = 1 << 63 },
		"product":    func(h *layout.Segment) { h.Dims = 3; h.Shape = [8]uint64{1 << 32, 1 << 32, 1 << 32} },
		"beyond":     func(h *layout.Segment) { h.Shape[0] = 11 },
		"item size":  func(h *layout.Segment) { h.ItemSize = 8 },
		"item empty": func(h *layout.Segment) { h.ItemSize = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			a := create(t, "a", Options{Format: "i", Shape: []int64{10}, MaxSize: 400})
			spoil(a.h)
			_, err := Open("a", Options{Root: a.obj.Root.Path()})
			want(t, err, ipcerr.Corrupt)
			if err == nil {
				t.Fatal("opened")
			}
		})
	}
	a := create(t, "a", Options{Size: 100})
	a.h.Size.Store(101)
	_, err := a.Size()
	want(t, err, ipcerr.Corrupt)
	_, err = a.Bytes()
	want(t, err, ipcerr.Corrupt)
	_, err = a.Atomic(Load, 0, 8, 0)
	want(t, err, ipcerr.Corrupt)
	want(t, a.Grow(50), ipcerr.Corrupt)
	_, err = Slice[int64](a)
	want(t, err, ipcerr.Corrupt)
}

func TestTruncated(t *testing.T) {
	a := create(t, "a", Options{Size: 1 << 20})
	if err := os.Truncate(filepath.Join(a.obj.Root.Path(), "a"), layout.HeaderArea); err != nil {
		t.Fatal(err)
	}
	_, err := a.Atomic(Add, 1<<19, 8, 1)
	want(t, err, ipcerr.Corrupt)
	_, err = Open("a", Options{Root: a.obj.Root.Path()})
	want(t, err, ipcerr.Corrupt)
	if err := os.Truncate(filepath.Join(a.obj.Root.Path(), "a"), 0); err != nil {
		t.Fatal(err)
	}
	_, err = a.Size()
	want(t, err, ipcerr.Corrupt)
	_, err = a.Wait(object.Until(time.Now().Add(time.Second)), 0, 8, 0)
	want(t, err, ipcerr.Corrupt)
	want(t, a.Notify(0), ipcerr.Corrupt)
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// TestLeave: what was left stays mapped, is shared on, and counts as no use of the object.
func TestLeave(t *testing.T) {
	a := create(t, "", Options{Size: 8})
	b := again(t, a, Options{})
	x, _ := Slice[int64](a)
	y, _ := Slice[int64](b)
	if err := a.Leave(); err != nil {
		t.Fatal(err)
	}
	_, err := a.Bytes()
	want(t, err, ipcerr.Closed)
	x[0] = 77
	if y[0] != 77 {
		t.Error("what was left is not shared any more")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(b.obj.Root.Path(), b.Name())); err == nil {
		t.Error("its last user closed it, and it is there")
	}
	if x[0] != 77 {
		t.Error("it is gone")
	}
	c := create(t, "", Options{Size: 8})
	if err := c.Leave(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(c.obj.Root.Path(), c.Name())); err == nil {
		t.Error("its last user left it, and it is there")
	}
}

// TestNoItems: a dimension of nothing among others, and a scalar of no bytes at all.
func TestNoItems(t *testing.T) {
	a := create(t, "", Options{Format: "i", Shape: []int64{2, 0, 3}})
	b := again(t, a, Options{})
	if n, err := Slice[int32](b); err != nil || len(n) != 0 || !slices.Equal(b.Shape(), []int64{2, 0, 3}) {
		t.Error(n, err, b.Shape())
	}
}
