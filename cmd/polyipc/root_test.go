package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/root"
)

func TestLsRmGc(t *testing.T) {
	dir := newRoot(t)
	polyipc("ls").prints(t, "")
	polyipc("ls", "--json").prints(t, "[]\n")
	polyipc("ls", "-p", "--json").prints(t, "[]\n")
	for _, name := range []string{"b", "a", "kept"} {
		polyipc("put", name, "--create", "1").prints(t, "")
	}
	q := open(t, dir, "b")
	rows := regexp.MustCompile(" {2,}").ReplaceAllString(polyipc("ls").ok(t), "|")
	want := `^NAME\|KIND\|LIFETIME\|IN USE\|MEMORY\|AGE\|NOTE
a\|queue\|kept\|no\|264.0 KiB\|\d+(\.\d)? s
b\|queue\|kept\|yes\|264.0 KiB\|\d+(\.\d)? s
kept\|queue\|kept\|no\|264.0 KiB\|\d+(\.\d)? s
$`
	if !regexp.MustCompile(want).MatchString(rows) {
		t.Errorf("ls printed %s", rows)
	}
	polyipc("ls", "-q").prints(t, "a\nb\nkept\n")
	type object struct {
		Name, Kind, Lifetime, Created, UUID string
		InUse                               bool `json:"in_use"`
		Stale                               bool
		Bytes                               int64
		Error                               *string
	}
	list := parsed[[]object](t, polyipc("ls", "--json"))
	if len(list) != 3 || list[1].Name != "b" || list[1].Kind != "queue" || list[1].Lifetime != "kept" || !list[1].InUse || list[0].InUse ||
		list[0].Bytes != 270336 || len(list[0].UUID) != 36 || list[0].Error != nil {
		t.Errorf("%+v", list)
	}
	if _, err := time.Parse(time.RFC3339Nano, list[0].Created); err != nil {
		t.Error(err)
	}
	processes := parsed[[]struct {
		Pid               int
		Language, Command string
	}](t, polyipc("ls", "-p", "--json"))
	if len(processes) != 1 || processes[0].Pid != os.Getpid() || processes[0].Language != "go" || processes[0].Command == "" {
		t.Errorf("%+v", processes)
	}
	if text := polyipc("ls", "-p").ok(t); !strings.Contains(text, fmt.Sprint(os.Getpid())) {
		t.Error(text)
	}

	if r := polyipc("rm", "none", "a", "b/c", "b", "--json"); r.code != 1 || r.out != `{"removed":["a","b"]}`+"\n" ||
		strings.Count(r.errs, "polyipc: ") != 2 {
		t.Errorf("%+v", r)
	}
	polyipc("rm", "none").fails(t, 1, `remove "none": there is no object`)
	polyipc("rm", "-f", "none").prints(t, "")
	must(t, q.Close())
	polyipc("gc").prints(t, "removed 0 files\n")
	polyipc("ls", "--names").prints(t, "kept\n")

	polyipc("put", "kept", "--raw", strings.Repeat("x", 100<<10)).prints(t, "") // has a part
	must(t, os.Remove(dir+"/kept"))
	if text := polyipc("ls").ok(t); !strings.Contains(text, "stale") {
		t.Error(text)
	}
	polyipc("gc", "--json").prints(t, `{"removed":1}`+"\n")
}

// With --root instead of the environment; looking makes nothing.
func TestRoot(t *testing.T) {
	dir := filepath.Join(newRoot(t), "kept.other")
	polyipc("ls", "--root", dir).prints(t, "")
	for _, args := range [][]string{{"stat", "q"}, {"get", "q"}, {"put", "q", "1"}, {"rm", "q"}} {
		polyipc(append(args, "--root", dir)...).fails(t, 1, "there is no object of that name in the root "+dir)
	}
	if _, err := os.Lstat(dir); !os.IsNotExist(err) {
		t.Errorf("looking at a root made it: %v", err)
	}
	polyipc("--root", dir, "put", "q", "--create", "1").prints(t, "")
	polyipc("get", "q", "--root="+dir, "--exec", "polyipc() { "+executable+` "$@"; }; polyipc ls -q`).prints(t, "q\n")
	polyipc("ls", "--root", executable).fails(t, 1, "not a directory")
	must(t, os.Mkdir(dir+".open", 0o700))
	must(t, os.Chmod(dir+".open", 0o777))
	polyipc("ls", "--root", dir+".open").fails(t, 1, "everybody can write")
	link := dir + ".link"
	must(t, os.Symlink(dir, link))
	polyipc("ls", "--root", link).fails(t, 1, "symbolic link")
}

