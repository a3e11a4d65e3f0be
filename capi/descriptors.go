package main

/*
#include "keep.h"
*/
import "C"

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// file says which file a descriptor belongs to.
type file = C.struct_pi_file

func fileOf(fd int) (f file, ok bool) {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return f, false
	}
	return file{device: C.uint64_t(st.Dev), inode: C.uint64_t(st.Ino)}, true
}

// forks counts the forks that this process has begun.
func forks() uint64 {
	if k := keep(); k != nil {
		return uint64((*atomic.Uint32)(unsafe.Pointer(&k.begun)).Load())
	}
	return 0
}

// trackDescriptor tells the fork handler of a descriptor that a child must close, or need not any
// more. A fork may come at any moment: the file is written before the bit is set.
func trackDescriptor(fd int, open bool) {
	k := keep()
	if k == nil || uint(fd) >= C.PI_MAX_DESCRIPTORS {
		return
	}
	word := uint32(fd) / 64
	bit := uint64(1) << (fd % 64)
	bits := (*atomic.Uint64)(unsafe.Add(unsafe.Pointer(k.descriptors), uintptr(word)*8))
	if !open {
		bits.And(^bit)
		return
	}
	f, ok := fileOf(fd)
	if !ok {
		return
	}
	*(*file)(unsafe.Add(unsafe.Pointer(k.files), uintptr(fd)*unsafe.Sizeof(f))) = f
	top := (*atomic.Uint32)(unsafe.Pointer(&k.descriptor_top))
	for t := top.Load(); t <= word && !top.CompareAndSwap(t, word+1); t = top.Load() {
	}
	bits.Or(bit)
}
