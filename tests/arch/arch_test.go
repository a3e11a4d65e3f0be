// Package arch holds the shape of the source tree: which package may import which, what may be
// used where. The rules are the tables in rules_test.go; a rule that no longer says anything fails too.
package arch

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/polyipc/polyipc"

// pkg is what the go command says of a package.
type pkg struct {
	Dir        string
	ImportPath string
	GoFiles    []string
	CgoFiles   []string
	Imports    []string
}

// name is the package's path within the module; "." for its root.
func (p pkg) name() string {
	if p.ImportPath == module {
		return "."
	}
	return strings.TrimPrefix(p.ImportPath, module+"/")
}

// sources are the files that go into programs, relative to the module's root.
func (p pkg) sources() []string {
	var files []string
	for _, f := range slices.Concat(p.GoFiles, p.CgoFiles) {
		files = append(files, filepath.Join(p.name(), f))
	}
	return files
}

// root is the module's directory.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// run returns what a command started in the module's directory printed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return string(out)
}

// packages lists all packages of the module, with the crash points compiled in.
func packages(t *testing.T) []pkg {
	t.Helper()
	var all []pkg
	dec := json.NewDecoder(strings.NewReader(run(t, "go", "list", "-e", "-tags=crash", "-json=Dir,ImportPath,GoFiles,CgoFiles,Imports", "./...")))
	for dec.More() {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		t.Fatal("go list found no packages")
	}
	return all
}

// files lists the tracked and the new files of the tree with one of the endings.
func files(t *testing.T, endings ...string) []string {
	t.Helper()
	var all []string
	for f := range strings.Lines(run(t, "git", "ls-files", "--cached", "--others", "--exclude-standard")) {
		f = strings.TrimSuffix(f, "\n")
		if info, err := os.Lstat(filepath.Join(root(t), f)); err != nil || !info.Mode().IsRegular() {
			continue // deleted and not yet committed, or a link to a file that is looked at itself
		}
		if slices.Contains(endings, filepath.Ext(f)) {
			all = append(all, f)
		}
	}
	return all
}

// read returns a file of the tree.
func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root(t), file))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestFloors(t *testing.T) {
	floorOf := map[string]int{}
	for i, floor := range floors {
		for _, name := range floor {
			floorOf[name] = i
		}
	}
	met := map[[2]string]bool{}
	for _, p := range packages(t) {
		from := p.name()
		if outside(from) {
			continue
		}
		floor, known := floorOf[from]
		if !known {
			t.Errorf("package %s stands on no floor: give it one in tests/arch/rules_test.go", from)
			continue
		}
		for _, path := range p.Imports {
			to, ours := strings.CutPrefix(path, module+"/")
			if !ours {
				continue
			}
			pair := [2]string{from, to}
			if _, excepted := sameFloor[pair]; excepted {
				met[pair] = true
			} else if below, known := floorOf[to]; !known || below >= floor {
				t.Errorf("%s imports %s, which is on no lower floor", from, to)
			}
		}
	}
	for pair := range sameFloor {
		if !met[pair] {
			t.Errorf("stale exception: %s does not import %s any more", pair[0], pair[1])
		}
		if floorOf[pair[0]] != floorOf[pair[1]] {
			t.Errorf("%s and %s are not on one floor: that is no exception", pair[0], pair[1])
		}
	}
}

// outside says whether a package is no part of the product: tests, examples, benchmarks.
func outside(name string) bool {
	top, _, _ := strings.Cut(name, "/")
	return name == "." || slices.Contains([]string{"tests", "examples", "bench", "tools"}, top)
}

func TestDirectDependencies(t *testing.T) {
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal([]byte(run(t, "go", "mod", "edit", "-json")), &mod); err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		if !r.Indirect && !slices.Contains(dependencies, r.Path) {
			t.Errorf("go.mod requires %s, which is not among the agreed dependencies %v", r.Path, dependencies)
		}
	}
}

func TestOnlyCapiUsesCgo(t *testing.T) {
	for _, p := range packages(t) {
		if uses := len(p.CgoFiles) > 0; uses != (p.name() == "capi") {
			t.Errorf("package %s: cgo %v, but capi alone uses it", p.name(), uses)
		}
	}
}

func TestUnsafe(t *testing.T) {
	met := map[string]bool{}
	for _, p := range packages(t) {
		if outside(p.name()) {
			continue
		}
		for _, f := range p.sources() {
			if !strings.Contains(read(t, f), "\t\"unsafe\"\n") && !strings.Contains(read(t, f), "import \"unsafe\"\n") {
				continue
			}
			where := f
			if dir := filepath.Dir(f) + "/"; unsafeFiles[dir] != "" {
				where = dir
			}
			met[where] = true
			if _, ok := unsafeFiles[where]; !ok {
				t.Errorf("%s imports unsafe: that is for the files in tests/arch/rules_test.go, with their reasons", f)
			}
		}
	}
	for f := range unsafeFiles {
		if !met[f] {
			t.Errorf("stale: %s does not import unsafe any more", f)
		}
	}
}

func TestFileLengths(t *testing.T) {
	for _, f := range files(t, ".go", ".c", ".h", ".py", ".sh", ".cmake") {
		if lines := strings.Count(read(t, f), "\n"); lines >= longestFile {
			t.Errorf("%s has %d lines; under %d is the rule", f, lines, longestFile)
		}
	}
}

func TestCtypesInOnePackage(t *testing.T) {
	inside := 0
	for _, f := range files(t, ".py") {
		if !strings.HasPrefix(f, "bindings/python/polyipc/") {
			continue
		}
		for line := range strings.Lines(read(t, f)) {
			if words := strings.Fields(line); len(words) > 1 && (words[0] == "import" || words[0] == "from") &&
				(words[1] == "ctypes" || strings.HasPrefix(words[1], "ctypes.")) {
				if !strings.HasPrefix(f, "bindings/python/polyipc/_c/") {
					t.Errorf("%s imports ctypes, which is for polyipc/_c alone", f)
				}
				inside++
			}
		}
	}
	if inside == 0 {
		t.Error("nothing imports ctypes")
	}
}
