//go:build crash

package chaos

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/manager"
	"github.com/polyipc/polyipc/tests/peers"
)

func init() { scenarios = slices.Concat(scenarios, ringing) }

var ringing = []scenario{
	{name: "client of a manager dies before it rings", run: func(w *world) {
		w.survivor.Do("manager.serve m - - -")
		w.survivor.Do("manager.connect m 2000 - -")
		lock := w.survivor.Do("manager.open 0 l lock -")
		w.bareVictim("manager.sent:2", "manager.connect m 2000 - -", "manager.open 0 l lock -", "manager.call 0 -1 1 "+lock+" acquire - -")
		w.survivor.Do("manager.call 0 %d 1 %s acquire - -", bound.Milliseconds(), lock)
		w.survivor.Do("manager.close 0")
		w.survivor.Do("manager.stop 0")
		w.prove(0)
	}},
}

// tallier is a peer that increments a key of its own as fast as it can.
type tallier struct {
	*peers.Peer
	key, file string
}

func (r *realm) tallier(l peers.Language, key string) *tallier {
	r.Helper()
	t := &tallier{r.client(l), key, filepath.Join(r.TempDir(), key)}
	r.must(os.WriteFile(t.file, make([]byte, 16), 0o600))
	t.Send("manager.tally 0 %s %s %s", t.Do("manager.open 0 tally dict -"), t.key, t.file)
	return t
}

// counts are how often it began, and how often it had an answer.
func (t *tallier) counts(r *realm) (began, ended int) {
	r.Helper()
	b, err := os.ReadFile(t.file)
	r.must(err)
	return int(binary.LittleEndian.Uint64(b)), int(binary.LittleEndian.Uint64(b[8:]))
}

// TestManagerDoubt kills clients that call as fast as they can, beside others that do: what they were told is done was done
// once, and of each kill at most one call is in doubt.
func TestManagerDoubt(t *testing.T) {
	kills := repetitions(t, "POLYIPC_CHAOS_MANAGER_KILLS", 15, 1000)
	r := newRealm(t, peers.C)
	d, err := manager.OpenDict[string, int](r.ctx, r.c, "tally")
	r.must(err)
	team := make([]*tallier, 3)
	for i := range kills {
		for j := range team {
			if team[j] == nil {
				team[j] = r.tallier(managing[(i+j)%len(managing)], fmt.Sprint("k", i, ".", j))
			}
		}
		victim := team[i%len(team)]
		team[i%len(team)] = nil
		within(t, "it works", func() bool { _, ended := victim.counts(r); return ended > i%7 })
		victim.Kill()
		within(t, "the server has seen it go", func() bool {
			s, err := r.c.Stat(r.ctx)
			r.must(err)
			return s.Clients == len(team)
		})
		n, _, err := d.Get(r.ctx, victim.key)
		r.must(err)
		if began, ended := victim.counts(r); n < ended || n > began || began-ended > 1 {
			t.Fatalf("kill %d: the %s peer began %d calls and had %d answers; %d were done", i, victim.Language, began, ended, n)
		}
	}
	for _, p := range team {
		if p != nil {
			p.Kill()
		}
	}
	tally("manager", kills)
	r.end()
}

// TestManagerServerForked kills a server that has a forked child, which has all its descriptors.
func TestManagerServerForked(t *testing.T) {
	r := newRealm(t, peers.C)
	r.server.Do("create jobs 0 0 -")
	r.server.Send("fork get 0 60000")
	within(t, "there is a child", func() bool {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", r.server.Pid(), r.server.Pid()))
		return err == nil && len(b) > 0
	})
	q, err := r.c.Open(r.ctx, "q", "queue")
	r.must(err)
	failed := make(chan error, 1)
	go func() {
		_, err := q.Call(r.ctx, "get")
		failed <- err
	}()
	r.parked(1)
	began := time.Now()
	r.must(syscall.Kill(r.server.Pid(), syscall.SIGKILL))
	if err := <-failed; !errors.Is(err, ipcerr.PeerDied) {
		t.Errorf("the server was killed, and a call gives %v", err)
	}
	report(t, "from the kill of a server whose child has its descriptors until a client knew", []time.Duration{time.Since(began)})
	forked := r.server
	r.server = r.serve(peers.C)
	r.must(r.c.Reconnect(r.ctx)) // the child is still about
	forked.Signal(syscall.SIGKILL)
	p := peers.Start(t, peers.Go, r.root)
	p.Do("unlink jobs")
	p.Close()
	r.end()
}
