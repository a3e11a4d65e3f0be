//go:build crash

package chaos

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// killed counts the kills at random moments, by noun.
var killed = map[string]int{}

func tally(noun string, kills int) { killed[noun] += kills }

// TestKillsInAll says how many kills at random moments there were. It comes last: Go runs tests by their files.
func TestKillsInAll(t *testing.T) {
	total := 0
	var words []string
	for noun, n := range killed {
		total += n
		words = append(words, fmt.Sprintf("%s %d", noun, n))
	}
	slices.Sort(words)
	t.Logf("measured: kills at random moments: %s", strings.Join(words, ", "))
	if len(killed) == 5 && total < setting(t, "POLYIPC_CHAOS_KILLS", 1000) { // else with -run, some of them
		t.Errorf("%d kills at random moments are too few", total)
	}
}
