package layout

// The members file: who takes part in a root. Written with pwrite only, so that a full filesystem
// is an error and not a SIGBUS, and never mapped writable. Its Header has the kind KindMembers;
// docs/spec/members.md has the protocol.
const (
	Slots          = 4096                        // processes in a root
	SlotSize       = 256                         // bytes of Slot
	MembersFile    = HeaderArea + Slots*SlotSize // bytes of the file
	MembersCursor  = HeaderSize                  // uint32: where the next process starts to look; a hint
	TokenSlotShift = 19                          // see Token
	Generations    = 1 << TokenSlotShift         // a slot's generation is in [1, Generations)
)

// SlotOffset is where slot begins in the file. The byte there is also the one that its owner holds
// an exclusive open-file-description lock on, for as long as it lives.
func SlotOffset(slot int) int64 { return HeaderArea + int64(slot)*SlotSize }

// Slot is one process's entry. Who holds the lock on its first byte writes it: first the
// generation alone, which only ever grows (and wraps from Generations-1 to 1), then the rest, last
// Written. An entry is whole when Written == Generation.
type Slot struct {
	Generation uint32
	Pid        uint32    // in the namespace PidNS
	UUID       [16]byte  // of this membership
	Joined     int64     // nanoseconds since 1970, UTC
	StartTicks uint64    // start of the process in clock ticks after boot, as in /proc/PID/stat; 0 unknown
	PidNS      uint64    // inode of the pid namespace; 0 unknown
	Language   [16]byte  // "go", "c", "python"; zero-padded
	Command    [184]byte // command line, arguments separated by spaces, cut off; zero-padded
	_          uint32
	Written    uint32
}

// Token names an owner in a lock word:
//
//	31      30 .. 19   18 .. 0
//	waiter  slot       generation
//
// The waiter bit belongs to the lock word; in a token it is 0. No token is 0.
func Token(slot int, generation uint32) uint32 { return uint32(slot)<<TokenSlotShift | generation }

// SplitToken returns the slot and generation of a token, whatever its waiter bit.
func SplitToken(token uint32) (slot int, generation uint32) {
	return int(token >> TokenSlotShift & (Slots - 1)), token & (Generations - 1)
}
