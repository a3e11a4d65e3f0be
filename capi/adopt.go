package main

/*
#include "keep.h"
*/
import "C"

import (
	"bytes"
	"sync"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/host"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// inherited is what an entry says of its object: what a forked child needs to use the descriptor
// and the mapping that it has from its parent, under its own identity.
type inherited struct {
	kind *kind
	file file
	host.Inherited
}

// inheritable describes an object that was just opened.
func inheritable(k *kind, n noun) inherited {
	in := n.Inherit()
	f, _ := fileOf(in.FD)
	return inherited{k, f, in}
}

// write fills in an entry that is not live. Within the gate, under the table's lock.
func (e *entry) write(what inherited) error {
	root, err := internRoot(what.Root)
	if err != nil {
		return err
	}
	if len(what.Name) >= len(e.name) {
		return &ipcerr.Error{Op: "list handle", Name: what.Name, Code: ipcerr.Internal, Hint: "the object's name is longer than names can be"}
	}
	e.kind = C.uint32_t(what.kind.number)
	e.descriptor = C.int32_t(what.FD)
	e.address = C.uint64_t(what.Addr)
	e.length = C.uint64_t(what.Length)
	e.file = what.file
	e.root = C.uint32_t(root)
	e.detail = C.uint32_t(what.Detail)
	name := unsafe.Slice((*byte)(unsafe.Pointer(&e.name)), len(e.name))
	clear(name[copy(name, what.Name):])
	return nil
}

func (e *entry) read() inherited {
	name := unsafe.Slice((*byte)(unsafe.Pointer(&e.name)), len(e.name))
	return inherited{kinds[uint32(e.kind)], e.file, host.Inherited{
		Root: text(rootAt(uint32(e.root))), Name: text(name),
		FD: int(e.descriptor), Addr: uintptr(e.address), Length: int(e.length),
		Detail: uint32(e.detail),
	}}
}

// text is the string in b before its first NUL.
func text(b []byte) string {
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(s)
}

func rootAt(i uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(keep().roots), uintptr(i)*C.PI_ROOT_BYTES)), C.PI_ROOT_BYTES)
}

// internRoot returns the place of a root's path in the keep, writing it there if it is new.
// Under the table's lock.
func internRoot(path string) (uint32, error) {
	if len(path) >= C.PI_ROOT_BYTES {
		return 0, &ipcerr.Error{Op: "list handle in root", Name: path, Code: ipcerr.TooLarge, Hint: "the root's path is over 4095 bytes: use a shorter one"}
	}
	for range 2 {
		for i := range uint32(C.PI_MAX_ROOTS) {
			r := rootAt(i)
			if r[0] == 0 {
				copy(r, path)
				return i, nil
			}
			if text(r) == path {
				return i, nil
			}
		}
		forgetRoots()
	}
	return 0, &ipcerr.Error{Op: "list handle in root", Name: path, Code: ipcerr.Limit, Hint: "handles are open in 1024 roots: close some"}
}

// forgetRoots makes room for those that no open handle lies in. Under the table's lock.
func forgetRoots() {
	var used [C.PI_MAX_ROOTS]bool
	for i := range handles.used {
		if e := entryAt(i); e.live().Load() != 0 {
			used[e.root] = true
		}
	}
	for i, u := range used {
		if !u {
			clear(rootAt(uint32(i)))
		}
	}
}

var adopting sync.Mutex

// adopt makes an inherited handle usable in this forked child, on its first use here. It returns
// nil for what is no handle.
func (t *table) adopt(id uint32) (*object, error) {
	if keep() == nil || keep().forks == 0 {
		return nil, nil
	}
	// Adopting opens descriptors that a grandchild must not find half made. The gate comes before
	// the lock, as for everybody.
	C.pi_gate_enter()
	defer C.pi_gate_leave()
	adopting.Lock()
	defer adopting.Unlock()
	if o := t.find(id); o != nil {
		return o, nil // another thread was quicker
	}
	t.mu.Lock()
	e := t.inheritedEntry(id)
	if e == nil {
		t.mu.Unlock()
		return nil, nil
	}
	what := e.read()
	t.mu.Unlock()

	n, err := adoptNoun(what)
	if err != nil {
		return nil, err
	}
	o := &object{id, what.kind, n}
	t.mu.Lock()
	if t.inheritedEntry(id) != e { // closed meanwhile, by who holds the gate too
		t.mu.Unlock()
		return nil, n.Close()
	}
	t.put(o)
	quicken(id, n)
	t.mu.Unlock()
	return o, nil
}

func adoptNoun(what inherited) (noun, error) {
	if what.kind == nil {
		return nil, &ipcerr.Error{Op: "adopt handle after fork", Name: what.Name, Code: ipcerr.Internal, Hint: "its entry names no kind of object"}
	}
	if what.kind.adopt == nil {
		return nil, &ipcerr.Error{Op: "adopt handle after fork", Name: what.Name, Code: ipcerr.BadHandle,
			Hint: "the handle is that of " + a(what.kind.name) + " of the parent process, of which a forked child has no part"}
	}
	if f, ok := fileOf(what.FD); !ok || f != what.file {
		return nil, &ipcerr.Error{Op: "adopt " + what.kind.name + " after fork", Name: what.Name, Code: ipcerr.Gone,
			Hint: "this process closed the descriptor that it had inherited: open the " + what.kind.name + " again, by name"}
	}
	return what.kind.adopt(what.Inherited)
}
