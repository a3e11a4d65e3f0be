// Package abi holds what programs that were linked against libpolyipc.so count on: its headers, its
// symbols, its name. The library is that of `make build`.
package abi

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const library = "../../build/lib/libpolyipc.so"

// command returns what a program printed.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// reviewed reads symbols.txt.
func reviewed(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile("symbols.txt")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(data)) {
		if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) != "" {
			names = append(names, strings.TrimSpace(line))
		}
	}
	return names
}

// exported asks nm for what the library defines, each name with its symbol version.
func exported(t *testing.T) map[string]string {
	t.Helper()
	versions := map[string]string{}
	for line := range strings.Lines(command(t, "nm", "-D", "--defined-only", "--with-symbol-versions", library)) {
		fields := strings.Fields(line)
		name, version, _ := strings.Cut(fields[len(fields)-1], "@")
		if name == "POLYIPC_0" {
			continue // the version itself
		}
		versions[name] = strings.TrimPrefix(version, "@")
	}
	return versions
}

// declared finds the functions that the public headers declare.
func declared(t *testing.T) []string {
	t.Helper()
	comment := regexp.MustCompile(`(?s)/\*.*?\*/`)
	function := regexp.MustCompile(`(?s)POLYIPC_API[^;]*?\b(polyipc_\w+)\(`)
	var names []string
	for _, h := range headers(t) {
		for _, m := range function.FindAllStringSubmatch(comment.ReplaceAllString(readHeader(t, h), ""), -1) {
			names = append(names, m[1])
		}
	}
	return names
}

// TestSymbols holds the reviewed list against the library, both ways. To add a function is to add
// its line; to lose one breaks programs.
func TestSymbols(t *testing.T) {
	want := reviewed(t)
	if !slices.IsSorted(want) {
		t.Error("symbols.txt is not sorted")
	}
	have := exported(t)
	for _, name := range want {
		version, ok := have[name]
		if !ok {
			t.Errorf("%s is in symbols.txt, but the library does not export it", name)
		} else if version != "POLYIPC_0" {
			t.Errorf("%s has symbol version %q, want POLYIPC_0", name, version)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if !slices.Contains(want, name) {
			t.Errorf("the library exports %s, which is not in symbols.txt", name)
		}
	}
}

// TestHeadersAndSymbolsAgree wants each declared function exported, and each exported one declared,
// save the shims that are for our own Python binding.
func TestHeadersAndSymbolsAgree(t *testing.T) {
	want := declared(t)
	if len(want) == 0 {
		t.Fatal("no POLYIPC_API function in the headers")
	}
	listed := reviewed(t)
	for _, name := range want {
		if !slices.Contains(listed, name) {
			t.Errorf("the headers declare %s, but symbols.txt does not have it", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(want, name) && !strings.HasPrefix(name, "polyipc_py_") {
			t.Errorf("symbols.txt has %s, but no header declares it", name)
		}
	}
}

// TestSoname wants the name that the dynamic linker will look for, and the links that lead to it.
func TestSoname(t *testing.T) {
	soname := regexp.MustCompile(`\(SONAME\).*\[(.*)\]`).FindStringSubmatch(command(t, "readelf", "-d", library))
	if soname == nil || soname[1] != "libpolyipc.so.0" {
		t.Errorf("soname %v, want libpolyipc.so.0", soname)
	}
	file, err := filepath.EvalSymlinks(library)
	if err != nil {
		t.Fatal(err)
	}
	through, err := filepath.EvalSymlinks(filepath.Join(filepath.Dir(library), "libpolyipc.so.0"))
	if err != nil || through != file {
		t.Errorf("libpolyipc.so.0 leads to %q (%v), libpolyipc.so to %q", through, err, file)
	}
	if want := "libpolyipc.so." + version(t); filepath.Base(file) != want {
		t.Errorf("the library's file is %s, want %s", filepath.Base(file), want)
	}
}

// TestNeedsOnlyLibc wants no other library than glibc's own, so that loading ours brings nothing.
func TestNeedsOnlyLibc(t *testing.T) {
	needed := regexp.MustCompile(`\(NEEDED\).*\[(.*)\]`)
	for _, m := range needed.FindAllStringSubmatch(command(t, "readelf", "-d", library), -1) {
		if !slices.Contains([]string{"libc.so.6", "libpthread.so.0", "libdl.so.2", "libresolv.so.2"}, m[1]) &&
			!strings.HasPrefix(m[1], "ld-linux") {
			t.Errorf("the library needs %s", m[1])
		}
	}
}

// version is the header's.
func version(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile(`POLYIPC_VERSION_STRING "(.*)"`).FindStringSubmatch(readHeader(t, "polyipc/version.h"))
	if m == nil {
		t.Fatal("no version in version.h")
	}
	return m[1]
}

// TestThreadLocalsByDescriptors builds the library with the model of thread-local variables that is the
// only one on arm64, and newer compilers' choice elsewhere. Loaded by dlopen, it must find its block all the
// same, or forked children can't use it.
func TestThreadLocalsByDescriptors(t *testing.T) {
	dialect := map[string]string{"amd64": "gnu2", "arm64": "desc"}[runtime.GOARCH]
	so, err := filepath.Abs(filepath.Join(t.TempDir(), "libpolyipc.so"))
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-extldflags=-Wl,-soname,libpolyipc.so.0", "-o", so, "../../capi")
	build.Env = append(os.Environ(), "CGO_ENABLED=1", "CGO_CFLAGS=-O2 -g -mtls-dialect="+dialect)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	loading := exec.Command("../../build/test/fork/loading")
	loading.Env = append(os.Environ(), "POLYIPC_LIBRARY="+so)
	if out, err := loading.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
