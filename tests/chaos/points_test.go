//go:build crash

package chaos

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/tests/peers"
)

// TestCrashPoints lets a process die at every crash point there is in the source, in each
// situation that scenarios_test.go has for it.
func TestCrashPoints(t *testing.T) {
	names := map[string]bool{}
	for _, s := range scenarios {
		if names[s.name] {
			t.Errorf("two scenarios are called %q", s.name)
		}
		names[s.name] = true
	}
	t.Run("data", dataPoints)
	for _, l := range []peers.Language{peers.Go, peers.C, peers.Python} {
		t.Run(string(l), func(t *testing.T) { everyScenario(t, l) })
	}
	if t.Failed() || ran[peers.Go] < len(scenarios) || ran[peers.C] < len(scenarios) {
		return // with -run, for some of them
	}
	for _, point := range crashPoints(t) {
		if _, yes := died.Load(point); !yes {
			t.Errorf("no process died at crash point %s: give it a scenario", point)
		}
	}
	for _, point := range cPoints(t) {
		if _, yes := died.Load(string(peers.C) + " " + point); !yes {
			t.Errorf("no process died at crash point %s in C: give it a scenario", point)
		}
	}
}

// cPoints reads the names of the crash points of capi's C, which are those of the same places in Go.
func cPoints(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../../capi/*.c")
	if err != nil {
		t.Fatal(err)
	}
	call, name := regexp.MustCompile(`PI_CRASH_POINT\(([^)]*)\)`), regexp.MustCompile(`"([^"]+)"`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range call.FindAllStringSubmatch(string(text), -1) {
			for _, n := range name.FindAllStringSubmatch(c[1], -1) {
				names = append(names, n[1])
			}
		}
	}
	if len(names) < 7 {
		t.Fatalf("only %d crash points found in C", len(names))
	}
	return names
}

var ran = map[peers.Language]int{} // scenarios

// everyScenario runs the scenarios with peers of this language to die. Python's take long to start,
// and it has the same library inside as C: of its scenarios, only every fifth is run.
func everyScenario(t *testing.T, l peers.Language) {
	for i, s := range scenarios {
		if l == peers.Python && (i%5 != 0 || strings.Contains(s.name, "batch")) { // it has no raw batches
			continue
		}
		t.Run(strings.ReplaceAll(s.name, " ", "_"), func(t *testing.T) {
			// Not in parallel: between fork and exec a starting peer has the descriptors of this
			// process, and a queue that is closed in that moment would seem to be in use.
			s.run(newWorld(t, l, s.options))
			ran[l]++
		})
	}
}

// crashPoints reads the names of all crash points out of the source.
func crashPoints(t *testing.T) (names []string) {
	t.Helper()
	for _, dir := range []string{"runtime", "capi", "codec", "cmd"} {
		err := filepath.WalkDir(filepath.Join("../..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if name, ok := pointName(t, path, n); ok {
					if slices.Contains(names, name) {
						t.Errorf("%s: a second crash point called %q", path, name)
					}
					names = append(names, name)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(names) < 40 {
		t.Fatalf("only %d crash points found: is the source where this test looks for it?", len(names))
	}
	return names
}

// pointName is the argument if n is a call of crash.Point.
func pointName(t *testing.T, path string, n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return "", false
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || f.Sel.Name != "Point" {
		return "", false
	}
	if pkg, ok := f.X.(*ast.Ident); !ok || pkg.Name != "crash" || strings.HasSuffix(path, "host/host.go") { // there it is C's
		return "", false
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		t.Errorf("%s: the name of a crash point must be a string literal", path)
		return "", false
	}
	name, err := strconv.Unquote(lit.Value)
	if err != nil {
		t.Error(err)
	}
	return name, true
}
