package manager

import (
	"context"

	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/layout"

	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/serve"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/pipe"
)

// A line carries frames to the server and back.
type line interface {
	// send sends a frame, waiting for room until ctx ends; with atOnce it does not wait: ipcerr.Full.
	send(ctx context.Context, f []byte) error
	// recv receives the next frame; ipcerr.TooSmall, with its size, if buf is; with atOnce ipcerr.Empty. Called by one at a time.
	recv(ctx context.Context, buf []byte) (int, error)
	// alive reports whether the server lives, as far as can be known.
	alive() bool
	close()
}

// atOnce is the context of who does not wait.
var atOnce = context.TODO()

const remotePrefix = "tcp://"

// connecting is the context of who connects. After an interrupt he begins anew, and would never be done where an answer takes
// longer than park.InterruptEvery: so a signal interrupts him, and if that came between two waits, silence for longer than
// any server lets a greeting take.
type connecting struct{ context.Context }

const silence = 6 * time.Second

// Interruptible is that of the whole.
func (c connecting) Interruptible() bool {
	i, ok := c.Context.(park.Interruptible)
	return ok && i.Interruptible()
}

// dial connects and greets.
func dial(ctx context.Context, name string, o *Options) (line, frame.Welcome, error) {
	ctx = connecting{ctx}
	if strings.HasPrefix(name, remotePrefix) {
		return dialRemote(ctx, name, o)
	}
	return dialLocal(ctx, name, o)
}

func dialLocal(ctx context.Context, name string, o *Options) (line, frame.Welcome, error) {
	none := frame.Welcome{}
	place, err := serve.Find(opConnect, o.Root, name)
	if err != nil {
		return nil, none, err
	}
	l := &localLine{place: place, socket: -1}
	l.calls.Free = l.free
	if err := object.Trust(opConnect, name, place.Root(), o.Pickle, o.TrustGroup); err != nil {
		l.close()
		return nil, none, err
	}
	if !place.Alive() {
		l.close()
		return nil, none, &ipcerr.Error{Op: opConnect, Name: name, Code: ipcerr.NotFound, Hint: "its server is dead: start one"}
	}
	// Between the manager's name and its socket there is a moment.
	for began := time.Now(); ; {
		if l.socket, err = place.Connect(); err == nil {
			break
		}
		code := ipcerr.CodeOf(err)
		if code != ipcerr.NotFound && code != ipcerr.Timeout || time.Since(began) > time.Second && code == ipcerr.NotFound || park.Ended(ctx) != nil || over(ctx) {
			l.close()
			return nil, none, err
		}
		_, _ = unix.Poll(nil, 2)
	}
	w, err := greet(ctx, &talk{name: name, fd: l.socket}, o, uint64(place.Token()))
	if err == nil && (w.Pipe == "" || w.Slot >= layout.ManagerSlots) {
		err = &ipcerr.Error{Op: opConnect, Name: name, Code: ipcerr.Version, Hint: "the server gave no pipe, or no bell"}
	}
	if err == nil {
		l.pipe, err = pipe.Open(w.Pipe, pipe.Options{Root: place.Root().Path(), End: pipe.Second})
	}
	if err != nil {
		l.close()
		return nil, none, err
	}
	l.bell = place.Bell(int(w.Slot))
	l.pipe.SpinPolitely(func() bool { return l.bell.Load()&layout.AtHost != 0 })
	return l, w, nil
}

func over(ctx context.Context) bool {
	d, ok := ctx.Deadline()
	return ok && !time.Now().Before(d)
}

// until waits for a socket, until ctx ends; a signal ends it only if the context is interruptible.
func until(ctx context.Context, name string, fd int, events int16) error {
	interruptible := false
	if i, ok := ctx.(park.Interruptible); ok {
		interruptible = i.Interruptible()
	}
	began, most := time.Now(), park.InterruptEvery
	if _, ok := ctx.(connecting); ok {
		most = silence
	}
	for {
		if err := park.Ended(ctx); err != nil {
			return &ipcerr.Error{Op: "call manager", Name: name, Code: ipcerr.CodeOf(err)}
		}
		ms := 50 // as long as the end of a context that cannot wake us may take
		if d, ok := ctx.Deadline(); ok {
			left := time.Until(d)
			if left <= 0 {
				return &ipcerr.Error{Op: "call manager", Name: name, Code: ipcerr.Timeout}
			}
			ms = min(ms, int(left/time.Millisecond)+1)
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: events}}, ms)
		if n > 0 {
			return nil
		}
		if interruptible && (err == unix.EINTR || time.Since(began) > most) {
			return &ipcerr.Error{Op: "call manager", Name: name, Code: ipcerr.Interrupted}
		}
	}
}
