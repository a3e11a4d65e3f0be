// Package identifiers_test runs the example as a user does.
package identifiers_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/examples/identifiers/tally"
)

func TestCount(t *testing.T) {
	for text, want := range map[string]map[string]int64{
		"":                     {},
		"a":                    {"a": 1},
		"a b a":                {"a": 2, "b": 1},
		"9a _9 a9_":            {"a": 1, "_9": 1, "a9_": 1},
		"\x00über_x\xffA-b.C_": {"ber_x": 1, "A": 1, "b": 1, "C_": 1},
	} {
		got := map[string]int64{}
		tally.Count(got, []byte(text))
		if len(got) != len(want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
		for w, n := range want {
			if got[w] != n {
				t.Errorf("%q: %v, want %v", text, got, want)
			}
		}
	}
}

// TestDemo runs the whole demo over part of the tree: it exits with an error if the kill showed
// nothing, or if the sums are not those of a single process, or the shared totals not the sums.
func TestDemo(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	tree := filepath.Join(strings.TrimSpace(string(goroot)), "src", "cmd")
	cmd := exec.Command("../../.venv/bin/python", "demo.py", "--input", tree, "--top", "5")
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("demo: %v\n%s%s", err, log.String(), out.String())
	}
	for _, want := range []string{"5 commonest of", "the same as one process alone: yes", "the shared totals agree: yes", "the manager's result agrees: yes", "messages a second"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if !strings.Contains(log.String(), "on lease") {
		t.Errorf("nobody was killed:\n%s", log.String())
	}
	left, err := filepath.Glob("/dev/shm/polyipc-demo-*")
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestDemoEmpty: a tree without a file, in which nobody can be killed at work, is an error, not a hang.
func TestDemoEmpty(t *testing.T) {
	out, err := exec.Command("../../.venv/bin/python", "demo.py", "--input", t.TempDir()).CombinedOutput()
	if err == nil {
		t.Errorf("no error:\n%s", out)
	}
	for _, want := range []string{"the same as one process alone: yes", "the shared totals agree: yes", "the manager's result agrees: yes"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
