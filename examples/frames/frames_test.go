package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/segment"
)

const program = "../../build/bin/examples/go/frames"

// TestFrames runs the whole as a user does: it exits with an error if an image was not seen as it should be, or if
// Python had a copy.
func TestFrames(t *testing.T) {
	out, err := exec.Command(program, "-n", "150").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"is the segment itself", "images a second", "all 150 were seen as they should be"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	nothingIsLeft(t)
}

// TestDeath kills one of the other processes: the others end, and the program says so.
func TestDeath(t *testing.T) {
	for _, name := range []string{"filter", "python"} {
		cmd := exec.Command(program, "-n", "1000000", "-width", "16", "-height", "16")
		var log bytes.Buffer
		cmd.Stderr = &log
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			t.Errorf("it did not start: %q %v", line, err)
		}
		if err := child(t, cmd.Process.Pid, name).Kill(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err == nil || !strings.Contains(log.String(), "frames: ") {
			t.Errorf("%s killed: %v\n%s", name, err, log.String())
		}
	}
	nothingIsLeft(t)
}

// child finds the child of a process whose program's name begins so.
func child(t *testing.T, parent int, name string) *os.Process {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		var pid, ppid int
		var comm string
		var state rune
		stat, _ := os.ReadFile(path) // empty if it has ended meanwhile
		_, err := fmt.Sscanf(string(stat), "%d %s %c %d", &pid, &comm, &state, &ppid)
		if err != nil || ppid != parent || !strings.HasPrefix(comm, "("+name) {
			continue
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	t.Fatalf("process %d has no child %q", parent, name)
	return nil
}

// TestIsIn holds private memory against the segment's.
func TestIsIn(t *testing.T) {
	root := filepath.Join("/dev/shm", fmt.Sprintf("polyipc-frames-%d", os.Getpid()))
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	made, err := segment.Create("", segment.Options{Root: root, Size: 4096})
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	s, err := segment.Open(made.Name(), segment.Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	memory, err := s.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	private := make([]byte, 4096)
	for _, c := range []struct {
		memory []byte
		bytes  uint64
		owner  bool
		want   bool
	}{
		{memory, 4096, false, true},
		{memory, 4096, true, false},
		{memory, 1 << 40, false, false},
		{private, 4096, false, false},
	} {
		a := Array{uint64(uintptr(unsafe.Pointer(&c.memory[0]))), c.bytes, c.owner}
		if err := a.isIn(s, os.Getpid()); (err == nil) != c.want {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

// TestCheck takes one thing for another.
func TestCheck(t *testing.T) {
	s := Size{8, 4}
	m := Measured{}
	for i := range int64(different + 2) {
		m.looks = append(m.looks, s.Expected(i))
	}
	if err := m.check(s); err != nil {
		t.Error(err)
	}
	m.looks[different+1] = m.looks[0]
	if err := m.check(s); err == nil {
		t.Error("one image in the place of another is right")
	}
}

func nothingIsLeft(t *testing.T) {
	t.Helper()
	left, err := filepath.Glob("/dev/shm/polyipc-frames-*")
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
