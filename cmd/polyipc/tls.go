package main

import (
	"github.com/spf13/cobra"

	"github.com/polyipc/polyipc/runtime/manager"
	"github.com/polyipc/polyipc/runtime/tls"
)

// tlsFlags are those of a manager and of who calls it.
type tlsFlags struct{ tls.Files }

func (t *tlsFlags) add(c *cobra.Command, ca string) {
	f := c.Flags()
	f.StringVar(&t.CA, "tls-ca", "", ca)
	f.StringVar(&t.Cert, "tls-cert", "", "our certificate, a file in PEM")
	f.StringVar(&t.Key, "tls-key", "", "its key, a file in PEM")
}

// given is what was asked for, or nil.
func (t *tlsFlags) given() manager.TLS {
	if t.Files == (tls.Files{}) {
		return nil
	}
	return &t.Files
}
