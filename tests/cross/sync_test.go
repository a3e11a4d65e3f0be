package cross

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polyipc/polyipc/tests/peers"
)

func init() {
	scenarios = append(scenarios,
		scenario{"lock", lockScenario}, scenario{"rlock", rlockScenario}, scenario{"semaphore", semaphoreScenario},
		scenario{"condition", conditionScenario}, scenario{"event", eventScenario}, scenario{"barrier", barrierScenario},
		scenario{"rwlock", rwlockScenario}, scenario{"sync_options", syncOptions}, scenario{"sync_fork", syncFork},
	)
}

// shared gives both a new object of a type, until the end of the test.
func (p *pair) shared(kind string, value int, flags string) (a, b string) {
	p.Helper()
	p.made++
	name := fmt.Sprintf("s%d", p.made)
	a = p.a.Do("sync.create %s %s %d %s", kind, name, value, flags+"t")
	b = p.b.Do("sync.open %s %s", kind, name)
	for _, who := range []*peers.Peer{p.a, p.b} {
		if got := who.Do("sync.name %s", map[*peers.Peer]string{p.a: a, p.b: b}[who]); got != name {
			p.Fatalf("%s calls it %s", who.Language, got)
		}
	}
	p.Cleanup(func() {
		if !p.Failed() {
			p.a.Do("sync.close %s", a)
			p.b.Do("sync.close %s", b)
			p.a.Do("sync.unlink %s", name)
		}
	})
	return a, b
}

// says has a peer do a command, whose answer must be this.
func (p *pair) says(who *peers.Peer, want, format string, args ...any) {
	p.Helper()
	if got := who.Do(format, args...); got != want {
		p.Fatalf("%s: %s: %q, not %q", who.Language, fmt.Sprintf(format, args...), got, want)
	}
}

// later has a peer begin a command that waits.
func (p *pair) later(who *peers.Peer, format string, args ...any) {
	p.Helper()
	who.Send(format, args...)
	p.sleeps(who)
}

func lockScenario(p *pair) {
	a, b := p.shared("lock", 0, "")
	p.a.Fails("INVALID", "sync.release %s 1", a)
	p.says(p.a, "0", "sync.acquire %s -1", a)
	p.says(p.b, "1", "sync.locked %s", b)
	p.b.Fails("TIMEOUT", "sync.acquire %s 0", b)
	p.b.Fails("TIMEOUT", "sync.acquire %s 30", b)
	if s := p.b.Do("sync.stat %s", b); !strings.Contains(s, fmt.Sprintf("holder=%d ", p.a.Pid())) {
		p.Fatal(s)
	}
	p.later(p.b, "sync.acquire %s -1", b)
	p.a.Do("sync.release %s 1", a)
	p.answers(p.b, "ok 0")
	p.a.Do("sync.release %s 1", a) // anybody may
	p.says(p.b, "0", "sync.locked %s", b)
}

func rlockScenario(p *pair) {
	a, b := p.shared("rlock", 0, "")
	for range 3 {
		p.says(p.a, "0", "sync.acquire %s -1", a)
	}
	p.says(p.a, "1", "sync.owned %s", a)
	p.says(p.b, "0", "sync.owned %s", b)
	p.b.Fails("INVALID", "sync.release %s 1", b)
	p.b.Fails("TIMEOUT", "sync.acquire %s 0", b)
	p.later(p.b, "sync.acquire %s 5000", b)
	for range 3 {
		p.a.Do("sync.release %s 1", a)
	}
	p.answers(p.b, "ok 0")
	p.a.Fails("INVALID", "sync.release %s 1", a)
	p.b.Do("sync.release %s 1", b)
}

func semaphoreScenario(p *pair) {
	for _, flags := range []string{"", "r"} {
		a, b := p.shared("semaphore", 2, flags)
		p.says(p.a, "0", "sync.acquire %s -1", a)
		p.says(p.b, "0", "sync.acquire %s -1", b)
		p.says(p.b, "0", "sync.value %s", b)
		p.a.Fails("TIMEOUT", "sync.acquire %s 0", a)
		p.later(p.a, "sync.acquire %s -1", a)
		p.b.Do("sync.release %s 3", b)
		p.answers(p.a, "ok 0")
		p.says(p.a, "2", "sync.value %s", a)

		c, d := p.shared("bounded_semaphore", 1, flags)
		p.b.Fails("INVALID", "sync.release %s 1", d)
		p.says(p.a, "0", "sync.acquire %s -1", c)
		p.b.Fails("TIMEOUT", "sync.acquire %s 20", d)
		p.a.Fails("INVALID", "sync.release %s 2", c)
		p.a.Do("sync.release %s 1", c)
		p.says(p.b, "1", "sync.value %s", d)
	}
}

