// Command polyipc looks at the objects of a root and works with them from the shell.
//
// This file is the frame: signals, exit codes, what goes to which stream. Each verb has a file of
// its own; json_write.go and json_read.go are the notation that put and get speak.
// docs/howto/command-line.md is the manual.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// Exit codes. One that ends by a signal has 128 and its number, as a shell would say it.
const (
	exitOK      = 0
	exitError   = 1
	exitUsage   = 2 // the command line could not be understood
	exitNothing = 3 // get found no message in time, put no room
	exitSignal  = 128
)

// app is what all verbs share.
type app struct {
	root string // --root
	json bool   // --json
	in   io.Reader
	out  *os.File // results, and nothing else
	errs io.Writer
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// nothingError is a get or put that ended without a message because it was not to wait any longer.
type nothingError struct{ error }

func (e nothingError) Unwrap() error { return e.error }

// errReported stands for errors that were shown already.
var errReported = errors.New("reported")

func main() {
	a := &app{in: os.Stdin, out: os.Stdout, errs: os.Stderr}
	os.Exit(a.main(os.Args[1:]))
}

func (a *app) main(args []string) int {
	ctx, signalled := untilSignal()
	// A reader that goes away (| head) is seen as the error of a write, so that a message which could
	// not be written is given back. Caught, not ignored: that would be inherited by what --exec runs.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	cmd := a.command()
	cmd.SetArgs(args)
	cmd.SetIn(a.in)
	cmd.SetOut(a.out)
	cmd.SetErr(a.errs)
	ran, err := cmd.ExecuteContextC(ctx)
	var use usageError
	var nothing nothingError
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE):
		return exitOK
	case ctx.Err() != nil && signalled() != 0:
		return exitSignal + signalled()
	case errors.Is(err, errReported):
		return exitError
	case errors.As(err, &use):
		_, _ = fmt.Fprintf(a.errs, "polyipc: %v\nRun \"%s --help\" for how to use it.\n", err, ran.CommandPath())
		return exitUsage
	}
	a.warn(err)
	if errors.As(err, &nothing) {
		return exitNothing
	}
	return exitError
}

// warn shows a message to people.
func (a *app) warn(err error) { _, _ = fmt.Fprintf(a.errs, "polyipc: %v\n", err) }

// untilSignal returns a context that ends with the first signal to stop, so that verbs can leave in
// good order; a second one ends the process at once. signalled returns the signal's number, or 0.
func untilSignal() (ctx context.Context, signalled func() int) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
	arrived := make(chan os.Signal, 1)
	for _, s := range signals {
		if !signal.Ignored(s) { // as nohup wants it
			signal.Notify(arrived, s)
		}
	}
	var number atomic.Int32
	go func() {
		if s, ok := (<-arrived).(syscall.Signal); ok {
			number.Store(int32(s))
		}
		signal.Reset(signals...)
		cancel()
	}()
	return ctx, func() int { return int(number.Load()) }
}

// write sends a result to stdout in one piece.
func (a *app) write(b []byte) error {
	_, err := a.out.Write(b)
	return err
}

// writeJSON sends v as one line of JSON.
func (a *app) writeJSON(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	return a.write(b.Bytes())
}
