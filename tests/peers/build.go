package peers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

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

// command is the command line of a peer and what it needs in its environment. The peer, and what
// it is linked with, has the crash points compiled in.
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
	switch l {
	case Go:
		words = []string{filepath.Join(dir, "peer-go")}
		err = run(root, "go", "build", "-tags=crash", "-o", words[0], "./tests/peers/go")
	default:
		err = fmt.Errorf("no peer in %s", l)
	}
	return words, env, err
}

func run(at string, words ...string) error {
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = at
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", words, err, out)
	}
	return nil
}
