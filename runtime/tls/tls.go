// Package tls hides what a manager's server and its remote clients say from those on the way: TLS 1.3, with the key of the
// manager within.
//
//	manager.Serve("scores", manager.Options{Listen: "10.0.0.7:7000", Key: key, TLS: &tls.Files{Cert: "server.pem", Key: "server.key"}})
//	manager.Connect(ctx, "tcp://10.0.0.7:7000", manager.Options{Key: key, TLS: &tls.Files{CA: "ca.pem"}})
//
// It is a package of its own so that programs without TLS are not larger by crypto/tls. files.go reads files, cover.go is a
// connection, errors.go says what went wrong and what helps.
package tls

import (
	"crypto/tls"
	"fmt"
	"slices"
	"sync"

	"github.com/polyipc/polyipc/runtime/internal/frame"
)

// Files name files in PEM, and what else TLS has to be told. A server has Cert and Key, and CA if clients need a
// certificate, too. A client has CA, Cert and Key if the server asks for a certificate, and ServerName.
//
// A server looks at its files again for each client: they may be renewed while it runs. A client reads them when it
// connects, and when it reconnects.
type Files struct {
	CA         string // certificates; a peer must have one of them, or one that is signed by one of them
	Cert       string // one's own certificate, and behind it those between it and the CA
	Key        string // its key, not encrypted, and not readable by everybody
	ServerName string // the name or IP address in the server's certificate; "": the host that is connected to
}

// protocol is what both sides must mean: a client that was led to another server with a good certificate says nothing there.
const protocol = "polyipc-manager/1"

// Serve is for package manager.
func (f *Files) Serve(op, name string) (func() (frame.Cover, error), error) {
	if f.ServerName != "" {
		return nil, invalid(op, name, "a server name is for clients: a server's is in its certificate", nil)
	}
	if f.Cert == "" || f.Key == "" {
		return nil, invalid(op, name, "a server with TLS needs a certificate and its key", nil)
	}
	f, err := f.absolute()
	if err != nil {
		return nil, invalid(op, name, "the working directory is gone: name files by whole paths", err)
	}
	now := f.stamps()
	config, err := f.server(op, name)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	return func() (c frame.Cover, stale error) {
		mu.Lock()
		defer mu.Unlock()
		if at := f.stamps(); !slices.Equal(at, now) {
			now = at // a reason that files cannot be used is told once
			renewed, err := f.server(op, name)
			if stale = err; err == nil {
				config = renewed
			}
		}
		c = newCover(config, tls.Server, f.refused)
		return c, stale
	}, nil
}

func (f *Files) server(op, name string) (*tls.Config, error) {
	cert, err := f.pair(op, name)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, NextProtos: []string{protocol},
		SessionTicketsDisabled: true, DynamicRecordSizingDisabled: true,
	}
	if f.CA != "" {
		c.ClientAuth = tls.RequireAndVerifyClientCert
		c.ClientCAs, err = f.authorities(op, name)
	}
	return c, err
}

// Connect is for package manager.
func (f *Files) Connect(op, name, host string) (frame.Cover, error) {
	switch {
	case f.CA == "":
		return nil, invalid(op, name, "TLS needs the CA by which the server's certificate is known: give the file with the CA's certificate, or with the server's own", nil)
	case (f.Cert == "") != (f.Key == ""):
		return nil, invalid(op, name, "a certificate and its key go together: give both, or none", nil)
	}
	if f.ServerName != "" {
		host = f.ServerName
	}
	if host == "" {
		return nil, invalid(op, name, "the address has no host to look for in the server's certificate: give a server name", nil)
	}
	c := &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: host, NextProtos: []string{protocol}, DynamicRecordSizingDisabled: true,
	}
	var err error
	if c.RootCAs, err = f.authorities(op, name); err != nil {
		return nil, err
	}
	var own tls.Certificate
	if f.Cert != "" {
		if own, err = f.pair(op, name); err != nil {
			return nil, err
		}
	}
	// A server that does not like a certificate hangs up, and that is all: what can be known here is said here.
	c.GetClientCertificate = func(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if f.Cert == "" {
			return nil, fmt.Errorf("the server asks for a certificate: give one, and its key")
		}
		if err := asked.SupportsCertificate(&own); err != nil {
			return nil, fmt.Errorf("the server does not take the certificate in %s, which is not of a CA that it names: %w", f.Cert, err)
		}
		return &own, nil
	}
	return newCover(c, tls.Client, func(err error) error { return f.failed(err, op, name, host) }), nil
}
