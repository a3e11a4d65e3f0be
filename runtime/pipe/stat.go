package pipe

import (
	"github.com/polyipc/polyipc/runtime/internal/fifo"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
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
	switch {
	case p.h.Opened[1-p.end].Load() == 0:
	case p.other(true):
		s.Other = Present
	default:
		s.Other = Gone
	}
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
		*d.to = Direction{Messages: f.Messages + f.Leased, Bytes: f.Bytes, Sent: f.Put, Received: f.Taken, Abandoned: f.Abandoned}
		s.TakeOvers += f.TakeOvers
	}
	return s, nil
}
