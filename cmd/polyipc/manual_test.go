package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The manual's console blocks, in their order, print what they say they print.
func TestManual(t *testing.T) {
	newRoot(t)
	text, err := os.ReadFile("../../docs/howto/command-line.md")
	must(t, err)
	dir := t.TempDir()
	commands := 0
	for _, block := range strings.Split(string(text), "```console\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		for _, part := range strings.Split("\n"+block, "\n$ ")[1:] {
			command, want, _ := strings.Cut(part+"\n", "\n")
			want = strings.TrimSuffix(want, "\n")
			if want != "" && !strings.HasSuffix(want, "\n") {
				want += "\n"
			}
			cmd := exec.Command("/bin/sh", "-c", command)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(executable)+":"+os.Getenv("PATH"))
			out, err := cmd.CombinedOutput()
			if err != nil || string(out) != want {
				t.Errorf("%s\nprinted %q, %v\nwant    %q", command, out, err, want)
			}
			commands++
		}
	}
	eventually(t, "the manager is gone", func() bool { return polyipc("ls", "-p").ok(t) == "" })
	if commands < 15 {
		t.Errorf("only %d commands: the manual was not read as meant", commands)
	}
}
