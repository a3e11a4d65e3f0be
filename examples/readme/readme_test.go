// Package readme_test runs what README.md shows of a manager.
package readme_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// blocks are the pieces of code of a section.
func blocks(t *testing.T, section string) (all []string) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text2, _ := strings.Cut(string(text), "\n## "+section+"\n")
	text2, _, _ = strings.Cut(text2, "\n## ")
	for i, part := range strings.Split(text2, "```") {
		if i%2 == 1 {
			_, code, _ := strings.Cut(part, "\n")
			all = append(all, code)
		}
	}
	return all
}

func output(t *testing.T, name string, words ...string) string {
	t.Helper()
	cmd := exec.Command(name, words...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, words, err, out)
	}
	return string(out)
}

func write(t *testing.T, file, text string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestManager starts the server, and each language increments once.
func TestManager(t *testing.T) {
	code := blocks(t, "A manager")
	if len(code) != 5 {
		t.Fatalf("%d pieces of code: the README was not read as meant", len(code))
	}
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.MkdirTemp("/dev/shm", "polyipc-readme-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	t.Setenv("POLYIPC_ROOT", root)
	t.Setenv("PATH", filepath.Join(top, "build/bin")+":"+os.Getenv("PATH"))

	words := strings.Fields(code[0])
	server := exec.Command(words[0], words[1:]...)
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Process.Signal(os.Interrupt); _ = server.Wait() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready scores\n" {
		t.Fatalf("%q, %v", line, err)
	}

	dir := t.TempDir()
	program := write(t, filepath.Join(dir, "main.go"), `package main

import (
	"context"
	"fmt"

	"github.com/polyipc/polyipc/runtime/manager"
)

func increment(ctx context.Context) error {
`+code[1]+`
	fmt.Print(n)
	return err
}

func main() {
	if err := increment(context.Background()); err != nil {
		panic(err)
	}
}
`)
	if n := output(t, "go", "run", program); n != "1" {
		t.Errorf("Go: %s", n)
	}
	if n := output(t, filepath.Join(top, ".venv/bin/python"), write(t, filepath.Join(dir, "client.py"), code[2]+`print(points["anna"])`)); n != "2\n" {
		t.Errorf("Python: %s", n)
	}
	include, body, _ := strings.Cut(code[3], "\n")
	source := write(t, filepath.Join(dir, "client.c"), include+"\n#include <inttypes.h>\nint main(void) {\n"+body+"printf(\"%\" PRId64, n); return 0; }\n")
	flags := strings.Fields(output(t, "sh", "-c", "pkg-config --cflags --libs msgpack-c 2>/dev/null || pkg-config --cflags --libs msgpack"))
	lib := filepath.Join(top, "build/lib")
	client := filepath.Join(dir, "client")
	output(t, "gcc", append([]string{source, "-o", client, "-I" + top + "/include", "-I" + top + "/bindings/c/include",
		"-L" + lib, "-lpolyipc", "-Wl,-rpath," + lib, "-pthread"}, flags...)...)
	if n := output(t, client); n != "3" {
		t.Errorf("C: %s", n)
	}
	if n := output(t, "sh", "-c", code[4]); n != "3\n" {
		t.Errorf("shell: %s", n)
	}
}

// TestMultiprocessing runs the program with multiprocessing's import line changed.
func TestMultiprocessing(t *testing.T) {
	code := blocks(t, "Instead of multiprocessing")
	if len(code) != 1 {
		t.Fatalf("%d pieces of code: the README was not read as meant", len(code))
	}
	root, err := os.MkdirTemp("/dev/shm", "polyipc-readme-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	t.Setenv("POLYIPC_ROOT", root)
	if said := output(t, "../../.venv/bin/python", write(t, filepath.Join(t.TempDir(), "main.py"), code[0])); said != "hello\n" {
		t.Errorf("%q", said)
	}
}
