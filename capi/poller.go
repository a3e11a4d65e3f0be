package main

/*
#include "keep.h"
*/
import "C"

import (
	_ "os" // links internal/poll
	"runtime"
	"sync/atomic"
	_ "unsafe" // for linkname
)

// Go opens an epoll descriptor and an eventfd when something first sets a timer. Nothing of ours
// does, but Go's scavenger may, after a collection has freed much. A forked child has no use for its
// parent's, so they are tracked, like other descriptors that a child closes, as soon as they are
// there: looked for after each collection, and whenever a handle is made or closed.

// isPollDescriptor is one of the few functions of Go's internals that others may use.
//
//go:linkname isPollDescriptor internal/poll.IsPollDescriptor
func isPollDescriptor(fd uintptr) bool

const noDescriptor = ^uintptr(0) // what Go's poller has before it is opened

var pollerTracked atomic.Bool

// trackPoller costs a few nanoseconds until there is a poller, and nothing much afterwards.
func trackPoller() {
	if pollerTracked.Load() || isPollDescriptor(noDescriptor) || isPollDescriptor(0) || pollerTracked.Swap(true) {
		return // the last but one: it is just being opened, and its second descriptor still 0
	}
	for fd, found := uintptr(0), 0; found < 2 && fd < C.PI_MAX_DESCRIPTORS; fd++ {
		if isPollDescriptor(fd) {
			trackDescriptor(int(fd), true)
			found++
		}
	}
}

// watchPoller looks after each collection, by an object that nobody refers to.
func watchPoller() {
	sentinel := new([16]byte)
	runtime.SetFinalizer(sentinel, func(*[16]byte) {
		if trackPoller(); !pollerTracked.Load() {
			watchPoller()
		}
	})
}
