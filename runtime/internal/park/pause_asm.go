//go:build amd64 || arm64

package park

// pause tells the processor n times that this is a spin loop. n is at least 1.
//
//go:noescape
func pause(n uint32)
