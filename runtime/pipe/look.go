package pipe

import (
	"errors"

	"github.com/polyipc/polyipc/runtime/internal/fifo"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Seen is what an operator sees of a pipe, who takes no end of it.
type Seen struct {
	Name                      string
	Capacity                  int64 // bytes for each direction, rounded up
	OneWay, Transient, Pickle bool
	Ends                      [2]Presence // the first and the second
	Ways                      []Way       // what the first end receives; of a duplex pipe also what the second does
	TakeOvers                 uint64      // locks taken over from the dead
}

// Way is a direction with who is at it.
type Way struct {
	Direction
	// Blocked is not nil if a lock is held for longer than a second: then there are no counts.
	Blocked error
	Holders []Holder // of locks, and of messages being written or received
	Waiters []Holder
}

// Holder is a process and what it holds or waits for: "producer lock", "consumer lock", "lease" of a large message
// that it receives, "message being written", "message", "room".
type Holder = object.Holder

// Look tells what an operator may want to know of a pipe. It is no end of it, and nothing is changed.
func Look(name string, o Options) (s Seen, err error) {
	p := &Pipe{}
	w := p.want("look at pipe")
	w.Root, w.Name, w.Open = o.Root, name, true
	w.Matches = func() error { return nil }
	if err = p.obj.Open(w); err != nil {
		return s, err
	}
	defer func() { _ = p.obj.Close(nil, func() {}) }()
	c := object.Call{Object: &p.obj, Verb: "look at"}
	if err = c.Begin(); err != nil {
		return s, err
	}
	defer c.End(&err)
	flags := p.obj.File.Header().Flags()
	_, capacity := p.directions[0].Bounds()
	s = Seen{
		Name: p.Name(), Capacity: int64(capacity), OneWay: p.ways == 1,
		Transient: flags&layout.Transient != 0, Pickle: flags&layout.Pickle != 0,
	}
	for end := range s.Ends {
		s.Ends[end] = p.presence(end)
	}
	for d := range p.ways {
		way, takeOvers, err := lookAt(&p.directions[d])
		if err != nil {
			return s, err
		}
		s.Ways = append(s.Ways, way)
		s.TakeOvers += takeOvers
	}
	return s, nil
}

// presence is who is at an end that is not p's own.
func (p *Pipe) presence(end int) Presence {
	switch {
	case p.h.Opened[end].Load() == 0:
		return Unopened
	case p.obj.File.EndTaken(end):
		return Present
	}
	return Gone
}

func lookAt(f *fifo.Fifo) (w Way, takeOvers uint64, err error) {
	locks, err := f.Locks() // before the counting holds them
	if err != nil {
		return w, 0, err
	}
	st, held, err := f.Detail()
	switch {
	case errors.Is(err, ipcerr.Timeout):
		w.Blocked = err
		w.Holders = locks
	case err != nil:
		return w, 0, err
	default:
		w.Direction = directionOf(st)
		w.Holders = held
	}
	w.Waiters, err = f.Waiters()
	return w, st.TakeOvers, err
}

func directionOf(s fifo.Stat) Direction {
	return Direction{Messages: s.Messages + s.Leased, Bytes: s.Bytes, Sent: s.Put, Received: s.Taken, Abandoned: s.Abandoned}
}

// Hint is a guess, without a lock, whether TryRecv might find something, for who looks at many pipes in a loop.
// A page that was truncated away is a panic.
func (p *Pipe) Hint() bool {
	if !p.obj.Calls.Enter() {
		return true // TryRecv tells
	}
	defer p.obj.Calls.Leave()
	return p.in != nil && p.in.Hint()
}

// SpinPolitely has receives of this end give their processor to others as they spin, before they sleep, if when says so: that
// a third process has to do something first, which else, on two processors, has none. Before the first receive. It is
// called within a call: a page that was truncated away may be a panic in it.
func (p *Pipe) SpinPolitely(when func() bool) {
	if p.in != nil {
		p.in.SpinPolitely(when)
	}
}
