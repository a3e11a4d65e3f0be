package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

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
	return errors.Join(fmt.Errorf("command for a message of queue %q, which went back: %w", g.name, err), l.Nack())
}

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
