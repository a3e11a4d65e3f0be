// Package pipe is two connected ends between processes, in Go, C and Python at once: what one sends the
// other receives, message by message.
//
//	a, err := pipe.Create("control", pipe.Options{}) // in one process
//	b, err := pipe.Open("control", pipe.Options{})   // in another
//	...
//	err = a.Send(ctx, []byte("hello"), pipe.Raw)
//	m, err := b.Recv(ctx)
//
// [Pair] makes both ends at once. For values instead of bytes, see [Of].
//
// An end may be open in any number of processes, which share it: each message goes to one of them. When the last
// of them has closed it or died, receives of the other end take what was sent and then fail with
// ipcerr.EndOfFile, which is io.EOF, too; sends fail with ipcerr.Broken.
//
// A Pipe may be used by any number of goroutines at once. A send is committed when it returns. What happens
// besides the calls is told to a log that asks: see package events.
package pipe

import (
	"sync/atomic"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/doorbell"
	"github.com/polyipc/polyipc/runtime/internal/fifo"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Format says how the bytes of a message are to be read.
type Format = fifo.Format

// The formats.
const (
	Raw     = fifo.Raw     // bytes, as they are
	MsgPack = fifo.MsgPack // one MessagePack value, see package codec
)

// Limits of Options and messages.
const (
	MaxCapacity = fifo.MaxCapacity // bytes, 2^36
	MaxMessage  = fifo.MaxMessage  // bytes, 2^40
)

// End is one of the two. Both ends of a duplex pipe are alike; of a one-way pipe the first receives and the
// second sends.
type End int

// The ends.
const (
	DefaultEnd End = iota // who makes the pipe has the first, who opens it the second
	First
	Second
)

// Options shape a pipe when it is made. The zero value is duplex, has 64 KiB for each direction, lies in the
// default root, and is kept if it has a name.
type Options struct {
	Root      string // directory; "": $POLYIPC_ROOT, or /dev/shm/polyipc-<uid>
	Capacity  int64  // bytes for messages under way in each direction, each with 24 bytes of header; rounded up to a power of two of at least 64 KiB; 0 is 64 KiB
	OneWay    bool   // messages go from the second end to the first only
	End       End    // which end to open
	Kept      bool   // lives until Unlink, also if anonymous
	Transient bool   // goes with its last user, also if named
	Pickle    bool   // may carry Python pickles: only for processes that trust each other

	// TrustGroup allows Pickle in a root that is shared with a group: a directory with the set-group-id
	// bit that its group can write to. Each member can then run code in the Python programs that open
	// the pipe's pickles, so without TrustGroup it is ipcerr.Denied to make or open a pipe with Pickle
	// there. It changes nothing else, and nothing without Pickle.
	TrustGroup bool
}

// Pipe is one end of a pipe, open.
type Pipe struct {
	obj object.Object
	h   *layout.Pipe
	end int // 0 or 1

	directions [2]fifo.Fifo // number d is what end d receives; a one-way pipe has number 0 alone
	ways       int          // how many there are
	in, out    *fifo.Fifo   // nil where this end does not receive, or send

	asked atomic.Int64 // when it was last seen that somebody is at the other end, as object.Now counts
}

// Create makes a pipe and opens one end of it; it fails with ipcerr.Exists if the name is taken. An empty name
// makes an anonymous pipe with a UUID for a name.
func Create(name string, o Options) (*Pipe, error) {
	return open("create pipe", name, o, true, false)
}

// Open opens one end of an existing pipe; it fails with ipcerr.NotFound if there is none. A capacity that is
// not zero must be the pipe's own, and it must be one-way or for pickles if o says so.
func Open(name string, o Options) (*Pipe, error) { return open("open pipe", name, o, false, true) }

// OpenOrCreate opens one end of the pipe, which must then have the capacity and directions in o, or makes it.
func OpenOrCreate(name string, o Options) (*Pipe, error) {
	return open("open or create pipe", name, o, true, true)
}

// Pair makes a pipe and opens both ends. o.End must be DefaultEnd.
func Pair(name string, o Options) (first, second *Pipe, err error) {
	if o.End != DefaultEnd {
		return nil, nil, &ipcerr.Error{Op: "create pipe", Name: name, Code: ipcerr.Invalid, Hint: "a pair has both ends: choose none"}
	}
	if first, err = Create(name, o); err != nil {
		return nil, nil, err
	}
	o.End = Second
	if second, err = Open(first.Name(), o); err != nil {
		_ = first.Unlink()
		_ = first.Close()
		return nil, nil, err
	}
	return first, second, nil
}

// Unlink removes the name of a pipe; that there is none is no error. Who has it open goes on using
// it; it goes with the last of them. root is as in Options.
func Unlink(root, name string) error { return object.Unlink(root, name, layout.KindPipe) }

// Unlink removes this pipe's name, as the function Unlink does.
func (p *Pipe) Unlink() error { return p.obj.Unlink() }

// Name returns the pipe's name.
func (p *Pipe) Name() string { return p.obj.Name() }

// End returns which end this is.
func (p *Pipe) End() End { return First + End(p.end) }

func open(op, name string, o Options, mayCreate, mayOpen bool) (*Pipe, error) {
	if err := o.check(op, name); err != nil {
		return nil, err
	}
	p := &Pipe{}
	end := First
	w := p.want(op)
	w.Root, w.Name, w.Create, w.Open = o.Root, name, mayCreate, mayOpen
	w.Spec = func(members [16]byte) shm.Spec { return o.spec(name, members) }
	w.Matches = func() error {
		end = Second
		return p.matches(op, o, mayCreate)
	}
	w.Allowed = func(root *shm.Root) error { return object.Trust(op, name, root, o.Pickle, o.TrustGroup) }
	if err := p.obj.Open(w); err != nil {
		return nil, err
	}
	if o.End != DefaultEnd {
		end = o.End
	}
	p.take(int(end - First))
	if err := p.enter(op, true); err != nil {
		_ = p.obj.Close(nil, func() {})
		return nil, err
	}
	return p, nil
}

// want is what opening and adopting a pipe have in common.
func (p *Pipe) want(op string) *object.Want {
	return &object.Want{
		Op: op, Noun: "pipe", Kind: layout.KindPipe, Twice: true,
		Attach: func() error {
			p.h = layout.View[layout.Pipe](p.obj.File.Mem, layout.PipeOffset)
			p.ways = 1
			if p.obj.File.Header().Flags()&layout.Duplex != 0 {
				p.ways = 2
			}
			for d := range p.ways {
				c := config(d, p.ways)
				c.Other = p.other
				if err := p.directions[d].Attach(&p.obj, c); err != nil {
					return err
				}
			}
			return nil
		},
		Free: func() {
			for d := range p.ways {
				p.directions[d].Detach()
			}
		},
	}
}

// config is where in a pipe's file direction d of so many lies, and how errors speak of it.
func config(d, ways int) fifo.Config {
	return fifo.Config{
		Place:      fifo.Place{Base: layout.DirectionOffset(d), Area: d, Areas: ways},
		RingLetter: "rs"[d], MessageLetter: "mn"[d], LinkLetter: "op"[d], BellLetter: "bc"[d],
		PutTo: "send to", GetFrom: "receive from",
	}
}

// take makes p end number end.
func (p *Pipe) take(end int) {
	p.end = end
	p.in, p.out = nil, nil
	if end < p.ways {
		p.in = &p.directions[end]
	}
	if 1-end < p.ways {
		p.out = &p.directions[1-end]
	}
}

// enter tells the others that somebody is at this end. The lock comes first: who finds the end opened, and
// nobody there, takes it for gone.
//
// A kept pipe at which nobody is, and in which nothing waits for this end, is as new if it is opened by its name: the
// other end, which was opened once, is not gone but has yet to come. The words are counts, so that an other end
// which is opened, and perhaps closed, just now is not forgotten.
func (p *Pipe) enter(op string, byName bool) error {
	return object.Guarded(op, p.Name(), func() error {
		f, other := p.obj.File, 1-p.end
		before := p.h.Opened[other].Load()
		kept := f.Header().Flags()&layout.Transient == 0
		quiet := byName && kept && before != 0 && !f.EndTaken(p.end) && !f.EndTaken(other) && (p.in == nil || p.in.Bare())
		if err := f.TakeEnd(p.end); err != nil {
			return err
		}
		crash.Point("pipe.open.taken") // the end was never opened then
		p.h.Opened[p.end].Add(1)
		if quiet {
			p.h.Opened[other].CompareAndSwap(before, 0)
		}
		return nil
	})
}

// askEvery is for how long a send believes that somebody is at the other end. Asking takes about as long as ten
// sends; a process needs longer to be killed and missed.
const askEvery = 50 * time.Microsecond

// other reports whether somebody is at the other end, or may still come there. Within a call.
func (p *Pipe) other(sure bool) bool {
	if p.h.Opened[1-p.end].Load() == 0 {
		return true
	}
	now := object.Now()
	if !sure && now-p.asked.Load() < int64(askEvery) {
		return true
	}
	if !p.obj.File.EndTaken(1-p.end) && !p.obj.File.InMessage() {
		p.asked.Store(0)
		return false
	}
	p.asked.Store(now)
	return true
}

// Close ends the use of this end: calls under way in other goroutines fail with ipcerr.Closed. If nobody else
// has the end open, the other one finds that out at once. What was sent stays for it; a transient pipe
// without another user goes. Closing again does nothing.
func (p *Pipe) Close() error {
	// Who sleeps at the other end must be woken when this one is free, and the mapping is gone by then.
	var aside []byte
	before := func() { aside = p.obj.File.Aside() }
	kick := func() {
		for d := range p.ways {
			p.directions[d].Kick()
		}
	}
	err := p.obj.Close(before, kick)
	if aside == nil {
		return err // closed before, or no memory: then they find out by themselves
	}
	defer shm.Unmap(aside)
	crash.Point("pipe.close.left")
	if p.obj.File.EndLeft(p.end) {
		return err // a bell would be rung for nothing; the last one to close finds nobody
	}
	_ = object.Guarded("close pipe", p.Name(), func() error {
		for d := range p.ways {
			base := layout.DirectionOffset(d)
			h := layout.View[layout.Queue](aside, base+layout.QueueOffset)
			park.Kick(&h.Readable)
			park.Kick(&h.Writable)
			doorbell.RingAll(&p.obj, "bc"[d], layout.View[layout.Bells](aside, base+layout.BellsOffset))
		}
		return nil
	})
	return err
}

// Inherit describes p for Adopt in a forked child. Only for libraries that survive a fork; a Go
// program does not.
func (p *Pipe) Inherit() object.Inherited {
	in := p.obj.Inherit()
	in.Detail = uint32(p.end)
	return in
}

// Adopt makes a Pipe of what a forked child inherited. The lock of its end came with the descriptor.
func Adopt(in object.Inherited) (*Pipe, error) {
	p := &Pipe{}
	if err := p.obj.Adopt(p.want("adopt pipe after fork"), in); err != nil {
		return nil, err
	}
	p.take(int(in.Detail & 1))
	return p, nil
}
