package main

/*
#include "quick.h"
*/
import "C"

import (
	"fmt"
	"runtime/debug"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	many "github.com/polyipc/polyipc/runtime/wait"
)

// The export of polyipc/wait.h, and what those of the nouns that give out descriptors have in common. A noun
// can be waited for if it has Readable or Writable.

type (
	readable interface{ Readable() many.Waitable }
	writable interface{ Writable() many.Waitable }
)

// point is what a noun can be waited for; bit is one of POLYIPC_READABLE and POLYIPC_WRITABLE.
func point(n noun, bit C.uint32_t) (many.Waitable, bool) {
	if r, ok := n.(readable); ok && bit == C.POLYIPC_READABLE {
		return r.Readable(), true
	}
	if w, ok := n.(writable); ok && bit == C.POLYIPC_WRITABLE {
		return w.Writable(), true
	}
	return nil, false
}

// findAny returns what is behind a handle of any kind.
func findAny(op operation, id C.uint32_t) (o *object, err error) {
	if o = handles.find(uint32(id)); o == nil {
		o, err = handles.adopt(uint32(id))
	}
	if err == nil && o == nil {
		err = &ipcerr.Error{Op: string(op), Code: ipcerr.BadHandle, Hint: fmt.Sprintf("%d is no handle that is open in this process", id)}
	}
	return o, err
}

// descriptor makes the descriptor of a point, within the gate, and leaves the handle to Go from then on.
func descriptor(id C.uint32_t, p many.Waitable) (int, error) {
	fd, err := p.PollFD()
	if err == nil && keep() != nil {
		C.pi_quick_polled(id%maxHandles, id)
	}
	return fd, err
}

// pollFd is polyipc_<noun>_poll_fd.
func pollFd(op operation, id C.uint32_t, n noun, what C.uint32_t, out *C.int) error {
	if out == nil {
		return invalid(op, "out_fd is NULL: give it a place for the descriptor")
	}
	p, ok := point(n, what)
	if !ok {
		return invalid(op, "what is %d: give POLYIPC_READABLE or POLYIPC_WRITABLE, as this kind of object allows", what)
	}
	fd, err := descriptor(id, p)
	if err == nil {
		*out = C.int(fd)
	}
	return err
}

// waited is one of the things that a call waits for: an event of an item.
type waited struct {
	item int
	bit  C.uint32_t
}

// things makes the list of what the items ask for.
func things(op operation, items []C.polyipc_wait_item) (all []many.Waitable, of []waited, err error) {
	for i, item := range items {
		const known = C.POLYIPC_READABLE | C.POLYIPC_WRITABLE
		if item.events == 0 || item.events&^known != 0 {
			return nil, nil, invalid(op, "items[%d].events is %#x: give POLYIPC_READABLE, POLYIPC_WRITABLE or both", i, item.events)
		}
		for _, bit := range []C.uint32_t{C.POLYIPC_READABLE, C.POLYIPC_WRITABLE} {
			if item.events&bit == 0 {
				continue
			}
			t, err := thing(op, i, &item, bit)
			if err != nil {
				return nil, nil, err
			}
			all, of = append(all, t), append(of, waited{i, bit})
		}
	}
	return all, of, nil
}

func thing(op operation, i int, item *C.polyipc_wait_item, bit C.uint32_t) (many.Waitable, error) {
	if item.handle == 0 {
		if bit == C.POLYIPC_READABLE {
			return many.Read(int(item.fd)), nil
		}
		return many.Write(int(item.fd)), nil
	}
	o, err := findAny(op, item.handle)
	if err != nil {
		return nil, err
	}
	t, ok := point(o.noun, bit)
	if !ok {
		return nil, invalid(op, "items[%d].events is %#x: %s cannot be waited for in this way", i, item.events, a(o.kind.name))
	}
	C.pi_gate_enter() // behind the adoption, which stands there itself
	defer C.pi_gate_leave()
	_, err = descriptor(item.handle, t)
	return t, err
}

//export pg_wait
func pg_wait(items *C.polyipc_wait_item, count C.size_t, timeout C.int64_t, out *C.size_t) (s status) {
	const op = operation("wait for many")
	defer guard(op, &s)
	debug.SetPanicOnFault(true)
	room(false)
	if count > 0 && items == nil || count > 1<<24 {
		return done(op, 0, invalid(op, "items is NULL, or count %d is more than 2^24", count))
	}
	list := unsafe.Slice(items, int(count))
	all, of, err := things(op, list)
	if err != nil {
		return done(op, 0, err)
	}
	ready, err := many.Any(wait(timeout), all...)
	if err != nil && codeOf(err) != ipcerr.Timeout {
		return done(op, 0, err)
	}
	for i := range list {
		list[i].ready = 0
	}
	n := C.size_t(0)
	for _, r := range ready {
		item := &list[of[r].item]
		if item.ready == 0 {
			n++
		}
		item.ready |= of[r].bit
	}
	if out != nil {
		*out = n
	}
	return done(op, 0, err)
}
