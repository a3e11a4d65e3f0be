package install

import (
	"archive/zip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestWheel builds the wheel around the library of `make build`, installs it in a fresh virtual
// environment and sends a message there.
func TestWheel(t *testing.T) {
	dist, venv := t.TempDir(), filepath.Join(t.TempDir(), "venv")
	python := filepath.Join(top(t), ".venv/bin/python")
	prebuilt := []string{"POLYIPC_PREBUILT=" + filepath.Join(top(t), "build/lib/libpolyipc.so")}
	out := run(t, top(t), prebuilt, python, "tools/wheel.py", dist)
	wheel := lastLine(out)
	name := regexp.MustCompile(`^polyipc-` + regexp.QuoteMeta(version(t)) + `-py3-none-manylinux_2_\d+_(x86_64|aarch64)\.whl$`)
	if !name.MatchString(filepath.Base(wheel)) {
		t.Errorf("the wheel is called %s", filepath.Base(wheel))
	}
	checkContents(t, wheel)

	run(t, ".", nil, python, "-m", "venv", venv)
	installed := filepath.Join(venv, "bin/python")
	run(t, ".", nil, installed, "-m", "pip", "install", "--quiet", wheel)
	const program = `
import polyipc
queue = polyipc.Queue()
queue.put({"hello": [1, 2.5, b"x"]})
print(queue.get(), polyipc.__file__)
queue.close()
`
	said := run(t, venv, nil, installed, "-I", "-c", program)
	if !strings.HasPrefix(said, "{'hello': [1, 2.5, b'x']} "+venv) {
		t.Errorf("the program said %q", said)
	}
}

// checkContents wants the modules, the library, the marker of typed packages and the licence, and
// nothing that belongs to the tree only.
func checkContents(t *testing.T, wheel string) {
	t.Helper()
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	var names []string
	for _, f := range archive.File {
		names = append(names, f.Name)
		if top, _, _ := strings.Cut(f.Name, "/"); top != "polyipc" && !strings.HasSuffix(top, ".dist-info") {
			t.Errorf("the wheel contains %s", f.Name)
		}
		if strings.Contains(f.Name, "__pycache__") {
			t.Errorf("the wheel contains %s", f.Name)
		}
	}
	for _, want := range []string{"polyipc/__init__.py", "polyipc/libpolyipc.so.0", "polyipc/py.typed",
		"polyipc-" + version(t) + ".dist-info/licenses/LICENSE"} {
		if !slices.Contains(names, want) {
			t.Errorf("the wheel lacks %s; it has %v", want, names)
		}
	}
}

// lastLine is the last line of a program's output.
func lastLine(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[len(lines)-1]
}
