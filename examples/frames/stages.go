package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/polyipc/polyipc/runtime/pipe"
	"github.com/polyipc/polyipc/runtime/segment"
	"github.com/polyipc/polyipc/spawn"
)

// Stages are the other two processes, and this one's ends of the pipes to the first and from the last.
type Stages struct {
	filter, view *spawn.Child
	to, from     *pipe.Pipe
}

// start starts them. Who has an end of a pipe, and nobody else, keeps it open: this process closes those that it
// handed over.
func start(root string, frames *segment.Segment) (*Stages, error) {
	o := pipe.Options{Root: root, OneWay: true}
	filterIn, to, err1 := pipe.Pair("", o)
	viewIn, filterOut, err2 := pipe.Pair("", o)
	from, viewOut, err3 := pipe.Pair("", o)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	s := &Stages{to: to, from: from}
	top, err := top()
	if err == nil {
		s.filter, err = stage(spawn.Objects{"frames": frames, "in": filterIn, "out": filterOut}, filepath.Join(top, "build/bin/examples/filter"))
	}
	if err == nil {
		s.view, err = stage(spawn.Objects{"frames": frames, "in": viewIn, "out": viewOut},
			filepath.Join(top, ".venv/bin/python"), filepath.Join(top, "examples/frames/view.py"))
	}
	for _, p := range []*pipe.Pipe{filterIn, filterOut, viewIn, viewOut} {
		err = errors.Join(err, p.Close())
	}
	if err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

func stage(objects spawn.Objects, command ...string) (*spawn.Child, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	return spawn.Start(cmd, objects)
}

// top is the source tree, in which this program was built as build/bin/examples/go/frames.
func top() (string, error) {
	program, err := os.Executable()
	return filepath.Join(filepath.Dir(program), "../../../.."), err
}

// finish lets the stages come to their ends, one after the other, as each finds nobody at the other end of its pipe.
func (s *Stages) finish() error {
	return errors.Join(s.to.Close(), s.filter.Wait(), s.view.Wait())
}

// end ends what still runs.
func (s *Stages) end() {
	_, _ = s.to.Close(), s.from.Close()
	for _, child := range []*spawn.Child{s.filter, s.view} {
		if child != nil && child.ProcessState == nil {
			_ = child.Process.Kill()
			_ = child.Wait()
		}
	}
}

// Array is what view.py says of its array.
type Array struct {
	Address uint64 `msgpack:"address"`
	Bytes   uint64 `msgpack:"bytes"`
	Owner   bool   `msgpack:"owner"` // of its memory
}

// isIn checks with the kernel that where the array lies, process pid has the segment's file mapped.
func (a Array) isIn(frames *segment.Segment, pid int) error {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(maps)) {
		var from, to uint64
		if _, err := fmt.Sscanf(line, "%x-%x ", &from, &to); err != nil {
			return fmt.Errorf("read maps of process %d: %w", pid, err)
		}
		if strings.Contains(line, frames.Name()) && from <= a.Address && a.Address+a.Bytes <= to && !a.Owner {
			return nil
		}
	}
	return fmt.Errorf("view.py's array, at %#x, is not the segment's memory", a.Address)
}
