package segment

import (
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
)

// Holder is a process and what it holds or waits for.
type Holder = object.Holder

// Stat is what a segment is, and who waits on it.
type Stat struct {
	Name      string
	Size      int64 // bytes in use
	MaxSize   int64 // bytes that it may grow to
	Transient bool
	Format    string // "" plain bytes
	ItemSize  int64  // bytes
	Shape     []int64
	Waiters   int64 // that sleep on a cell or the lock, as far as there are seats

	TakeOvers uint64 // times that the lock was taken over from the dead
}

// Stat tells what is known of the segment.
func (s *Segment) Stat() (st Stat, err error) {
	c := s.call("stat")
	if err := c.Begin(); err != nil {
		return st, err
	}
	defer c.End(&err)
	n, err := s.size()
	return Stat{
		Name: s.Name(), Size: n, MaxSize: s.MaxSize(), Transient: s.obj.File.Header().Flags()&layout.Transient != 0,
		Format: s.Format(), ItemSize: s.ItemSize(), Shape: s.Shape(),
		Waiters:   int64(len(s.obj.Waiters(s.h.Seat[:], waitNames))),
		TakeOvers: s.h.Lock.TakeOvers.Load(),
	}, err
}

// Waiters tells who sleeps on a cell or the lock. It knows layout.SegmentSeats of them.
func (s *Segment) Waiters() (ws []Holder, err error) {
	c := s.call("stat")
	if err := c.Begin(); err != nil {
		return nil, err
	}
	defer c.End(&err)
	return s.obj.Waiters(s.h.Seat[:], waitNames), nil
}

// Locks tells who holds the lock; nobody, mostly.
func (s *Segment) Locks() (holders []Holder, err error) {
	c := s.call("stat")
	if err := c.Begin(); err != nil {
		return nil, err
	}
	defer c.End(&err)
	h := s.lock().Holder()
	if h.Token == 0 {
		return nil, nil
	}
	return []Holder{{Process: s.obj.Process(h.Token), What: "lock", For: h.For}}, nil
}
