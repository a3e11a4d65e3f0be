package layout

import "sync/atomic"

// Mutex is a lock that users hold, as long as they like: in the header of a sync object, or within
// that of another object. All zero it is free. Package mutex works on it.
//
//	 0  word        4  lock word: {waiters:1, owner token:31}, 0 when free
//	 4  depth       4  a lock of threads: how often its owner locked it
//	 8  owner       8  a lock of threads: {token:32, thread:32}, 0 when free
//	16  since       8  when somebody first saw that it was held, 0 nobody did
//	24  take-overs  8
//	32  zero       32
type Mutex struct {
	Word      atomic.Uint32
	Depth     atomic.Uint32 // the owner
	Owner     atomic.Uint64 // the owner, between taking the word and freeing it
	Since     atomic.Int64  // anyone, from 0; the owner, to 0. Nanoseconds of the system's monotonic clock
	TakeOvers atomic.Uint64 // anyone: times it was taken from a dead owner
	_         [64 - 32]byte
}
