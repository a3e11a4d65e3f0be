package tls

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// mostFile bounds a file, in bytes: a few hundred certificates.
const mostFile = 1 << 20

func invalid(op, name, hint string, err error) error {
	return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Invalid, Hint: hint, Err: err}
}

// absolute is the same after a chdir.
func (f *Files) absolute() (*Files, error) {
	a := *f
	for _, path := range []*string{&a.CA, &a.Cert, &a.Key} {
		if *path == "" {
			continue
		}
		var err error
		if *path, err = filepath.Abs(*path); err != nil {
			return nil, err
		}
	}
	return &a, nil
}

// stamp changes when a file does.
type stamp struct {
	device, inode uint64
	size          int64
	changed       unix.Timespec
}

// stamps are those of all files, zero for one that is not there.
func (f *Files) stamps() []stamp {
	all := make([]stamp, 0, 3)
	for _, path := range []string{f.CA, f.Cert, f.Key} {
		var s unix.Stat_t
		if path != "" && unix.Stat(path, &s) == nil {
			all = append(all, stamp{s.Dev, s.Ino, s.Size, s.Ctim})
		} else {
			all = append(all, stamp{})
		}
	}
	return all
}

// pair reads a certificate and its key.
func (f *Files) pair(op, name string) (tls.Certificate, error) {
	none := tls.Certificate{}
	cert, err := read(op, name, "certificate", f.Cert, false)
	if err != nil {
		return none, err
	}
	key, err := read(op, name, "key", f.Key, true)
	if err != nil {
		return none, err
	}
	// The first random number starts Go's poller: here, where capi looks for its descriptors next, not in a server's goroutine.
	_, _ = rand.Read(make([]byte, 1))
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return none, invalid(op, name, fmt.Sprintf("%s and %s are no certificate and its key: give both in PEM, the key not encrypted", f.Cert, f.Key), err)
	}
	switch now := time.Now(); {
	case now.After(pair.Leaf.NotAfter):
		return none, invalid(op, name, fmt.Sprintf("the certificate in %s has expired, at %s: renew it", f.Cert, written(pair.Leaf.NotAfter)), nil)
	case now.Before(pair.Leaf.NotBefore):
		return none, invalid(op, name, fmt.Sprintf("the certificate in %s is not valid before %s: set the clock, or make another one", f.Cert, written(pair.Leaf.NotBefore)), nil)
	}
	return pair, nil
}

func written(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// authorities reads the CA's certificates.
func (f *Files) authorities(op, name string) (*x509.CertPool, error) {
	pem, err := read(op, name, "CA", f.CA, false)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, invalid(op, name, fmt.Sprintf("%s has no certificate in PEM: give the CA's", f.CA), nil)
	}
	return pool, nil
}

// read reads a file by system calls: os.File starts Go's poller, too.
func read(op, name, what, path string, secret bool) ([]byte, error) {
	fail := func(hint string, err error) ([]byte, error) {
		return nil, invalid(op, name, fmt.Sprintf("the file with the %s, %s, %s", what, path, hint), err)
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return fail("cannot be opened", err)
	}
	if shm.OnDescriptor != nil {
		shm.OnDescriptor(fd, true)
	}
	defer shm.CloseFile(fd, shm.OnDescriptor)
	var s unix.Stat_t
	switch err := unix.Fstat(fd, &s); {
	case err != nil:
		return fail("cannot be looked at", err)
	case s.Mode&unix.S_IFMT != unix.S_IFREG || s.Size > mostFile:
		return fail("is no regular file of at most 1 MiB", nil)
	case secret && s.Mode&0o004 != 0:
		return fail("can be read by everybody, so it is no secret: chmod 600 it", nil)
	}
	all := make([]byte, 0, s.Size+1)
	for len(all) < cap(all) {
		n, err := unix.Read(fd, all[len(all):cap(all)])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fail("cannot be read", err)
		}
		if n == 0 {
			break
		}
		all = all[:len(all)+n]
	}
	return all, nil
}
