// Package main is the C ABI of polyipc: go build -buildmode=c-shared makes libpolyipc.so of it.
//
// A call from C goes through these floors, each of a few lines:
//
//	polyipc_queue_put   trampoline.c   through the table that a fork swaps
//	pg_queue_put        queue_put.go   finds the handle, calls, turns the error into a status
//	Queue.Put           runtime/queue
//
// An export finds, calls and releases, and nothing else. What a forked child needs is in keep.h;
// handles.go writes it and adopt.go reads it.
//
// The settings below: Go would otherwise keep two files of its cgroup open, which each forked child
// would inherit, and look every second how many processors there are.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

/*
#cgo CFLAGS: -I${SRCDIR}/../include -D_GNU_SOURCE -std=c11 -Wall -fvisibility=hidden
#cgo LDFLAGS: -Wl,-z,now
#include "keep.h"
*/
import "C"

import (
	"github.com/polyipc/polyipc/runtime/host"
)

func main() {}

func init() {
	host.TrackDescriptors(trackDescriptor, forks)
	host.SetLanguage("c")
	keepHandover()
	beginEvents()
	handles.restore()
	watchPoller()
	C.pi_host_started()
}
