package psync

import (
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
)

// Stat is what an object is and who has it.
type Stat struct {
	Name      string
	Type      string // "lock", "bounded semaphore", ...
	Transient bool
	Reclaim   bool
	Limit     int64  // a semaphore's first value, a barrier's parties
	Value     int64  // free permits; read locks that are held; 1 if an event is set; who waits at a barrier or to be notified
	Broken    bool   // a barrier
	TakeOvers uint64 // locks taken over from the dead
	Reclaimed uint64 // permits, read locks and places taken back from the dead
	Holder    Holder // who has the lock, or the write lock; For is how long at least
	Depth     uint32 // of an rlock: how often its owner acquired it
	Waiters   int    // of those whose names are known, which are up to 64 in a lock, semaphore or event
}

// Holder is a process and what it holds or waits for.
type Holder = object.Holder

// Stat tells how things stand, without stopping anybody.
func (b *base) Stat() (s Stat, err error) {
	var o op
	if err = o.begin(b, "stat"); err != nil {
		return s, err
	}
	defer o.End(&err)
	flags, waiters := b.obj.File.Header().Flags(), b.waiters()
	s = Stat{
		Name: b.Name(), Type: b.kind.String(), Transient: flags&layout.Transient != 0,
		Reclaim: b.h.Flags&layout.SyncReclaim != 0, Limit: int64(b.h.Limit), Value: int64(b.h.Value.Load()),
		Broken: b.h.Broken.Load() != 0, TakeOvers: b.h.Lock.TakeOvers.Load(), Reclaimed: b.h.Reclaimed.Load(),
		Waiters: len(waiters),
	}
	if h := b.lock().Holder(); h.Token != 0 {
		s.Holder, s.Depth = Holder{Process: b.obj.Process(h.Token), For: h.For}, h.Depth
	}
	switch b.kind {
	case layout.SyncEvent:
		s.Value = int64(b.h.Mark.Load() & set)
	case layout.SyncBarrier:
		s.Value = int64(s.Waiters)
	case layout.SyncCondition:
		s.Value = int64(notifiable(waiters))
	}
	return s, nil
}

// notifiable counts those who wait to be notified.
func notifiable(waiters []Holder) (n int) {
	for _, w := range waiters {
		if w.What == waitNames[waitsForNotify] {
			n++
		}
	}
	return n
}

// Holders tells who holds the object, or has permits of it where that is known.
func (b *base) Holders() (hs []Holder, err error) {
	var o op
	if err = o.begin(b, "stat"); err != nil {
		return nil, err
	}
	defer o.End(&err)
	if h := b.lock().Holder(); h.Token != 0 {
		name := "lock"
		if b.kind == layout.SyncRWLock {
			name = "write lock"
		}
		hs = append(hs, Holder{Process: b.obj.Process(h.Token), What: name, For: h.For})
	}
	if b.ledger != nil {
		name := "permit"
		if b.kind == layout.SyncRWLock {
			name = "read lock"
		}
		b.each(func(e uint64) uint64 {
			if count, token := split(e); count > 0 {
				hs = append(hs, Holder{Process: b.obj.Process(token), What: name, Count: int64(count)})
			}
			return e
		})
	}
	if token := b.h.Turn.Load(); token != 0 {
		hs = append(hs, Holder{Process: b.obj.Process(token), What: "action"})
	}
	if token, _ := park.Holder(&b.h.Guard); token != 0 {
		hs = append(hs, Holder{Process: b.obj.Process(token), What: "guard"})
	}
	return hs, nil
}

var waitNames = map[uint32]string{
	waitsForLock: "lock", waitsForPermit: "permit", waitsForEvent: "event", waitsForNotify: "notify",
	waitsForParties: "parties", waitsToRead: "read lock", waitsToWrite: "write lock", waitsForGuard: "guard",
}

// Waiters tells who sleeps on the object, and for what.
func (b *base) Waiters() (ws []Holder, err error) {
	var o op
	if err = o.begin(b, "stat"); err != nil {
		return nil, err
	}
	defer o.End(&err)
	return b.waiters(), nil
}

// waiters come from the places where there are such, and else from the seats.
func (b *base) waiters() (ws []Holder) {
	if b.places == nil {
		return b.obj.Waiters(b.h.Seat[:], waitNames)
	}
	what := waitNames[waitsForNotify]
	if b.kind == layout.SyncBarrier {
		what = waitNames[waitsForParties]
	}
	now := object.Now() / int64(time.Second)
	places := b.taken()
	for i := range places {
		p := &places[i]
		state, token := split(p.Who.Load())
		if state != layout.PlaceWaiting {
			continue
		}
		if in := b.obj.Process(token); in.Alive {
			ws = append(ws, Holder{Process: in, What: what, For: time.Duration(now-int64(p.Since.Load())) * time.Second})
		}
	}
	for _, w := range b.obj.Waiters(b.h.Seat[:], waitNames) {
		if w.What == waitNames[waitsForLock] {
			ws = append(ws, w)
		}
	}
	return ws
}
