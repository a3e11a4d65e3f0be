package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestManagerData: what was answered is there again behind a SIGKILL, of every type that is kept; what else there was is not.
func TestManagerData(t *testing.T) {
	newRoot(t)
	file := filepath.Join(t.TempDir(), "data")
	for _, sync := range []string{"always", "no"} {
		m, _ := manages(t, "--data", file, "--sync", sync)
		call := func(args ...string) { polyipc(append([]string{"call", "m"}, args...)...).ok(t) }
		polyipc("dict", "m", "d", "set", "anna", "7", "--create").ok(t)
		call("-", "open", "l", "list")
		call("l", "append", "a")
		call("-", "open", "s", "set")
		call("s", "add", "a")
		call("-", "open", "c", "counter")
		call("c", "increment")
		call("-", "open", "q", "joinable_queue")
		call("q", "put", "a")
		call("q", "put", "b")
		call("q", "get")
		call("q", "lease")
		call("-", "open", "n", "namespace", "--named", "x=1")
		call("-", "open", "v", "value", "i", "5")
		call("-", "open", "a", "array", "i", "[1,2]")
		call("-", "open", "lock", "lock")
		m.signal(syscall.SIGKILL)
		m.ends(-1)

		m, _ = manages(t, "--data", file, "--sync", sync)
		polyipc("call", "m", "-", "names").prints(t, `{"a":"array","c":"counter","d":"dict","l":"list","n":"namespace","q":"joinable_queue","s":"set","v":"value"}`+"\n")
		polyipc("dict", "m", "d").prints(t, "\"anna\"\t7\n")
		polyipc("call", "m", "l", "copy").prints(t, "[\"a\"]\n")
		polyipc("call", "m", "s", "contains", "a").prints(t, "true\n")
		polyipc("call", "m", "c", "get").prints(t, "1\n")
		polyipc("call", "m", "q", "join", "0").prints(t, "false\n")
		polyipc("call", "m", "q", "get").prints(t, "\"b\"\n") // its lease ended with the client that had it
		polyipc("call", "m", "n", "get", "x").prints(t, "1\n")
		polyipc("call", "m", "v", "get").prints(t, "5\n")
		polyipc("call", "m", "a", "copy").prints(t, "[1,2]\n")
		polyipc("call", "m", "v", "set", "x").fails(t, 1, "an integer, for typecode i")
		for _, name := range []string{"a", "c", "d", "l", "n", "q", "s", "v"} {
			call("-", "unlink", name)
		}
		m.signal(syscall.SIGTERM)
		m.ends(0)
		m, _ = manages(t, "--data", file)
		polyipc("call", "m", "-", "names").prints(t, "{}\n")
		m.signal(syscall.SIGTERM)
		m.ends(0)
	}
}

// TestManagerDataIsRefused: each reason names the file, and what to do.
func TestManagerDataIsRefused(t *testing.T) {
	newRoot(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "data")
	m, _ := manages(t, "--data", file)
	info, err := os.Stat(file)
	must(t, err)
	if info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	polyipc("manager", "--data", file).fails(t, 1, "another server has it: stop that one, or give another file")
	m.signal(syscall.SIGTERM)
	m.ends(0)
	must(t, os.Truncate(file, 9000))
	for where, why := range map[string]string{
		file: "bring back a copy", filepath.Join(dir, "missing/data"): "its directory does not exist", dir: "give a file",
	} {
		polyipc("manager", "--data", where).fails(t, 1, where)
		polyipc("manager", "--data", where).fails(t, 1, why)
	}
	polyipc("manager", "--sync", "no").fails(t, 2, "--data is empty")
	polyipc("manager", "--data", file, "--sync", "often").fails(t, 2, "give always or no")
}

// TestManagerDataIsFull: without space a change is refused, and was not made; the server goes on.
func TestManagerDataIsFull(t *testing.T) {
	newRoot(t)
	m, _ := manages(t, "--data", filepath.Join(t.TempDir(), "data"))
	polyipc("dict", "m", "d", "set", "a", "1", "--create").ok(t)
	pid := m.cmd.Process.Pid
	var usual unix.Rlimit
	must(t, unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &usual))
	large := strings.Repeat("x", 100_000)
	must(t, unix.Prlimit(pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 200_000, Max: usual.Max}, nil))
	polyipc("dict", "m", "d", "set", "b", large).ok(t)
	r := polyipc("dict", "m", "d", "set", "c", large)
	must(t, unix.Prlimit(pid, unix.RLIMIT_FSIZE, &usual, nil))
	r.fails(t, 1, "/data, and call again")
	polyipc("call", "m", "d", "keys").prints(t, `["a","b"]`+"\n")
	if text := polyipc("stat", "m").ok(t); !strings.Contains(text, "1 found no space") || !strings.Contains(text, "/data, ") {
		t.Errorf("%s", text)
	}
	polyipc("dict", "m", "d", "set", "c", large).ok(t)
	m.signal(syscall.SIGTERM)
	if r := m.ends(0); !strings.Contains(r.errs, "make room on its disk") {
		t.Errorf("its log has %q", r.errs)
	}
}
