package journal

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	bolt "go.etcd.io/bbolt"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/serve"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, file string, o Options) *Journal {
	t.Helper()
	j, err := Open(file, o)
	must(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// shelf is what a journal should have, in maps.
type shelf map[uint64]*object

type object struct {
	name, typ string
	head      []byte
	entries   map[uint64]string
}

func (s shelf) do(c serve.Change) {
	o := s[c.Object]
	switch c.What {
	case serve.Make:
		s[c.Object] = &object{c.Key, string(codec.Body(c.Value)), codec.AppendNil(nil), map[uint64]string{}}
	case serve.Remove:
		delete(s, c.Object)
	case serve.Head:
		o.head = c.Value
	case serve.Set:
		o.entries[c.Number] = c.Key + string(c.Value)
	case serve.Delete:
		delete(o.entries, c.Number)
	case serve.Clear:
		clear(o.entries)
	}
}

func (s shelf) String() string {
	b := &strings.Builder{}
	for _, n := range slices.Sorted(maps.Keys(s)) {
		o := s[n]
		fmt.Fprintf(b, "%d %s %s % x\n", n, o.name, o.typ, o.head)
		for _, k := range slices.Sorted(maps.Keys(o.entries)) {
			fmt.Fprintf(b, " %d: % x\n", k, o.entries[k])
		}
	}
	return b.String()
}

// shelfOf reads a journal.
func shelfOf(t testing.TB, j *Journal, numbers ...uint64) shelf {
	t.Helper()
	s := shelf{}
	must(t, j.Load(numbers, func(o serve.Kept) error {
		entries := map[uint64]string{}
		last := uint64(0)
		for n, b := range o.Entries {
			if n < last {
				t.Fatalf("entry %d behind %d", n, last)
			}
			last = n
			entries[n] = string(b)
		}
		s[o.Number] = &object{o.Name, o.Type, bytes.Clone(o.Head), entries}
		return nil
	}))
	return s
}

func made(n uint64, name, typ string) serve.Change {
	return serve.Change{Object: n, What: serve.Make, Key: name, Value: codec.AppendText(nil, typ)}
}

// change is any change that can be made of what there is.
func (s shelf) change(r *rand.Rand) serve.Change {
	n := r.Uint64N(8) + 1
	if s[n] == nil {
		return made(n, fmt.Sprint("name", n), "list")
	}
	value := codec.AppendBin(nil, bytes.Repeat([]byte{byte(n)}, r.IntN(300)*r.IntN(40)))
	switch r.IntN(30) {
	case 0:
		return serve.Change{Object: n, What: serve.Remove}
	case 1:
		return serve.Change{Object: n, What: serve.Clear}
	case 2:
		return serve.Change{Object: n, What: serve.Head, Value: value}
	case 3, 4, 5, 6, 7, 8, 9, 10:
		return serve.Change{Object: n, What: serve.Delete, Number: r.Uint64N(100)}
	}
	return serve.Change{Object: n, What: serve.Set, Number: r.Uint64N(100), Key: string(codec.AppendUint(nil, r.Uint64())), Value: value}
}

func TestModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	file := filepath.Join(t.TempDir(), "data")
	o := Options{NoSync: true}
	j := open(t, file, o)
	model := shelf{}
	for range 300 {
		var changes []serve.Change
		for range r.IntN(40) {
			c := model.change(r)
			model.do(c)
			changes = append(changes, c)
		}
		must(t, j.Commit(changes))
		if r.IntN(20) == 0 {
			must(t, j.Close())
			j = open(t, file, o)
		}
		if got := shelfOf(t, j).String(); got != model.String() {
			t.Fatalf("there is\n%.2000s\ninstead of\n%.2000s", got, model)
		}
	}
	if some := shelfOf(t, j, 3, 99); len(some) > 1 || model[3] != nil && some[3].name != "name3" {
		t.Errorf("objects 3 and 99 are %v", some)
	}
}

