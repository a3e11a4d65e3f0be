package wait

import (
	"context"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Result is what came of a Start: as Any returns it.
type Result struct {
	Ready []int
	Err   error
}

// Start is Any for a select statement: it waits in a goroutine of its own, and the result comes once on the channel.
// Whoever does not take it any more ends ctx.
//
//	ctx, cancel := context.WithCancel(ctx)
//	defer cancel()
//	select {
//	case r := <-wait.Start(ctx, jobs.Readable(), child):
//		...
//	case v := <-other:
//		...
//	}
func Start(ctx context.Context, things ...Waitable) <-chan Result {
	c := make(chan Result, 1)
	go func() {
		ready, err := Any(ctx, things...)
		c <- Result{ready, err}
	}()
	return c
}

// wakeWhenDone returns a descriptor that becomes readable when ctx ends; stop closes it.
func wakeWhenDone(ctx context.Context) (fd int, stop func(), err error) {
	fd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return -1, nil, &ipcerr.Error{Op: "wait for many", Code: ipcerr.Limit, Err: err,
			Hint: "no descriptor is left to be told of the context's end: raise RLIMIT_NOFILE (ulimit -n) or close some"}
	}
	if shm.OnDescriptor != nil {
		shm.OnDescriptor(fd, true)
	}
	rang := make(chan struct{})
	undo := context.AfterFunc(ctx, func() {
		defer close(rang)
		_, _ = unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // one, as an eventfd reads it on either machine
	})
	return fd, func() {
		if !undo() {
			<-rang
		}
		shm.CloseFile(fd, shm.OnDescriptor)
	}, nil
}
