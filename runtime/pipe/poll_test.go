package pipe

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/wait"
	"github.com/polyipc/polyipc/tests/testroot"
)

// TestWaitForMany waits for what the ends of pipes can be waited for.
func TestWaitForMany(t *testing.T) {
	a, b := pair(t, Options{})
	c, d := pair(t, Options{OneWay: true})
	now, cancel := context.WithTimeout(ctx, 0) // a first look is taken all the same
	defer cancel()
	is := func(want ...int) {
		t.Helper()
		got, err := wait.Any(now, a.Readable(), b.Readable(), c.Readable(), a.Writable(), d.Writable())
		if err != nil && len(want) > 0 || !slices.Equal(got, want) {
			t.Errorf("ready are %v (%v), not %v", got, err, want)
		}
	}
	is(3, 4)
	must(t, b.TrySend([]byte("x"), Raw))
	is(0, 3, 4)
	for d.TrySend(make([]byte, 1000), Raw) == nil {
	}
	for d.TrySend(nil, Raw) == nil {
	}
	is(0, 2, 3)
	_, err := a.TryRecv()
	must(t, err)
	_, err = c.TryRecv()
	must(t, err)
	is(2, 3, 4)
	for _, bad := range []wait.Waitable{c.Writable(), d.Readable()} {
		if _, err := wait.Any(ctx, bad); !errors.Is(err, ipcerr.Invalid) {
			t.Error(err)
		}
	}
}

// TestTheOtherEndGoes waits for the end of file and the broken pipe, after a close and after a death.
func TestTheOtherEndGoes(t *testing.T) {
	for _, how := range []string{"close", "kill"} {
		t.Run(how, func(t *testing.T) {
			var a *Pipe
			var leave func()
			if how == "kill" {
				a = alone(t, Options{})
				c := child(t, a, "hold")
				leave = func() { kill(c) }
			} else {
				var b *Pipe
				a, b = pair(t, Options{})
				leave = func() { _ = b.Close() }
			}
			r := wait.Start(ctx, a.Readable())
			leave()
			select {
			case got := <-r:
				must(t, got.Err)
			case <-time.After(20 * time.Second):
				t.Fatal("not readable")
			}
			if _, err := a.TryRecv(); !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			if _, err := wait.Any(ctx, a.Writable()); err != nil {
				t.Error(err)
			}
			if err := a.TrySend(nil, Raw); !errors.Is(err, ipcerr.Broken) {
				t.Error(err)
			}
		})
	}
}

// TestOneOfSeveralHoldersGoes is nothing that the other end is to be told of.
func TestOneOfSeveralHoldersGoes(t *testing.T) {
	o := Options{Root: testroot.New(t)}
	a, b, err := Pair("", o)
	must(t, err)
	t.Cleanup(func() { end(t, a) })
	again, err := Open(b.Name(), Options{Root: o.Root, End: Second})
	must(t, err)
	fd, err := a.Readable().PollFD()
	must(t, err)
	rung := func() bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		must(t, err)
		return n > 0
	}
	must(t, again.Close())
	if rung() {
		t.Error("a loop would come for nothing, and stay if it receives")
	}
	must(t, b.Close())
	if !rung() {
		t.Error("the end of the file is not told")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
