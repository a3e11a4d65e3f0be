package tls_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/tls"
	"github.com/polyipc/polyipc/tests/certs"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestFiles has files and options that cannot be used: each error says which, and what helps.
func TestFiles(t *testing.T) {
	d := certs.New(t) + "/"
	must(t, os.WriteFile(d+"empty", nil, 0o600))
	must(t, os.WriteFile(d+"large", bytes.Repeat([]byte{'\n'}, 2<<20), 0o600))
	key, err := os.ReadFile(d + "server.key")
	must(t, err)
	must(t, os.WriteFile(d+"public.key", key, 0o644))
	must(t, os.Chmod(d+"public.key", 0o644))
	cert, err := os.ReadFile(d + "server.pem")
	must(t, err)
	must(t, os.WriteFile(d+"locked.key", bytes.ReplaceAll(cert, []byte("CERTIFICATE"), []byte("ENCRYPTED PRIVATE KEY")), 0o600))
	for _, c := range []struct {
		serve bool
		f     tls.Files
		says  string
	}{
		{true, tls.Files{}, "needs a certificate and its key"},
		{true, tls.Files{Cert: d + "server.pem"}, "needs a certificate and its key"},
		{true, tls.Files{Cert: d + "server.pem", Key: d + "server.key", ServerName: "x"}, "a server name is for clients"},
		{true, tls.Files{Cert: d + "none", Key: d + "server.key"}, "the file with the certificate, " + d + "none, cannot be opened: no such file"},
		{true, tls.Files{Cert: d + "server.pem", Key: d + "none"}, "the file with the key, "},
		{true, tls.Files{Cert: d, Key: d + "server.key"}, "no regular file"},
		{true, tls.Files{Cert: d + "large", Key: d + "server.key"}, "at most 1 MiB"},
		{true, tls.Files{Cert: d + "empty", Key: d + "server.key"}, "give both in PEM"},
		{true, tls.Files{Cert: d + "server.key", Key: d + "server.pem"}, "give both in PEM"},
		{true, tls.Files{Cert: d + "server.pem", Key: d + "client.key"}, "no certificate and its key"},
		{true, tls.Files{Cert: d + "server.pem", Key: d + "locked.key"}, "the key not encrypted"},
		{true, tls.Files{Cert: d + "server.pem", Key: d + "public.key"}, "chmod 600"},
		{true, tls.Files{Cert: d + "expired.pem", Key: d + "expired.key"}, "has expired, at "},
		{true, tls.Files{Cert: d + "early.pem", Key: d + "early.key"}, "is not valid before "},
		{true, tls.Files{Cert: d + "server.pem", Key: d + "server.key", CA: d + "empty"}, "no certificate in PEM"},
		{true, tls.Files{Cert: d + "server.pem", Key: d + "server.key", CA: d + "none"}, "the file with the CA, "},
		{false, tls.Files{}, "TLS needs the CA"},
		{false, tls.Files{CA: d + "none"}, "cannot be opened"},
		{false, tls.Files{CA: d + "ca.key"}, "no certificate in PEM"},
		{false, tls.Files{CA: d + "ca.pem", Cert: d + "client.pem"}, "go together"},
		{false, tls.Files{CA: d + "ca.pem", Key: d + "client.key"}, "go together"},
		{false, tls.Files{CA: d + "ca.pem", Cert: d + "expired.pem", Key: d + "expired.key"}, "has expired, at "},
	} {
		if c.serve {
			_, err = c.f.Serve("serve", "m")
		} else {
			_, err = c.f.Connect("connect", "m", "127.0.0.1")
		}
		if ipcerr.CodeOf(err) != ipcerr.Invalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v; want %q", c.f, err, c.says)
		}
	}
	f := tls.Files{CA: d + "ca.pem"}
	if _, err := f.Connect("connect", "m", ""); ipcerr.CodeOf(err) != ipcerr.Invalid {
		t.Error(err)
	}
	must(t, os.Symlink(d+"ca.pem", d+"link")) // as those are who renew certificates by themselves
	f.CA = d + "link"
	_, err = f.Connect("connect", "m", "127.0.0.1")
	must(t, err)
}