func conditionScenario(p *pair) {
	a, b := p.shared("condition", 0, "")
	for _, kind := range []string{"", "lock", "rlock"} {
		la, lb, wa, wb := a, b, "-", "-"
		if kind != "" {
			la, lb = p.shared(kind, 0, "")
			wa, wb = la, lb
		}
		p.a.Fails("INVALID", "sync.wait %s %s 0", a, wa)
		p.says(p.a, "0", "sync.acquire %s -1", la)
		p.a.Fails("TIMEOUT", "sync.wait %s %s 20", a, wa)
		p.b.Fails("TIMEOUT", "sync.acquire %s 0", lb)
		for _, verb := range []string{"sync.notify %s %s 1", "sync.notify_all %s %s"} {
			p.later(p.a, "sync.wait %s %s -1", a, wa)
			p.says(p.b, "0", "sync.acquire %s -1", lb)
			p.b.Do(verb, b, wb)
			p.b.Do("sync.release %s 1", lb)
			p.answers(p.a, "ok 0")
		}
		p.b.Fails("TIMEOUT", "sync.acquire %s 0", lb)
		p.a.Do("sync.release %s 1", la)
	}
}

func eventScenario(p *pair) {
	a, b := p.shared("event", 0, "")
	p.says(p.a, "0", "sync.is_set %s", a)
	p.a.Fails("TIMEOUT", "sync.wait %s 0", a)
	p.a.Fails("TIMEOUT", "sync.wait %s 20", a)
	p.later(p.a, "sync.wait %s -1", a)
	p.b.Do("sync.set %s", b)
	p.b.Do("sync.clear %s", b)
	p.answers(p.a, "ok 0")
	p.says(p.a, "0", "sync.is_set %s", a)
	p.b.Do("sync.set %s", b)
	p.says(p.a, "1", "sync.is_set %s", a)
	p.says(p.a, "0", "sync.wait %s -1", a)
}

func barrierScenario(p *pair) {
	a, b := p.shared("barrier", 2, "")
	file, read := number(p)
	for round := range uint64(3) {
		p.later(p.a, "sync.wait %s %s -1", a, file)
		p.says(p.b, "1 0", "sync.waiting %s", b)
		p.says(p.b, "1", "sync.wait %s %s 5000", b, file)
		p.answers(p.a, "ok 0")
		if n := read(); n != round+1 {
			p.Fatalf("the action ran %d times in %d rounds", n, round+1)
		}
	}
	p.later(p.a, "sync.wait %s - -1", a)
	p.b.Do("sync.abort %s", b)
	p.answersErr(p.a, "BROKEN")
	p.b.Fails("BROKEN", "sync.wait %s - -1", b)
	p.b.Do("sync.reset %s", b)
	p.later(p.b, "sync.wait %s - 5000", b)
	p.a.Do("sync.reset %s", a)
	p.answersErr(p.b, "BROKEN")
	p.says(p.a, "0 0", "sync.waiting %s", a)
}

// answersErr waits for the answer to a command that must fail.
func (p *pair) answersErr(who *peers.Peer, name string) {
	p.Helper()
	if got, there := who.Answer(peers.Bound); !there || !strings.HasPrefix(got, "err "+name) {
		p.Fatalf("%s answers %q, not %s", who.Language, got, name)
	}
}

