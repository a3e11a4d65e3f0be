//go:build crash

package shm

import (
	"testing"

	"github.com/polyipc/polyipc/runtime/internal/layout"
)

func init() {
	helpers["life"] = func(r *Root, args []string) error {
		flags := layout.Flags(0)
		if args[0] == "transient" {
			flags = layout.Transient
		}
		o, err := r.Create("x", spec(flags))
		if err != nil {
			return err
		}
		if err := r.WritePart(o.UUID, 'm', 1, testMembers, []byte("part")); err != nil {
			return err
		}
		p, err := r.Open("x", layout.KindQueue, testMembers, true)
		if err != nil {
			return err
		}
		if err := r.Unlink("x", 0); err != nil {
			return err
		}
		if err := p.Close(); err != nil {
			return err
		}
		return o.Close()
	}
	helpers["members"] = func(r *Root, _ []string) error { return r.CreateMembers() }
}

// A process is killed at each named place. Whatever it left is removed by reaping, but for a kept
// object that was not unlinked yet; and that one is whole.
func TestCrashPoints(t *testing.T) {
	for _, point := range []string{"shm.create.built", "shm.create.filled", "shm.create.linked", "shm.open.locked", "shm.close.unlocked",
		"shm.remove.exclusive", "shm.remove.parts", "shm.unlink.flagged", "shm.message.written", "shm.message.linked", "shm.members.written"} {
		for _, life := range []string{"transient", "kept"} {
			for _, way := range []string{"nameless", "tmp"} {
				t.Run(point+" "+life+" "+way, func(t *testing.T) {
					r := testRoot(t)
					name := "life"
					if point == "shm.members.written" {
						name = "members"
					}
					p := startEnv(t, []string{"POLYIPC_CRASH=" + point, "SHM_WAY=" + way}, r, name, life)
					if err := p.cmd.Wait(); err == nil || err.Error() != "signal: killed" {
						t.Fatalf("it was not killed: %v", err)
					}
					_, err := r.Reap()
					must(t, err)
					if left := files(t, r); len(left) > 0 {
						if life == "transient" || left[len(left)-1] != "x" {
							t.Fatalf("left: %q", left)
						}
						must(t, open(t, r, "x").Close())
						must(t, r.Unlink("x", 0))
					}
				})
			}
		}
	}
}
