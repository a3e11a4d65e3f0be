//go:build crash

package chaos

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/psync"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/tests/peers"
)

func init() { scenarios = slices.Concat(scenarios, locking, counting, meeting, reading) }

// scene is an object named s, which a survivor has open as its first, and the test process too.
type scene struct {
	*world
	kind string
	s    psync.Object
	me   psync.Owner
}

// on is a scenario with an object of a type.
func on(kind string, value int, flags, name string, run func(*scene)) scenario {
	return scenario{name: kind + " " + name, options: queue.Options{}, run: func(w *world) {
		s := &scene{world: w, kind: kind, me: psync.NewOwner()}
		w.survivor.Do("sync.create %s s %d %s", kind, value, flags+"t")
		var err error
		if s.s, err = psync.Look("s", psync.Options{Root: w.root}); err != nil {
			w.Fatal(err)
		}
		run(s)
		w.survivor.Do("sync.close 0")
		if err := s.s.Close(); err != nil {
			w.Fatal(err)
		}
		w.prove(0)
	}}
}

// victim is somebody who does the commands with the object and dies at the point in the last of them.
func (s *scene) victim(point string, commands ...string) {
	s.Helper()
	s.bareVictim(point, append([]string{"sync.open " + s.kind + " s"}, commands...)...)
}

// comes is somebody who will die at the point, in something that has just been begun.
func (s *scene) comes(point string, commands ...string) *peers.Peer {
	s.Helper()
	p := peers.Start(s, s.language, s.root, "POLYIPC_CRASH="+point)
	p.Do("sync.open %s s", s.kind)
	for _, c := range commands[:len(commands)-1] {
		p.Do("%s", c)
	}
	p.Send("%s", commands[len(commands)-1])
	return p
}

func (s *scene) gone(p *peers.Peer, point string) {
	s.Helper()
	p.Dies(peers.Bound)
	died.Store(point, true)
	died.Store(string(s.language)+" "+point, true)
}

// killed is somebody who does the commands and is killed then.
func (s *scene) killed(commands ...string) {
	s.Helper()
	s.peer(append([]string{"sync.open " + s.kind + " s"}, commands...)...).Kill()
}

// waiters waits until so many wait.
func (s *scene) waiters(n int) {
	s.Helper()
	within(s, fmt.Sprintf("%d wait", n), func() bool {
		ws, err := s.s.Waiters()
		return err == nil && len(ws) == n
	})
}

// next has the survivor do something that must be done within the bound, and says what it answers.
func (s *scene) next(want, format string, args ...any) {
	s.Helper()
	began := time.Now()
	if got := s.survivor.Do(format, args...); got != want {
		s.Fatalf("%s: %q, not %q", fmt.Sprintf(format, args...), got, want)
	}
	if d := time.Since(began); d > bound {
		s.Fatalf("%s took %v", fmt.Sprintf(format, args...), d)
	}
}

const soon = 2000 // ms, as bound

var locking = []scenario{
	on("lock", 0, "", "taken over", func(s *scene) {
		s.killed("sync.acquire 0 0")
		s.victim("mutex.lock.took_over", "sync.acquire 0 -1")
		s.next("1", "sync.acquire 0 %d", soon)
		s.next("", "sync.release 0 1")
		s.next("0", "sync.acquire 0 0")
		s.next("", "sync.release 0 1")
	}),
	on("lock", 0, "", "released before the wake", func(s *scene) {
		p := s.comes("park.release.wake", "sync.acquire 0 0", "sync.locked 0")
		p.Answer(peers.Bound)
		s.survivor.Send("sync.acquire 0 -1")
		s.waiters(1)
		p.Send("sync.release 0 1")
		s.gone(p, "park.release.wake")
		s.answers("ok 0")
		s.next("", "sync.release 0 1")
	}),
	on("rlock", 0, "", "locked", func(s *scene) {
		s.victim("mutex.rlock.locked", "sync.acquire 0 -1")
		s.next("1", "sync.acquire 0 %d", soon)
		s.next("", "sync.release 0 1")
	}),
	on("rlock", 0, "", "disowned", func(s *scene) {
		s.victim("mutex.rlock.disowned", "sync.acquire 0 -1", "sync.release 0 1")
		s.next("1", "sync.acquire 0 %d", soon)
		s.next("", "sync.release 0 1")
	}),
	on("rlock", 0, "", "released before the wake", func(s *scene) {
		p := s.comes("park.unlock.wake", "sync.acquire 0 0", "sync.owned 0")
		p.Answer(peers.Bound)
		s.survivor.Send("sync.acquire 0 -1")
		s.waiters(1)
		p.Send("sync.release 0 1")
		s.gone(p, "park.unlock.wake")
		s.answers("ok 0")
		s.next("", "sync.release 0 1")
	}),
}

// permits are as many as can be acquired.
func (s *scene) permits(n int) {
	s.Helper()
	for range n {
		s.next("0", "sync.acquire 0 %d", soon)
	}
	s.survivor.Fails("TIMEOUT", "sync.acquire 0 100")
	s.next("", "sync.release 0 %d", n)
}

