package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestModel runs the whole as a user does: it exits with an error if Go and C were not told the same.
func TestModel(t *testing.T) {
	out, err := exec.Command("../../build/bin/examples/go/model").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"Python raised ValueError: nothing has been learned yet\n", "Go: order cheap money: spam, ", "C: notes for lunch: mail, ", "both were told the same\n",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	left, err := filepath.Glob("/dev/shm/polyipc-model-*")
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
