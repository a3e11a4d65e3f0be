package pipe

import (
	"github.com/polyipc/polyipc/runtime/internal/fifo"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
)

// Stat is what a pipe holds and has done, as one end sees it.
type Stat struct {
	Name                      string
	Capacity                  int64 // bytes for each direction, rounded up
	OneWay, Transient, Pickle bool
	End                       End
	Other                     Presence
	In, Out                   Direction // zero where the pipe is one-way the other way round
	TakeOvers                 uint64    // locks taken over from the dead
}

// Direction is what goes one way.
type Direction struct {
	Messages  int64  // sent and not received
	Bytes     int64  // of them, headers included
	Sent      uint64 // committed or being written, since creation
	Received  uint64 // since creation
	Abandoned uint64 // sends whose process died or gave up while writing
}

// Presence says whether somebody is at an end.
type Presence int

// What an end may be.
const (
	Unopened Presence = iota // nobody has opened it yet
	Present
	Gone
)

// Stat counts under the pipe's locks, one direction after the other.
func (p *Pipe) Stat() (s Stat, err error) {
	c := object.Call{Object: &p.obj, Verb: "stat"}
	if err = c.Begin(); err != nil {
		return s, err
	}
	defer c.End(&err)
	flags := p.obj.File.Header().Flags()
	_, capacity := p.directions[0].Bounds()
	s = Stat{
		Name: p.Name(), Capacity: int64(capacity), OneWay: p.ways == 1, End: p.End(),
		Transient: flags&layout.Transient != 0, Pickle: flags&layout.Pickle != 0,
	}
	s.Other = p.presence(1 - p.end)
	for _, d := range []struct {
		fifo *fifo.Fifo
		to   *Direction
	}{{p.in, &s.In}, {p.out, &s.Out}} {
		if d.fifo == nil {
			continue
		}
		f, err := d.fifo.Stat()
		if err != nil {
			return s, err
		}
		*d.to = directionOf(f)
		s.TakeOvers += f.TakeOvers
	}
	return s, nil
}

// What the C library needs to send and receive small messages, and to wait for them, without entering Go.
// A Go program has no use for it.

// Shared is where a pipe's directions lie, zero where it has none; where the word lies that says whether the other
// end has been opened, and which byte of the file is locked by who has it open.
type Shared struct {
	In, Out fifo.Shared
	Opened  uintptr
	Lock    int64
}

// Shared tells where the pipe lies. It touches nothing of the file.
func (p *Pipe) Shared() (s Shared) {
	if p.in != nil {
		s.In = p.in.Shared()
	}
	if p.out != nil {
		s.Out = p.out.Shared()
	}
	file, _ := layout.Address(p.obj.File.Mem)
	s.Opened = file + layout.PipeOffset + 4*uintptr(1-p.end)
	s.Lock = shm.EndLock + int64(1-p.end)
	return s
}

// SitForMessage takes a seat for a thread that will wait for a message outside of Go, and returns
// its number, -1 without one. Whoever sits gives the seat back by himself.
func (p *Pipe) SitForMessage() (seat int) { return p.in.SitForMessage() }

// Settle moves the head over records that were finished without the lock.
func (p *Pipe) Settle() error { return p.in.Settle() }
