//go:build crash

package main

/*
#cgo CFLAGS: -DPI_CRASH
*/
import "C"

import "github.com/polyipc/polyipc/runtime/host"

// pg_crash is where C dies, in builds for tests.
//
//export pg_crash
func pg_crash(name *C.char) { host.Crash(C.GoString(name)) }