// TestSmallCommits: a commit costs what has changed, not what there is.
func TestSmallCommits(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "data"), Options{NoSync: true})
	many := []serve.Change{made(1, "many", "dict")}
	for n := range uint64(200_000) {
		many = append(many, serve.Change{Object: 1, What: serve.Set, Number: n, Value: codec.AppendUint(nil, n)})
	}
	must(t, j.Commit(many))
	before := j.db.Stats().TxStats
	const commits = 100
	for n := range uint64(commits) {
		must(t, j.Commit([]serve.Change{{Object: 1, What: serve.Set, Number: n * 997, Value: codec.AppendUint(nil, n)}}))
	}
	after := j.db.Stats().TxStats
	diff := after.Sub(&before)
	if pages := diff.GetPageCount() / commits; pages > 8 {
		t.Errorf("a commit of one change wrote %d pages", pages)
	}
}

func TestWhoMayOpen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "data")
	j := open(t, file, Options{})
	info, err := os.Stat(file)
	must(t, err)
	if info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	refused(t, file, ipcerr.Exists, "another server has it")
	must(t, j.Close())
	must(t, open(t, file, Options{}).Close())
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("besides the file there are %v, %v", names, err)
	}
}

// refused wants Open to fail, with an error that names the file and the cure, and to fail so again.
func refused(t testing.TB, file string, code ipcerr.Code, text string) {
	t.Helper()
	for range 2 {
		refusedOnce(t, file, code, text)
	}
}

func refusedOnce(t testing.TB, file string, code ipcerr.Code, text string) {
	t.Helper()
	before := mappings(t, file)
	j, err := Open(file, Options{})
	if err == nil {
		err = j.Load(nil, func(o serve.Kept) error {
			for range o.Entries {
			}
			return nil
		})
		_ = j.Close()
	}
	if ipcerr.CodeOf(err) != code || !strings.Contains(fmt.Sprint(err), text) || !strings.Contains(fmt.Sprint(err), file) {
		t.Errorf("%v, want %v: ... %s", err, code, text)
	}
	if n := mappings(t, file); n != before {
		t.Errorf("%v: %d mappings stay", err, n-before)
	}
}

// mappings is how often this process has mapped a file.
func mappings(t testing.TB, file string) int {
	maps, err := os.ReadFile("/proc/self/maps")
	must(t, err)
	return strings.Count(string(maps), " "+file+"\n")
}

// TestGivenUp closes a journal whose commit has panicked: another one can have the file.
func TestGivenUp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data")
	j := open(t, file, Options{})
	j.lost = true
	must(t, j.Close())
	must(t, open(t, file, Options{}).Close())
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, b []byte) string {
		must(t, os.WriteFile(at(name), b, 0o600))
		return at(name)
	}
	refused(t, at("missing/data"), ipcerr.NotFound, "make it first")
	refused(t, dir, ipcerr.Invalid, "give a file")
	refused(t, "/dev/null", ipcerr.Invalid, "no regular file")
	refused(t, write("empty", nil), ipcerr.Corrupt, "fewer than any journal")
	refused(t, write("text", bytes.Repeat([]byte("a text\n"), 10_000)), ipcerr.Corrupt, "give another one")

	whole := filled(t)
	refused(t, write("cut off", whole[:len(whole)/2&^4095]), ipcerr.Corrupt, "it was cut off")

	foreign, err := bolt.Open(at("foreign"), 0o600, nil)
	must(t, err)
	must(t, foreign.Update(func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("others")); return err }))
	must(t, foreign.Close())
	refused(t, at("foreign"), ipcerr.Corrupt, "no journal")

	newer := open(t, at("newer"), Options{})
	must(t, newer.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketFormat).Put(keyVersion, codec.AppendUint(nil, 2)) }))
	must(t, newer.Close())
	refused(t, at("newer"), ipcerr.Version, "use the newer polyipc")
}

// filled makes a journal of some pages.
func filled(t testing.TB) []byte {
	file := filepath.Join(t.TempDir(), "data")
	j := open(t, file, Options{NoSync: true})
	for n := range uint64(20) {
		changes := []serve.Change{made(n+1, fmt.Sprint("name", n), "list")}
		for i := range 40 * n {
			changes = append(changes, serve.Change{Object: n + 1, What: serve.Set, Number: i, Value: codec.AppendText(nil, "a value")})
		}
		must(t, j.Commit(changes))
	}
	must(t, j.Close())
	b, err := os.ReadFile(file)
	must(t, err)
	return b
}

