//go:build crash

package member

import (
	"testing"

	"github.com/polyipc/polyipc/runtime/internal/layout"
)

// A process is killed while it joins: the slot is free for the next, and nobody has its tokens.
func TestCrashPoints(t *testing.T) {
	for point, generation := range map[string]uint32{"member.join.locked": 2, "member.join.generation": 3} {
		t.Run(point, func(t *testing.T) {
			r := testRoot(t)
			join1(t, r).Release() // slot 0, generation 1
			cursor(t, r, 0)
			if err := command1("join", r, "POLYIPC_CRASH="+point).Run(); err == nil || err.Error() != "signal: killed" {
				t.Fatalf("it was not killed: %v", err)
			}
			cursor(t, r, 0)
			m := join1(t, r)
			if m.Token() != layout.Token(0, generation) {
				t.Fatalf("%#x", m.Token())
			}
			for g := range generation {
				if m.Alive(layout.Token(0, g)) {
					t.Fatal("alive:", g)
				}
			}
			if i, ok := m.Info(m.Token()); !ok || !i.Alive {
				t.Fatalf("%+v", i)
			}
			m.Release()
		})
	}
}
