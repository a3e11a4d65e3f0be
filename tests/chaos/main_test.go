//go:build crash

// Package chaos kills processes that use queues: at every named crash point, at random times, and
// by stopping them where they must not be taken for dead. The peers of tests/peers are what dies.
//
//	go test -tags=crash ./tests/chaos
//
// $POLYIPC_CHAOS_KILLS is how many random kills there are, $POLYIPC_CHAOS_SEED repeats those of a
// printed seed (what is drawn is the same then; what the scheduler does is not).
package chaos

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polyipc/polyipc/tests/peers"
)

// bound is how long a survivor may be held up by a death.
const bound = 2 * time.Second

func TestMain(m *testing.M) {
	peers.Crash = true
	code := m.Run()
	peers.Clean()
	os.Exit(code)
}

// newRoot makes a root, in which the test must leave nothing.
func newRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-chaos-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left := files(t, dir); len(left) > 0 && !t.Failed() {
			t.Errorf("left in the root: %s", strings.Join(left, " "))
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// files are what is in a root besides the registry of its members, which stays as long as the root.
func files(t testing.TB, root string) []string {
	t.Helper()
	all, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(all))
	for _, f := range all {
		if f.Name() != "members" {
			names = append(names, f.Name())
		}
	}
	slices.Sort(names)
	return names
}

// within waits until f says yes, and fails the test if that takes longer than the bound.
func within(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(bound); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", bound, what)
		}
	}
}
