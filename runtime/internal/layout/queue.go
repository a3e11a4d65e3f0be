package layout

import "sync/atomic"

// QueueOffset is where a Queue lies in its file, behind the Header.
const QueueOffset = 128

// QueueHeaderBytes is how much of a queue's header area is in use: Header, Queue and ring 0's Ring.
const QueueHeaderBytes = 8192

// Seats is how many sleepers a queue can name to an operator; the wake-ups don't need them.
const Seats = 64

// Queue is a queue's header. Each word that one side writes often has 128 bytes to itself (a
// cache line and the one the processor fetches with it). P and C as for Ring.
//
// Lock words hold {waiters:1, owner token:31}, 0 when free. Wait words hold {sequence:31, a
// sleeper is there:1}.
type Queue struct {
	MaxSize  uint64 // fixed. Most live messages, 0 no limit
	Capacity uint64 // fixed. Most bytes of live records, 0 no limit
	Data     uint64 // fixed. Size of ring 0's data area
	_        [128 - 24]byte

	First    atomic.Uint64 // P and C. Number of the oldest ring in use
	Shutdown atomic.Uint32 // P. 0, 1 draining, 2 immediate; only grows
	_        [128 - 12]byte

	Rescan atomic.Uint32 // anyone: set after a record went back to ready; C clears it
	Dirty  atomic.Uint32 // anyone: set after a record was finished without the lock; C clears it
	_      [128 - 8]byte

	Producers atomic.Uint32 // lock word
	_         [4]byte
	Claimant  atomic.Uint64 // P. {token:32, millisecond:32} of a big put that small ones must not starve
	SideSeq   uint64        // P. Sequence number of the newest side message
	NextRing  uint64        // P. Number for the next ring that is made; numbers are never used twice
	Growing   uint64        // P. Number of the ring in the making, 0 none: a repair removes its part
	Grown     uint64        // P. Rings added, for stat
	_         [128 - 48]byte

	Consumers atomic.Uint32 // lock word
	_         [4]byte
	Retiring  uint64        // P and C. Number of the ring being removed, 0 none: a repair removes its part
	Finished  uint64        // C. Acked records behind the head
	Abandoned uint64        // C. Abandoned records behind the head
	Tasks     atomic.Uint64 // C. Calls of task_done
	Sweep     Sweep         // C
	_         [128 - 80]byte

	Readable atomic.Uint32 // wait word: there may be a message
	_        [124]byte
	Writable atomic.Uint32 // wait word: there may be room
	_        [124]byte
	Joinable atomic.Uint32 // wait word: everything may be done
	_        [124]byte

	TakeOvers   atomic.Uint64 // anyone. Locks taken over from the dead, for stat
	Redelivered atomic.Uint64 // anyone. Leases that came back, for stat
	_           [128 - 16]byte

	Seat [Seats]Seat
}

// Sweep is the journal of a sweep that moves a ring's head over finished records and counts them:
// filled in, made valid by one store, carried out, made invalid. A rescuer that finds it valid
// carries it out again; all values are absolute, so once more does no harm.
type Sweep struct {
	Valid     atomic.Uint32
	_         uint32
	Ring      uint64
	Head      uint64
	Finished  uint64
	Abandoned uint64
}

// Seat is where a sleeper says who it is and what it waits for. Anyone may take a seat that is
// free or whose owner is dead.
type Seat struct {
	Who   atomic.Uint64 // {what:32, token:32}, 0 free
	Since atomic.Int64  // nanoseconds of the system's monotonic clock
}
