//go:build !amd64 && !arm64

package park

import "runtime"

// pause yields: there is no assembly for this processor.
func pause(uint32) { runtime.Gosched() }
