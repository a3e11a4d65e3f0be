// Package testroot gives Go's tests roots of their own.
package testroot

import (
	"os"
	"testing"
)

// New makes a root, which goes with the test; in $POLYIPC_TEST_ROOTS, which tools/fuzz removes: processes that fuzz are killed. The test must leave nothing in it but the registry of processes.
func New(t testing.TB) string {
	t.Helper()
	parent := os.Getenv("POLYIPC_TEST_ROOTS")
	if parent == "" {
		parent = "/dev/shm"
	}
	dir, err := os.MkdirTemp(parent, "polyipc-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Error(err)
		}
		for _, f := range files {
			if f.Name() != "members" {
				t.Errorf("left in the root: %s", f.Name())
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