func TestBadFiles(t *testing.T) {
	dir := newRoot(t)
	polyipc("put", "kept", "--create", "1").prints(t, "")
	good, err := os.ReadFile(dir + "/kept")
	must(t, err)
	changed := func(at int, to uint32) []byte {
		b := bytes.Clone(good)
		binary.NativeEndian.PutUint32(b[at:], to)
		return b
	}
	for name, c := range map[string]struct {
		content []byte
		message string
		kind    bool // a whole object to look at, but no queue
	}{
		"empty":     {nil, "0 bytes", false},
		"text":      {[]byte(strings.Repeat("no queue at all\n", 10000)), "not a polyipc file", false},
		"truncated": {good[:len(good)/2], "truncated", false},
		"longer":    {append(bytes.Clone(good), make([]byte, 4096)...), "truncated or resized", false},
		"version":   {changed(8, 99), "layout version 99", false},
		"pipe":      {changed(12, 3), "it is a pipe, not a queue", true},
	} {
		must(t, os.WriteFile(dir+"/"+name, c.content, 0o600))
		for _, args := range [][]string{{"get", name, "--timeout=0"}, {"put", name, "1"}, {"put", name, "--create", "1"}} {
			polyipc(args...).fails(t, 1, c.message)
		}
		if c.kind {
			polyipc("stat", name).fails(t, 1, "its header makes no sense")
			polyipc("ls").ok(t)
		} else {
			polyipc("stat", name).fails(t, 1, c.message)
			if text := polyipc("ls").ok(t); !strings.Contains(text, c.message) {
				t.Errorf("%s: ls does not say %q:\n%s", name, c.message, text)
			}
		}
		r := polyipc("rm", name)
		if name == "version" { // another release may know what to do with it
			r.fails(t, 1, "layout version 99")
			must(t, os.Remove(dir+"/"+name))
		} else {
			r.prints(t, "")
		}
	}
	must(t, os.Mkdir(dir+"/kept.dir", 0o700))
	must(t, exec.Command("mkfifo", dir+"/kept.fifo").Run())
	for _, name := range []string{"kept.dir", "kept.fifo"} {
		for _, verb := range []string{"get", "stat", "put", "rm"} {
			polyipc(verb, name).fails(t, 1, "not a regular file")
		}
	}
	list := parsed[[]map[string]any](t, polyipc("ls", "--json"))
	if len(list) != 3 || list[1]["error"] == nil || list[1]["code"] != "CORRUPT" || list[1]["kind"] != nil {
		t.Errorf("%v", list)
	}
	must(t, os.WriteFile(dir+"/kept\x1b[31m\n", nil, 0o600))
	if text := polyipc("ls").ok(t); strings.Contains(text, "\x1b") || !strings.Contains(text, `kept\x1b[31m\n`) {
		t.Errorf("a hostile name reaches the terminal: %q", text)
	}
}