// TestDamage flips bits, cuts off and overwrites: what is read then was written, or the file is refused. Nothing panics.
func TestDamage(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	whole := filled(t)
	file := filepath.Join(t.TempDir(), "data")
	must(t, os.WriteFile(file, whole, 0o600))
	j := open(t, file, Options{})
	want := shelfOf(t, j)
	must(t, j.Close())
	refusals := 0
	for i := range 400 {
		b := bytes.Clone(whole)
		switch i % 3 {
		case 0:
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		case 1:
			b = b[:r.IntN(len(b))]
		default:
			at := r.IntN(len(b) - 4096)
			copy(b[at:at+r.IntN(4096)], whole[r.IntN(len(b)-4096):])
		}
		must(t, os.WriteFile(file, b, 0o600))
		j, err := Open(file, Options{NoSync: true})
		var got shelf
		if err == nil {
			got = shelf{}
			err = j.Load(nil, func(o serve.Kept) error {
				entries := map[uint64]string{}
				for n, b := range o.Entries {
					entries[n] = string(b)
				}
				got[o.Number] = &object{o.Name, o.Type, bytes.Clone(o.Head), entries}
				return nil
			})
			_ = j.Close()
		}
		if err != nil {
			refusals++
			if code := ipcerr.CodeOf(err); code != ipcerr.Corrupt && code != ipcerr.Version || !strings.Contains(err.Error(), file) {
				t.Errorf("damage %d: %v", i, err)
			}
		} else if !got.within(want) {
			t.Errorf("damage %d made up something", i)
		}
	}
	t.Logf("%d of 400 were refused", refusals)
	if refusals < 100 {
		t.Errorf("only %d of 400 damages were seen", refusals)
	}
}

// within reports whether all that there is, is as in another one. Entries can be missing: what damages the number of those in a
// page takes them away, and with the newer of the two beginnings damaged a journal is what it was one commit before.
func (s shelf) within(all shelf) bool {
	for n, o := range s {
		other := all[n]
		if other == nil || o.name != other.name || o.typ != other.typ || !bytes.Equal(o.head, other.head) {
			return false
		}
		for k, v := range o.entries {
			if w, ok := other.entries[k]; !ok || v != w {
				return false
			}
		}
	}
	return true
}

// TestNoSpace: a commit that finds no space changes nothing, and the next one that finds some goes on.
func TestNoSpace(t *testing.T) {
	signal.Ignore(unix.SIGXFSZ)
	defer signal.Reset(unix.SIGXFSZ)
	file := filepath.Join(t.TempDir(), "data")
	j := open(t, file, Options{})
	must(t, j.Commit([]serve.Change{made(1, "a", "list"), {Object: 1, What: serve.Set, Number: 1, Value: codec.AppendUint(nil, 1)}}))
	before := shelfOf(t, j).String()

	var usual unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_FSIZE, &usual))
	must(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 64 << 10, Max: usual.Max}))
	large := []serve.Change{{Object: 1, What: serve.Clear}, made(2, "b", "list"), {Object: 1, What: serve.Set, Number: 2, Value: codec.AppendBin(nil, make([]byte, 1<<20))}}
	for range 3 {
		if err := j.Commit(large); !errors.Is(err, ipcerr.NoSpace) || !strings.Contains(err.Error(), file) {
			t.Errorf("without space: %v", err)
		}
		if got := shelfOf(t, j).String(); got != before {
			t.Errorf("without space there is %s", got)
		}
	}
	must(t, j.Commit([]serve.Change{{Object: 1, What: serve.Set, Number: 3, Value: codec.AppendUint(nil, 3)}})) // there is a little
	must(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &usual))
	must(t, j.Commit(large))
	must(t, j.Close())
	if all := shelfOf(t, open(t, file, Options{})); len(all) != 2 || len(all[1].entries) != 1 {
		t.Errorf("in the end there is %v", all)
	}
}

// TestCutOffUnderWay: who truncates the file of a running server gets an error out of it, no fault.
func TestCutOffUnderWay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data")
	must(t, os.WriteFile(file, filled(t), 0o600))
	j := open(t, file, Options{})
	must(t, os.Truncate(file, 8192))
	if err := j.Load(nil, func(serve.Kept) error { return nil }); ipcerr.CodeOf(err) != ipcerr.Corrupt {
		t.Errorf("loading: %v", err)
	}
	if err := j.Commit([]serve.Change{made(77, "x", "list")}); ipcerr.CodeOf(err) != ipcerr.Corrupt {
		t.Errorf("commit: %v", err)
	}
}
