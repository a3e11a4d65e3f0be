package peers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// Crash says that peers, and what they are linked with, have the crash points compiled in. TestMain
// sets it.
var Crash bool

var (
	dir   string // of what was built; removed by Clean
	built sync.Map
)

// Clean removes what was built. TestMain calls it.
func Clean() {
	if dir != "" {
		_ = os.RemoveAll(dir)
	}
}

var makeDir = sync.OnceValue(func() (err error) {
	dir, err = os.MkdirTemp("", "polyipc-peers-")
	return err
})

// top is the top of the tree; tests run in the directory of their package.
var top = sync.OnceValues(func() (string, error) {
	at, err := os.Getwd()
	for err == nil {
		if _, bad := os.Stat(filepath.Join(at, "go.mod")); bad == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			err = fmt.Errorf("no go.mod above the test's directory")
		}
		at = filepath.Dir(at)
	}
	return "", err
})

// Prepare builds the peers of these languages, so that no test waits for it. It may be left out.
func Prepare(ls ...Language) error {
	for _, l := range ls {
		if _, _, err := command(l); err != nil {
			return err
		}
	}
	return nil
}

// Command is the command line of a peer of that language, and what it needs in its environment.
func Command(l Language) (words, env []string, err error) { return command(l) }

// command is the command line of a peer and what it needs in its environment.
func command(l Language) (words, env []string, err error) {
	if err = makeDir(); err != nil {
		return nil, nil, err
	}
	once, _ := built.LoadOrStore(l, sync.OnceValues(func() ([2][]string, error) {
		words, env, err := build(l)
		return [2][]string{words, env}, err
	}))
	result, err := once.(func() ([2][]string, error))()
	return result[0], result[1], err
}

func build(l Language) (words, env []string, err error) {
	root, err := top()
	if err != nil {
		return nil, nil, err
	}
	if l == Go {
		words = []string{filepath.Join(dir, "peer-go")}
		args := []string{"go", "build", "-o", words[0]}
		if Crash {
			args = append(args, "-tags=crash")
		}
		return words, nil, run(root, append(args, "./tests/peers/go")...)
	}
	library, err := library()
	if err != nil {
		return nil, nil, err
	}
	switch l {
	case C:
		words = []string{filepath.Join(dir, "peer-c")}
		err = compile(root, words[0], library)
	case Python:
		words = []string{filepath.Join(root, ".venv/bin/python"), filepath.Join(root, "tests/peers/python/peer.py")}
		env = []string{"POLYIPC_LIBRARY=" + library, "PYTHONDONTWRITEBYTECODE=1"}
		if _, err := os.Stat(words[0]); err != nil {
			return nil, nil, fmt.Errorf("%w: run make build", err)
		}
	default:
		err = fmt.Errorf("no peer in %s", l)
	}
	return words, env, err
}

// library is the path of libpolyipc.so: the one that make build leaves, or one with crash points,
// which lies in build/crash. Either is brought up to date.
var library = sync.OnceValues(func() (string, error) {
	root, err := top()
	if err != nil {
		return "", err
	}
	at := filepath.Join(root, "build")
	if Crash {
		at = filepath.Join(at, "crash")
	}
	if err := os.MkdirAll(at, 0o777); err != nil {
		return "", err
	}
	// Two tests at once must not build in the same directory.
	lock, err := os.OpenFile(filepath.Join(at, "peers.lock"), os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, bad := os.Stat(filepath.Join(at, "CMakeCache.txt")); bad != nil {
		tags := ""
		if Crash {
			tags = "crash"
		}
		err = run(root, "cmake", "-S.", "-B"+at, "-DPOLYIPC_TAGS="+tags)
	}
	if err == nil {
		err = run(root, "cmake", "--build", at, "--target", "polyipc_library")
	}
	return filepath.Join(at, "lib/libpolyipc.so"), err
})

// compile builds the C peer as a user builds a program.
func compile(root, output, library string) error {
	sources, err := filepath.Glob(filepath.Join(root, "tests/peers/c/*.c"))
	if err != nil || len(sources) == 0 {
		return fmt.Errorf("no C sources: %w", err)
	}
	flags, err := exec.Command("sh", "-c", "pkg-config --cflags --libs msgpack-c 2>/dev/null || pkg-config --cflags --libs msgpack").Output()
	if err != nil {
		return fmt.Errorf("pkg-config finds no msgpack-c: %w", err)
	}
	words := []string{"cc", "-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-pthread", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-Ibindings/c/include", "-o", output}
	words = append(words, sources...)
	words = append(words, "-L"+filepath.Dir(library), "-lpolyipc", "-Wl,-rpath,"+filepath.Dir(library))
	return run(root, append(words, strings.Fields(string(flags))...)...)
}

func run(at string, words ...string) error {
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = at
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", words, err, out)
	}
	return nil
}
