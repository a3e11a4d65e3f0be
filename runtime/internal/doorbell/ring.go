package doorbell

import (
	"math/bits"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
)

// Ring tells all who wait for it that the object may be ready. Behind the commit, a sequentially
// consistent store, and within a call.
//
//	ringer                        owner of a bell
//	commits a message             drains, sets its bit, then some
//	some is 1: clears it          looks whether there is a message
//	looks at the bits
//
// One of the two sees the other. Killed in between, the ringer takes the rings with him: the owner's watch finds
// a bell that is neither armed nor rung, or armed though some is 0; what he says of himself is taken for nothing.
func (b *Bells) Ring(kind int) {
	if b.Armed(kind) {
		b.ring(kind)
	}
}

// What he has committed may be gone by now, taken by who polls or was told by another. Were his bell armed again
// already, it would have him come for nothing, and stay, if he then takes a message in a call that waits. So a ringer
// looks first, and an owner who has armed his bell waits for those who had looked before (settle).
func (b *Bells) ring(kind int) {
	r := enter(b.h, b.obj)
	defer r.leave()
	crash.Point("doorbell.ring.entered")
	if !b.of.Wanted(kind) {
		return
	}
	b.h.Some[kind].Store(0)
	crash.Point("doorbell.ring.looks")
	armed := disarmAll(b.h, kind)
	r.pass()
	crash.Point("doorbell.ring.cleared")
	armed.each(func(seat int) { b.ringSeat(kind, seat) })
}

// RingAll rings for both kinds, for who has no handle of the object any more, and without a look: for what stays so.
// Seats of the dead stay.
func RingAll(of *object.Object, letter byte, h *layout.Bells) {
	r := enter(h, of)
	defer r.leave()
	var armed [layout.BellKinds]seats
	for kind := range armed {
		h.Some[kind].Store(0)
		armed[kind] = disarmAll(h, kind)
	}
	r.pass()
	for kind := range armed {
		armed[kind].each(func(seat int) {
			number, _, _ := layout.SplitBellSeat(h.Seat[seat].Load())
			of.Root.RingBell(of.UUID(), letter, uint64(number))
		})
	}
}

func (b *Bells) ringSeat(kind, seat int) {
	word := b.h.Seat[seat].Load()
	if mine := b.mine[kind].Load(); mine != nil && mine.seat == seat {
		shm.WriteBell(mine.fd)
		return
	}
	number, _, token := layout.SplitBellSeat(word)
	if token == 0 || b.obj.Root.RingBell(b.obj.UUID(), b.of.Letter, uint64(number)) || b.obj.Member.Alive(token) {
		return
	}
	b.free(seat, word)
}

// Armed reports whether somebody may have to be told.
func (b *Bells) Armed(kind int) bool { return b.h.Some[kind].Load() != 0 }

// seats are a bit for each.
type seats [layout.BellSeats / 64]uint64

// disarmAll clears all bits of a kind: who calls it owes those seats a byte.
func disarmAll(h *layout.Bells, kind int) (were seats) {
	for i := range were {
		if a := &h.Armed[kind][i]; a.Load() != 0 {
			were[i] = a.Swap(0)
		}
	}
	return were
}

func (s *seats) each(f func(seat int)) {
	for i, set := range s {
		for ; set != 0; set &= set - 1 {
			f(64*i + bits.TrailingZeros64(set))
		}
	}
}