func TestUsage(t *testing.T) {
	newRoot(t)
	for _, c := range []struct {
		message string
		args    []string
	}{
		{"verb is missing", nil},
		{`no verb "sta": did you mean stat`, []string{"sta"}},
		{`no verb "frobnicate"`, []string{"frobnicate", "x"}},
		{"unknown flag", []string{"ls", "--what"}},
		{"arg", []string{"stat"}},
		{"arg", []string{"get", "a", "b"}},
		{"arg", []string{"rm"}},
		{"no arguments", []string{"gc", "x"}},
		{"neither", []string{"ls", "--names", "--json"}},
		{`behind "--"`, []string{"put", "q", "-5"}},
		{"--create", []string{"put", "q", "--max-size", "1"}},
		{"exclude", []string{"put", "q", "--raw", "--text"}},
		{"goes with --raw", []string{"get", "q", "--lines"}},
		{"no values", []string{"put", "q", "--raw", "--lines", "x"}},
		{"exclude", []string{"get", "q", "--follow", "-n", "2"}},
		{"1 or more", []string{"get", "q", "-n", "0"}},
		{"--json excludes", []string{"get", "q", "--json", "--raw"}},
		{"seconds", []string{"get", "q", "--timeout", "-1"}},
		{"seconds", []string{"get", "q", "--timeout", "soon"}},
		{"seconds", []string{"get", "q", "--timeout", "NaN"}},
		{"seconds", []string{"get", "q", "--timeout", "1e300"}},
		{"bytes", []string{"put", "q", "--create", "--capacity", "1X"}},
		{"bytes", []string{"put", "q", "--create", "--capacity", "9999999999G"}},
	} {
		polyipc(c.args...).fails(t, 2, regexp.QuoteMeta(c.message))
	}
	// The command line is fine, its values are not.
	polyipc("put", "q", "--create", "--capacity", "1000000G", "1").fails(t, 1, "capacity")
	polyipc("put", "a/b", "--create", "1").fails(t, 1, "names are")
	polyipc("put", "q", "--create", "1", "{").fails(t, 1, "value 2")
	polyipc("put", "kept", "--create").prints(t, "")
	polyipcIn("1 2 }", "put", "kept").fails(t, 1, `value 3.*\(2 messages put before`)
	polyipcIn("[1", "put", "kept").fails(t, 1, "too early")
	polyipc("get", "kept", "-n", "2").prints(t, "1\n2\n")
	for _, verb := range []string{"", "ls", "stat", "put", "get", "manager", "call", "dict", "rm", "gc", "version"} {
		if out := polyipc("help", verb).ok(t); !strings.Contains(out, "Usage:") {
			t.Errorf("help %s: %s", verb, out)
		}
	}
	if out := polyipc("__complete", "get", "").out; !strings.Contains(out, "kept\n") {
		t.Errorf("completion offers %q", out)
	}
}

func TestVersion(t *testing.T) {
	header, err := os.ReadFile("../../include/polyipc/version.h")
	must(t, err)
	for _, line := range []string{fmt.Sprintf("#define POLYIPC_VERSION_STRING %q\n", version), fmt.Sprintf("#define POLYIPC_ABI %d\n", abi)} {
		if !strings.Contains(string(header), line) {
			t.Errorf("the C header has no line %q", line)
		}
	}
	v := parsed[map[string]any](t, polyipc("version", "--json"))
	if v["version"] != version || v["abi"] != float64(abi) || v["layout"] != float64(root.LayoutVersion) || v["go"] != runtime.Version() {
		t.Errorf("%v", v)
	}
	text := polyipc("version").ok(t)
	for _, want := range []string{version, runtime.Version(), "layout", "abi"} {
		if !strings.Contains(text, want) {
			t.Errorf("version printed %s", text)
		}
	}
}

func TestQuantities(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1<<20 - 1: "1.0 MiB", 3 << 29: "1.5 GiB", 1<<63 - 1: "8.0 EiB"} {
		if got := inBytes(n); got != want {
			t.Errorf("%d bytes: %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{-1: "0 s", 1234 * time.Millisecond: "1.2 s", 61 * time.Second: "61 s", time.Hour: "60 min", 30 * time.Hour: "30 h", 100 * time.Hour: "4 d"} {
		if got := span(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	for s, want := range map[string]size{"0": 0, "64K": 64 << 10, "64KiB": 64 << 10, "1g": 1 << 30, "5": 5, "7B": 7, "2MiB": 2 << 20} {
		var n size
		if err := n.Set(s); err != nil || n != want {
			t.Errorf("%s: %d, %v", s, n, err)
		}
	}
}
