package shm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// damage makes a good object "x" of which change has its way.
func damage(t *testing.T, r *Root, change func(file string)) {
	t.Helper()
	o := create(t, r, "x", 0)
	must(t, o.Close())
	change(at(r, "x"))
}

func patch(off int64, b ...byte) func(*testing.T, string) {
	return func(t *testing.T, file string) {
		f, err := os.OpenFile(file, os.O_RDWR, 0)
		must(t, err)
		_, err = f.WriteAt(b, off)
		must(t, err)
		must(t, f.Close())
	}
}

func resize(n int64) func(*testing.T, string) {
	return func(t *testing.T, file string) { must(t, os.Truncate(file, n)) }
}

// replace puts something else in the file's place.
func replace(put func(file string) error) func(*testing.T, string) {
	return func(t *testing.T, file string) {
		must(t, os.Remove(file))
		must(t, put(file))
	}
}

func TestDamagedFiles(t *testing.T) {
	odd := make([]byte, 8)
	binary.LittleEndian.PutUint64(odd, layout.HeaderArea+4096)
	for name, c := range map[string]struct {
		change func(*testing.T, string)
		code   ipcerr.Code
	}{
		"empty":           {resize(0), ipcerr.Corrupt},
		"truncated":       {resize(100), ipcerr.Corrupt},
		"header only":     {resize(layout.HeaderArea), ipcerr.Corrupt},
		"longer":          {resize(10 * layout.HeaderArea), ipcerr.Corrupt},
		"huge":            {resize(1 << 40), ipcerr.Corrupt},
		"magic":           {patch(0, 'P'), ipcerr.Corrupt},
		"version":         {patch(8, 2), ipcerr.Version},
		"old version":     {patch(8, 0), ipcerr.Version},
		"kind":            {patch(12, byte(layout.KindPipe)), ipcerr.WrongKind},
		"unknown kind":    {patch(12, 200), ipcerr.WrongKind},
		"part kind":       {patch(12, byte(layout.KindRing)), ipcerr.Corrupt},
		"data offset":     {patch(16, 1), ipcerr.Corrupt},
		"flags":           {patch(20, 8), ipcerr.Version},
		"pipe flag":       {patch(20, 4), ipcerr.Corrupt},
		"size":            {patch(24, 1), ipcerr.Corrupt},
		"negative size":   {patch(31, 0x80), ipcerr.Corrupt},
		"odd size":        {func(t *testing.T, f string) { patch(24, odd...)(t, f); resize(layout.HeaderArea+4096)(t, f) }, ipcerr.Corrupt},
		"no uuid":         {patch(32, make([]byte, 16)...), ipcerr.Corrupt},
		"another members": {patch(48, 99), ipcerr.Mismatch},
		"used":            {patch(76, 1, 2, 3, 4), ipcerr.Corrupt},
		"directory":       {replace(func(f string) error { return os.Mkdir(f, 0o700) }), ipcerr.Corrupt},
		"fifo":            {replace(func(f string) error { return unix.Mkfifo(f, 0o600) }), ipcerr.Corrupt},
		"symlink":         {replace(func(f string) error { return os.Symlink("/dev/shm", f) }), ipcerr.Denied},
		"dangling":        {replace(func(f string) error { return os.Symlink("nothing", f) }), ipcerr.Denied},
		"text":            {replace(func(f string) error { return os.WriteFile(f, []byte("hello"), 0o600) }), ipcerr.Corrupt},
	} {
		t.Run(name, func(t *testing.T) {
			r := testRoot(t)
			damage(t, r, func(file string) { c.change(t, file) })
			_, err := r.Open("x", layout.KindQueue, testMembers, true)
			want(t, err, c.code)
			_, err = r.Create("x", spec(0))
			want(t, err, ipcerr.Exists)
			list, err := r.List()
			must(t, err)
			if len(list) != 1 || list[0].Err == nil && c.code != ipcerr.WrongKind && c.code != ipcerr.Mismatch && name != "odd size" {
				t.Errorf("%+v", list)
			}
			reap(t, r, 0)
			if err := r.Unlink("x", layout.KindQueue); c.code != ipcerr.Mismatch && name != "odd size" {
				want(t, err, c.code)
			}
			if err := r.Unlink("x", 0); err != nil || len(files(t, r)) > 0 {
				if c.code == ipcerr.Corrupt && name != "directory" && name != "fifo" && name != "part kind" {
					t.Errorf("a damaged file cannot be removed: %v", err)
				}
				must(t, os.RemoveAll(at(r, "x")))
			}
		})
	}
}

