//go:build crash

package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/polyipc/polyipc/tests/peers"
)

const killsARound = 20

// languages are what workers are drawn from. Python takes long to start.
var languages = []peers.Language{
	peers.Go, peers.Go, peers.Go, peers.Go, peers.Go, peers.C, peers.C, peers.C, peers.C, peers.Python,
}

// repetitions is a number from the environment, or the usual one, or the one for make chaos.
func repetitions(t testing.TB, name string, usual, long int) int {
	if os.Getenv("POLYIPC_TEST_LONG") == "1" {
		usual = long
	}
	return setting(t, name, usual)
}

// setting is a number from the environment.
func setting(t testing.TB, name string, otherwise int) int {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestRandomKills kills producers and consumers at random times.
func TestRandomKills(t *testing.T) {
	kills := repetitions(t, "POLYIPC_CHAOS_KILLS", 1000, 10_000)
	seed := setting(t, "POLYIPC_CHAOS_SEED", int(time.Now().UnixNano()%1_000_000))
	t.Logf("POLYIPC_CHAOS_SEED=%d POLYIPC_CHAOS_KILLS=%d", seed, kills)
	var waited []time.Duration
	for n := range (kills + killsARound - 1) / killsARound {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(seed), uint64(n)))
			rd := newRound(t, r, languages)
			for range min(kills-n*killsARound, killsARound) {
				rd.kill()
			}
			rd.end()
			waited = append(waited, rd.waited...)
		})
		if t.Failed() {
			t.Fatalf("round %d failed; again: POLYIPC_CHAOS_SEED=%d go test -tags=crash -run 'TestRandomKills/^%d$' ./tests/chaos", n, seed, n)
		}
	}
	tally("queue", kills)
	report(t, "from a kill until both sides had got on", waited)
}

// aim is what is promised on an idle machine. Tests bound it at 2 s.
const aim = 100 * time.Millisecond

// report prints how long something took.
func report(t *testing.T, what string, ds []time.Duration) {
	t.Helper()
	reportOver(t, what, ds, aim)
}

func reportOver(t *testing.T, what string, ds []time.Duration, aim time.Duration) {
	t.Helper()
	if len(ds) == 0 {
		t.Fatal("nothing measured: ", what)
	}
	slices.Sort(ds)
	over := 0
	for _, d := range ds {
		if d > aim {
			over++
		}
	}
	t.Logf("measured: %s: n %d, p50 %v, p99 %v, max %v; %d over %v", what, len(ds), ds[len(ds)/2].Round(time.Microsecond),
		ds[len(ds)*99/100].Round(time.Microsecond), ds[len(ds)-1].Round(time.Microsecond), over, aim)
}
