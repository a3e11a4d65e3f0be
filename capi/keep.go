package main

/*
#include "keep.h"
*/
import "C"

import (
	"sync/atomic"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/host"
)

// This file is the Go view of keep.h: memory that outlives this runtime in a forked child.

type entry C.struct_pi_entry

func keep() *C.struct_pi_keep { return C.pi_now.keep }

// entryAt is entry i, which must be committed.
func entryAt(i uint32) *entry {
	return (*entry)(unsafe.Add(unsafe.Pointer(keep().entries), uintptr(i)*unsafe.Sizeof(entry{})))
}

// keepHandover lets package handover know what it held before a fork, and what the host has in its environment.
func keepHandover() {
	host.ReadHandover(func() string { return goString(C.pi_objects()) })
	if keep() != nil {
		host.KeepHandover((*host.HandoverState)(unsafe.Pointer(&keep().held)))
	}
}

func (e *entry) live() *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(&e.handle)) }

// address makes a pointer of the address of an inherited mapping, which is not Go's memory. It goes
// through a variable's bytes because vet, rightly in general, objects to the plain conversion.
func address(a uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&a)) }
