package main

/*
#include "keep.h"
*/
import "C"

import (
	"bytes"
	"runtime"
	"runtime/debug"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/host"
	"github.com/polyipc/polyipc/runtime/manager"
	"github.com/polyipc/polyipc/runtime/tls"
)

// The exports of polyipc/manager.h that make and end servers.

var servers = newKind(C.PI_SERVER, "server", nil)

// server is a manager's server as a noun.
type server struct{ *manager.Server }

// Inherit has nothing for a forked child: the threads that serve are its parent's.
func (s server) Inherit() host.Inherited { return host.Inherited{Name: s.Name(), FD: -1} }

func findServer(op operation, id C.uint32_t) (server, error) { return find[server](op, servers, id) }

// mostKey is the longest secret.
const mostKey = 1024

// managerOptions reads the caller's options; NULL are the defaults.
func managerOptions(op operation, o *C.polyipc_manager_options) (manager.Options, error) {
	if o == nil {
		return manager.Options{Root: goRoot(nil)}, nil
	}
	const known = C.POLYIPC_PICKLE | C.POLYIPC_TRUST_GROUP
	switch {
	case o.size != C.uint32_t(unsafe.Sizeof(*o)):
		return manager.Options{}, invalid(op, "options of %d bytes, not %d: set size to sizeof(polyipc_manager_options), and use the header of this library", o.size, unsafe.Sizeof(*o))
	case o.flags&^known != 0:
		return manager.Options{}, invalid(op, "unknown bits %#x in flags: use POLYIPC_PICKLE, POLYIPC_TRUST_GROUP", o.flags&^known)
	case (o.key == nil) != (o.key_size == 0) || o.key_size > mostKey:
		return manager.Options{}, invalid(op, "key is %s and key_size %d: give 1 to %d bytes, or NULL and 0", pointer(o.key), o.key_size, mostKey)
	}
	key, err := given(op, "key", o.key, o.key_size)
	return manager.Options{
		Root: goRoot(o.root), Key: bytes.Clone(key), TLS: tlsOf(o),
		Pickle: o.flags&C.POLYIPC_PICKLE != 0, TrustGroup: o.flags&C.POLYIPC_TRUST_GROUP != 0,
		Listen: goString(o.listen), Frame: int64(o.frame), Clients: int64(o.clients), Objects: int64(o.objects),
		Idle: time.Duration(o.idle_ns),
	}, err
}

// tlsOf is what the options say of TLS; nil if that is nothing.
func tlsOf(o *C.polyipc_manager_options) manager.TLS {
	f := tls.Files{CA: goString(o.tls_ca), Cert: goString(o.tls_cert), Key: goString(o.tls_key), ServerName: goString(o.tls_server_name)}
	if f == (tls.Files{}) {
		return nil
	}
	return &f
}

//export pg_manager_serve
func pg_manager_serve(name *C.char, o *C.polyipc_manager_options, out *C.polyipc_manager_server) (s status) {
	const op = operation("serve manager")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	opts, err := managerOptions(op, o)
	if err == nil {
		err = open(op, servers, name, (*C.uint32_t)(unsafe.Pointer(out)), func(name string) (noun, error) {
			s, err := manager.Serve(name, opts)
			if err == nil {
				spareProcessor()
			}
			return server{s}, err
		})
	}
	return done(op, 0, err)
}

// spareProcessor sees to it that Go has more processors than the machine. The server's loop keeps one to itself while it spins.
// If no other is idle, Go's sysmon takes that of a thread away which is outside of Go for 20 us, as a host in this process is in
// each call, and looks for such threads as often: that halved the calls of hosts in Python. Who sets GOMAXPROCS is not overruled.
func spareProcessor() {
	if _, set := unix.Getenv("GOMAXPROCS"); set {
		return
	}
	if most := runtime.NumCPU() + 1; runtime.GOMAXPROCS(0) < most {
		runtime.GOMAXPROCS(most)
	}
}

//export pg_manager_server_wait
func pg_manager_server_wait(h C.polyipc_manager_server, timeout C.int64_t) (s status) {
	const op = operation("wait for server")
	defer guard(op, &s)
	room(false)
	m, err := findServer(op, h.id)
	if err == nil {
		err = m.Wait(wait(timeout))
	}
	return done(op, h.id, err)
}

//export pg_manager_server_name
func pg_manager_server_name(h C.polyipc_manager_server, buffer *C.char, capacity C.size_t) (s status) {
	const op = operation("name server")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	m, err := findServer(op, h.id)
	if err == nil {
		err = nameOf(op, m, buffer, capacity)
	}
	return done(op, h.id, err)
}

//export pg_manager_server_address
func pg_manager_server_address(h C.polyipc_manager_server, buffer *C.char, capacity C.size_t) (s status) {
	const op = operation("ask server for its address")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	m, err := findServer(op, h.id)
	if err == nil {
		err = giveText(op, m, m.Address(), 256, buffer, capacity)
	}
	return done(op, h.id, err)
}

//export pg_manager_server_close
func pg_manager_server_close(h C.polyipc_manager_server) (s status) {
	const op = operation("close server")
	defer guard(op, &s)
	room(false)
	return done(op, h.id, closeHandle(op, servers, h.id))
}
