package main

/*
#include "keep.h"
*/
import "C"

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/host"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"golang.org/x/sys/unix"
)

// What the handles of all nouns have in common. A noun's own file says how it is opened and what
// its verbs are.

// noun is an open object.
type noun interface {
	Name() string
	Close() error
	Inherit() host.Inherited
}

// kind is what handles of one type stand for.
type kind struct {
	number uint32 // enum pi_kind
	name   string // "queue"
	adopt  func(host.Inherited) (noun, error)
}

// kinds are all there are. The files of the nouns fill it in as the library is loaded.
var kinds = map[uint32]*kind{}

func newKind(number uint32, name string, adopt func(host.Inherited) (noun, error)) *kind {
	k := &kind{number, name, adopt}
	kinds[number] = k
	return k
}

// find returns the noun behind a handle, which has the kind k and the type T.
func find[T noun](op operation, k *kind, id C.uint32_t) (none T, err error) {
	o := handles.find(uint32(id))
	if o == nil {
		if o, err = handles.adopt(uint32(id)); err != nil {
			return none, err
		}
	}
	if o != nil && o.kind == k {
		return o.noun.(T), nil
	}
	return none, badHandle(op, k, id, o)
}

func badHandle(op operation, k *kind, id C.uint32_t, o *object) error {
	hint := fmt.Sprintf("the handle is none of %s that is open in this process", a(k.name))
	switch {
	case id == 0:
		hint = fmt.Sprintf("the handle is zero: create or open %s first", a(k.name))
	case o != nil:
		hint = fmt.Sprintf("the handle is that of %s, not of %s", a(o.kind.name), a(k.name))
	}
	return &ipcerr.Error{Op: string(op), Code: ipcerr.BadHandle, Hint: hint}
}

// a is a noun with its article.
func a(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// open makes a handle for what how opens; name is the caller's, out where the handle goes.
func open(op operation, k *kind, name *C.char, out *C.uint32_t, how func(name string) (noun, error)) error {
	if out == nil {
		return invalid(op, "out_%s is NULL: give it a place for the handle", k.name)
	}
	if name != nil && *name == 0 {
		return invalid(op, "the name is empty: give 1 to 128 of [A-Za-z0-9._-], or NULL for an anonymous one")
	}
	i, err := handles.reserve(string(op))
	if err != nil {
		return err
	}
	n, err := how(goString(name))
	trackPoller() // TLS starts it
	if err != nil {
		handles.abandon(i)
		return err
	}
	id, err := handles.publish(i, k, n)
	if err != nil {
		_ = n.Close()
		return err
	}
	*out = C.uint32_t(id)
	return nil
}

// closeHandle ends a handle of the kind k.
func closeHandle(op operation, k *kind, id C.uint32_t) error {
	trackPoller()
	o, what, ok := handles.take(uint32(id), k)
	switch {
	case !ok:
		return badHandle(op, k, id, handles.find(uint32(id)))
	case o == nil:
		return closeInherited(what)
	}
	return o.noun.Close()
}

// closeInherited ends a handle that this child never used: adopting it first leaves a transient
// object's removal to the one place that knows how. What can't be adopted is let go of.
func closeInherited(what inherited) error {
	n, err := adoptNoun(what)
	if err == nil {
		return n.Close()
	}
	_ = unix.MunmapPtr(address(what.Addr), uintptr(what.Length))
	if f, ok := fileOf(what.FD); ok && f == what.file {
		_ = unix.Close(what.FD)
	}
	return nil
}

// unlink removes the name of an object of the kind k.
func unlink(op operation, k *kind, name, root *C.char, how func(root, name string) error) error {
	if name == nil || *name == 0 {
		return invalid(op, "the name is NULL or empty: say which %s", k.name)
	}
	return how(goRoot(root), goString(name))
}

// nameOf copies a noun's name, with its NUL, into the caller's buffer.
func nameOf(op operation, n noun, buffer *C.char, capacity C.size_t) error {
	return giveText(op, n, n.Name(), 129, buffer, capacity)
}

// giveText copies a text about a noun, with its NUL, into the caller's buffer, for which most bytes are always enough.
func giveText(op operation, n noun, text string, most int, buffer *C.char, capacity C.size_t) error {
	if buffer == nil || uint64(capacity) <= uint64(len(text)) {
		return &ipcerr.Error{Op: string(op), Name: n.Name(), Code: ipcerr.TooSmall, Hint: fmt.Sprintf("give a buffer of %d bytes", most)}
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(buffer)), len(text)+1)
	b[copy(b, text)] = 0
	return nil
}

// goString copies a C string; NULL is the empty one.
func goString(s *C.char) string {
	if s == nil {
		return ""
	}
	return C.GoString(s)
}

// goRoot copies a root's path. NULL is $POLYIPC_ROOT as the host has it now: Go's own view of the
// environment is that of the moment when the library was loaded.
func goRoot(s *C.char) string {
	if s == nil {
		s = C.pi_root()
	}
	return goString(s)
}
