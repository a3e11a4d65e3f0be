package tls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// refused says in a server's log why a client did not get in.
func (f *Files) refused(err error) error {
	var garbage tls.RecordHeaderError
	var bad *tls.CertificateVerificationError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it hung up in the middle of its greeting")
	case errors.As(err, &garbage):
		return fmt.Errorf("what it said is no TLS: a client without TLS, perhaps: %w", err)
	case errors.As(err, &bad):
		return fmt.Errorf("its certificate is not accepted: give it one that is valid and signed by a CA in %s, for client authentication: %w", f.CA, err)
	case strings.HasSuffix(err.Error(), "client didn't provide a certificate"): // crypto/tls has no value for it
		return fmt.Errorf("it has no certificate: give it one that is signed by a CA in %s", f.CA)
	case strings.HasPrefix(err.Error(), "remote error"):
		return fmt.Errorf("it does not accept this server, or its certificate in %s: %w", f.Cert, err)
	}
	return fmt.Errorf("TLS: %w", err)
}

// failed says to a client why it did not get in.
func (f *Files) failed(err error, op, name, host string) error {
	fail := func(code ipcerr.Code, hint string) error {
		return &ipcerr.Error{Op: op, Name: name, Code: code, Hint: hint, Err: err}
	}
	var (
		ours    *ipcerr.Error
		garbage tls.RecordHeaderError
		bad     *tls.CertificateVerificationError
		other   x509.HostnameError
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &ours):
		return err
	case errors.As(err, &garbage):
		return fail(ipcerr.Version, "what answers speaks no TLS: leave TLS out, or start the server with a certificate")
	case errors.As(err, &other):
		return fail(ipcerr.Denied, fmt.Sprintf("the server's certificate is not for %q: connect to a name or address that is in it, or give that as server name", host))
	case errors.As(err, &unknown):
		return fail(ipcerr.Denied, fmt.Sprintf("the server's certificate is of no CA in %s: give that of the server's CA; else it is not the server that is meant", f.CA))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fail(ipcerr.Denied, "the server's certificate, or one above it, has expired or is not valid yet: renew it, or set the clock")
	case errors.As(err, &bad):
		return fail(ipcerr.Denied, "the server's certificate is not accepted")
	case strings.HasPrefix(err.Error(), "remote error"):
		return fail(ipcerr.Version, "what answers speaks another TLS: both sides need TLS 1.3, and a server of a polyipc manager")
	}
	return fail(ipcerr.Denied, "TLS failed")
}
