// Package certs makes certificates for tests of TLS, and their keys: NAME.pem and NAME.key for each.
package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// maker makes certificates in a directory.
type maker struct {
	dir    string
	serial int64
}

// issuer is who signs.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// New writes them into a directory of the test:
//
//	ca, server, client       what belongs together; the server is at 127.0.0.1 and localhost, and named scores.test
//	otherca, stranger        another CA, and a client and server of it
//	elsewhere                a server of ca at another address
//	expired, early           servers and clients of ca, for another time
//	self                     a server that signed itself
//	serving                  of ca, for server authentication only
func New(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Write writes them into a directory.
func Write(dir string) error {
	m := &maker{dir: dir}
	ca, err := m.authority("ca")
	if err != nil {
		return err
	}
	other, err := m.authority("otherca")
	if err != nil {
		return err
	}
	day := 24 * time.Hour
	for _, c := range []struct {
		name     string
		by       *issuer
		from, to time.Duration
		at       string
		use      []x509.ExtKeyUsage
	}{
		{"server", ca, -day, day, "127.0.0.1", nil},
		{"client", ca, -day, day, "", nil},
		{"stranger", other, -day, day, "127.0.0.1", nil},
		{"elsewhere", ca, -day, day, "192.0.2.1", nil},
		{"expired", ca, -2 * day, -day, "127.0.0.1", nil},
		{"early", ca, day, 2 * day, "127.0.0.1", nil},
		{"self", nil, -day, day, "127.0.0.1", nil},
		{"serving", ca, -day, day, "127.0.0.1", []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}},
	} {
		cert := &x509.Certificate{NotBefore: time.Now().Add(c.from), NotAfter: time.Now().Add(c.to), ExtKeyUsage: c.use}
		if c.at != "" {
			cert.IPAddresses = []net.IP{net.ParseIP(c.at)}
		}
		if c.at == "127.0.0.1" {
			cert.DNSNames = []string{"localhost", "scores.test"}
		}
		if _, err := m.issue(c.name, cert, c.by); err != nil {
			return err
		}
	}
	return nil
}

func (m *maker) authority(name string) (*issuer, error) {
	return m.issue(name, &x509.Certificate{
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil)
}

// issue signs a certificate, by itself for nil, and writes it and its key.
func (m *maker) issue(name string, cert *x509.Certificate, by *issuer) (*issuer, error) {
	m.serial++
	cert.SerialNumber, cert.Subject = big.NewInt(m.serial), pkix.Name{CommonName: name}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if by == nil {
		by = &issuer{cert, key}
	}
	signed, err := x509.CreateCertificate(rand.Reader, cert, by.cert, &key.PublicKey, by.key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err == nil {
		err = m.write(name+".pem", "CERTIFICATE", signed)
	}
	if err == nil {
		err = m.write(name+".key", "PRIVATE KEY", secret)
	}
	return &issuer{cert, key}, err
}

func (m *maker) write(file, typ string, b []byte) error {
	return os.WriteFile(filepath.Join(m.dir, file), pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: b}), 0o600)
}