var counting = []scenario{
	on("semaphore", 0, "", "released before the wake", func(s *scene) {
		s.survivor.Send("sync.acquire 0 -1")
		s.waiters(1)
		s.victim("psync.release.stored", "sync.release 0 2")
		s.answers("ok 0")
		s.permits(1)
	}),
	on("semaphore", 2, "r", "reclaimed", func(s *scene) {
		s.killed("sync.acquire 0 0", "sync.acquire 0 0")
		s.victim("psync.reclaim.returned", "sync.acquire 0 -1")
		s.permits(2)
	}),
	on("semaphore", 2, "r", "first of its process", func(s *scene) {
		s.victim("psync.ledger.used", "sync.acquire 0 -1")
		s.permits(2)
	}),
	on("semaphore", 2, "r", "entered", func(s *scene) {
		s.victim("psync.acquire.entered", "sync.acquire 0 -1")
		s.permits(2)
	}),
	on("semaphore", 2, "r", "added", func(s *scene) {
		s.victim("psync.release.added", "sync.acquire 0 -1", "sync.release 0 2")
		s.permits(3)
	}),
	on("bounded_semaphore", 2, "r", "released", func(s *scene) {
		s.victim("psync.release.entered", "sync.acquire 0 -1", "sync.release 0 1")
		s.permits(2)
	}),
	on("event", 0, "", "set before the wake", func(s *scene) {
		s.survivor.Send("sync.wait 0 -1")
		s.waiters(1)
		s.victim("psync.set.stored", "sync.set 0")
		s.answers("ok 0")
	}),
}

// notifies has the test process notify one.
func (s *scene) notifies() {
	s.Helper()
	c := s.s.(*psync.Condition)
	_, err := c.Acquire(context.Background(), s.me)
	if err == nil {
		err = c.Notify(1)
	}
	if err == nil {
		err = c.Release(s.me)
	}
	if err != nil {
		s.Fatal(err)
	}
}

// isNotified shows that a notification comes to who waits now.
func (s *scene) isNotified(died string) {
	s.Helper()
	s.next(died, "sync.acquire 0 %d", soon)
	s.survivor.Send("sync.wait 0 - -1")
	s.waiters(1)
	s.notifies()
	s.answers("ok 0")
	s.next("", "sync.release 0 1")
}

// hears shows that a notification that was given to the dead comes to who waits now.
func (s *scene) hears(died string) {
	s.Helper()
	s.next(died, "sync.acquire 0 %d", soon)
	s.survivor.Send("sync.wait 0 - -1")
	s.answers("ok 0")
	s.next("", "sync.release 0 1")
}

var meeting = []scenario{
	on("condition", 0, "", "seat filled", func(s *scene) {
		s.victim("psync.seat.filled", "sync.acquire 0 -1", "sync.wait 0 - -1")
		s.isNotified("1")
	}),
	on("condition", 0, "", "seated", func(s *scene) {
		s.victim("psync.wait.seated", "sync.acquire 0 -1", "sync.wait 0 - -1")
		s.isNotified("1")
	}),
	on("condition", 0, "", "notified", func(s *scene) {
		p := s.comes("psync.wait.locked", "sync.acquire 0 -1", "sync.wait 0 - -1")
		s.waiters(1)
		s.notifies()
		s.gone(p, "psync.wait.locked")
		s.hears("1")
	}),
	on("condition", 0, "", "notified before the wake", func(s *scene) {
		s.next("0", "sync.acquire 0 0")
		s.survivor.Send("sync.wait 0 - -1")
		s.waiters(1)
		s.victim("psync.notify.called", "sync.acquire 0 -1", "sync.notify 0 - 1")
		s.answers("ok 1")
		s.next("", "sync.release 0 1")
	}),
	on("condition", 0, "", "passed on", func(s *scene) {
		p := s.comes("psync.wait.locked", "sync.acquire 0 -1", "sync.wait 0 - -1")
		s.waiters(1)
		q := s.comes("psync.pass.called", "sync.acquire 0 -1", "sync.wait 0 - -1")
		s.waiters(2)
		s.notifies()
		s.gone(p, "psync.wait.locked")
		s.gone(q, "psync.pass.called")
		s.hears("1")
	}),
	on("barrier", 2, "", "in its action", func(s *scene) {
		file := filepath.Join(s.TempDir(), "n")
		if err := os.WriteFile(file, make([]byte, 8), 0o600); err != nil {
			s.Fatal(err)
		}
		s.survivor.Send("sync.wait 0 - -1")
		s.waiters(1)
		s.victim("psync.barrier.turn", "sync.wait 0 "+file+" -1")
		s.passes("ok 0")
	}),
	endsRound("psync.barrier.ending"),
	endsRound("psync.barrier.told"),
	endsRound("psync.barrier.ended"),
	on("barrier", 2, "", "waiting", func(s *scene) {
		p := s.peer("sync.open barrier s")
		p.Send("sync.wait 0 - -1")
		s.waiters(1)
		p.Kill()
		s.survivor.Send("sync.wait 0 - -1")
		s.waiters(1)
		s.passes("ok 0")
	}),
}