// Headers of random bytes, and good ones with random changes, give an error or a good object.
func TestRandomHeaders(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	r := testRoot(t)
	o := create(t, r, "x", 0)
	must(t, o.Close())
	good, err := os.ReadFile(at(r, "x"))
	must(t, err)
	for range 2000 {
		h := append([]byte(nil), good[:layout.HeaderSize]...)
		for range 1 + rnd.IntN(4) {
			h[rnd.IntN(len(h))] = byte(rnd.Uint32())
		}
		patch(0, h...)(t, at(r, "x"))
		o, err := r.Open("x", layout.KindQueue, testMembers, true)
		if err == nil {
			if len(o.Mem) != 3*layout.HeaderArea {
				t.Fatalf("%x", h)
			}
			err = o.Close()
			must(t, err)
		} else if c := ipcerr.CodeOf(err); c == ipcerr.Internal {
			t.Fatalf("%x: %v", h, err)
		}
		if len(files(t, r)) == 0 { // it became transient
			must(t, os.WriteFile(at(r, "x"), good, 0o600))
		}
	}
	must(t, os.Remove(at(r, "x")))
}

// The root goes away while it is used.
func TestRootRemoved(t *testing.T) {
	r := testRoot(t)
	o := create(t, r, "x", layout.Transient)
	must(t, os.RemoveAll(r.Path()))
	o.Mem[layout.HeaderArea] = 1
	_, err := r.Create("y", spec(0))
	want(t, err, ipcerr.NotFound)
	_, err = r.Open("x", layout.KindQueue, testMembers, true)
	want(t, err, ipcerr.NotFound)
	want(t, r.WritePart(o.UUID, 'm', 1, testMembers, []byte("x")), ipcerr.NotFound)
	must(t, r.Unlink("x", 0))
	_, err = r.List()
	want(t, err, ipcerr.NotFound)
	_, err = r.Reap()
	want(t, err, ipcerr.NotFound)
	must(t, o.Close())
	must(t, os.Mkdir(r.Path(), 0o700))
}

// Out of descriptors: an error that names the limit, and nothing lost.
func TestDescriptorLimit(t *testing.T) {
	r := testRoot(t)
	o := create(t, r, "x", 0)
	var old unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	low := old
	low.Cur = 0
	must(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &low))
	_, create := r.Create("y", spec(0))
	_, open := r.Open("x", layout.KindQueue, testMembers, true)
	unlink := r.Unlink("x", 0)
	_, list := r.List()
	must(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &old))
	for _, err := range []error{create, open, unlink, list} {
		want(t, err, ipcerr.Limit)
	}
	must(t, r.Unlink("x", 0))
	must(t, o.Close())
}

func TestFileSizeLimit(t *testing.T) {
	r := testRoot(t)
	p := startEnv(t, nil, r, "small")
	p.finish()
}

func TestAddressSpaceLimit(t *testing.T) {
	r := testRoot(t)
	p := startEnv(t, nil, r, "narrow")
	p.finish()
}

func init() {
	helpers["small"] = func(r *Root, _ []string) error {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 100000, Max: 100000}); err != nil {
			return err
		}
		// The kernel would send SIGXFSZ besides, which kills most programs: so it must not be asked.
		_, err := r.Create("x", spec(0))
		if err == nil || !strings.Contains(err.Error(), "100000") {
			return fmt.Errorf("not foreseen: %v", err)
		}
		return errors.Join(expect(err, ipcerr.Limit),
			expect(r.WritePart([16]byte{1}, 'm', 1, testMembers, make([]byte, 100000)), ipcerr.Limit),
			expect(r.WritePart([16]byte{1}, 'm', 2, testMembers, make([]byte, 1000)), 0),
			r.RemovePart([16]byte{1}, 'm', 2))
	}
	helpers["narrow"] = func(r *Root, _ []string) error {
		// Go itself needs some to go on with, so leave that much.
		b, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			return err
		}
		var pages uint64
		if _, err := fmt.Sscan(string(b), &pages); err != nil {
			return err
		}
		most := pages*uint64(os.Getpagesize()) + 256<<20
		if err := unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: most, Max: most}); err != nil {
			return err
		}
		s := spec(0)
		s.Data = 256 << 20
		_, err = r.Create("x", s)
		return expect(err, ipcerr.NoMemory)
	}
}

func expect(err error, code ipcerr.Code) error {
	if ipcerr.CodeOf(err) != code {
		return fmt.Errorf("got %v, want %s", err, code.Name())
	}
	return nil
}
