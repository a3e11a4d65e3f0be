// Package worker is the main of polyipc's peers in Go: it reads the job from the arguments and speaks the
// protocol of ../worker.c. Messages is for what carries messages, Turns for what processes take turns with.
package worker

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Job is what this process is to do; see worker.h.
type Job struct {
	Role, Name, Verb                      string
	Size, Warm, Count, Batch, Step, Index int
	Pause, Lasts                          time.Duration
}

// run opens what the role needs, lets work do it and say what came of it, and closes when the harness has
// all results.
func run[P interface{ Close() error }](open func(Job) (P, error), work func(j Job, p P, in *bufio.Scanner, start int64) error) {
	if err := serve(open, work); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve[P interface{ Close() error }](open func(Job) (P, error), work func(j Job, p P, in *bufio.Scanner, start int64) error) error {
	j, err := parse(os.Args[1:])
	if err != nil {
		return err
	}
	p, err := open(j)
	if err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	fmt.Println("ready")
	if !in.Scan() {
		return errors.New("the harness gave up")
	}
	text, _ := strings.CutPrefix(in.Text(), "go ")
	start, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%s: give go and the time to start at", in.Text())
	}
	if err := work(j, p, in, start); err != nil {
		return err
	}
	for in.Scan() {
		continue
	}
	return p.Close()
}

func parse(arguments []string) (Job, error) {
	j := Job{Batch: 1, Step: 1}
	var pause, lasts int
	words := map[string]*string{"role": &j.Role, "name": &j.Name, "verb": &j.Verb, "dir": new(string)} // $POLYIPC_ROOT says it
	numbers := map[string]*int{
		"size": &j.Size, "warm": &j.Warm, "count": &j.Count, "batch": &j.Batch, "step": &j.Step, "index": &j.Index,
		"pause": &pause, "lasts": &lasts, "producers": new(int), "consumers": new(int), // all the same to ours
	}
	for _, a := range arguments {
		key, value, _ := strings.Cut(a, "=")
		if p, known := words[key]; known {
			*p = value
			continue
		}
		p, known := numbers[key]
		if !known {
			return j, fmt.Errorf("unknown argument %s", key)
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			return j, fmt.Errorf("%s=%s: give a number", key, value)
		}
		*p = n
	}
	j.Pause, j.Lasts = time.Duration(pause), time.Duration(lasts)
	if j.Pause > 0 && j.Size < 16 {
		return j, fmt.Errorf("size=%d: a paused round trip carries two stamps, 16 bytes", j.Size)
	}
	return j, nil
}

// started carries the clock that all processes share on by Go's own, which needs no system call.
var started, startedAt = time.Now(), monotonic()

func monotonic() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano()
}

func now() int64 { return startedAt + int64(time.Since(started)) }

// rest sleeps as the peers in C do: in the kernel, not on Go's timers, whose wake-up would be
// part of what is measured on the other side.
func rest(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&t, nil)
}

func cpu() int64 {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}
