// Package peers drives the peers: programs in Go, C and Python that do with queues what they are
// told (PROTOCOL.md). tests/chaos kills them, tests/cross lets each talk to each.
package peers

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Language is what a peer is written in.
type Language string

// The languages that there are peers in.
const (
	Go     Language = "go"
	C      Language = "c"
	Python Language = "python"
)

// Bound is how long a peer may take for any command that does not wait longer by itself. It bounds
// a failure; nothing waits for it to pass.
const Bound = 10 * time.Second

// Peer is a running peer. One goroutine at a time may use it.
type Peer struct {
	Language Language

	t     testing.TB
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string
	ended chan struct{} // closed when it has exited, and state is set
	state *os.ProcessState
}

// Start starts a peer whose root is root, with further environment variables such as
// "POLYIPC_CRASH=queue.put.staged". It is killed at the end of the test if it still runs.
func Start(t testing.TB, l Language, root string, env ...string) *Peer {
	t.Helper()
	words, more, err := command(l)
	if err != nil {
		t.Fatal(err)
	}
	p := &Peer{Language: l, t: t, lines: make(chan string, 16), ended: make(chan struct{})}
	p.cmd = exec.Command(words[0], words[1:]...)
	p.cmd.Env = append(append(append(os.Environ(), "POLYIPC_ROOT="+root), more...), env...)
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.in, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		r := bufio.NewReaderSize(out, 1<<16)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				break
			}
			p.lines <- strings.TrimSuffix(line, "\n")
		}
		close(p.lines)
		_ = p.cmd.Wait()
		p.state = p.cmd.ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		select {
		case <-p.ended:
		default:
			p.Signal(syscall.SIGKILL)
			p.drop()
		}
	})
	return p
}

// drop waits for the end, whatever the peer still says.
func (p *Peer) drop() {
	for range p.lines {
	}
	<-p.ended
}

// In says which test the peer works for from now on, and fails.
func (p *Peer) In(t testing.TB) { p.t = t }

// Pid is the peer's process id.
func (p *Peer) Pid() int { return p.cmd.Process.Pid }

// Signal sends the peer, and the children it forked, a signal.
func (p *Peer) Signal(s syscall.Signal) { _ = syscall.Kill(-p.Pid(), s) }

// State is the letter that the system has for the peer's state, such as 'S' asleep and 'T' stopped.
func (p *Peer) State() byte {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid()))
	if i := bytes.LastIndexByte(b, ')'); err == nil && i+2 < len(b) {
		return b[i+2]
	}
	return 0
}

// Send gives the peer a command without waiting for its answer.
func (p *Peer) Send(format string, args ...any) {
	// A peer that dies meanwhile is found out when its answer is read.
	_, _ = fmt.Fprintf(p.in, format+"\n", args...)
}

// Answer waits for an answer; there is false if the peer ended instead.
func (p *Peer) Answer(bound time.Duration) (line string, there bool) {
	p.t.Helper()
	timer := time.NewTimer(bound)
	defer timer.Stop()
	select {
	case line, there = <-p.lines:
		return line, there
	case <-timer.C:
		p.t.Fatalf("%s peer %d has not answered within %v: wedged", p.Language, p.Pid(), bound)
		return "", false
	}
}

// Pending are the answers that nobody has waited for.
func (p *Peer) Pending() (lines []string) {
	for {
		select {
		case line, there := <-p.lines:
			if there {
				lines = append(lines, line)
				continue
			}
		default:
		}
		return lines
	}
}

// Try has the peer do a command and returns the words behind ok, or the name behind err.
func (p *Peer) Try(format string, args ...any) (words, errName string) {
	p.t.Helper()
	p.Send(format, args...)
	line, there := p.Answer(Bound)
	if !there {
		<-p.ended
		p.t.Fatalf("%s peer ended (%v) in %.100q", p.Language, p.state, fmt.Sprintf(format, args...))
	}
	verdict, rest, _ := strings.Cut(line, " ")
	switch verdict {
	case "ok":
		return rest, ""
	case "err":
		name, _, _ := strings.Cut(rest, " ")
		if name == "PROTOCOL" || name == "INTERNAL" {
			break
		}
		return "", name
	}
	p.t.Fatalf("%s peer: %.100q: %s", p.Language, fmt.Sprintf(format, args...), line)
	return "", ""
}

// Do is Try for a command that must succeed.
func (p *Peer) Do(format string, args ...any) string {
	p.t.Helper()
	words, name := p.Try(format, args...)
	if name != "" {
		p.t.Fatalf("%s peer: %.100q: %s", p.Language, fmt.Sprintf(format, args...), name)
	}
	return words
}

// Fails has the peer do a command that must fail with the error of this name.
func (p *Peer) Fails(name, format string, args ...any) {
	p.t.Helper()
	if words, got := p.Try(format, args...); got != name {
		p.t.Fatalf("%s peer: %.100q: %q %.100q instead of %s", p.Language, fmt.Sprintf(format, args...), got, words, name)
	}
}

// Dies waits until the peer has been killed and fails the test if it ends in any other way.
func (p *Peer) Dies(bound time.Duration) {
	p.t.Helper()
	for {
		line, there := p.Answer(bound)
		if !there {
			break
		}
		p.t.Errorf("%s peer answered before it died: %.200s", p.Language, line)
	}
	<-p.ended
	if ws, ok := p.state.Sys().(syscall.WaitStatus); !ok || !ws.Signaled() || ws.Signal() != syscall.SIGKILL {
		p.t.Fatalf("%s peer should have been killed, but: %v", p.Language, p.state)
	}
}

// Kill kills the peer and waits until it is gone.
func (p *Peer) Kill() {
	p.Signal(syscall.SIGKILL)
	p.drop()
}

// Close lets the peer end by itself, which must succeed.
func (p *Peer) Close() {
	p.t.Helper()
	_ = p.in.Close()
	for line, there := p.Answer(Bound); there; line, there = p.Answer(Bound) {
		p.t.Errorf("%s peer: answer to nothing: %.200s", p.Language, line)
	}
	<-p.ended
	if !p.state.Success() {
		p.t.Errorf("%s peer: %v", p.Language, p.state)
	}
}

// Sleeping reports whether the peer waits in a futex on the thread that does the commands, or on any
// other: it has nothing else to wait for while it does one.
func (p *Peer) Sleeping() bool {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.Pid()))
	if err != nil {
		return false
	}
	for _, thread := range threads {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/stat", p.Pid(), thread.Name()))
		if i := bytes.LastIndexByte(b, ')'); err != nil || i+2 >= len(b) || b[i+2] != 'S' {
			return false
		}
	}
	return len(p.lines) == 0
}
