package serve

import (
	"testing"
	"time"
)

// MostHeld is how many frames of a client may wait for commits.
const MostHeld = mostHeld

// Hurry shortens the time of a greeting, for servers that a test starts from now on.
func Hurry(t *testing.T, long, short time.Duration) {
	before := usual
	usual.greeting, usual.hurried = long, short
	t.Cleanup(func() { usual = before })
}

// Look has the loop look at pipes for so long after it worked, however busy the machine is, likewise.
func Look(t *testing.T, long time.Duration) {
	before := usual
	usual.looks = int64(long)
	t.Cleanup(func() { usual = before })
}

// BoundInFlight lowers how many bytes may be under way to and from remote clients, likewise.
func BoundInFlight(t *testing.T, n int) {
	before := usual
	usual.inFlight = n
	t.Cleanup(func() { usual = before })
}
