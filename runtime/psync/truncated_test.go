package psync

import (
	"os"
	"testing"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

// TestTruncatedUnderTheGuard takes away what the guard guards and leaves the guard, under a call that has it: the
// guard is given back all the same.
func TestTruncatedUnderTheGuard(t *testing.T) {
	dir := testroot.New(t)
	l, err := CreateRWLock("cut", Options{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(dir+"/cut", 4096); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := l.TryReadLock(); ipcerr.CodeOf(err) != ipcerr.Corrupt {
			t.Error(err)
		}
		if word := l.h.Guard.Load(); word != 0 {
			t.Fatalf("the guard stays with %#x", word)
		}
	}
	_ = l.Close()
	if err := os.Remove(dir + "/cut"); err != nil {
		t.Error(err)
	}
}
