// Package testroot gives Go's tests roots of their own.
package testroot

import (
	"os"
	"testing"
)

// New makes a root, which goes with the test. The test must leave nothing in it but the registry of processes.
func New(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-test-")
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
