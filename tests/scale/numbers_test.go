package scale

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// state is what a process must not have more of in the end.
type state struct{ descriptors, mappings int }

// stateOf is the state of the process with that number, or of "self".
func stateOf(t *testing.T, pid string) state {
	t.Helper()
	maps, err := os.ReadFile("/proc/" + pid + "/maps")
	must(t, err)
	return state{len(list(t, "/proc/"+pid+"/fd")), strings.Count(string(maps), "polyipc-scale-")}
}

// TestCycles makes, opens, closes and unlinks 10,000 objects, all kinds in turn.
func TestCycles(t *testing.T) {
	root := newRoot(t)
	keep, err := kinds[0].create("", root) // else the root is left and joined each time
	must(t, err)
	before := stateOf(t, "self")
	for i := range 10_000 {
		k := kinds[i%len(kinds)]
		name := fmt.Sprintf("x%d", i%7)
		a, err := k.create(name, root)
		must(t, err)
		b, err := k.open(name, root)
		must(t, err)
		if i%2 == 0 {
			must(t, a.Unlink())
		}
		must(t, b.Close())
		must(t, a.Close())
		if i%2 != 0 {
			must(t, a.Unlink())
		}
	}
	if after := stateOf(t, "self"); after != before {
		t.Errorf("before %+v, after %+v", before, after)
	}
	must(t, keep.Close())
}

// TestThousandOpen has 1,000 objects of each kind open at once, and meets the limit of descriptors, which is told by
// its name and leaves what is open as it is.
func TestThousandOpen(t *testing.T) {
	var old syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old))
	limit := func(n uint64) {
		must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: n, Max: old.Max}))
	}
	defer limit(old.Cur)
	for _, k := range kinds {
		t.Run(strings.ReplaceAll(k.name, " ", "_"), func(t *testing.T) {
			root := newRoot(t)
			before := stateOf(t, "self")
			limit(1024)
			var all []open
			var err error
			for len(all) < 2000 {
				var x open
				if x, err = k.create("", root); err != nil {
					break
				}
				all = append(all, x)
			}
			if len(all) < 1000 || len(all) > 1024 || ipcerr.CodeOf(err) != ipcerr.Limit || !strings.Contains(err.Error(), "RLIMIT_NOFILE") {
				t.Errorf("after %d objects: %v", len(all), err)
			}
			must(t, all[0].Close()) // and there is room for one again
			all[0], err = k.create("", root)
			must(t, err)
			limit(max(old.Cur, 4096))
			more, err := k.create("", root)
			must(t, err)
			for _, x := range append(all, more) {
				must(t, x.Close())
			}
			if after := stateOf(t, "self"); after != before {
				t.Errorf("before %+v, after %+v", before, after)
			}
		})
	}
}
