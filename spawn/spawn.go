// Package spawn starts a program and hands objects over to it, whatever language it is in.
//
//	cmd := exec.Command("./worker", "--fast")
//	child, err := spawn.Start(cmd, spawn.Objects{"jobs": jobs, "results": results})
//	...
//	ready, err := wait.Any(ctx, child, results.Readable())
//	err = child.Wait()
//
// The program finds them by their roles: queue.Inherited("jobs", queue.Options{}) in Go, polyipc_inherited in C,
// polyipc.inherited("jobs") in Python. The parent may let go of an anonymous object as soon as Start has returned.
package spawn

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/polyipc/polyipc/runtime/process"
)

// Objects are what a child gets, by role: 1 to 128 of A-Z a-z 0-9 . _ -.
type Objects = process.Objects

// Child is a program that was started. It is the command, whose Wait reads how it ended, and can be waited for beside
// other things, with package wait.
type Child struct {
	*exec.Cmd
	gone *process.Process
}

// Start starts cmd, to whose environment and extra files it adds what the objects need. The command must not have been
// started, and its process must not be waited for but through the Child.
//
// Errors are those of cmd.Start; ipcerr.Invalid for a role, ipcerr.Limit, ipcerr.Unsupported before Linux 5.3.
func Start(cmd *exec.Cmd, objects Objects) (*Child, error) {
	given, err := process.HandOver(objects)
	if err != nil {
		return nil, err
	}
	fds := given.Descriptors()
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), process.Variable) // the descriptor is the file's now
		defer func() { _ = file.Close() }()
		fds[i] = 3 + len(cmd.ExtraFiles) // what it will be in the child
		cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = slices.DeleteFunc(slices.Clone(cmd.Env), func(s string) bool { return strings.HasPrefix(s, process.Variable+"=") })
	if len(fds) > 0 {
		cmd.Env = append(cmd.Env, process.Variable+"="+given.Value(fds))
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p, err := process.Of(cmd.Process.Pid)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, err
	}
	c := &Child{cmd, p}
	runtime.AddCleanup(c, func(p *process.Process) { p.Release() }, p)
	return c, nil
}

// PollFD returns a descriptor that is readable when the process is gone; it belongs to c.
func (c *Child) PollFD() (int, error) { return c.gone.PollFD() }

// Ready reports whether the process is gone. Wait then reads at once how it ended.
func (c *Child) Ready() (bool, error) { return c.gone.Ended(), nil }
