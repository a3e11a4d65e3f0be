package segment

import "github.com/polyipc/polyipc/runtime/internal/layout"

// Shared is what the C library needs to work on cells without entering Go. A Go program has no use for it.
type Shared struct {
	Token  uint32  // this process's owner token
	Header uintptr // where the segment's header is mapped until Close
	Data   uintptr // where its bytes are
	Size   int64   // how many of them may be used at most
}

// Shared tells it.
func (s *Segment) Shared() Shared {
	file, _ := layout.Address(s.obj.File.Mem)
	return Shared{s.obj.Me, file + layout.SegmentOffset, file + layout.HeaderArea, s.MaxSize()}
}
