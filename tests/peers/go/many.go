package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/queue"
	anyof "github.com/polyipc/polyipc/runtime/wait"
	"github.com/polyipc/polyipc/spawn"
)

// item is what an item of many.wait stands for: r or w and a queue, c and a child.
func (p *peer) item(word string) anyof.Waitable {
	n := number(word[1:])
	switch word[0] {
	case 'r':
		return p.queues[n].Readable()
	case 'w':
		return p.queues[n].Writable()
	case 'c':
		return p.children[n]
	}
	panic("no item " + word)
}

// many does the commands that begin with "many.".
func (p *peer) many(verb string, w []string) (string, error) {
	switch verb {
	case "wait":
		return p.waitMany(w[0], w[1:])
	case "poll":
		fd, err := p.item(w[0]).PollFD()
		if err != nil {
			return "", err
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		for err == unix.EINTR {
			n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		}
		return fmt.Sprint(n), err
	case "spawn":
		return p.spawn(w[0], w[1:])
	case "status":
		return p.status(p.children[number(w[0])], w[1])
	case "kill":
		err := p.children[number(w[0])].Process.Signal(syscall.Signal(number(w[1])))
		if errors.Is(err, os.ErrProcessDone) {
			err = nil
		}
		return "", err
	case "inherited":
		return p.keep(queue.Inherited(w[0], queue.Options{}))
	}
	return "", errProtocol
}

func (p *peer) waitMany(ms string, words []string) (string, error) {
	things := make([]anyof.Waitable, len(words))
	for i, word := range words {
		things[i] = p.item(word)
	}
	ctx, cancel := wait(ms)
	defer cancel()
	ready, err := anyof.Any(ctx, things...)
	var are []string
	for _, i := range ready {
		are = append(are, words[i])
	}
	return strings.Join(are, " "), err
}

// spawn starts a program with the queues of role=Q,role=Q; "-" is none.
func (p *peer) spawn(roles string, words []string) (string, error) {
	objects := spawn.Objects{}
	for _, r := range strings.Split(strings.TrimPrefix(roles, "-"), ",") {
		if role, q, ok := strings.Cut(r, "="); ok {
			objects[role] = p.queues[number(q)]
		}
	}
	argv := make([]string, len(words))
	for i, word := range words {
		b, err := hex.DecodeString(word)
		if err != nil {
			return "", errProtocol
		}
		argv[i] = string(b)
	}
	c, err := spawn.Start(exec.Command(argv[0], argv[1:]...), objects)
	if err != nil {
		return "", err
	}
	p.children = append(p.children, c)
	return fmt.Sprint(len(p.children) - 1), nil
}

func (p *peer) status(c *spawn.Child, ms string) (string, error) {
	if number(ms) >= 0 {
		ctx, cancel := wait(ms)
		defer cancel()
		if _, err := anyof.Any(ctx, c); err != nil {
			return "", err
		}
	}
	if err := c.Wait(); c.ProcessState == nil {
		return "", &ipcerr.Error{Op: "wait for child", Code: ipcerr.Internal, Err: err}
	}
	if ws := c.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() {
		return fmt.Sprint(-int(ws.Signal())), nil
	}
	return fmt.Sprint(c.ProcessState.ExitCode()), nil
}
