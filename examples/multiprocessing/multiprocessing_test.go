// Package multiprocessing_test runs the programs of this directory.
package multiprocessing_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/tests/testroot"
)

const python = "../../.venv/bin/python"

var programs = map[string]string{
	"with_queue":         "Hello from Process\n",
	"with_pipe":          "Hello from Process\n",
	"with_shared_memory": "3.14159\n[0, 2, 4, 6, 8]\n",
	"with_manager":       "Hello from Process\n",
}

// run starts a program with a start method, and returns all that it and its children print.
func run(t *testing.T, program, method string) string {
	t.Helper()
	out, err := exec.Command(python, program, method).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, method, err, out)
	}
	return string(out)
}

func TestPrograms(t *testing.T) {
	for program, want := range programs {
		for _, method := range []string{"fork", "spawn", "forkserver"} {
			t.Run(program+"/"+method, func(t *testing.T) {
				t.Setenv("POLYIPC_ROOT", testroot.New(t))
				if got := run(t, program+".py", method); got != want {
					t.Errorf("printed %q instead of %q", got, want)
				}
			})
		}
	}
}

// TestImportLine changes the import line back, and nothing else: the programs are multiprocessing's.
func TestImportLine(t *testing.T) {
	for program, want := range programs {
		text, err := os.ReadFile(program + ".py")
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(text), "from polyipc.multiprocessing import", "from multiprocessing import", 1)
		if changed == string(text) || strings.Contains(changed, "import polyipc") {
			t.Errorf("%s: it is not the import line alone that says polyipc", program)
		}
		file := filepath.Join(t.TempDir(), program+".py")
		if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := run(t, file, "spawn"); got != want {
			t.Errorf("%s with multiprocessing itself printed %q instead of %q", program, got, want)
		}
	}
}
