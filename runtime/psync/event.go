package psync

import (
	"context"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/wait"
)

// Event is a flag to wait for. An event that is set and cleared again at once wakes all who waited.
type Event struct{ base }

// CreateEvent makes an event that is not set.
func CreateEvent(name string, o Options) (*Event, error) {
	return open(&Event{}, create, name, what{o, layout.SyncEvent, 0})
}

// OpenEvent opens an existing event.
func OpenEvent(name string, o Options) (*Event, error) {
	return open(&Event{}, openOnly, name, what{o, layout.SyncEvent, 0})
}

// OpenOrCreateEvent opens the event or makes it.
func OpenOrCreateEvent(name string, o Options) (*Event, error) {
	return open(&Event{}, openOrCreate, name, what{o, layout.SyncEvent, 0})
}

// Mark is {generation:31, set:1}. The generation counts how often the event was set, so that a waiter sees
// that it was, though it is not any more.
const set = 1

// Set sets the event and wakes all who wait.
//
// Killed between the two, the waiters see it when their slices end.
func (e *Event) Set() (err error) {
	var o op
	if err = o.begin(&e.base, "set"); err != nil {
		return err
	}
	defer o.End(&err)
	for m := e.h.Mark.Load(); m&set == 0; m = e.h.Mark.Load() {
		if e.h.Mark.CompareAndSwap(m, m+2|set) {
			break
		}
	}
	crash.Point("psync.set.stored")
	park.WakeAll(&e.h.Word)
	e.bells.Ring(layout.BellReadable)
	e.bells.Settle()
	return nil
}

// Clear takes the flag back.
func (e *Event) Clear() (err error) {
	var o op
	if err = o.begin(&e.base, "clear"); err != nil {
		return err
	}
	defer o.End(&err)
	e.h.Mark.And(^uint32(set))
	e.bells.Settle()
	return nil
}

// IsSet reports whether the event is set now.
func (e *Event) IsSet() (is bool, err error) {
	var o op
	if err = o.begin(&e.base, "look at"); err != nil {
		return false, err
	}
	defer o.End(&err)
	e.bells.Settle() // if another process cleared it, a loop learns of that here
	return e.h.Mark.Load()&set != 0, nil
}

// Mark is odd while the event is set, and another number after each time that it was: for who waits for it in pieces.
func (e *Event) Mark() (mark uint32, err error) {
	var o op
	if err = o.begin(&e.base, "look at"); err != nil {
		return 0, err
	}
	defer o.End(&err)
	e.bells.Settle()
	return e.h.Mark.Load(), nil
}

// Wait waits until the event is set, or was set since the call began.
func (e *Event) Wait(ctx context.Context) (err error) {
	var o op
	if err = o.begin(&e.base, "wait for"); err != nil {
		return err
	}
	defer o.End(&err)
	began := e.h.Mark.Load()
	if began&set != 0 {
		return nil
	}
	w := e.waiter(waitsForEvent)
	w.Try = func() (bool, error) { return e.h.Mark.Load() != began, nil }
	return park.Wait(ctx, &w)
}

// Readable is for package wait: ready while the event is set. Its PollFD is for poll, epoll and select.
func (e *Event) Readable() wait.Waitable { return e.bells.At(layout.BellReadable) }

func (b *base) isReady(int, bool) (bool, error) { return b.isSet(), nil }

func (b *base) isSet() bool { return b.h.Mark.Load()&set != 0 }
