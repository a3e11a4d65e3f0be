package wait

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

var background = context.Background()

// limit is a context that ends then.
type limit struct {
	context.Context
	at time.Time
}

func within(d time.Duration) context.Context { return limit{background, time.Now().Add(d)} }
func (l limit) Deadline() (time.Time, bool)  { return l.at, true }
func (s signals) Interruptible() bool        { return true }

type signals struct{ context.Context }

// thing is ready when somebody wrote to its pipe, unless another took it.
type thing struct {
	fds   [2]int
	taken bool
	err   error
}

func newThing(t *testing.T) *thing {
	t.Helper()
	x := &thing{}
	if err := unix.Pipe2(x.fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = unix.Close(x.fds[0]), unix.Close(x.fds[1]) })
	return x
}

func (x *thing) ring()                { _, _ = unix.Write(x.fds[1], []byte{1}) }
func (x *thing) PollFD() (int, error) { return x.fds[0], nil }
func (x *thing) Ready() (bool, error) {
	if x.taken {
		x.taken = false
		_, _ = unix.Read(x.fds[0], make([]byte, 1))
		return false, nil
	}
	return true, x.err
}

func TestAny(t *testing.T) {
	a, b, c := newThing(t), newThing(t), newThing(t)
	if ready, err := Any(within(0), a, b, c); !errors.Is(err, context.DeadlineExceeded) || ready != nil {
		t.Errorf("none is ready: %v %v", ready, err)
	}
	b.ring()
	c.ring()
	ready, err := Any(background, a, b, Write(a.fds[1]), c, Read(a.fds[0]))
	if err != nil || !slices.Equal(ready, []int{1, 2, 3}) {
		t.Errorf("%v %v", ready, err)
	}
	if ready, err = Any(within(0), b); err != nil || !slices.Equal(ready, []int{0}) {
		t.Errorf("a try: %v %v", ready, err)
	}
}

func TestNothingToWaitFor(t *testing.T) {
	if _, err := Any(within(time.Millisecond)); ipcerr.CodeOf(err) != ipcerr.Timeout {
		t.Error(err)
	}
}

// TestAnotherWasQuicker wants the wait to go on when what was ready is so no more.
func TestAnotherWasQuicker(t *testing.T) {
	a, b := newThing(t), newThing(t)
	a.taken = true
	a.ring()
	r := Start(background, a, b)
	b.ring()
	if got := <-r; got.Err != nil || !slices.Equal(got.Ready, []int{1}) {
		t.Error(got)
	}
}

func TestErrors(t *testing.T) {
	a := newThing(t)
	a.err = ipcerr.Corrupt
	a.ring()
	if _, err := Any(background, a); !errors.Is(err, ipcerr.Corrupt) {
		t.Error(err)
	}
	for _, fd := range []int{-1, 1 << 20} {
		if _, err := Any(background, Read(fd)); !errors.Is(err, ipcerr.Invalid) {
			t.Errorf("descriptor %d: %v", fd, err)
		}
	}
}

func TestCancel(t *testing.T) {
	a := newThing(t)
	ctx, cancel := context.WithCancel(background)
	r := Start(ctx, a)
	cancel()
	if got := <-r; !errors.Is(got.Err, context.Canceled) {
		t.Error(got)
	}
	a.ring() // with an ended context a first look is taken all the same
	if ready, err := Any(ctx, a); err != nil || len(ready) != 1 {
		t.Error(ready, err)
	}
}

func TestInterruptible(t *testing.T) {
	began := time.Now()
	_, err := Any(signals{background}, newThing(t))
	if !errors.Is(err, ipcerr.Interrupted) || time.Since(began) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func TestManyDescriptors(t *testing.T) {
	const most = 1000
	var old syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old)
	if old.Max < 2*most+100 {
		t.Skip("RLIMIT_NOFILE is too low")
	}
	raised := syscall.Rlimit{Cur: old.Max, Max: old.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err != nil {
		t.Skip(err)
	}
	defer func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old) }()
	all := make([]Waitable, most)
	for i := range all {
		all[i] = newThing(t)
	}
	all[most-1].(*thing).ring()
	all[17].(*thing).ring()
	if ready, err := Any(background, all...); err != nil || !slices.Equal(ready, []int{17, most - 1}) {
		t.Error(ready, err)
	}
}
