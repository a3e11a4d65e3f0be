package doorbell

import (
	"fmt"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// take finds a seat for a new bell and makes its FIFO.
func (b *Bells) take(kind int) (*bell, error) {
	seat, err := b.sit(kind)
	if err != nil {
		return nil, err
	}
	own := &bell{seat: seat}
	for {
		own.word = b.h.Seat[seat].Load()
		number, _, _ := layout.SplitBellSeat(own.word)
		own.fd, err = b.obj.Root.MakeBell(b.obj.UUID(), b.of.Letter, uint64(number))
		switch ipcerr.CodeOf(err) {
		case 0:
			crash.Point("doorbell.take.made")
			return own, nil
		case ipcerr.Exists: // the numbers have come round
			b.h.Seat[seat].Store(layout.BellSeat(b.h.Next.Add(1), kind, b.obj.Me))
		default:
			b.h.Seat[seat].CompareAndSwap(own.word, 0)
			return nil, err
		}
	}
}

// sit takes a free seat, or a dead process's. Dead behind it, we leave a seat that the next one who needs it,
// or rings it, frees together with its FIFO.
func (b *Bells) sit(kind int) (int, error) {
	for round := range 2 {
		for i := range uint32(layout.BellSeats) {
			seat := int((i + b.obj.Me) % layout.BellSeats)
			old := b.h.Seat[seat].Load()
			if old != 0 {
				if _, _, token := layout.SplitBellSeat(old); round == 0 || b.obj.Member.Alive(token) {
					continue
				}
				if !b.free(seat, old) {
					continue
				}
			}
			if b.h.Seat[seat].CompareAndSwap(0, layout.BellSeat(b.h.Next.Add(1), kind, b.obj.Me)) {
				crash.Point("doorbell.take.seated")
				return seat, nil
			}
		}
	}
	return -1, &ipcerr.Error{Op: "poll " + b.obj.Noun, Name: b.obj.Name(), Code: ipcerr.Limit,
		Hint: fmt.Sprintf("%d descriptors are in use to wait for it: close some, or wait without one", layout.BellSeats)}
}

// free gives up the seat of a dead owner. The FIFO goes first: who dies in between leaves a seat that says the
// same as before, and the number is never another's.
func (b *Bells) free(seat int, word uint64) bool {
	number, _, _ := layout.SplitBellSeat(word)
	_ = b.obj.Root.RemovePart(b.obj.UUID(), b.of.Letter, uint64(number))
	crash.Point("doorbell.free.removed")
	for kind := range layout.BellKinds {
		b.disarm(kind, seat)
	}
	return b.h.Seat[seat].CompareAndSwap(word, 0)
}

// leave gives up an own seat.
func (b *Bells) leave(kind int, own *bell) {
	number, _, _ := layout.SplitBellSeat(own.word)
	b.obj.Root.CloseBell(b.obj.UUID(), b.of.Letter, uint64(number), own.fd)
	crash.Point("doorbell.leave.closed")
	defer func() { _ = recover() }() // the seat's page is gone: nobody can find it any more
	b.disarm(kind, own.seat)
	b.h.Seat[own.seat].CompareAndSwap(own.word, 0)
}
