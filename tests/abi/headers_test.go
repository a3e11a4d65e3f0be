package abi

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// headers lists the public headers, relative to include/.
func headers(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../../include/polyipc/*.h")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no headers: %v", err)
	}
	names := []string{"polyipc.h"}
	for _, p := range paths {
		names = append(names, "polyipc/"+filepath.Base(p))
	}
	return names
}

// TestHeadersStandAlone compiles each header by itself, included twice, as each language version
// that we promise.
func TestHeadersStandAlone(t *testing.T) {
	for _, std := range []string{"c99", "c11", "c17", "c++11", "c++17", "c++20"} {
		for _, h := range headers(t) {
			t.Run(std+"/"+h, func(t *testing.T) {
				t.Parallel()
				compiles(t, std, h)
			})
		}
	}
}

// TestHelpersStandAlone does the same with the inline headers of bindings/c. They include msgpack-c, which is not ours to judge.
func TestHelpersStandAlone(t *testing.T) {
	flags, err := exec.Command("sh", "-c", "pkg-config --cflags msgpack-c 2>/dev/null || pkg-config --cflags msgpack").Output()
	if err != nil {
		t.Fatal("pkg-config finds no msgpack-c")
	}
	for _, h := range []string{"polyipc_msgpack.h", "polyipc_manager.h"} {
		for _, std := range []string{"c99", "c11", "c++11", "c++20"} {
			t.Run(std+"/"+h, func(t *testing.T) {
				t.Parallel()
				compiles(t, std, h, append(strings.Fields(string(flags)), "-I../../bindings/c/include")...)
			})
		}
	}
}

// compiles compiles a header, included twice.
func compiles(t *testing.T, std, header string, flags ...string) {
	t.Helper()
	compiler, language := "gcc", "c"
	if strings.HasPrefix(std, "c++") {
		compiler, language = "g++", "c++"
	}
	args := append([]string{
		"-std=" + std, "-x", language, "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wshadow", "-I../../include", "-fsyntax-only",
	}, flags...)
	cmd := exec.Command(compiler, append(args, "-")...)
	cmd.Stdin = strings.NewReader(fmt.Sprintf("#include <%[1]s>\n#include <%[1]s>\n", header))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestStatusesAreOneList holds the list of the header against Go's: names, numbers, sentences.
func TestStatusesAreOneList(t *testing.T) {
	line := regexp.MustCompile(`X\((\w+), (\d+), "([^"]*)"\)`)
	found := line.FindAllStringSubmatch(readHeader(t, "polyipc/status.h"), -1)
	if len(found) < 2 {
		t.Fatal("no statuses in status.h")
	}
	for i, f := range found {
		number, err := strconv.Atoi(f[2])
		if err != nil || number != i {
			t.Errorf("POLYIPC_%s is %s; it stands where %d should", f[1], f[2], i)
			continue
		}
		code := ipcerr.Code(number)
		if code.Name() != f[1] {
			t.Errorf("status %d is %s in C and %s in Go", number, f[1], code.Name())
		}
		if code.Error() != f[3] {
			t.Errorf("%s is %q in C and %q in Go", f[1], f[3], code.Error())
		}
	}
	if name := ipcerr.Code(len(found)).Name(); name != "UNKNOWN" {
		t.Errorf("Go knows a code %d, %s, that C does not", len(found), name)
	}
}

// TestVersionIsOne holds the version's string against its numbers.
func TestVersionIsOne(t *testing.T) {
	text := readHeader(t, "polyipc/version.h")
	macro := func(name string) string {
		m := regexp.MustCompile(`#define ` + name + ` "?([^"\n]*)"?\n`).FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("version.h does not define %s", name)
		}
		return m[1]
	}
	numbers := macro("POLYIPC_VERSION_MAJOR") + "." + macro("POLYIPC_VERSION_MINOR") + "." + macro("POLYIPC_VERSION_PATCH")
	if s := macro("POLYIPC_VERSION_STRING"); s != numbers {
		t.Errorf("POLYIPC_VERSION_STRING is %q, its numbers are %s", s, numbers)
	}
}

// readHeader returns a public header.
func readHeader(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../include", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
