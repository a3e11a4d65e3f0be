package object

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/member"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/internal/trace"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// A reference to an object travels in a message as kind, UUID and name (codec.Ref). The message holds the
// object by a link (shm.Link); who gets the message becomes a user of the object before the link goes, and
// is one until the reference is opened or its receipt returned.

// The kinds of references; docs/spec/codec.md.
const (
	RefQueue   uint8 = 1
	RefPipe    uint8 = 2 // its first end
	RefSegment uint8 = 3
	RefPipeEnd uint8 = 13 // a pipe's second end
)

// openObjects are the open objects of this process, by UUID; an object may be open several times.
var openObjects struct {
	sync.Mutex
	by map[[16]byte][]*Object
}

func (o *Object) enlist() {
	openObjects.Lock()
	defer openObjects.Unlock()
	if openObjects.by == nil {
		openObjects.by = map[[16]byte][]*Object{}
	}
	openObjects.by[o.File.UUID] = append(openObjects.by[o.File.UUID], o)
}

func (o *Object) strike() {
	openObjects.Lock()
	defer openObjects.Unlock()
	all := openObjects.by[o.File.UUID]
	for i, x := range all {
		if x == o {
			all = append(all[:i:i], all[i+1:]...)
			break
		}
	}
	if len(all) == 0 {
		delete(openObjects.by, o.File.UUID)
	} else {
		openObjects.by[o.File.UUID] = all
	}
}

// Borrow finds the object of a reference among those that this process has open, to be carried by o, and
// keeps it open until the caller has called the result's Calls.Leave.
//
// INVALID if it is not open here, or lies in another root.
func (o *Object) Borrow(r codec.Ref) (*Object, error) {
	openObjects.Lock()
	defer openObjects.Unlock()
	for _, x := range openObjects.by[r.UUID] {
		if !x.Calls.Enter() {
			continue
		}
		if x.Root.Path() == o.Root.Path() && x.Member.UUID() == o.Member.UUID() {
			return x, nil
		}
		x.Calls.Leave()
		return nil, &ipcerr.Error{Op: "refer to object", Name: r.Name, Code: ipcerr.Invalid,
			Hint: fmt.Sprintf("it lies in the root %s, and what carries the message in %s: both must lie in one", x.Root.Path(), o.Root.Path())}
	}
	return nil, &ipcerr.Error{Op: "refer to object", Name: r.Name, Code: ipcerr.Invalid,
		Hint: "it is not open in this process: who sends an object has it open"}
}

// mostReceipts is how many messages with references may have their objects unopened; the oldest gives way.
const mostReceipts = 1024

// arrival is what came with a message.
type arrival struct {
	root    *shm.Root
	members [16]byte
	held    map[[16]byte]*shm.Held
}

var arrivals struct {
	sync.Mutex
	last  uint32
	by    map[uint32]*arrival
	order []uint32 // of those that came, the oldest first; some may be gone
}

// Receive keeps what a message held for those who open its references, and returns the receipt, 1 to 2^24-1.
func (o *Object) Receive(held []*shm.Held) uint32 {
	a := &arrival{o.Root, o.Member.UUID(), map[[16]byte]*shm.Held{}}
	for _, h := range held {
		if twice := a.held[h.UUID()]; twice != nil {
			h.Release()
			continue
		}
		a.held[h.UUID()] = h
	}
	arrivals.Lock()
	defer arrivals.Unlock()
	if arrivals.by == nil {
		arrivals.by = map[uint32]*arrival{}
	}
	for {
		if arrivals.last = arrivals.last%(1<<24-1) + 1; arrivals.by[arrivals.last] == nil {
			break
		}
	}
	arrivals.by[arrivals.last] = a
	arrivals.order = append(arrivals.order, arrivals.last)
	for len(arrivals.by) > mostReceipts {
		dropArrival(arrivals.order[0])
		arrivals.order = arrivals.order[1:]
	}
	if len(arrivals.order) > 2*mostReceipts {
		still := arrivals.order[:0]
		for _, r := range arrivals.order {
			if arrivals.by[r] != nil {
				still = append(still, r)
			}
		}
		arrivals.order = still
	}
	return arrivals.last
}

// dropArrival gives up what is left of an arrival. The lock is held.
func dropArrival(receipt uint32) {
	if a := arrivals.by[receipt]; a != nil {
		delete(arrivals.by, receipt)
		for _, h := range a.held {
			h.Release()
		}
	}
}

// Return gives up what is still held for a receipt; an unknown one does no harm.
func Return(receipt uint32) {
	arrivals.Lock()
	defer arrivals.Unlock()
	dropArrival(receipt)
}

// takeHeld returns what is held for a reference, nil if nothing is, and where it lies.
func takeHeld(r codec.Ref) (*shm.Held, *arrival) {
	arrivals.Lock()
	defer arrivals.Unlock()
	a := arrivals.by[r.Receipt]
	if a == nil {
		return nil, nil
	}
	h := a.held[r.UUID]
	if delete(a.held, r.UUID); len(a.held) == 0 {
		delete(arrivals.by, r.Receipt)
	}
	return h, a
}

// Ref is the reference to o, of a kind that docs/spec/codec.md lists.
func (o *Object) Ref(kind uint8) codec.Ref {
	return codec.Ref{Kind: kind, UUID: o.File.UUID, Name: o.File.Name}
}

// OpenRef opens the object of a reference of one of the kinds: the one that its message held, else the one that
// has its name or UUID, in the root dir if the reference has no receipt. Of w it uses what Adopt uses.
//
// INVALID for another kind, GONE if that object is not there any more; WRONG_KIND, MISMATCH, VERSION, CORRUPT,
// DENIED, NO_MEMORY, LIMIT.
func (o *Object) OpenRef(w *Want, dir string, r codec.Ref, kinds ...uint8) (err error) {
	trace.Start()
	defer func() { opened(r.Name, err) }()
	if !slices.Contains(kinds, r.Kind) {
		return &ipcerr.Error{Op: w.Op, Name: r.Name, Code: ipcerr.Invalid, Hint: fmt.Sprintf("the reference has kind %d, which is no %s", r.Kind, w.Noun)}
	}
	held, from := takeHeld(r)
	var root *shm.Root
	if from != nil {
		root = from.root
	} else if root, err = shm.OpenRoot(dir); err != nil {
		return err
	}
	mem, err := member.Join(root)
	if err != nil {
		if held != nil {
			held.Release()
		}
		return err
	}
	var file *shm.Object
	if held != nil {
		file, err = held.Open(r.Name, w.Kind, mem.UUID(), w.Twice)
	} else {
		file, err = w.named(root, r, mem.UUID())
	}
	if err != nil {
		mem.Release()
		return err
	}
	return o.attach(w, root, file, mem)
}

// named opens the object of a reference by its name, or its UUID.
func (w *Want) named(root *shm.Root, r codec.Ref, members [16]byte) (*shm.Object, error) {
	for _, name := range []string{r.Name, uuid.UUID(r.UUID).String()} {
		if name == "" {
			continue
		}
		file, err := root.Open(name, w.Kind, members, w.Twice)
		switch {
		case err == nil && file.UUID == r.UUID:
			return file, nil
		case err == nil: // another object has the name now
			_ = file.Close()
		case !errors.Is(err, ipcerr.NotFound):
			return nil, err
		}
	}
	return nil, shm.Gone(w.Op, r.Name, nil)
}
