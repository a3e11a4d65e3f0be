package fifo

import (
	"os"
	"testing"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

// TestTruncatedUnderALock takes the rings away and leaves the header, under calls that hold the locks and must repair
// what is not there any more: they give the locks back all the same.
func TestTruncatedUnderALock(t *testing.T) {
	dir := testroot.New(t)
	q, err := Create("cut", Options{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	mustPut(t, q, "x")
	q.h.Sweep.Valid.Store(1)
	q.h.Growing, q.h.Retiring = 7, 7
	q.h.Rescan.Store(1)
	if err := os.Truncate(dir+"/cut", 4096); err != nil {
		t.Fatal(err)
	}
	_, err = q.TryGet()
	mustBe(t, err, ipcerr.Corrupt)
	mustBe(t, q.TryPut([]byte("y"), Raw), ipcerr.Corrupt)
	for name, word := range map[string]uint32{"producer": q.h.Producers.Load(), "consumer": q.h.Consumers.Load()} {
		if word != 0 {
			t.Errorf("the %s lock stays with %#x", name, word)
		}
	}
	_ = q.Close()
	if err := os.Remove(dir + "/cut"); err != nil {
		t.Error(err)
	}
}