// passes has the test process arrive, which lets the survivor pass.
func (s *scene) passes(want string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	if _, err := s.s.(*psync.Barrier).Wait(ctx); err != nil {
		s.Fatal(err)
	}
	s.answers(want)
}

// endsRound is a death of who arrives last and ends the round.
func endsRound(point string) scenario {
	return on("barrier", 2, "", strings.TrimPrefix(point, "psync.barrier."), func(s *scene) {
		s.survivor.Send("sync.wait 0 - -1")
		s.waiters(1)
		s.victim(point, "sync.wait 0 - -1")
		s.answers("ok 0")
		s.survivor.Send("sync.wait 0 - -1")
		s.waiters(1)
		s.passes("ok 0")
	})
}

var reading = []scenario{
	on("rwlock", 0, "", "entered", func(s *scene) {
		s.victim("psync.read.entered", "sync.read_lock 0 -1")
		s.next("0", "sync.write_lock 0 %d", soon)
		s.next("", "sync.write_unlock 0")
	}),
	on("rwlock", 0, "", "reader leaves", func(s *scene) {
		s.survivor.Do("sync.read_lock 0 0")
		s.victim("psync.read.left", "sync.read_lock 0 -1", "sync.read_unlock 0")
		s.next("", "sync.read_unlock 0")
		s.next("0", "sync.write_lock 0 %d", soon)
		s.next("", "sync.write_unlock 0")
	}),
	on("rwlock", 0, "", "dead writer dropped", func(s *scene) {
		s.killed("sync.write_lock 0 -1")
		s.victim("psync.writer.inherited", "sync.read_lock 0 -1")
		s.next("0", "sync.read_lock 0 %d", soon)
		s.next("", "sync.read_unlock 0")
		s.next("1", "sync.write_lock 0 %d", soon)
		s.next("", "sync.write_unlock 0")
	}),
	on("rwlock", 0, "", "dead writer followed", func(s *scene) {
		s.killed("sync.write_lock 0 -1")
		s.victim("psync.writer.inherited", "sync.write_lock 0 -1")
		s.next("1", "sync.write_lock 0 %d", soon)
		s.next("", "sync.write_unlock 0")
	}),
	on("rwlock", 0, "", "writer waits", func(s *scene) {
		s.victim("psync.write.locked", "sync.write_lock 0 -1")
		s.next("0", "sync.write_lock 0 %d", soon) // it had not been in
		s.next("", "sync.write_unlock 0")
		s.victim("psync.write.locked", "sync.write_lock 0 -1")
		s.next("0", "sync.read_lock 0 %d", soon)
		s.next("", "sync.read_unlock 0")
	}),
	on("rwlock", 0, "", "writer leaves", func(s *scene) {
		s.victim("psync.write.left", "sync.write_lock 0 -1", "sync.write_unlock 0")
		s.next("0", "sync.read_lock 0 %d", soon)
		s.next("", "sync.read_unlock 0")
		s.next("0", "sync.write_lock 0 %d", soon) // it was out
		s.next("", "sync.write_unlock 0")
	}),
}

// TestSyncStopped stops somebody in the middle of a verb, where it is alive and holds what others want: they
// keep their deadlines, and when it goes on nothing was taken from it.
func TestSyncStopped(t *testing.T) {
	for _, c := range []struct {
		kind, flags, point string
		value              int
		commands, others   []string
	}{
		{"rlock", "", "mutex.rlock.locked", 0, list("sync.acquire 0 -1"), list("sync.acquire 0 50")},
		{"semaphore", "r", "psync.acquire.entered", 2, list("sync.acquire 0 -1"), list("sync.acquire 0 50", "sync.acquire 0 0", "sync.release 0 1")},
		{"condition", "", "psync.seat.filled", 0, list("sync.acquire 0 -1", "sync.wait 0 - 100"), list("sync.acquire 0 50", "sync.notify 0 - 1")},
		{"barrier", "", "psync.barrier.ending", 1, list("sync.wait 0 - -1"), list("sync.wait 0 - 50", "sync.waiting 0")},
		{"rwlock", "", "psync.read.entered", 0, list("sync.read_lock 0 -1"), list("sync.write_lock 0 50", "sync.read_lock 0 50", "sync.read_unlock 0")},
	} {
		t.Run(c.kind, func(t *testing.T) {
			on(c.kind, c.value, c.flags, "stopped", func(s *scene) {
				p := s.comes(c.point+":stop", c.commands...)
				within(s, "it is stopped", func() bool { return p.State() == 'T' })
				for _, command := range c.others {
					began := time.Now()
					if words, name := s.survivor.Try("%s", command); name != "TIMEOUT" {
						t.Errorf("%s: %q %s", command, words, name)
					}
					if d := time.Since(began); d > bound {
						t.Errorf("%s took %v", command, d)
					}
				}
				p.Signal(syscall.SIGCONT)
				if line, there := p.Answer(peers.Bound); !there || strings.Contains(line, "INVALID") {
					t.Errorf("after going on it says %q", line)
				}
				p.Close()
			}).run(newWorld(t, peers.Go, queue.Options{}))
		})
	}
}
