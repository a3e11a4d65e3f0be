package main

/*
#include "keep.h"
*/
import "C"

import (
	"runtime/debug"
	"sync/atomic"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/host"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/psync"
)

// The exports of polyipc/sync.h that make, end and describe objects, for all types: sync_forward.h says
// which one it is. The verbs are in sync_lock.go, sync_condition.go and sync_wait.go.

// syncs are the kinds of the types; enum pi_kind has them at PI_SYNC + type.
var syncs = func() (ks [C.POLYIPC_RWLOCK + 1]*kind) {
	for t := range ks[1:] {
		of := psync.Type(t + 1)
		ks[of] = newKind(C.PI_SYNC+uint32(of), of.String(), func(in host.Inherited) (noun, error) { return psync.Adopt(of, in) })
	}
	return ks
}()

// syncKind is the kind with a number of enum pi_kind, which C gives.
func syncKind(number C.uint32_t) *kind { return syncs[number-C.PI_SYNC] }

// findSync returns the object behind a handle of a kind.
func findSync[T noun](op operation, number, id C.uint32_t) (T, error) {
	return find[T](op, syncKind(number), id)
}

// about makes an operation of a verb and the kind's name.
func about(verb string, number C.uint32_t) operation {
	return operation(verb + " " + syncKind(number).name)
}

// syncOptions reads the caller's options; NULL are the defaults.
func syncOptions(op operation, o *C.polyipc_sync_options) (value int64, opts psync.Options, err error) {
	if o == nil {
		return 0, psync.Options{Root: goRoot(nil)}, nil
	}
	const known = C.POLYIPC_KEPT | C.POLYIPC_TRANSIENT | C.POLYIPC_RECLAIM
	if o.size != C.uint32_t(unsafe.Sizeof(*o)) {
		return 0, opts, invalid(op, "options of %d bytes, not %d: set size to sizeof(polyipc_sync_options), and use the header of this library", o.size, unsafe.Sizeof(*o))
	}
	if o.flags&^known != 0 {
		return 0, opts, invalid(op, "unknown bits %#x in flags: use POLYIPC_KEPT, POLYIPC_TRANSIENT, POLYIPC_RECLAIM", o.flags&^known)
	}
	return int64(o.value), psync.Options{
		Root: goRoot(o.root),
		Kept: o.flags&C.POLYIPC_KEPT != 0, Transient: o.flags&C.POLYIPC_TRANSIENT != 0, Reclaim: o.flags&C.POLYIPC_RECLAIM != 0,
	}, nil
}

func openSync(verb string, number C.uint32_t, name *C.char, o *C.polyipc_sync_options, out *C.uint32_t,
	how func(t psync.Type, name string, value int64, o psync.Options) (psync.Object, error)) (s status) {
	op := about(verb, number)
	defer guard(op, &s)
	room(false)
	value, opts, err := syncOptions(op, o)
	if err == nil {
		err = open(op, syncKind(number), name, out, func(name string) (noun, error) {
			return how(psync.Type(number-C.PI_SYNC), name, value, opts)
		})
	}
	return done(op, 0, err)
}

//export pg_sync_create
func pg_sync_create(number C.uint32_t, name *C.char, o *C.polyipc_sync_options, out *C.uint32_t) status {
	return openSync("create", number, name, o, out, psync.Create)
}

//export pg_sync_open
func pg_sync_open(number C.uint32_t, name *C.char, o *C.polyipc_sync_options, out *C.uint32_t) status {
	return openSync("open", number, name, o, out, func(t psync.Type, name string, _ int64, o psync.Options) (psync.Object, error) {
		return psync.Open(t, name, o)
	})
}

//export pg_sync_open_or_create
func pg_sync_open_or_create(number C.uint32_t, name *C.char, o *C.polyipc_sync_options, out *C.uint32_t) status {
	return openSync("open or create", number, name, o, out, psync.OpenOrCreate)
}

//export pg_sync_close
func pg_sync_close(number, id C.uint32_t) (s status) {
	op := about("close", number)
	defer guard(op, &s)
	room(false)
	return done(op, id, closeHandle(op, syncKind(number), id))
}

//export pg_sync_unlink
func pg_sync_unlink(name, root *C.char) (s status) {
	const op = operation("unlink sync")
	defer guard(op, &s)
	room(false)
	return done(op, 0, unlink(op, &kind{name: "lock or other object"}, name, root, psync.Unlink))
}

//export pg_sync_name
func pg_sync_name(number, id C.uint32_t, buffer *C.char, capacity C.size_t) (s status) {
	op := about("name", number)
	defer guard(op, &s)
	room(false)
	x, err := findSync[psync.Object](op, number, id)
	if err == nil {
		err = nameOf(op, x, buffer, capacity)
	}
	return done(op, id, err)
}

//export pg_sync_stat
func pg_sync_stat(number, id C.uint32_t, out *C.polyipc_sync_stat_t) (s status) {
	op := about("stat", number)
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	x, err := findSync[psync.Object](op, number, id)
	if err == nil && (out == nil || out.size != C.uint32_t(unsafe.Sizeof(*out))) {
		err = invalid(op, "out_stat is NULL or of another size: set its size to sizeof(polyipc_sync_stat_t)")
	}
	var st psync.Stat
	if err == nil {
		st, err = x.Stat()
	}
	if err == nil {
		*out = statForC(number, st)
	}
	return done(op, id, err)
}

func statForC(number C.uint32_t, st psync.Stat) C.polyipc_sync_stat_t {
	c := C.polyipc_sync_stat_t{
		_type: C.uint32_t(number - C.PI_SYNC), flags: C.POLYIPC_KEPT, broken: C.uint32_t(flag(st.Broken)),
		limit: C.int64_t(st.Limit), value: C.int64_t(st.Value), depth: C.uint32_t(st.Depth),
		holder: C.int64_t(st.Holder.Pid), held_ns: C.int64_t(st.Holder.For), waiters: C.uint32_t(st.Waiters),
		take_overs: C.uint64_t(st.TakeOvers), reclaimed: C.uint64_t(st.Reclaimed),
	}
	c.size = C.uint32_t(unsafe.Sizeof(c))
	if st.Transient {
		c.flags = C.POLYIPC_TRANSIENT
	}
	if st.Reclaim {
		c.flags |= C.POLYIPC_RECLAIM
	}
	language := unsafe.Slice((*byte)(unsafe.Pointer(&c.language)), len(c.language)-1)
	copy(language, st.Holder.Language)
	return c
}

// flag is a truth as C has it.
func flag(is bool) C.int {
	if is {
		return 1
	}
	return 0
}

// touch writes what is there to the caller's place for a result: if that is wrong, the call ends before it
// has done anything.
func touch[T any](out *T) {
	if out != nil {
		atomic.AddInt32((*int32)(unsafe.Pointer(out)), 0)
	}
}

// tellFlag gives a flag to a caller that wants it.
func tellFlag(out *C.int, is bool) {
	if out != nil {
		*out = flag(is)
	}
}

// ask is for the functions that tell one thing and do nothing.
func ask[T noun](op operation, number, id C.uint32_t, out bool, what func(T) error) (s status) {
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	x, err := findSync[T](op, number, id)
	if err == nil && !out {
		err = &ipcerr.Error{Op: string(op), Code: ipcerr.Invalid, Hint: "the pointer for the result is NULL"}
	}
	if err == nil {
		err = what(x)
	}
	return done(op, id, err)
}
