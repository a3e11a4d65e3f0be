package manager

import (
	"context"
	"encoding/binary"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/serve"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// remoteLine is a TCP connection.
type remoteLine struct {
	name  string
	fd    int
	calls object.Gate
	in    []byte      // what came and was not taken
	cover frame.Cover // its TLS, or nil

	writing sync.Mutex
	rest    []byte // of a frame whose sender's time was over: it goes before the next one
}

func dialRemote(ctx context.Context, name string, o *Options) (line, frame.Welcome, error) {
	none := frame.Welcome{}
	if len(o.Key) == 0 {
		return nil, none, &ipcerr.Error{Op: opConnect, Name: name, Code: ipcerr.Denied, Hint: "remote servers ask for a key: give the one that it was started with"}
	}
	at, err := serve.AddressOf(opConnect, name[len(remotePrefix):])
	if err != nil {
		return nil, none, err
	}
	t := &talk{name: name, fd: -1, remote: true}
	if o.TLS != nil {
		if t.cover, err = o.TLS.Connect(opConnect, name, serve.HostOf(name[len(remotePrefix):])); err != nil {
			return nil, none, err
		}
	}
	fd, err := unix.Socket(serve.Family(at), unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, none, shm.Fail(opConnect, name, err)
	}
	if shm.OnDescriptor != nil {
		shm.OnDescriptor(fd, true)
	}
	t.fd = fd
	l := &remoteLine{name: name, fd: fd, cover: t.cover}
	l.calls.Free = func() { shm.CloseFile(fd, shm.OnDescriptor) }
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	var w frame.Welcome
	err = l.connect(ctx, at)
	if err == nil && t.cover != nil {
		err = t.hide(ctx)
	}
	if err == nil {
		w, err = greet(ctx, t, o, 0)
	}
	if err != nil {
		l.close()
		return nil, none, err
	}
	l.in = t.in
	return l, w, nil
}

func (l *remoteLine) connect(ctx context.Context, at unix.Sockaddr) error {
	err := unix.Connect(l.fd, at)
	if err == unix.EINPROGRESS || err == unix.EINTR {
		if err := until(ctx, l.name, l.fd, unix.POLLOUT); err != nil {
			return err
		}
		code, failed := unix.GetsockoptInt(l.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err = failed; failed == nil && code != 0 {
			err = unix.Errno(code)
		}
	}
	if err == nil {
		return nil
	}
	return &ipcerr.Error{Op: opConnect, Name: l.name, Code: ipcerr.NotFound, Hint: "nobody answers there", Err: err}
}

func (l *remoteLine) send(ctx context.Context, f []byte) error {
	if !l.calls.Enter() {
		return ipcerr.Closed
	}
	defer l.calls.Leave()
	l.writing.Lock()
	defer l.writing.Unlock()
	l.retort()
	for len(l.rest) > 0 { // nothing of f is sent before
		n, err := l.write(l.rest)
		if l.rest = l.rest[n:]; err != nil {
			return err
		}
		if n == 0 {
			if ctx == atOnce {
				return ipcerr.Full
			}
			if err := until(ctx, l.name, l.fd, unix.POLLOUT); err != nil {
				return err
			}
		}
	}
	b := make([]byte, 4, 4+len(f))
	binary.BigEndian.PutUint32(b, uint32(len(f)))
	b = append(b, f...)
	begun := l.cover != nil
	if begun {
		b = l.cover.Seal(b) // what is sealed must go
	}
	for len(b) > 0 {
		n, err := l.write(b)
		if err != nil {
			return err
		}
		if b = b[n:]; n > 0 {
			begun = true
			continue
		}
		if ctx != atOnce {
			err = until(ctx, l.name, l.fd, unix.POLLOUT)
		} else {
			err = ipcerr.Full
		}
		if err != nil && begun {
			l.rest = b // it is on its way
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// write writes what the socket takes; 0 if it takes nothing now.
func (l *remoteLine) write(b []byte) (int, error) {
	n, err := unix.SendmsgN(l.fd, b, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
	if err == unix.EAGAIN || err == unix.EINTR {
		return 0, nil
	}
	if err != nil {
		return 0, ipcerr.PeerDied
	}
	return n, nil
}

func (l *remoteLine) recv(ctx context.Context, buf []byte) (int, error) {
	if !l.calls.Enter() {
		return 0, ipcerr.Closed
	}
	defer l.calls.Leave()
	for {
		if len(l.in) >= 4 {
			size := int(binary.BigEndian.Uint32(l.in))
			if size > frame.MostFrame {
				return 0, ipcerr.Corrupt
			}
			if size > len(buf) {
				return size, ipcerr.TooSmall
			}
			if len(l.in) >= 4+size {
				n := copy(buf, l.in[4:4+size])
				l.in = append(l.in[:0], l.in[4+size:]...)
				return n, nil
			}
		}
		var b [64 << 10]byte
		switch n, err := unix.Read(l.fd, b[:]); {
		case n > 0:
			if l.cover == nil {
				l.in = append(l.in, b[:n]...)
			} else if l.in, err = l.cover.Open(l.in, b[:n]); err != nil {
				_ = unix.Shutdown(l.fd, unix.SHUT_RDWR) // behind the frames that came whole
			}
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			events := int16(unix.POLLIN)
			if l.push() {
				events |= unix.POLLOUT
			}
			if ctx == atOnce {
				return 0, ipcerr.Empty
			}
			if err := until(ctx, l.name, l.fd, events); err != nil {
				return 0, err
			}
		default:
			return 0, ipcerr.EndOfFile
		}
	}
}

// push sends more of a frame whose sender does not wait any more, and reports whether something is left of it.
func (l *remoteLine) push() bool {
	if !l.writing.TryLock() {
		return false // who sends does it
	}
	defer l.writing.Unlock()
	l.retort()
	if len(l.rest) > 0 {
		n, err := l.write(l.rest)
		if l.rest = l.rest[n:]; err != nil {
			return false // the next read says so, too
		}
	}
	return len(l.rest) > 0
}

// retort has what TLS has to say itself go with what is to be sent. Under writing.
func (l *remoteLine) retort() {
	if l.cover != nil {
		l.rest = append(l.rest, l.cover.Seal(nil)...)
	}
}

func (l *remoteLine) alive() bool { return true } // recv tells

func (l *remoteLine) close() {
	_ = unix.Shutdown(l.fd, unix.SHUT_RDWR) // makes those look up who are in it
	l.calls.Shut()
}
