package layout

import "sync/atomic"

// ManagerOffset is where a Manager lies in its file, behind the Header, and ManagerBells where its bell words begin.
const (
	ManagerOffset = 128
	ManagerBells  = 4096
)

// ManagerSlots is how many bell words there are: the most local clients at a time.
const ManagerSlots = 8192

// ManagerHeaderBytes are in use of a manager's file.
const ManagerHeaderBytes = ManagerBells + 4*ManagerSlots

// Manager is the header of a manager.
type Manager struct {
	Token uint32 // fixed. Owner token of the server
	_     uint32
	Epoch uint64 // fixed. A random number, in the references to its objects
}

// The bits of a bell word.
const (
	RingOnSend uint32 = 1 // the server does not look at that client's pipe
	RingOnRecv uint32 = 2 // the server waits for room in it
	AtHost     uint32 = 4 // it called a host lately, or is one: what it waits for, a third process has to do
)

// BellWords views the bell words.
func BellWords(mem []byte) []atomic.Uint32 {
	return Slice[atomic.Uint32](mem, ManagerBells, ManagerSlots)
}
