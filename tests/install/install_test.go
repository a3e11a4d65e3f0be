// Package install shows that what `make install` and `make wheel` give to a user works outside the
// tree, and that uninstalling takes all of it away again. It installs what `make build` made.
package install

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// run runs a command in a directory, with additions to the environment, and returns its output.
func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// tree lists all files, links and directories below a directory.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, path)
		all = append(all, rel)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// top is the directory of the source tree.
func top(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// version is that of the header.
func version(t *testing.T) string {
	t.Helper()
	header, err := os.ReadFile("../../include/polyipc/version.h")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(header), "POLYIPC_VERSION_STRING \"")
	v, _, _ := strings.Cut(after, "\"")
	return v
}

// installed makes a fresh installed copy and returns its prefix.
func installed(t *testing.T) string {
	t.Helper()
	prefix := filepath.Join(t.TempDir(), "prefix")
	run(t, top(t), nil, "cmake", "--install", "build", "--prefix", prefix)
	return prefix
}

// libraryDir is where the installed library lies: lib, lib64 or lib/<machine>, as the distribution has it.
func libraryDir(t *testing.T, prefix string) string {
	t.Helper()
	for _, f := range tree(t, prefix) {
		if filepath.Base(f) == "libpolyipc.so" {
			return filepath.Join(prefix, filepath.Dir(f))
		}
	}
	t.Fatalf("no libpolyipc.so in %v", tree(t, prefix))
	return ""
}

// hello runs a consumer that was built and wants its message back.
func hello(t *testing.T, program string, env ...string) {
	t.Helper()
	if out := run(t, ".", env, program); out != "hello\n" {
		t.Errorf("the program said %q", out)
	}
}

func TestPkgConfig(t *testing.T) {
	prefix, program := installed(t), filepath.Join(t.TempDir(), "consumer")
	lib := libraryDir(t, prefix)
	env := []string{"PKG_CONFIG_PATH=" + filepath.Join(lib, "pkgconfig")}
	if v := run(t, ".", env, "pkg-config", "--modversion", "polyipc"); v != version(t)+"\n" {
		t.Errorf("polyipc.pc says version %q", v)
	}
	flags := strings.Fields(run(t, ".", env, "pkg-config", "--cflags", "--libs", "polyipc"))
	args := append([]string{"-std=c11", "-Wall", "-Wextra", "-Werror", "consumer/main.c", "-o", program}, flags...)
	run(t, ".", nil, "gcc", args...)
	hello(t, program, "LD_LIBRARY_PATH="+lib)
}

func TestFindPackage(t *testing.T) {
	prefix, build := installed(t), t.TempDir()
	run(t, ".", nil, "cmake", "-S", "consumer", "-B", build, "-DCMAKE_PREFIX_PATH="+prefix)
	run(t, ".", nil, "cmake", "--build", build)
	hello(t, filepath.Join(build, "consumer")) // CMake wrote the library's place into the program
}

// TestInstalledCommand runs what lies in bin.
func TestInstalledCommand(t *testing.T) {
	out := run(t, ".", nil, filepath.Join(installed(t), "bin", "polyipc"), "version")
	if !strings.Contains(out, version(t)) {
		t.Errorf("polyipc version says %q", out)
	}
}

// TestUninstall installs, twice, into a prefix where others have files; then all must be as before.
func TestUninstall(t *testing.T) {
	prefix := t.TempDir()
	for _, dir := range []string{"include/other", "lib/empty"} {
		if err := os.MkdirAll(filepath.Join(prefix, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	before := tree(t, prefix)
	run(t, top(t), nil, "cmake", "--install", "build", "--prefix", prefix)
	run(t, top(t), nil, "cmake", "--install", "build", "--prefix", prefix)
	if after := tree(t, prefix); len(after) < len(before)+10 {
		t.Errorf("installed too little: %v", after)
	}
	run(t, top(t), nil, "make", "uninstall", "PREFIX="+prefix)
	if after := tree(t, prefix); !slices.Equal(before, after) {
		t.Errorf("before: %v\nafter:  %v", before, after)
	}
}

// TestUninstallKeepsWhatOthersPut leaves a directory that install made when a user's file is in it.
func TestUninstallKeepsWhatOthersPut(t *testing.T) {
	prefix := installed(t)
	kept := filepath.Join(prefix, "include", "polyipc", "mine.h")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, top(t), nil, "make", "uninstall", "PREFIX="+prefix)
	want := []string{".", "include", "include/polyipc", "include/polyipc/mine.h"}
	if after := tree(t, prefix); !slices.Equal(want, after) {
		t.Errorf("want %v, got %v", want, after)
	}
}

// TestUninstallWithoutInstall says what is the matter.
func TestUninstallWithoutInstall(t *testing.T) {
	cmd := exec.Command("make", "uninstall", "PREFIX="+t.TempDir())
	cmd.Dir = top(t)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "nothing was installed under") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestStaged installs under DESTDIR, as packagers do, and takes it away from there.
func TestStaged(t *testing.T) {
	stage := t.TempDir()
	env := []string{"DESTDIR=" + stage}
	run(t, top(t), env, "cmake", "--install", "build", "--prefix", "/usr")
	if _, err := os.Stat(filepath.Join(stage, "usr/include/polyipc.h")); err != nil {
		t.Error(err)
	}
	run(t, top(t), env, "make", "uninstall", "PREFIX=/usr")
	if left := tree(t, stage); !slices.Contains([]int{1, 2}, len(left)) {
		t.Errorf("left: %v", left)
	}
}
