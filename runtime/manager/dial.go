package manager

import (
	"context"
	"encoding/binary"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/member"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/serve"
	"github.com/polyipc/polyipc/runtime/internal/shm"
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

// dial connects and greets.
func dial(ctx context.Context, name string, o *Options) (line, frame.Welcome, error) {
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
	w, err := greet(ctx, name, l.socket, o, uint64(place.Token()))
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
	return l, w, nil
}

func over(ctx context.Context) bool {
	d, ok := ctx.Deadline()
	return ok && !time.Now().Before(d)
}

// greet does the client's part of the greeting.
func greet(ctx context.Context, name string, fd int, o *Options, token uint64) (w frame.Welcome, err error) {
	first, err := readBlock(ctx, name, fd)
	if err != nil {
		return w, err
	}
	hello, err := frame.ReadHello(first)
	if err != nil {
		return w, err
	}
	if hello.Keyed != (len(o.Key) > 0) {
		hint := "the server asks for a key: give the one that it was started with"
		if !hello.Keyed {
			hint = "the server asks for no key, so it may be another one than is meant: give none, or start it with the key"
		}
		return w, &ipcerr.Error{Op: opConnect, Name: name, Code: ipcerr.Denied, Hint: hint}
	}
	me := frame.Introduction{Language: member.Language, Pid: uint64(unix.Getpid()), Token: token, Pickle: o.Pickle}
	if _, err := unix.Getrandom(me.Nonce[:], 0); err != nil {
		return w, shm.Fail(opConnect, name, err)
	}
	body, said := me.Body(), frame.Block(first)
	if err := writeAll(ctx, name, fd, frame.Block(frame.Prove(o.Key, false, body, said))); err != nil {
		return w, err
	}
	answer, err := readBlock(ctx, name, fd)
	if err == nil {
		answer, err = frame.Proven(o.Key, true, answer, said, frame.Block(body))
	}
	if err == nil {
		w, err = frame.ReadWelcome(answer)
	}
	return w, err
}

func readBlock(ctx context.Context, name string, fd int) ([]byte, error) {
	head := make([]byte, 4)
	if err := readAll(ctx, name, fd, head); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head)
	if size > frame.MostBlock {
		return nil, &ipcerr.Error{Op: opConnect, Name: name, Code: ipcerr.Version, Hint: "what answers is no server of a polyipc manager"}
	}
	block := make([]byte, size)
	return block, readAll(ctx, name, fd, block)
}

func readAll(ctx context.Context, name string, fd int, b []byte) error {
	for len(b) > 0 {
		n, err := unix.Read(fd, b)
		switch {
		case n > 0:
			b = b[n:]
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			if err := until(ctx, name, fd, unix.POLLIN); err != nil {
				return err
			}
		case err == nil, err == unix.ECONNRESET:
			return &ipcerr.Error{Op: opConnect, Name: name, Code: ipcerr.PeerDied, Hint: "the other side hung up: it died, or is no server of a manager"}
		default:
			return shm.Fail(opConnect, name, err)
		}
	}
	return nil
}

func writeAll(ctx context.Context, name string, fd int, b []byte) error {
	for len(b) > 0 {
		n, err := unix.SendmsgN(fd, b, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		switch {
		case err == nil:
			b = b[n:]
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			if err := until(ctx, name, fd, unix.POLLOUT); err != nil {
				return err
			}
		default:
			return &ipcerr.Error{Op: opConnect, Name: name, Code: ipcerr.PeerDied, Hint: "the other side hung up", Err: err}
		}
	}
	return nil
}

// until waits for a socket, until ctx ends; a signal ends it only if the context is interruptible.
func until(ctx context.Context, name string, fd int, events int16) error {
	interruptible := false
	if i, ok := ctx.(park.Interruptible); ok {
		interruptible = i.Interruptible()
	}
	began := time.Now()
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
		if interruptible && (err == unix.EINTR || time.Since(began) > park.InterruptEvery) {
			return &ipcerr.Error{Op: "call manager", Name: name, Code: ipcerr.Interrupted}
		}
	}
}
