// Package object is what open objects of every noun have in common: how they are opened or made,
// adopted by a forked child, and closed while calls are under way; what a fault in their memory
// means; who waits on them.
//
// A noun's type holds an Object by value and adds what its header says. Its verbs look like this:
//
//	func (l *Lock) Unlock() (err error) {
//		c := object.Call{Object: &l.obj, Verb: "unlock"}
//		if err := c.Begin(); err != nil {
//			return err
//		}
//		defer c.End(&err)
//		...
//	}
package object

import (
	"errors"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/futex"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/member"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/internal/trace"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Object is an open object. It must not be copied.
type Object struct {
	Noun   string // "queue", as in sentences
	Root   *shm.Root
	File   *shm.Object
	Member *member.Member
	Me     uint32 // this process's owner token
	Calls  Gate   // the calls under way; the last one out after Close gives the mapping back

	kind    layout.Kind
	closing atomic.Bool   // Close was called
	leaving atomic.Bool   // and the mapping has to stay
	done    atomic.Uint32 // 1 when the mapping has been given back
	corrupt atomic.Bool   // that it is was told
}

// Want says what to open.
type Want struct {
	Op         string // for errors: "open or create queue"
	Noun       string
	Kind       layout.Kind
	Root, Name string // "" is the default root, and no name
	Create     bool   // it may be made
	Open       bool   // it may exist
	Twice      bool   // its data area is mapped twice side by side

	// Spec describes the file to make in the root with that members file.
	Spec func(members [16]byte) shm.Spec
	// Attach looks at what was opened or made, before anyone else has it: an error says that the header
	// makes no sense. It may set Free.
	Attach func() error
	// Matches compares what was opened with what was asked for.
	Matches func() error
	// Allowed is optional: it refuses a root before anything is made there.
	Allowed func(root *shm.Root) error
	// Free is optional: it gives back what Attach took, before the mapping goes.
	Free func()
}

// Open opens or makes what is wanted. On failure nothing stays open.
func (o *Object) Open(w *Want) (err error) {
	trace.Start()
	defer func() { opened(w.Name, err) }()
	if w.Name == "" && !w.Create {
		return &ipcerr.Error{Op: w.Op, Code: ipcerr.Invalid, Hint: "without a name nothing can be opened: give a name, or create the " + w.Noun}
	}
	root, err := shm.OpenRoot(w.Root)
	if err != nil {
		return err
	}
	if w.Allowed != nil {
		if err := w.Allowed(root); err != nil {
			return err
		}
	}
	mem, err := member.Join(root)
	if err != nil {
		return err
	}
	file, made, err := w.file(root, mem.UUID())
	if err != nil {
		mem.Release()
		return err
	}
	if err := o.attach(w, root, file, mem); err != nil || made {
		return err
	}
	if err := Guarded(w.Op, file.Name, w.Matches); err != nil {
		_ = o.Close(nil, func() {})
		return err
	}
	return nil
}

// file opens or makes the file. Made tells which.
func (w *Want) file(root *shm.Root, members [16]byte) (file *shm.Object, made bool, err error) {
	for {
		if w.Open && w.Name != "" {
			file, err := root.Open(w.Name, w.Kind, members, w.Twice)
			if err == nil || !w.Create || !errors.Is(err, ipcerr.NotFound) {
				return file, false, err
			}
		}
		file, err := root.Create(w.Name, w.Spec(members))
		if err == nil || !w.Open || !errors.Is(err, ipcerr.Exists) {
			return file, true, err
		}
		// Somebody made it between the two: open theirs.
	}
}

// attach takes over an open file and a membership. On failure it gives them back.
func (o *Object) attach(w *Want, root *shm.Root, file *shm.Object, mem *member.Member) error {
	o.Noun, o.kind, o.Root, o.File, o.Member, o.Me = w.Noun, w.Kind, root, file, mem, mem.Token()
	o.Calls.Free = func() {
		if w.Free != nil {
			w.Free()
		}
		if o.leaving.Load() {
			_ = o.File.Leave()
		} else {
			_ = o.File.Close()
		}
		o.Member.Release()
		o.done.Store(1)
		futex.Wake(&o.done, 1)
	}
	if err := Guarded(w.Op, file.Name, w.Attach); err != nil {
		_ = file.Close()
		mem.Release()
		return &ipcerr.Error{Op: w.Op, Name: file.Name, Code: ipcerr.Corrupt, Hint: "its header makes no sense: damaged, or not made by polyipc; unlink it", Err: err}
	}
	o.enlist()
	return nil
}

// Inherited is what a forked child needs to go on using an object under its own identity. The
// mapping and the descriptor are the ones that it inherited.
type Inherited struct {
	Root, Name string
	FD         int
	Addr       uintptr
	Length     int
	Detail     uint32 // the noun's own
}

// Inherit describes o for Adopt in a forked child.
func (o *Object) Inherit() Inherited {
	addr, length := layout.Address(o.File.Mem)
	return Inherited{Root: o.Root.Path(), Name: o.File.Name, FD: o.File.FD, Addr: addr, Length: length}
}

// Adopt opens what a forked child inherited. Of w it uses Op, Noun, Kind, Twice, Attach and Free.
func (o *Object) Adopt(w *Want, in Inherited) error {
	root, err := shm.OpenRoot(in.Root)
	if err != nil {
		return err
	}
	mem, err := member.Join(root)
	if err != nil {
		return err
	}
	file, err := root.Adopt(in.Name, in.FD, in.Addr, in.Length, w.Kind, mem.UUID(), w.Twice)
	if err != nil {
		mem.Release()
		return err
	}
	return o.attach(w, root, file, mem)
}

// Name returns the object's name, a UUID if it is anonymous.
func (o *Object) Name() string { return o.File.Name }

// UUID is that of the object, whatever its name.
func (o *Object) UUID() [16]byte { return o.File.UUID }

// Unlink removes the object's name, also when it is closed.
func (o *Object) Unlink() error { return o.Root.Unlink(o.File.Name, o.kind) }

// Unlink removes the name of an object in the root dir; that there is none is no error.
func Unlink(dir, name string, kind layout.Kind) error {
	r, err := shm.OpenRoot(dir)
	if err != nil {
		return err
	}
	return r.Unlink(name, kind)
}

// Closing marks o as being closed, and reports whether it was not before.
func (o *Object) Closing() bool { return o.closing.CompareAndSwap(false, true) }

// Close ends the use of o: later calls fail with ipcerr.Closed, and kick, which may touch the mapping, makes
// those under way look up (Gone). before, which may be nil, runs first, while calls are still let in. Closing
// again does nothing.
func (o *Object) Close(before, kick func()) error {
	if !o.Closing() {
		return nil
	}
	if before != nil {
		before()
	}
	o.strike()
	o.Calls.Enter() // the mapping stays while the waiters are told
	o.Calls.Shut()
	o.kick(kick)
	o.Calls.Leave()
	// A call under way may wait for a lock whose owner is stopped. Then it gives the mapping back when
	// it comes out, and Close does not wait for that.
	for end := time.Now().Add(time.Second); o.done.Load() == 0 && time.Now().Before(end); {
		_ = futex.Wait(&o.done, 0, time.Until(end))
	}
	return nil
}

// Leave is Close, but what is mapped stays as it is for as long as this process lives.
func (o *Object) Leave(kick func()) error {
	o.leaving.Store(true)
	return o.Close(nil, kick)
}

func (o *Object) kick(f func()) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { _ = recover() }() // the file was truncated: they find out by themselves
	f()
}

// Gone is ipcerr.Closed once Close was called.
func (o *Object) Gone() error {
	if o.Calls.IsShut() {
		return ipcerr.Closed
	}
	return nil
}

// Kick makes everybody who waits on the words look up.
func Kick(words ...*atomic.Uint32) {
	for _, w := range words {
		park.Kick(w)
	}
}
