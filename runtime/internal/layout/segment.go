package layout

import "sync/atomic"

// SegmentOffset is where a Segment lies in its file, behind the Header.
const SegmentOffset = 128

// SegmentHeaderBytes is how much of a segment's header area is in use: one page, so that a single
// number costs two of them.
const SegmentHeaderBytes = 4096

// Limits of a typed segment.
const (
	MaxDims       = 8
	MaxFormat     = 1000 // bytes
	CellWords     = 16
	SegmentSeats  = 64
	segmentFormat = 1024 // what is set aside for it
)

// Segment is a segment's header.
//
// The file has room for MaxSize bytes, and everybody maps all of it from the start; reserved, and in use, are
// Size of them. Growing reserves more and then moves Size, so no mapping ever changes.
type Segment struct {
	Size     atomic.Uint64 // bytes in use; anyone, by compare-and-swap; only grows, to at most MaxSize
	MaxSize  uint64        // fixed, bytes
	ItemSize uint64        // fixed, bytes; 1 without a format
	Format   uint32        // fixed: length of Text, bytes; 0 without a format
	Dims     uint32        // fixed: how many numbers of Shape count
	Shape    [MaxDims]uint64
	_        [128 - 96]byte

	Lock Mutex // for those who change the contents; see package mutex
	_    [128 - 64]byte

	// Waiters on a cell of the contents sleep on one of these, chosen by the cell's offset.
	Cell [CellWords]CellWord

	Seat [SegmentSeats]Seat

	Text [segmentFormat]byte // fixed: the format, in the notation of PEP 3118
}

// CellWord is a wait word, on a cache line of its own.
type CellWord struct {
	Word atomic.Uint32
	_    [60]byte
}

// CellWordOf tells which of the words belongs to the cell at an offset: those that lie in one cache
// line of the contents are apart.
func CellWordOf(offset uint64) uint64 {
	cell := offset / 4
	return (cell ^ cell/CellWords) % CellWords
}
