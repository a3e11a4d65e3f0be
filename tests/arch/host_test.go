package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestNothingStartsThePoller looks at the code that runs inside host processes for what
// descriptorFree forbids there.
func TestNothingStartsThePoller(t *testing.T) {
	looked := 0
	for _, p := range packages(t) {
		top, _, _ := strings.Cut(p.name(), "/")
		if !slices.Contains(descriptorFree, top) || slices.Contains(goOnly, p.name()) {
			continue
		}
		for _, f := range p.sources() {
			looked++
			for _, fault := range forbiddenUses(t, f) {
				t.Errorf("%s", fault)
			}
		}
	}
	if looked == 0 {
		t.Fatalf("no files in %v", descriptorFree)
	}
}

// TestLibraryIsSmall: what Go programs may opt into is not in libpolyipc.so.
func TestLibraryIsSmall(t *testing.T) {
	for _, path := range strings.Fields(run(t, "go", "list", "-deps", "./capi")) {
		for _, other := range notInLibrary {
			if path == other || strings.HasPrefix(path, other+"/") {
				t.Errorf("libpolyipc.so has %s", path)
			}
		}
		for _, other := range goOnly {
			if path == module+"/"+other {
				t.Errorf("libpolyipc.so has %s, which is not looked at for what must not run in a host process", other)
			}
		}
	}
}

// forbiddenUses parses a file and describes its uses of forbidden packages and names.
func forbiddenUses(t *testing.T, file string) []string {
	t.Helper()
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, filepath.Join(root(t), file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return faults(fset, file, parsed)
}

// faults walks a parsed file. A package imported under another name does not hide: the names in the
// table are those of the import's path.
func faults(fset *token.FileSet, file string, parsed *ast.File) []string {
	var found []string
	report := func(pos token.Pos, what string) {
		found = append(found, file+":"+strconv.Itoa(fset.Position(pos).Line)+": "+what+
			" is not for code that runs in host processes: see descriptorFree in tests/arch/rules_test.go")
	}
	named := map[string]string{} // name in this file -> last element of the import path
	for _, imp := range parsed.Imports {
		path, _ := strconv.Unquote(imp.Path.Value)
		_, may := mayImport[[2]string{filepath.Dir(file), path}]
		if !may && !slices.Contains(harmless, path) && slices.ContainsFunc(forbiddenImports, func(f string) bool {
			return path == f || f == "net" && strings.HasPrefix(path, "net/")
		}) {
			report(imp.Pos(), "import of "+path)
		}
		last := path[strings.LastIndex(path, "/")+1:]
		name := last
		if imp.Name != nil {
			name = imp.Name.Name
		}
		named[name] = last
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if base, ok := sel.X.(*ast.Ident); ok && slices.Contains(forbiddenNames, named[base.Name]+"."+sel.Sel.Name) {
			report(sel.Pos(), named[base.Name]+"."+sel.Sel.Name)
		}
		return true
	})
	return found
}

// TestForbiddenUsesAreSeen shows that the search above finds what it is for.
func TestForbiddenUsesAreSeen(t *testing.T) {
	const source = `package p
import ("net/http"; stdtime "time"; "os")
var _ http.Client
func f() { stdtime.Sleep(1); var _ *os.File; _ = os.Getpid() }`
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	if found := faults(fset, "p.go", parsed); len(found) != 3 {
		t.Errorf("want net/http, time.Sleep and os.File; got %q", found)
	}
}
