// Package process waits for child processes, and reads how they ended. A Process can be waited for beside other
// things, with package wait. Go programs start theirs with package spawn; this package starts nothing.
package process

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/wait"
)

// Process is a child of this process. Its methods may be called from any goroutine.
type Process struct {
	pid   int
	fd    int         // a pidfd: readable when the process is gone, and never another's
	calls object.Gate // who uses fd

	mu     sync.Mutex
	over   bool
	status int
	lost   error // why the status cannot be known
}

// Of takes over a child that was just started and that nobody has waited for. Nobody else must wait for it.
// UNSUPPORTED before Linux 5.3, LIMIT.
func Of(pid int) (*Process, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err == nil {
		if shm.OnDescriptor != nil {
			shm.OnDescriptor(fd, true)
		}
		p := &Process{pid: pid, fd: fd}
		p.calls.Free = func() { shm.CloseFile(fd, shm.OnDescriptor) }
		return p, nil
	}
	e := shm.Fail("watch process", fmt.Sprint(pid), err).(*ipcerr.Error)
	switch err {
	case unix.ENOSYS, unix.EPERM: // EPERM: as containers with old rules say it
		e.Code, e.Hint = ipcerr.Unsupported, "the kernel has no pidfd_open, or does not let us: Linux 5.3 or later is needed to wait for processes"
	case unix.ESRCH, unix.EINVAL:
		e.Code, e.Hint = ipcerr.Gone, "there is no process of that number, or no more"
	}
	return nil, e
}

// Pid returns the process's id. After the status was read it may be another's.
func (p *Process) Pid() int { return p.pid }

// PollFD returns a descriptor that is readable when the process is gone; it belongs to p.
func (p *Process) PollFD() (int, error) { return p.fd, p.Gone() }

// Ready reports whether the process is gone.
func (p *Process) Ready() (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reap(), p.Gone()
}

// Ended reports whether the process is gone, without reading its status: for who reads it in another way.
func (p *Process) Ended() bool {
	n, err := unix.Ppoll([]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}, &unix.Timespec{}, nil)
	return err == nil && n == 1
}

// Hold keeps the descriptor open until release is called, for package wait.
func (p *Process) Hold() (release func(), err error) {
	if !p.calls.Enter() {
		return nil, p.closed()
	}
	return p.calls.Leave, nil
}

// Gone is ipcerr.Closed once Close was called, for package wait.
func (p *Process) Gone() error {
	if p.calls.IsShut() {
		return p.closed()
	}
	return nil
}

func (p *Process) closed() error {
	return &ipcerr.Error{Op: "wait for process", Name: fmt.Sprint(p.pid), Code: ipcerr.Closed, Hint: "it was closed in this process"}
}

// Wait waits until the process is gone and returns how it ended: its exit code, or minus the signal that killed it.
// It may be called again. ipcerr.Gone if the status was lost, because somebody else waited for it, or the program
// ignores SIGCHLD.
func (p *Process) Wait(ctx context.Context) (status int, err error) {
	for {
		p.mu.Lock()
		if p.reap() {
			defer p.mu.Unlock()
			return p.status, p.lost
		}
		p.mu.Unlock()
		if _, err := wait.Any(ctx, p); err != nil {
			e := *err.(*ipcerr.Error)
			e.Op, e.Name = "wait for process", fmt.Sprint(p.pid)
			return 0, &e
		}
	}
}

// reap reads the status if the process is gone. p.mu is held.
func (p *Process) reap() bool {
	for !p.over {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(p.pid, &ws, unix.WNOHANG, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			p.over = true
			p.lost = &ipcerr.Error{Op: "wait for process", Name: fmt.Sprint(p.pid), Code: ipcerr.Gone, Err: err,
				Hint: "it is gone, and its status was taken by another wait, or SIGCHLD is ignored here"}
		case pid == 0:
			return false
		case ws.Signaled():
			p.over, p.status = true, -int(ws.Signal())
		default:
			p.over, p.status = true, ws.ExitStatus()
		}
	}
	return true
}

// Signal sends a signal. That the process is gone already is no error.
func (p *Process) Signal(s unix.Signal) error {
	release, err := p.Hold()
	if err != nil {
		return err
	}
	defer release()
	err = unix.PidfdSendSignal(p.fd, s, nil, 0)
	if err == nil || err == unix.ESRCH {
		return nil
	}
	e := shm.Fail("signal process", fmt.Sprint(p.pid), err).(*ipcerr.Error)
	switch err {
	case unix.EINVAL:
		e.Code, e.Hint = ipcerr.Invalid, fmt.Sprintf("there is no signal %d", int(s))
	case unix.EPERM:
		e.Hint = "it runs as another user"
	}
	return e
}

// Close lets go of the process, which goes on: who waits for it in other goroutines gets ipcerr.Closed. If it is gone,
// its status is read, so that no zombie is left. Closing again does nothing.
func (p *Process) Close() error {
	p.mu.Lock()
	p.reap()
	p.mu.Unlock()
	p.Release()
	return nil
}

// Release is Close without reading the status.
func (p *Process) Release() { p.calls.Shut() }
