//go:build crash

package chaos

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/tests/peers"
)

// TestPipeKills kills one end of a pipe while one end pours messages into the other, at random moments, over all pairs
// of languages. The end that is left gets whole messages in order, learns within the bound that it is alone, and
// nothing stays of what was half sent.
func TestPipeKills(t *testing.T) {
	kills := repetitions(t, "POLYIPC_CHAOS_KILLS", 27, 1000)
	seed := setting(t, "POLYIPC_CHAOS_SEED", int(time.Now().UnixNano()%1_000_000))
	t.Logf("POLYIPC_CHAOS_SEED=%d POLYIPC_CHAOS_KILLS=%d", seed, kills)
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	all := []peers.Language{peers.Go, peers.C, peers.Python}
	pairs := len(all) * len(all)
	var waited []time.Duration
	moved := 0
	for _, killed := range all {
		for _, left := range all {
			t.Run(fmt.Sprintf("%s-%s", killed, left), func(t *testing.T) {
				root := newRoot(t)
				survivor := peers.Start(t, left, root)
				for n := range (kills + pairs - 1) / pairs {
					name := fmt.Sprint("p", n)
					end := survivor.Do("pipe.create %s 0 0 t", name)
					victim := peers.Start(t, killed, root)
					victim.Do("pipe.open %s 1", name)
					if r.IntN(2) == 0 {
						survivor.Send("pipe.drain %s", end)
						victim.Send("pipe.pour 0 1000000000")
					} else {
						survivor.Send("pipe.pour %s 1000000000", end)
						victim.Send("pipe.drain 0")
					}
					time.Sleep(time.Duration(r.IntN(5000)) * time.Microsecond)
					victim.Signal(syscall.SIGKILL)
					began := time.Now()
					line, there := survivor.Answer(bound)
					waited = append(waited, time.Since(began))
					count, err := strconv.Atoi(strings.TrimPrefix(line, "ok "))
					if !there || err != nil {
						t.Fatalf("kill %d: %q", n, line)
					}
					moved += count
					victim.Kill()
					survivor.Do("pipe.close %s", end)
				}
				survivor.Close()
			})
		}
	}
	if moved < len(waited) {
		t.Errorf("%d messages before %d kills: they hit nothing", moved, len(waited))
	}
	tally("pipe", len(waited))
	report(t, "from a kill of a pipe's end until the other one knew", waited)
}
