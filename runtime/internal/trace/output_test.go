package trace

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestLevels(t *testing.T) {
	for value, want := range map[string]string{
		"debug": "diwediwe", "info": "iweiwe", "warn": "wewe", "error": "ee", "off": "", "": "",
	} {
		if got := events(run(t, "all levels", value)); got != want {
			t.Errorf("stderr with %q: %q", value, got)
		}
		if value == "" {
			continue
		}
		file := logFile(t)
		if said := run(t, "all levels", value+":"+file); said != "" {
			t.Errorf("with a file, on stderr: %s", said)
		}
		got, err := os.ReadFile(file)
		if value == "off" && os.IsNotExist(err) {
			continue
		}
		if events(string(got)) != want {
			t.Errorf("file with %q: %s %v", value, got, err)
		}
	}
}

// events are the names of the events in a log, one behind the other.
func events(log string) (names string) {
	for _, m := range regexp.MustCompile(`msg=(\w+)`).FindAllStringSubmatch(log, -1) {
		names += m[1]
	}
	return names
}

func TestForm(t *testing.T) {
	line := regexp.MustCompile(`^time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=ERROR msg=e pid=\d+ object=thing\n$`)
	if said := run(t, "elsewhere", "error"); !line.MatchString(said) {
		t.Errorf("%q", said)
	}
}

func TestMalformed(t *testing.T) {
	for _, value := range []string{"loud", "INFO", "info ", ":file", "info:", "1", "debug;file", "\xff"} {
		said := run(t, "all levels", value)
		if !strings.HasPrefix(said, "polyipc: POLYIPC_LOG=") || strings.Count(said, "\n") != 1 {
			t.Errorf("with %q: %q", value, said)
		}
	}
}

func TestRelativePath(t *testing.T) {
	dir := t.TempDir()
	cmd := command(t, "elsewhere", "info:log")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v %s", err, out)
	}
	if got := events(read(t, filepath.Join(dir, "log"))); got != "e" {
		t.Error(got)
	}
}

// TestUnwritable wants one sentence, and no crash or hang, where nothing can be written.
func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{dir, "/nowhere/log", "/proc/log", fifo, "/dev/null/log", strings.Repeat("x", 5000)} {
		said := run(t, "all levels", "debug:"+file)
		if !strings.HasPrefix(said, "polyipc: POLYIPC_LOG=") || strings.Count(said, "\n") != 1 {
			t.Errorf("to %s: %q", file, said)
		}
	}
	if said := run(t, "all levels", "debug:/dev/full"); said != "" { // can be opened; then full
		t.Error(said)
	}
}

// TestFileSizeLimit has room for one line and not for two. The signal would end the process.
func TestFileSizeLimit(t *testing.T) {
	file := logFile(t)
	run(t, "little room", "info:"+file)
	if got := events(read(t, file)); got != "first" {
		t.Error(got)
	}
}

func TestAppends(t *testing.T) {
	file := logFile(t)
	if err := os.WriteFile(file, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "all levels", "warn:"+file)
	if got := read(t, file); !strings.HasPrefix(got, "before\ntime=") || events(got) != "wewe" {
		t.Error(got)
	}
}

// TestLinesStayWhole has several processes of several threads write to one file.
func TestLinesStayWhole(t *testing.T) {
	file := logFile(t)
	var cmds []*exec.Cmd
	for range 4 {
		cmd := command(t, "many", "info:"+file)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	line := regexp.MustCompile(`^time=\S+ level=INFO msg=many pid=\d+ object=thing i=(\d+) filler=(x+|"")$`)
	lines := strings.Split(strings.TrimSuffix(read(t, file), "\n"), "\n")
	if len(lines) != 4*4*200 {
		t.Errorf("%d lines", len(lines))
	}
	for _, l := range lines {
		if !line.MatchString(l) {
			t.Fatalf("%q", l)
		}
	}
}

func TestLongLinesAreCut(t *testing.T) {
	if said := run(t, "long", "info"); len(said) != longest || !strings.HasSuffix(said, "x...\n") {
		t.Errorf("%d bytes: ...%q", len(said), said[max(0, len(said)-10):])
	}
}

// TestNoDescriptorStays wants as many descriptors open after events as before, with a log and without.
func TestNoDescriptorStays(t *testing.T) {
	run(t, "descriptors", "")
	run(t, "descriptors", "debug:"+logFile(t))
}

// TestStderrOfSomebodyElse closes stderr. Its number then is nobody's, or that of a mapped object, into
// which a log line must not go.
func TestStderrOfSomebodyElse(t *testing.T) {
	object := filepath.Join(t.TempDir(), "object")
	if err := os.WriteFile(object, []byte("contents"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "stderr is ours", "debug", "TRACE_FILE="+object)
	if got := read(t, object); got != "contents" {
		t.Errorf("%q", got)
	}
	run(t, "stderr is closed", "debug")
}

// TestStderrThatNobodyReads is a full pipe, and then one without a reader.
func TestStderrThatNobodyReads(t *testing.T) {
	for _, reader := range []bool{true, false} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if !reader {
			_ = r.Close()
		}
		cmd := command(t, "stderr is full", "debug")
		cmd.Stderr = w
		ended := make(chan error, 1)
		go func() {
			out, err := cmd.Output()
			if err == nil && string(out) != "done\n" {
				err = os.ErrInvalid
			}
			ended <- err
		}()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("with a reader %v: %v", reader, err)
			}
		case <-time.After(time.Minute):
			t.Errorf("with a reader %v: it hangs", reader)
			_ = cmd.Process.Kill()
		}
		_ = w.Close()
		_ = r.Close()
	}
}
