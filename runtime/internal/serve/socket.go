package serve

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// socketLetter is that of the part of a manager that is its socket.
const socketLetter = 'k'

// mostGreeting is how many greetings may be under way, of local and of remote clients.
const mostGreeting = 128

// listen makes the epoll, the event that stops it, and the listening sockets.
func (s *Server) listen() error {
	var err error
	if s.epoll, err = track(unix.EpollCreate1(unix.EPOLL_CLOEXEC)); err != nil {
		return shm.Fail(op, s.Name(), err)
	}
	if s.stopFD, err = track(unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)); err != nil {
		return shm.Fail(op, s.Name(), err)
	}
	if s.spare, err = track(unix.Eventfd(0, unix.EFD_CLOEXEC)); err != nil {
		return shm.Fail(op, s.Name(), err)
	}
	if s.unix, err = s.obj.Root.Listen(s.obj.UUID(), socketLetter, 0); err != nil {
		return err
	}
	fds := []int{s.stopFD, s.unix}
	if s.keep.wake >= 0 {
		fds = append(fds, s.keep.wake)
	}
	if s.options.Listen != "" {
		if err := s.listenTCP(); err != nil {
			return err
		}
		fds = append(fds, s.tcp)
		if s.options.TLS != nil {
			if s.begin, err = s.options.TLS.Serve(op, s.Name()); err != nil {
				return err
			}
			if s.shaken.fd, err = track(unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)); err != nil {
				return shm.Fail(op, s.Name(), err)
			}
			fds = append(fds, s.shaken.fd)
		}
	}
	for _, fd := range fds {
		if err := s.watchFD(fd, unix.EPOLLIN); err != nil {
			return shm.Fail(op, s.Name(), err)
		}
	}
	return nil
}

// track tells a fork's child of a descriptor, if one was made.
func track(fd int, err error) (int, error) {
	if err != nil {
		return -1, err
	}
	if shm.OnDescriptor != nil {
		shm.OnDescriptor(fd, true)
	}
	return fd, nil
}

func (s *Server) watchFD(fd int, events uint32) error {
	return unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Fd: int32(fd), Events: events})
}

// AddressOf reads "host:port", host being an IP address, "localhost", or "" for all addresses; port 0 to 65535.
func AddressOf(op, text string) (unix.Sockaddr, error) {
	i := strings.LastIndexByte(text, ':')
	bad := func(hint string) error {
		return &ipcerr.Error{Op: op, Name: text, Code: ipcerr.Invalid, Hint: hint}
	}
	if i < 0 {
		return nil, bad(`an address is "host:port"`)
	}
	port, err := strconv.ParseUint(text[i+1:], 10, 16)
	if err != nil {
		return nil, bad("the port is a number from 0 to 65535")
	}
	host := HostOf(text)
	switch host {
	case "localhost":
		host = "127.0.0.1"
	case "":
		host = "0.0.0.0"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil, bad("the host is an IP address, or localhost: names are not looked up")
	}
	if ip.Unmap().Is4() {
		return &unix.SockaddrInet4{Port: int(port), Addr: ip.Unmap().As4()}, nil
	}
	return &unix.SockaddrInet6{Port: int(port), Addr: ip.As16()}, nil
}

// HostOf is the host in such a text, as it stands there.
func HostOf(text string) string {
	return strings.TrimSuffix(strings.TrimPrefix(text[:strings.LastIndexByte(text, ':')], "["), "]")
}

// Family is the family of an address that AddressOf returned.
func Family(a unix.Sockaddr) int {
	if _, ok := a.(*unix.SockaddrInet4); ok {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func (s *Server) listenTCP() error {
	at, err := AddressOf(op, s.options.Listen)
	if err != nil {
		return err
	}
	fail := func(err error) error {
		return &ipcerr.Error{Op: op, Name: s.options.Listen, Code: ipcerr.Denied, Hint: "the address cannot be listened on: choose another one, or port 0 for any that is free", Err: err}
	}
	if s.tcp, err = track(unix.Socket(Family(at), unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)); err != nil {
		return fail(err)
	}
	_ = unix.SetsockoptInt(s.tcp, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err := unix.Bind(s.tcp, at); err != nil {
		return fail(err)
	}
	if err := unix.Listen(s.tcp, 1024); err != nil {
		return fail(err)
	}
	bound, err := unix.Getsockname(s.tcp)
	if err != nil {
		return fail(err)
	}
	s.address = "tcp://" + written(bound)
	return nil
}

func written(a unix.Sockaddr) string {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)).String()
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port)).String()
	}
	return "?"
}

// acceptsATurn is how many are let in to greet before others have their turn.
const acceptsATurn = 64

// accept lets those who knock begin their greeting. While as many greet as may, the others wait in the kernel's queue;
// those at TCP do not stand in the way of the local ones.
func (s *Server) accept(listener int) {
	side := 0
	if listener == s.tcp {
		side = 1
	}
	for range acceptsATurn {
		if s.waiting[side] >= mostGreeting {
			s.knock(side, 0)
			s.hurry(side)
			return
		}
		fd, from, err := unix.Accept4(listener, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		if err != nil {
			if err == unix.EMFILE || err == unix.ENFILE {
				s.shed(listener)
			}
			return
		}
		fd, _ = track(fd, nil)
		p := &peer{s: s, fd: fd, process: -1, remote: listener == s.tcp}
		p.name = "local"
		if p.remote {
			p.name = written(from)
			_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
		}
		s.greet(p)
	}
}

// shed takes a connection for which there is no descriptor, and closes it: else epoll would tell of it for ever. A
// descriptor is kept spare for it.
func (s *Server) shed(listener int) {
	s.log(slog.LevelWarn, "refused", "", "no descriptor is left: raise the limit of open files (ulimit -n)")
	if s.spare >= 0 {
		shm.CloseFile(s.spare, shm.OnDescriptor)
	}
	if fd, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK); err == nil {
		if listener == s.unix || s.begin == nil {
			_, _ = unix.Write(fd, frame.Refusal)
		}
		_ = unix.Close(fd)
	}
	s.spare, _ = track(unix.Eventfd(0, unix.EFD_CLOEXEC))
}

// local looks at who is at the other end of a Unix socket.
func (s *Server) local(p *peer) (why string) {
	who, err := unix.GetsockoptUcred(p.fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return "who it is cannot be found out: " + err.Error()
	}
	p.name = fmt.Sprintf("process %d", who.Pid)
	p.pid = int(who.Pid)
	if me := unix.Geteuid(); int(who.Uid) != me && who.Uid != 0 && !s.obj.Root.Shared() {
		return fmt.Sprintf("it is of user %d; the server is of user %d", who.Uid, me)
	}
	if p.process, err = track(unix.PidfdOpen(p.pid, 0)); err != nil {
		p.process = -1 // its socket tells, unless a child that it forked holds that open, too
	}
	return ""
}

// alive tells of an owner token that a client gave as its own.
func (s *Server) alive(token uint64) bool {
	return token>>32 == 0 && s.obj.Member.Alive(uint32(token))
}
