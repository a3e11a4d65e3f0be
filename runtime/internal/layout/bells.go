package layout

import "sync/atomic"

// BellsOffset is where the Bells of a Fifo lie in its block of the header area, behind ring 0's Ring.
const BellsOffset = 5632

// BellSeats is how many doorbells a Bells can name at a time.
const BellSeats = 256

// BellRingers is how many can be known to ring at a time.
const BellRingers = 12

// What a bell rings for: an index of Bells.Armed.
const (
	BellReadable = iota // there may be something to take
	BellWritable        // there may be room
	BellKinds
)

// Bells says who wants to be told, through a FIFO, when an object may have become ready. It lies in the header
// of whatever event loops can wait for; docs/spec/doorbell.md has the protocol.
//
//	  0 some    2 × u32       per kind, 1: there may be bits in armed
//	  8 next    u32           number of the FIFO made last
//	 16 armed   2 × 256 bits  per kind, a bit a seat: its bell is to be rung once
//	 80 ringer  12 × u32      see BellRinger
//	128 seat    256 × u64     see BellSeat
type Bells struct {
	Some   [BellKinds]atomic.Uint32                 // set by an owner behind his bit; cleared by who then looks at the bits
	Next   atomic.Uint32                            // anyone
	_      uint32                                   //
	Armed  [BellKinds][BellSeats / 64]atomic.Uint64 // set by the seat's owner; who clears a bit rings
	Ringer [BellRingers]atomic.Uint32               // 0, or who rings: he takes it and leaves it
	Seat   [BellSeats]atomic.Uint64                 // changed by compare-and-swap: its owner, or who found that one dead
}

// BellsSize is the size of Bells in bytes.
const BellsSize = 128 + 8*BellSeats

// BellPassed is set, beside his token, in the word of a ringer who will clear no more bits, and may have bytes to write
// for those that he has cleared. Without it he is about to look whether what he rings for is still there, and to clear.
const BellPassed = 1 << 31

// BellSeat is a seat's word, 0 when it is free:
//
//	63 .. 32  number n of the FIFO, the part <uuid>.<letter>n
//	31        kind
//	30 ..  0  token of its owner
//
// Owner and FIFO are one word, so there is no moment in which a seat is taken and nobody knows what its
// owner leaves behind.
func BellSeat(number uint32, kind int, token uint32) uint64 {
	return uint64(number)<<32 | uint64(kind)<<31 | uint64(token)
}

// SplitBellSeat undoes BellSeat.
func SplitBellSeat(seat uint64) (number uint32, kind int, token uint32) {
	return uint32(seat >> 32), int(seat >> 31 & 1), uint32(seat) &^ (1 << 31)
}
