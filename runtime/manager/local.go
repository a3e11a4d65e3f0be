package manager

import (
	"context"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/serve"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/pipe"
)

// localLine is a pipe, and a socket by whose end each side finds that the other is gone, and which wakes the server.
type localLine struct {
	place  *serve.Place
	pipe   *pipe.Pipe
	socket int
	bell   *atomic.Uint32
	calls  object.Gate
	unsure atomic.Bool // something went to and fro since the server was last woken unasked
}

func (l *localLine) send(ctx context.Context, f []byte) (err error) {
	if !l.calls.Enter() {
		return ipcerr.Closed
	}
	defer l.calls.Leave()
	if ctx == atOnce {
		err = l.pipe.TrySend(f, pipe.MsgPack)
	} else {
		err = l.pipe.Send(ctx, f, pipe.MsgPack)
	}
	if err == nil {
		crash.Point("manager.sent")
		l.ring(layout.RingOnSend, false)
	}
	return err
}

func (l *localLine) recv(ctx context.Context, buf []byte) (int, error) {
	if !l.calls.Enter() {
		return 0, ipcerr.Closed
	}
	defer l.calls.Leave()
	var n int
	var err error
	if ctx == atOnce {
		n, _, err = l.pipe.TryRecvInto(buf)
	} else {
		n, _, err = l.pipe.RecvInto(ctx, buf)
	}
	if err == nil {
		l.ring(layout.RingOnRecv, false)
	} else if ipcerr.CodeOf(err) == ipcerr.Timeout && l.unsure.Swap(false) {
		l.ring(0, true) // once: another client may have cleared the bit
	}
	return n, err
}

// ring wakes the server if it asked to be woken. Behind the send, a sequentially consistent store: either it saw the
// frame, or we see the bit. Killed in between, we are dead, and the server learns of that.
func (l *localLine) ring(bit uint32, anyway bool) {
	if !anyway && !l.unsure.Load() {
		l.unsure.Store(true)
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { _ = recover() }() // the file was truncated: the server will end
	if anyway || l.bell.Load()&bit != 0 && l.bell.And(^bit)&bit != 0 {
		_, _ = unix.SendmsgN(l.socket, []byte{1}, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
	}
}

func (l *localLine) alive() bool {
	if !l.calls.Enter() {
		return false
	}
	defer l.calls.Leave()
	return l.place.Alive()
}

// close ends the line, when nobody is in it any more. The pipe's end makes those look up who are.
func (l *localLine) close() {
	if l.pipe != nil {
		_ = l.pipe.Close()
	}
	l.calls.Shut()
}

func (l *localLine) free() {
	if l.socket >= 0 {
		shm.CloseFile(l.socket, shm.OnDescriptor)
	}
	l.place.Close()
}