func rwlockScenario(p *pair) {
	a, b := p.shared("rwlock", 0, "")
	p.says(p.a, "0", "sync.read_lock %s -1", a)
	p.says(p.b, "0", "sync.read_lock %s -1", b)
	p.b.Fails("TIMEOUT", "sync.write_lock %s 0", b)
	p.b.Do("sync.read_unlock %s", b)
	p.b.Fails("INVALID", "sync.read_unlock %s", b)
	p.later(p.b, "sync.write_lock %s -1", b)
	p.a.Fails("TIMEOUT", "sync.read_lock %s 0", a)
	p.a.Do("sync.read_unlock %s", a)
	p.answers(p.b, "ok 0")
	p.a.Fails("INVALID", "sync.write_unlock %s", a)
	p.later(p.a, "sync.read_lock %s -1", a)
	p.b.Do("sync.write_unlock %s", b)
	p.answers(p.a, "ok 0")
	p.a.Do("sync.read_unlock %s", a)
}

func syncOptions(p *pair) {
	p.shared("event", 0, "")
	name := fmt.Sprintf("s%d", p.made)
	p.b.Fails("WRONG_KIND", "sync.open lock %s", name)
	p.b.Fails("WRONG_KIND", "open %s", name)
	p.b.Fails("EXISTS", "sync.create event %s 0 -", name)
	p.shared("semaphore", 3, "r")
	name = fmt.Sprintf("s%d", p.made)
	p.b.Fails("MISMATCH", "sync.open_or_create semaphore %s 2 rt", name)
	p.b.Fails("MISMATCH", "sync.open_or_create semaphore %s 3 t", name)
	p.b.Do("sync.close %s", p.b.Do("sync.open_or_create semaphore %s 3 rt", name))
	p.b.Fails("NOT_FOUND", "sync.open lock nosuch")
	p.b.Fails("INVALID", "sync.create barrier - 0 -")
	p.b.Fails("INVALID", "sync.create semaphore - -1 -")
	if p.b.Language != peers.Python { // which has no word for it
		p.b.Fails("INVALID", "sync.create lock - 0 r")
	}
	p.b.Do("sync.close %s", p.b.Do("sync.create lock - 0 -"))
	p.b.Do("sync.unlink nosuch")
}

// syncFork: what a parent holds its child does not, and what the child leaves held falls to the next.
func syncFork(p *pair) {
	if p.b.Language == peers.Go {
		return
	}
	a, b := p.shared("lock", 0, "")
	p.says(p.b, "0", "sync.acquire %s -1", b)
	child := p.b.Do("fork sync.acquire %s 0", b)
	if got, name := p.b.Try("wait %s", child); name != "TIMEOUT" {
		p.Fatal(got, name)
	}
	p.b.Do("sync.release %s 1", b)
	p.says(p.b, "0", "wait %s", p.b.Do("fork sync.acquire %s 0", b))
	p.says(p.a, "1", "sync.acquire %s 5000", a)
	p.a.Do("sync.release %s 1", a)
}

// number makes a file with a number in it, and reads it.
func number(t testing.TB) (file string, read func() uint64) {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-number-")
	if err == nil {
		file = filepath.Join(dir, "n")
		err = os.WriteFile(file, make([]byte, 8), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return file, func() uint64 {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return binary.LittleEndian.Uint64(b)
	}
}

// TestExclusion: all three languages at once add to an unprotected number, with what excludes the others in
// hand; no addition is lost.
func TestExclusion(t *testing.T) {
	for kind, additions := range map[string]int{
		"lock": 1_000_000, "rlock": 60_000, "bounded_semaphore": 60_000, "condition": 60_000, "rwlock": 60_000,
	} {
		t.Run(kind, func(t *testing.T) {
			root := newRoot(t)
			file, read := number(t)
			var team []*peers.Peer
			for range 2 {
				for _, l := range languages {
					team = append(team, peers.Start(t, l, root))
				}
			}
			each := additions / len(team)
			var wg sync.WaitGroup
			for _, p := range team {
				p.Do("sync.open_or_create %s s %d k", kind, strings.Count(kind, "semaphore"))
			}
			for _, p := range team {
				p.Send("sync.count 0 %s %d", file, each)
			}
			for _, p := range team {
				wg.Add(1)
				go func() {
					defer wg.Done()
					if got, there := p.Answer(2 * time.Minute); !there || got != "ok" {
						t.Errorf("%s: %q", p.Language, got)
					}
				}()
			}
			wg.Wait()
			if n := read(); n != uint64(each*len(team)) {
				t.Errorf("%d additions of %d are left", n, each*len(team))
			}
			team[0].Do("sync.unlink s")
			for _, p := range team {
				p.Close()
			}
		})
	}
}
