package layout

import "sync/atomic"

// SyncOffset is where a Sync lies in its file, behind the Header.
const SyncOffset = 128

// SyncType says which synchronisation object a file is. Numbers are for ever.
type SyncType uint32

const (
	SyncLock             SyncType = 1
	SyncRLock            SyncType = 2
	SyncSemaphore        SyncType = 3
	SyncBoundedSemaphore SyncType = 4
	SyncCondition        SyncType = 5
	SyncEvent            SyncType = 6
	SyncBarrier          SyncType = 7
	SyncRWLock           SyncType = 8
)

// String returns the type's name, such as "bounded semaphore"; "" for a number that is none.
func (t SyncType) String() string {
	if t < SyncLock || t > SyncRWLock {
		return ""
	}
	return [...]string{"lock", "rlock", "semaphore", "bounded semaphore", "condition", "event", "barrier", "rwlock"}[t-1]
}

// SyncReclaim is the flag of a semaphore to which the permits of dead processes return.
const SyncReclaim uint32 = 1

// Sync is the header of a synchronisation object. What its type does not need is zero. G: written by
// the holder of the guard.
//
// Lock words and wait words are as in Queue.
type Sync struct {
	Type   SyncType // fixed
	Flags  uint32   // fixed. SyncReclaim
	Limit  uint64   // fixed. A semaphore's first value, a barrier's parties
	Places uint32   // fixed. How many places there are
	_      [128 - 20]byte

	Lock Mutex // of a lock, an rlock, a condition; of an rwlock's writers
	_    [128 - 64]byte

	Guard   atomic.Uint32 // lock word
	Pending uint32        // G. An rwlock's readers that wait
	Value   atomic.Uint64 // permits that are free (anyone, by compare-and-swap; with a ledger G); G: read locks that are held
	Added   atomic.Uint64 // G. A semaphore with a ledger: permits that came in addition to Limit
	Ticket  uint64        // G. The newest condition ticket
	Round   uint64        // G. A barrier's round, from 0
	Ending  atomic.Uint64 // G. {round:62, how:2} while a barrier's round is being ended, else 0
	Broken  atomic.Uint32 // G. 1: a barrier is broken
	Turn    atomic.Uint32 // G. Token of who runs a barrier's action
	Top     atomic.Uint32 // G. No place at or behind it was ever taken
	Active  atomic.Uint32 // G. 1: an rwlock's writer is in
	Admit   int64         // G. When readers were let pass before the next writer, on the monotonic clock; 0 they are in
	Died    atomic.Uint32 // 1: an rwlock's writer died, and no writer was told yet
	_       [128 - 76]byte

	Mark atomic.Uint32 // an event: {generation:31, set:1}
	_    [124]byte

	Word    atomic.Uint32 // wait word: there may be a permit; the event was set; the round ended; readers may pass
	_       [124]byte
	Drained atomic.Uint32 // wait word: an rwlock's readers may be gone
	_       [124]byte

	Searched  atomic.Int64  // anyone. When the dead were last looked for, on the monotonic clock
	Reclaimed atomic.Uint64 // anyone. Permits, places and read locks taken back from the dead, for stat
	_         [128 - 16]byte

	Seat [Seats]Seat
}

// SyncArea is where places, or the ledger, lie in the file.
const SyncArea = 4096

// Place is a thread's place in a condition or barrier.
type Place struct {
	Who    atomic.Uint64 // {state:32, token:32}, 0 free; stored last
	Ticket uint64        // a condition: smaller is older. A barrier: {round:48, index:16}
	Word   atomic.Uint32 // wait word of who waits here, in a condition
	Since  atomic.Uint32 // seconds of the monotonic clock, for stat
}

// PlaceSize is the size of a Place in bytes.
const PlaceSize = 24

// States of a place.
const (
	PlaceWaiting uint32 = 1
	PlaceCalled  uint32 = 2 // notified; the barrier let it pass
	PlaceBroken  uint32 = 3 // the barrier broke
)

// MaxPlaces is how many fit.
const MaxPlaces = (HeaderArea - SyncArea) / PlaceSize

// Ledger says what each process of the root holds, by its slot.
type Ledger struct {
	Used  [Slots / 64]atomic.Uint64 // G. Slots whose entry may not be zero
	Entry [Slots]atomic.Uint64      // G. {count:32, token:32}
}

// LedgerSize is the size of a Ledger in bytes.
const LedgerSize = Slots/8 + Slots*8
