//go:build crash

package chaos

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/tests/peers"
)

// interruption is how long Ctrl-C may take to end a call on an idle machine. Tests bound it at 2 s.
const interruption = 200 * time.Millisecond

// TestInterrupts sends a SIGINT into every verb of Python that waits, while the peer that it waits for is stopped, and
// wants the KeyboardInterrupt. Each verb is interrupted again and again, so what it waits in stays usable.
func TestInterrupts(t *testing.T) {
	rounds := repetitions(t, "POLYIPC_CHAOS_INTERRUPTS", 2, 30)
	root := newRoot(t)
	p, holder := peers.Start(t, peers.Python, root), peers.Start(t, peers.C, root)
	commands := append(deadlines(p, holder), "pipe.poll 0 %d", "sync.wait 7 - %d", "many.wait %d c0", "many.status 0 %d")
	p.Do("many.spawn - %x %x", "sleep", "1000")
	holder.Signal(syscall.SIGSTOP)
	var took []time.Duration
	for range rounds {
		for _, command := range commands {
			p.Send("%s", fmt.Sprintf(command, -1))
			within(t, command+" waits", func() bool { return waits(p) })
			began := time.Now()
			_ = syscall.Kill(p.Pid(), syscall.SIGINT)
			line, there := p.Answer(bound)
			if !there || !strings.HasPrefix(line, "err INTERRUPTED ") {
				t.Fatalf("%s after Ctrl-C: %q", command, line)
			}
			took = append(took, time.Since(began))
		}
	}
	reportOver(t, "from Ctrl-C until Python had left a call", took, interruption)
	holder.Signal(syscall.SIGCONT)
	p.Do("many.kill 0 9")
	p.Do("many.status 0 %d", bound.Milliseconds())
	if got := p.Do("sync.waiting 7"); got != "0 0" {
		t.Errorf("at the barrier: %s", got)
	}
	p.Do("sync.set 6")
	p.Do("sync.wait 6 0")
	p.Do("get 1 0")
	p.Do("put 1 0 x03")
	release(p, holder)
}

// waits reports whether the peer's first thread is in a system call that is not the one that reads commands.
func waits(p *peers.Peer) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", p.Pid()))
	word, _, _ := strings.Cut(string(b), " ")
	number, bad := strconv.Atoi(word)
	return err == nil && bad == nil && number != syscall.SYS_READ
}
