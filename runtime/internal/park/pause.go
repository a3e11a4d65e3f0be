package park

// pause passes a few nanoseconds, about n/2. A loop that does nothing, on purpose: the processor's PAUSE
// makes a virtual machine's host suspect a spinning lock and take the processor away for
// microseconds (pause-loop exiting), which made a round trip of 0.2 us one of 2.5 us.
//
//go:noinline
func pause(n uint32) {
	for range n {
	}
}
