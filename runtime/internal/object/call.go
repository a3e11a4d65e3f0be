package object

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/trace"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Call is one call under way.
type Call struct {
	*Object
	Verb string // for errors: "put to"

	fault bool // what SetPanicOnFault was before
}

// Begin lets a call in, unless the object is closed. Who is let in defers End.
//
// Within the call, touching a page that was truncated away is a panic here, which End makes an error.
func (c *Call) Begin() error {
	if !c.Calls.Enter() {
		return c.Sentence(c.Verb, ipcerr.Closed)
	}
	c.fault = debug.SetPanicOnFault(true)
	return nil
}

// End is deferred by every verb that began. It makes the error that the caller sees of a code, and of a fault
// in the object's or the caller's memory; another panic, a defect, goes on up.
func (c *Call) End(err *error) {
	r := recover()
	debug.SetPanicOnFault(c.fault)
	if r != nil {
		fault, ok := r.(interface{ Addr() uintptr })
		if !ok {
			c.Calls.Leave()
			panic(r)
		}
		*err = c.Fault(c.Verb, fault.Addr(), c.holds(fault.Addr()), r)
	}
	if *err != nil {
		*err = c.Sentence(c.Verb, *err)
		c.NoteCorrupt(*err)
	}
	c.Calls.Leave()
	trace.Flush()
}

// Attempt does f as far as it comes, for who puts right what a panic has broken off: what is truncated away needs
// no repair, but the next step may be needed all the same.
func Attempt(f func()) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { _ = recover() }()
	f()
}

func (c *Call) holds(at uintptr) bool {
	start, length := layout.Address(c.File.Mem)
	return at-start < uintptr(length)
}

// Fault is the error for an access to memory that is not there. ours tells whether the object has mapped it,
// which then was truncated; else the caller's pointer is wrong.
func (o *Object) Fault(verb string, at uintptr, ours bool, cause any) error {
	if !ours {
		return &ipcerr.Error{Op: verb + " " + o.Noun, Name: o.Name(), Code: ipcerr.Invalid,
			Hint: fmt.Sprintf("memory at %#x cannot be accessed: a pointer or size given to the call is wrong", at)}
	}
	return &ipcerr.Error{Op: verb + " " + o.Noun, Name: o.Name(), Code: ipcerr.Corrupt,
		Hint: "its file was truncated while it was open: unlink it and make it anew", Err: fmt.Errorf("%v", cause)}
}

// Sentence makes of a code, or of what park.Ended returns, the error that the caller sees; other errors it leaves as
// they are.
func (o *Object) Sentence(verb string, err error) error {
	op := verb + " " + o.Noun
	if e, ok := err.(*ipcerr.Error); ok && e.Op == "" {
		e.Op, e.Name = op, o.Name()
		return e
	}
	code, ok := err.(ipcerr.Code)
	if !ok {
		return err
	}
	e := &ipcerr.Error{Op: op, Name: o.Name(), Code: code}
	switch code {
	case ipcerr.Corrupt:
		e.Hint = "its contents make no sense: damaged by another program; unlink it and make it anew"
	case ipcerr.Closed:
		e.Hint = "it was closed in this process"
	}
	return e
}

// Guarded turns a fault in f, from a file that is truncated as it is opened, into an error.
func Guarded(op, name string, f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }:
			err = &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Corrupt, Hint: "its file was truncated as it was opened: unlink it"}
		default:
			panic(r)
		}
	}()
	return f()
}

// Until is a context that ends at its deadline, which only this runtime sees: Go's own would start a
// timer, and with it the poller, whose descriptors a forked host would inherit.
func Until(t time.Time) context.Context { return deadline{context.Background(), t} }

type deadline struct {
	context.Context
	t time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.t, true }
