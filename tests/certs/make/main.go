// Make writes the certificates of package certs into a directory, for tests in other languages.
package main

import (
	"fmt"
	"os"

	"github.com/polyipc/polyipc/tests/certs"
)

func main() {
	if err := certs.Write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
