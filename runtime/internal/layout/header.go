package layout

import (
	"fmt"
	"sync/atomic"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

const (
	// Version of this layout. Files of another version are refused.
	Version = 1

	// HeaderArea is where the data of every file starts. Data areas that are mapped twice are
	// multiples of it, so that they are a whole number of pages on every machine: it is the largest
	// page size in use.
	HeaderArea = 64 << 10

	// HeaderSize is the length of Header. What follows it, up to HeaderArea, is the kind's own.
	HeaderSize = 128

	// MaxFile bounds the size of a file, so that sums of sizes cannot overflow.
	MaxFile = 1 << 46
)

// Magic is the first eight bytes of every file.
var Magic = [8]byte{'p', 'o', 'l', 'y', 'i', 'p', 'c', 0}

// Kind says what a file holds.
type Kind uint32

// The kinds. From KindRing on they are parts, which belong to an object and have no life of their
// own.
const (
	KindMembers Kind = 1
	KindQueue   Kind = 2
	KindPipe    Kind = 3
	KindSegment Kind = 4
	KindSync    Kind = 5
	KindManager Kind = 6
	KindRing    Kind = 16
	KindMessage Kind = 17
)

// String returns the kind's noun, such as "queue".
func (k Kind) String() string {
	switch k {
	case KindMembers:
		return "members"
	case KindQueue:
		return "queue"
	case KindPipe:
		return "pipe"
	case KindSegment:
		return "segment"
	case KindSync:
		return "sync"
	case KindManager:
		return "manager"
	case KindRing:
		return "ring"
	case KindMessage:
		return "message"
	}
	return fmt.Sprintf("kind %d", uint32(k))
}

// IsPart reports whether files of this kind are parts of an object.
func (k Kind) IsPart() bool { return k == KindRing || k == KindMessage }

// IsObject reports whether files of this kind are objects that can be opened by name.
func (k Kind) IsObject() bool { return k >= KindQueue && k <= KindManager }

// Flags of a file.
type Flags uint32

// The flags. Others are zero in this version.
const (
	Transient Flags = 1 // the object goes with its last user; set later by unlink
	Pickle    Flags = 2 // the object may carry Python pickles
	Duplex    Flags = 4 // a pipe's: the data are two areas, one for each direction

	knownFlags = Transient | Pickle | Duplex
)

// FlagsOffset is where the flags lie in a file. Their first byte holds every flag that can change,
// so one-byte writes change them atomically (all supported machines are little-endian).
const FlagsOffset = 20

// Header is the first 128 bytes of every file, in the machine's byte order (little-endian on every
// supported one).
//
//	 0  magic     8     "polyipc" and a zero
//	 8  version   4     Version
//	12  kind      4
//	16  data      4     HeaderArea
//	20  flags     4     atomic; only Transient ever changes, from 0 to 1
//	24  size      8     of the whole file
//	32  uuid     16     of the object; in a part, of its parent
//	48  members  16     UUID of the root's members file
//	64  created   8     nanoseconds since 1970, UTC
//	72  pid       4     of the maker, as it saw itself
//	76  used      4     bytes of the header area that are reserved
//	80  number    8     of a part, else 0
//	88  letter    4     of a part, else 0
//	92  zero     36
//
// All but the flags is written before the file has a name and never again.
type Header struct {
	Magic   [8]byte
	Version uint32
	Kind    Kind
	DataOff uint32
	flags   uint32
	Size    int64
	UUID    [16]byte
	Members [16]byte
	Created int64
	Pid     uint32
	Used    uint32
	Number  uint64
	Letter  uint32
	_       [36]byte
}

// Flags loads the flags.
func (h *Header) Flags() Flags { return Flags(atomic.LoadUint32(&h.flags)) }

// SetFlags stores the flags of a file that has no name yet.
func (h *Header) SetFlags(f Flags) { atomic.StoreUint32(&h.flags, uint32(f)) }

// CheckFile reports whether this is the header of an undamaged file of this layout and of
// fileSize bytes: CORRUPT or VERSION if not. Call it on a copy.
func (h *Header) CheckFile(fileSize int64) error {
	switch {
	case fileSize < HeaderArea:
		return bad(ipcerr.Corrupt, "the file has %d bytes, less than a header: truncated, or not a polyipc file", fileSize)
	case h.Magic != Magic:
		return bad(ipcerr.Corrupt, "the file does not begin with %q: not a polyipc file, or overwritten", Magic[:7])
	case h.Version != Version:
		return bad(ipcerr.Version, "the file has layout version %d, this library reads %d: use one release of polyipc throughout a root", h.Version, Version)
	case h.Flags()&^knownFlags != 0:
		return bad(ipcerr.Version, "the file has unknown flags %#x: made by a newer polyipc, or overwritten", uint32(h.Flags()&^knownFlags))
	case h.Size != fileSize:
		return bad(ipcerr.Corrupt, "the file has %d bytes, its header says %d: truncated or resized", fileSize, h.Size)
	case h.DataOff != HeaderArea:
		return bad(ipcerr.Corrupt, "the header says that data start at %d, not %d", h.DataOff, HeaderArea)
	case h.Used < HeaderSize || h.Used > HeaderArea:
		return bad(ipcerr.Corrupt, "the header says that %d bytes of it are in use", h.Used)
	case h.UUID == [16]byte{}:
		return bad(ipcerr.Corrupt, "the header has no UUID")
	case h.Kind.IsPart() != (h.Letter != 0):
		return bad(ipcerr.Corrupt, "the header is that of a %v, with part letter %d", h.Kind, h.Letter)
	case h.Flags()&Duplex != 0 && h.Kind != KindPipe:
		return bad(ipcerr.Corrupt, "the header is that of a %v, with the flag of a pipe", h.Kind)
	case h.Kind == KindMembers && h.Members != h.UUID:
		return bad(ipcerr.Corrupt, "the members file has two UUIDs")
	}
	return nil
}

// Check reports whether this is the header of an undamaged file of fileSize bytes, of the kind
// asked for, in the root whose members file has the UUID members: CORRUPT, VERSION, WRONG_KIND or
// MISMATCH if not. Call it on a copy.
func (h *Header) Check(kind Kind, fileSize int64, members [16]byte) error {
	if err := h.CheckFile(fileSize); err != nil {
		return err
	}
	if h.Kind != kind {
		return bad(ipcerr.WrongKind, "it is a %v, not a %v", h.Kind, kind)
	}
	if h.Members != members {
		return bad(ipcerr.Mismatch, "it was made for another root, or before this root was removed and made anew: unlink it and make it again")
	}
	return nil
}

func bad(code ipcerr.Code, format string, args ...any) error {
	return &ipcerr.Error{Op: "check header", Code: code, Hint: fmt.Sprintf(format, args...)}
}
