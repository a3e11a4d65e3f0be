//go:build crash

package chaos

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/tests/peers"
)

// overshoot is how late a call may come back after its deadline on an idle machine. Tests bound it at 2 s.
const overshoot = 50 * time.Millisecond

// TestDeadlines has every verb that waits wait in vain, in every language, for a peer that is stopped with what they
// wait for, or for one that never comes.
func TestDeadlines(t *testing.T) {
	const patience = 30 * time.Millisecond
	rounds := repetitions(t, "POLYIPC_CHAOS_DEADLINES", 2, 30)
	for _, language := range []peers.Language{peers.Go, peers.C, peers.Python} {
		t.Run(string(language), func(t *testing.T) {
			root := newRoot(t)
			p, holder := peers.Start(t, language, root), peers.Start(t, peers.C, root)
			commands := deadlines(p, holder)
			holder.Signal(syscall.SIGSTOP)
			var late []time.Duration
			for range rounds {
				for _, command := range commands {
					began := time.Now()
					p.Fails("TIMEOUT", "%s", fmt.Sprintf(command, patience.Milliseconds()))
					d := time.Since(began) - patience
					if d < -time.Millisecond || d > bound {
						t.Errorf("%s: %s comes back %v after its deadline", language, command, d)
					}
					late = append(late, d)
				}
			}
			reportOver(t, fmt.Sprintf("from the deadline until a call in %s had come back", language), late, overshoot)
			holder.Signal(syscall.SIGCONT)
			release(p, holder)
		})
	}
}

// deadlines gives both peers the same objects, has holder take what can be held, and returns the commands of p that
// wait for it; %d is for the time-out.
func deadlines(p, holder *peers.Peer) (commands []string) {
	both := func(make, open string) {
		p.Do("%s", make)
		holder.Do("%s", open)
	}
	both("create empty 0 0 t", "open empty")
	both("create full 1 0 t", "open full")
	p.Do("put 1 0 x01")
	commands = append(commands, "get 0 %d", "lease 0 %d", "get_many 0 %d 3", "put 1 %d x02", "put_many 1 %d m02 m03", "join 1 %d")

	p.Do("pipe.create pipe 0 0 t")
	holder.Do("pipe.open pipe 1")
	for size := 40_000; ; { // until not even a small message has room
		if _, err := p.Try("pipe.send 0 1 g1:%d", size); err == "" {
			continue
		}
		if size /= 2; size == 0 {
			break
		}
	}
	commands = append(commands, "pipe.recv 0 %d", "pipe.send 0 %d x01")

	for i, kind := range strings.Fields("lock rlock semaphore bounded_semaphore condition rwlock event barrier") {
		value := map[string]int{"semaphore": 1, "bounded_semaphore": 1, "barrier": 2}[kind]
		both(fmt.Sprintf("sync.create %s s%d %d t", kind, i, value), fmt.Sprintf("sync.open %s s%d", kind, i))
	}
	for i, verb := range strings.Fields("acquire acquire acquire acquire acquire write_lock") {
		holder.Do("sync.%s %d -1", verb, i)
		commands = append(commands, fmt.Sprintf("sync.%s %d %%d", verb, i))
	}
	p.Do("sync.create condition s8 0 t") // whose lock p has, and nobody notifies
	p.Do("sync.acquire 8 -1")
	commands = append(commands, "sync.read_lock 5 %d", "sync.wait 6 %d", "sync.wait 8 - %d")

	both("segment.create memory 0 0 <q 4 t", "segment.open memory - -")
	holder.Do("segment.lock 0 -1")
	return append(commands, "segment.lock 0 %d", "segment.wait 0 %d 8 8 0", "many.wait %d r0")
}

// release gives all back, so that nothing is left.
func release(p, holder *peers.Peer) {
	p.Do("sync.release 8 1")
	holder.Close()
	p.Close()
}
