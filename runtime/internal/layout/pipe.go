package layout

import "sync/atomic"

// PipeOffset is where a Pipe lies in its file, behind the Header.
const PipeOffset = 128

// DirectionBytes is how much of a pipe's header area each direction has: what a queue's header area
// holds, a Queue and ring 0's Ring, at the same offsets within it.
const DirectionBytes = QueueHeaderBytes

// Pipe is a pipe's header. Direction 0 is what end 0 receives, direction 1 what end 1 does; a pipe without the
// flag Duplex has direction 0 alone.
type Pipe struct {
	Opened [2]atomic.Uint32 // whoever opens an end: how often each was opened since nobody had the pipe open
}

// DirectionOffset is where in the header area direction d begins.
func DirectionOffset(d int) int { return (1 + d) * DirectionBytes }

// PipeHeaderBytes is how much of the header area of a pipe with so many directions is in use.
func PipeHeaderBytes(directions int) int { return DirectionOffset(directions) }
