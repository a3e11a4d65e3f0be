package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/runtime/root"
)

// work gives a leased message to a command. The lease lasts as long as the command: if get is
// killed meanwhile, the message is delivered again.
//
// After a command that failed get ends instead of going on: the message is the next in line again,
// and a loop over one that nobody can digest would be a hot one.
func (g *getter) work(ctx context.Context, l *queue.Leased, message []byte) error {
	in, err := memoryFile(message)
	if err != nil {
		return errors.Join(err, l.Nack())
	}
	defer func() { _ = in.Close() }()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", g.exec)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, g.out, g.errs
	cmd.Env = append(os.Environ(),
		"POLYIPC_ROOT="+root.Path(g.root), // so that a polyipc in the command means the same objects
		"POLYIPC_QUEUE="+g.name,
		"POLYIPC_DELIVERIES="+strconv.Itoa(int(l.Deliveries)))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	err = cmd.Run()
	if cmd.ProcessState != nil && cmd.ProcessState.Success() { // also if a signal came while it finished
		return l.Ack()
	}
	interrupted(ctx, cmd.ProcessState)
	return errors.Join(fmt.Errorf("command for a message of queue %q, which went back: %w", g.name, err), l.Nack())
}

// interrupted waits until this process has heard of the signal that ended its command, if that was
// the terminal's: it was sent to both, and the command's end may be known first. Without it, whether
// get itself ended by the signal or by a failed command would be chance. A command that was sent the
// signal alone costs the wait.
func interrupted(ctx context.Context, ended *os.ProcessState) {
	if ended == nil {
		return
	}
	status, ok := ended.Sys().(syscall.WaitStatus)
	if !ok {
		return
	}
	code := status.ExitStatus() - exitSignal // as a shell says it of its command
	if status.Signaled() {
		code = int(status.Signal())
	}
	if code == int(syscall.SIGINT) || code == int(syscall.SIGTERM) || code == int(syscall.SIGHUP) {
		select {
		case <-ctx.Done():
		case <-time.After(signalGrace):
		}
	}
}

// signalGrace bounds the wait for a signal that is on its way.
const signalGrace = 200 * time.Millisecond

// memoryFile makes a file without a name that holds b. Unlike a pipe it needs nobody to feed it, and
// a command may leave it unread or read it twice.
func memoryFile(b []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("message", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("a file for the command's standard input: %w", err)
	}
	f := os.NewFile(uintptr(fd), "message")
	if _, err = f.Write(b); err == nil {
		_, err = f.Seek(0, 0)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("a file for the command's standard input: %w", err)
	}
	return f, nil
}
