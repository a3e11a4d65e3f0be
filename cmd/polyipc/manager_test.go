package main

import (
	"bufio"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/polyipc/polyipc/tests/certs"
)

// manages starts a manager named m and returns it, with its ready line.
func manages(t *testing.T, args ...string) (m *running, ready string) {
	t.Helper()
	r, w, err := os.Pipe()
	must(t, err)
	defer func() { must(t, r.Close()) }()
	m = begin(t, nil, w, append([]string{"manager", "--name", "m"}, args...)...)
	must(t, w.Close())
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("no ready line: %v, %s", err, m.ends(0).errs)
	}
	return m, line
}

// keyFile makes one with the content, for the owner only.
func keyFile(t *testing.T, content string) string {
	t.Helper()
	file := t.TempDir() + "/key"
	must(t, os.WriteFile(file, []byte(content), 0o600))
	return file
}

func TestManagerStopsCleanly(t *testing.T) {
	dir := newRoot(t)
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		m, ready := manages(t)
		if ready != "ready m\n" {
			t.Errorf("%q", ready)
		}
		polyipc("call", "m", "-", "ping", "1").prints(t, "1\n")
		m.signal(s)
		if r := m.ends(0); r.errs != "" {
			t.Errorf("%v: %s", s, r.errs)
		}
		files, err := os.ReadDir(dir)
		must(t, err)
		if len(files) != 1 {
			t.Errorf("%v left %v", s, files)
		}
	}
	m, _ := manages(t)
	polyipc("call", "m", "-", "stop").prints(t, "null\n")
	m.ends(0)
}

func TestManagerEndsWhenIdle(t *testing.T) {
	newRoot(t)
	m, _ := manages(t, "--idle-exit", "0.05", "-v")
	if r := m.ends(0); !strings.Contains(r.errs, "no client for a while") {
		t.Errorf("%q", r.errs)
	}
}

func TestRemoteClients(t *testing.T) {
	newRoot(t)
	key := keyFile(t, "secret\n")
	m, ready := manages(t, "--listen", "127.0.0.1:0", "--key-file", key, "--json")
	at := regexp.MustCompile(`^\{"ready":"m","address":"(tcp://127\.0\.0\.1:\d+)","pid":\d+\}\n$`).FindStringSubmatch(ready)
	if at == nil {
		t.Fatalf("%q", ready)
	}
	polyipc("dict", at[1], "d", "set", "a", "1", "--create", "--key-file", key).prints(t, "")
	polyipc("dict", "m", "d", "get", "a", "--key-file", keyFile(t, "secret")).prints(t, "1\n")
	polyipc("dict", at[1], "d").fails(t, 1, "ask for a key")
	polyipc("dict", at[1], "d", "--key-file", keyFile(t, "wrong")).fails(t, 1, "refused")
	polyipc("dict", at[1], "d", "--key-file", keyFile(t, "\n")).fails(t, 1, "is empty")
	public := keyFile(t, "secret")
	must(t, os.Chmod(public, 0o604))
	polyipc("dict", at[1], "d", "--key-file", public).fails(t, 1, "everybody can read")
	m.signal(syscall.SIGTERM)
	if r := m.ends(0); strings.Count(r.errs, "polyipc: refused 127.0.0.1:") != 1 { // who is told that he needs a key hangs up
		t.Errorf("%q", r.errs)
	}
}

func TestManagerTLS(t *testing.T) {
	newRoot(t)
	key, dir := keyFile(t, "secret"), certs.New(t)+"/"
	m, ready := manages(t, "--listen", "127.0.0.1:0", "--key-file", key, "--tls-cert", dir+"server.pem", "--tls-key", dir+"server.key", "--tls-ca", dir+"ca.pem")
	at := strings.Fields(ready)[2]
	in := []string{"--key-file", key, "--tls-ca", dir + "ca.pem"}
	with := append(in, "--tls-cert", dir+"client.pem", "--tls-key", dir+"client.key")
	polyipc(append([]string{"dict", at, "d", "set", "a", "1", "--create", "--tls-server-name", "scores.test"}, with...)...).prints(t, "")
	polyipc(append([]string{"call", at, "d", "get", "a"}, with...)...).prints(t, "1\n")
	polyipc("dict", "m", "d", "get", "a", "--key-file", key).prints(t, "1\n")
	polyipc(append([]string{"call", "m", "d", "get", "a"}, with...)...).fails(t, 1, "leave TLS out")
	polyipc(append([]string{"call", at, "d", "get", "a"}, in...)...).fails(t, 1, "asks for a certificate")
	polyipc(append([]string{"call", at, "d", "get", "a", "--tls-server-name", "x"}, with...)...).fails(t, 1, "is not for")
	m.signal(syscall.SIGTERM)
	if r := m.ends(0); strings.Count(r.errs, "polyipc: refused 127.0.0.1:") != 2 {
		t.Errorf("%q", r.errs)
	}
	polyipc("manager", "--tls-cert", dir+"server.pem", "--tls-key", dir+"server.key").fails(t, 2, "go together")
	polyipc("manager", "--listen", "127.0.0.1:0", "--key-file", key, "--tls-ca", dir+"ca.pem").fails(t, 2, "go together")
	polyipc("manager", "--listen", "127.0.0.1:0", "--key-file", key, "--tls-cert", dir+"server.pem", "--tls-key", dir+"client.key").fails(t, 1, "no certificate and its key")
}

func TestManagerFails(t *testing.T) {
	newRoot(t)
	m, _ := manages(t)
	polyipc("manager", "--name", "m").fails(t, 1, "exists")
	polyipc("manager", "--name", "a/b").fails(t, 1, "names are")
	polyipc("manager", "--name", "n", "--max-clients", "9000").fails(t, 1, "1 to 8192 are possible")
	polyipc("manager", "--name", "n", "--key-file", "/none").fails(t, 1, "no such file")
	polyipc("manager", "--name", "n", "--listen", "127.0.0.1:0").fails(t, 2, "--listen needs --key-file")
	polyipc("manager", "--name", "n", "--listen", "x:0", "--key-file", keyFile(t, "k")).fails(t, 1, "names are not looked up")
	polyipc("manager", "--name", "").fails(t, 2, "--name is empty")
	polyipc("manager", "--idle-exit", "0").fails(t, 2, "more than 0")
	polyipc("manager", "m").fails(t, 2, "takes no arguments")
	m.signal(syscall.SIGTERM)
	m.ends(0)
}
