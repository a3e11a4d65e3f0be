package manager

import (
	"context"
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/member"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// talk is a socket while client and server greet by it.
type talk struct {
	name   string
	fd     int
	remote bool
	cover  frame.Cover // its TLS, or nil
	bound  []byte      // what binds the greeting to the TLS: a block before the first
	in     []byte      // what came and was not taken
}

// greet does the client's part of the greeting.
func greet(ctx context.Context, t *talk, o *Options, token uint64) (w frame.Welcome, err error) {
	first, err := t.readBlock(ctx)
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
		return w, &ipcerr.Error{Op: opConnect, Name: t.name, Code: ipcerr.Denied, Hint: hint}
	}
	me := frame.Introduction{Language: member.Language, Pid: uint64(unix.Getpid()), Token: token, Pickle: o.Pickle}
	if _, err := unix.Getrandom(me.Nonce[:], 0); err != nil {
		return w, shm.Fail(opConnect, t.name, err)
	}
	body, said := me.Body(), frame.Block(first)
	if err := t.say(ctx, frame.Block(frame.Prove(o.Key, false, body, t.bound, said))); err != nil {
		return w, err
	}
	answer, err := t.readBlock(ctx)
	if err == nil {
		answer, err = frame.Proven(o.Key, true, answer, t.bound, said, frame.Block(body))
	}
	if err == nil {
		w, err = frame.ReadWelcome(answer)
	}
	return w, err
}

// hide begins TLS.
func (t *talk) hide(ctx context.Context) error {
	err := t.cover.Handshake(func(out []byte) ([]byte, error) {
		if err := t.write(ctx, out); err != nil {
			return nil, err
		}
		return t.read(ctx, nil)
	})
	last := t.cover.Seal(nil)
	if err != nil {
		_, _ = unix.SendmsgN(t.fd, last, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT) // says to the server what is wrong
		return err
	}
	if err := t.write(ctx, last); err != nil {
		return err
	}
	binding, err := t.cover.Binding()
	t.bound = frame.Block(binding)
	return err
}

func (t *talk) say(ctx context.Context, b []byte) error {
	if t.cover != nil {
		b = t.cover.Seal(b)
	}
	return t.write(ctx, b)
}

func (t *talk) readBlock(ctx context.Context) ([]byte, error) {
	size := 4
	for {
		if len(t.in) >= 4 {
			block := binary.BigEndian.Uint32(t.in)
			if block > frame.MostBlock {
				hint := "what answers is no server of a polyipc manager"
				return nil, &ipcerr.Error{Op: opConnect, Name: t.name, Code: ipcerr.Version, Hint: hint}
			}
			size = 4 + int(block)
		}
		if len(t.in) >= size && size > 4 {
			b := t.in[4:size:size]
			t.in = t.in[size:]
			return b, nil
		}
		var err error
		if t.cover == nil {
			t.in, err = t.read(ctx, t.in)
		} else {
			var came []byte
			if came, err = t.read(ctx, nil); err == nil {
				t.in, err = t.cover.Open(t.in, came)
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

// read appends to b what comes next.
func (t *talk) read(ctx context.Context, b []byte) ([]byte, error) {
	var buf [frame.MostBlock]byte
	for {
		n, err := unix.Read(t.fd, buf[:])
		switch {
		case n > 0:
			return append(b, buf[:n]...), nil
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			if err := until(ctx, t.name, t.fd, unix.POLLIN); err != nil {
				return nil, err
			}
		case err == nil, err == unix.ECONNRESET:
			return nil, t.hungUp(nil)
		default:
			return nil, shm.Fail(opConnect, t.name, err)
		}
	}
}

func (t *talk) write(ctx context.Context, b []byte) error {
	for len(b) > 0 {
		n, err := unix.SendmsgN(t.fd, b, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		switch {
		case err == nil:
			b = b[n:]
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			if err := until(ctx, t.name, t.fd, unix.POLLOUT); err != nil {
				return err
			}
		default:
			return t.hungUp(err)
		}
	}
	return nil
}

// hungUp says what it may mean that the other side hangs up. A server that TLS or the key do not let in says nothing else.
func (t *talk) hungUp(err error) error {
	e := &ipcerr.Error{Op: opConnect, Name: t.name, Code: ipcerr.PeerDied, Hint: "the other side hung up: it died, or is no server of a manager", Err: err}
	switch {
	case t.cover != nil:
		e.Hint = "the other side hung up: it died, is no server of a manager, or refused this client's certificate or TLS: its log says why"
	case t.remote:
		e.Hint += ", or it wants TLS: give the CA of its certificate"
	}
	return e
}
