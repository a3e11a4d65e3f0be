package layout

import (
	"sync/atomic"
	"unsafe"
)

// RingOffset is where the Ring lies in a file that has one: in the queue's own file for ring 0,
// in a part of its own for every further one.
const RingOffset = 4096

// Ring is the state of one message ring; no lock lies here, they are all in Queue. Positions count
// bytes from the ring's making and only grow; a record at position p starts at byte p mod the
// size of the data area. Who may write is said on each field: P the holder of the producer lock,
// C the holder of the consumer lock.
//
//	  0 tail | last | head seen | head sequence seen | next         P
//	128 head | cursor | reach | tail seen                           C
type Ring struct {
	Tail        atomic.Uint64 // P. End of what is committed or reserved: the commit of a put
	Last        uint64        // P. Start of the newest record; >= Tail while a put is in the making
	HeadSeen    uint64        // P. A head read earlier: saves looking at the consumers' line
	HeadSeqSeen uint64        // P. The sequence number at HeadSeen
	Next        atomic.Uint64 // P. Number of the ring that follows, 0 none; then Tail is final
	_           [128 - 40]byte

	Head     atomic.Uint64 // C. Start of the oldest record that is not finished: the commit of a get
	Cursor   uint64        // C. No record before it is ready, unless Queue.Rescan is set
	Reach    uint64        // C. No record at or behind it was ever claimed
	TailSeen uint64        // C. A tail read earlier
	_        [128 - 32]byte
}

// A record is 24 bytes of header and the payload, padded to 8:
//
//	 0 length   u32  bytes of payload
//	 4 flags    u16  Side, and in the upper byte how many objects the message refers to
//	 6 format   u16  how the payload is to be read
//	 8 sequence u64  one more than that of the record before
//	16 state    u64  see State
type Record struct {
	Length   uint32
	Flags    uint16
	Format   uint16
	Sequence uint64
	state    State
}

// State is the record's state now.
func (r *Record) State() State { return State(atomic.LoadUint64((*uint64)(&r.state))) }

// Move changes the state from exactly old to next; false means that it was not old.
func (r *Record) Move(old, next State) bool {
	return atomic.CompareAndSwapUint64((*uint64)(&r.state), uint64(old), uint64(next))
}

// Begin sets the state of a record that nobody sees yet: publishing it is what orders the store.
func (r *Record) Begin(s State) { r.state = s }

// RecordHeader is the size of a Record in bytes.
const RecordHeader = 24

// Side marks a record whose payload lies in the part <uuid>.m<sequence>; the record's own 8 bytes
// of payload are its length in bytes.
const Side uint16 = 1

// MaxLinks is how many objects a message can refer to. Each is held by a part, a hard link: the i-th, from 0,
// has the number sequence*256 + i.
const MaxLinks = 255

// Links is how many links the flags of a record tell of, LinkFlags the flags for so many.
func Links(flags uint16) int              { return int(flags >> 8) }
func LinkFlags(links int) uint16          { return uint16(links) << 8 }
func LinkNumber(seq uint64, i int) uint64 { return seq<<8 | uint64(i) }

// RecordSize is what a record with n bytes of payload takes in a ring.
func RecordSize(n uint64) uint64 { return (RecordHeader + n + 7) &^ 7 }

// State is a record's state word:
//
//	bits 60-63  phase
//	bits 48-59  deliveries before this one, stays at 4095
//	bits 31-47  second of the lease, of the system's boot clock, modulo 2^17
//	bits  0-30  token of the owner: who writes it (Reserved) or holds its lease (Leased)
//
// It changes only by compare-and-swap from the exact value that was seen, so of two who want
// to move a record one loses and knows it.
type State uint64

// The phases of a record. None is only ever seen in damaged memory.
const (
	None      State = iota << 60
	Reserved        // its producer is writing; holds a place, not a message
	Ready           // to be delivered
	Leased          // in the hands of a consumer
	Done            // gotten; one task_done is owed
	Acked           // finished
	Abandoned       // its producer gave up or died; never was a message
)

const (
	phaseMask   State = 15 << 60
	countShift        = 48
	countMask   State = 4095 << countShift
	stampShift        = 31
	stampMask   State = 1<<17 - 1
	tokenMask   State = 1<<31 - 1
	maxDelivery       = 4095
)

// Phase is what the record is.
func (s State) Phase() State { return s & phaseMask }

// Owner is the token of the record's writer or lessee.
func (s State) Owner() uint32 { return uint32(s & tokenMask) }

// Deliveries is how often it was delivered before.
func (s State) Deliveries() uint32 { return uint32(s & countMask >> countShift) }

// Live reports whether the record counts against the queue's bounds.
func (s State) Live() bool { p := s.Phase(); return p == Reserved || p == Ready || p == Leased }

// Lease is the state of the same record in the hands of owner from second on.
func (s State) Lease(owner uint32, second int64) State {
	return Leased | s&countMask | (State(second)&stampMask)<<stampShift | State(owner)&tokenMask
}

// Return is the state of a leased record that goes back: ready, one delivery more.
func (s State) Return() State {
	if s.Deliveries() < maxDelivery {
		s += 1 << countShift
	}
	return Ready | s&countMask
}

// Age is how many seconds before second the lease was given, if that is less than 36 hours.
func (s State) Age(second int64) int64 {
	return int64((State(second) - s>>stampShift) & stampMask)
}

// ReservedBy is the state of a record that owner is writing.
func ReservedBy(owner uint32) State { return Reserved | State(owner)&tokenMask }

// Data is a ring's data area, mapped twice side by side, so that a record which begins in the
// area lies in one piece.
type Data struct {
	base unsafe.Pointer
	size uint64
}

// DataAt views mem, two mappings of the same size bytes, as a data area.
func DataAt(mem []byte, size uint64) Data {
	if size == 0 || size&(size-1) != 0 || uint64(len(mem)) < 2*size {
		panic("layout: a data area is a power of two, mapped twice")
	}
	return Data{unsafe.Pointer(unsafe.SliceData(mem)), size}
}

// Size is the area's size in bytes.
func (d Data) Size() uint64 { return d.size }

// Record is the record at position pos, which must be a multiple of 8.
//
// Valid because pos is cut to [0, size) and a header's 24 bytes then end inside the second mapping.
func (d Data) Record(pos uint64) *Record {
	return (*Record)(unsafe.Add(d.base, pos&(d.size-1)&^7))
}

// Payload is the n bytes behind the record's header. n must be at most size-RecordHeader, which the
// caller has checked: it came from shared memory.
func (d Data) Payload(pos uint64, n uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(d.base, pos&(d.size-1)&^7+RecordHeader)), n)
}

// Address is where mem lies, and how long it is: what a forked child needs to find it again.
func Address(mem []byte) (uintptr, int) {
	return uintptr(unsafe.Pointer(unsafe.SliceData(mem))), len(mem)
}
