package cross

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/tests/peers"
)

func init() {
	scenarios = append(scenarios,
		scenario{"pipe", pipeScenario}, scenario{"pipe_one_way", pipeOneWay}, scenario{"pipe_large", pipeLarge},
		scenario{"pipe_end_of_file", pipeEndOfFile}, scenario{"pipe_full", pipeFull}, scenario{"pipe_shared_end", pipeSharedEnd},
		scenario{"pipe_options", pipeOptions}, scenario{"pipe_fork", pipeFork},
	)
}

// pipe makes a pipe of which a has the first end and b the second, until the end of the test.
func (p *pair) pipe(flags string) (a, b string) {
	p.Helper()
	p.made++
	name := fmt.Sprintf("p%d", p.made)
	a = p.a.Do("pipe.create %s - 0 %s", name, flags+"t")
	b = p.b.Do("pipe.open %s -", name)
	p.says(p.a, name, "pipe.name %s", a)
	p.says(p.b, name, "pipe.name %s", b)
	p.Cleanup(func() {
		if !p.Failed() {
			p.a.Send("pipe.close %s", a) // may be closed
			p.a.Answer(peers.Bound)
			p.b.Send("pipe.close %s", b)
			p.b.Answer(peers.Bound)
		}
	})
	return a, b
}

// bodies are raw and MessagePack, small, empty and just over what is copied under a lock.
var pipeBodies = []string{"x", "x00ff", "m81a161930102c0", "m93010203", "g7:4096", "g8:4097", "g9:15000"}

func pipeScenario(p *pair) {
	a, b := p.pipe("")
	for _, way := range []struct {
		from, to *peers.Peer
		x, y     string
	}{{p.a, p.b, a, b}, {p.b, p.a, b, a}} {
		p.says(way.to, "0", "pipe.poll %s 0", way.y)
		p.says(way.to, "0", "pipe.poll %s 10", way.y)
		for _, body := range pipeBodies {
			way.from.Do("pipe.send %s 1000 %s", way.x, body)
			p.says(way.to, "1", "pipe.poll %s 0", way.y)
			want := body
			if body[0] != 'm' {
				want = peers.Shown(body)
			}
			p.says(way.to, want, "pipe.recv %s 1000", way.y)
		}
		p.fails(way.to, "TIMEOUT", "pipe.recv %s 10", way.y)
		p.later(way.to, "pipe.recv %s -1", way.y)
		way.from.Do("pipe.send %s 1000 x77", way.x)
		p.answers(way.to, "ok x77")
		p.later(way.to, "pipe.poll %s -1", way.y)
		way.from.Do("pipe.send %s 1000 x78", way.x)
		p.answers(way.to, "ok 1")
		p.says(way.to, "x78", "pipe.recv %s 1000", way.y)
	}
	n := len(pipeBodies) + 2
	p.says(p.a, fmt.Sprintf("end=0 other=1 messages=0 sent=%d received=%d", n, n), "pipe.stat %s", a)
	p.says(p.b, fmt.Sprintf("end=1 other=1 messages=0 sent=%d received=%d", n, n), "pipe.stat %s", b)
}

// fails has a peer do a command, which must fail with that status.
func (p *pair) fails(who *peers.Peer, code, format string, args ...any) {
	p.Helper()
	who.Send(format, args...)
	if got, there := who.Answer(peers.Bound); !there || !strings.HasPrefix(got, "err "+code+" ") {
		p.Fatalf("%s: %s: %q, not %s", who.Language, fmt.Sprintf(format, args...), got, code)
	}
}

func pipeOneWay(p *pair) {
	a, b := p.pipe("1")
	p.b.Do("pipe.send %s 1000 x01", b)
	p.says(p.a, "x01", "pipe.recv %s 1000", a)
	p.fails(p.a, "INVALID", "pipe.send %s 1000 x01", a)
	p.fails(p.b, "INVALID", "pipe.recv %s 1000", b)
	p.fails(p.b, "INVALID", "pipe.poll %s 1000", b)
	p.b.Do("pipe.close %s", b)
	p.fails(p.a, "END_OF_FILE", "pipe.recv %s 1000", a)
}

// pipeLarge has each end send the other what is larger than the pipe.
func pipeLarge(p *pair) {
	a, b := p.pipe("")
	for _, size := range []int{16385, 65537, 1_000_000} {
		body := fmt.Sprintf("g%d:%d", size, size)
		p.a.Send("pipe.send %s 5000 %s", a, body)
		p.says(p.b, peers.Shown(body), "pipe.recv %s 5000", b)
		p.answers(p.a, "ok")
	}
	p.b.Send("pipe.echo %s", b)
	for i := range 20 {
		body := fmt.Sprintf("g%d:%d", i, i*i*300)
		p.a.Do("pipe.send %s 5000 %s", a, body)
		p.says(p.a, peers.Shown(body), "pipe.recv %s 5000", a)
	}
	p.a.Do("pipe.close %s", a)
	p.answers(p.b, "ok 20")
}

func pipeEndOfFile(p *pair) {
	a, b := p.pipe("")
	p.a.Do("pipe.send %s 1000 x01", a)
	p.a.Do("pipe.send %s 1000 g1:30000", a)
	p.a.Do("pipe.close %s", a)
	p.says(p.b, "1", "pipe.poll %s 0", b)
	p.says(p.b, "x01", "pipe.recv %s 1000", b)
	p.says(p.b, peers.Shown("g1:30000"), "pipe.recv %s 1000", b)
	p.says(p.b, "1", "pipe.poll %s 0", b)
	for range 2 {
		p.fails(p.b, "END_OF_FILE", "pipe.recv %s -1", b)
	}
	p.fails(p.b, "BROKEN", "pipe.send %s -1 x01", b)
	p.says(p.b, "end=1 other=2 messages=0 sent=0 received=2", "pipe.stat %s", b)
	// Asleep when it happens.
	for _, verb := range []string{"recv", "poll", "pour"} {
		a, b = p.pipe("")
		p.later(p.b, map[string]string{"recv": "pipe.recv %s -1", "poll": "pipe.poll %s -1", "pour": "pipe.pour %s 1000000"}[verb], b)
		p.a.Do("pipe.close %s", a)
		answer, there := p.b.Answer(peers.Bound)
		want := map[string]string{"recv": "err END_OF_FILE", "poll": "ok 1", "pour": "ok "}[verb]
		if !there || !strings.HasPrefix(answer, want) {
			p.Fatalf("%s: %q", verb, answer)
		}
	}
}

// pipeFull has a slow receiver hold up its sender; no message is lost or changed.
func pipeFull(p *pair) {
	a, b := p.pipe("")
	p.later(p.a, "pipe.pour %s 2000", a)
	p.b.Send("pipe.drain %s", b)
	p.answers(p.a, "ok 2000")
	p.a.Do("pipe.close %s", a)
	p.answers(p.b, "ok 2000")
}

func pipeSharedEnd(p *pair) {
	a, b := p.pipe("")
	name := fmt.Sprintf("p%d", p.made)
	c := p.a.Do("pipe.open %s 1", name)
	p.says(p.a, "end=1 other=1 messages=0 sent=0 received=0", "pipe.stat %s", c)
	p.a.Do("pipe.send %s 1000 x01", c)
	p.a.Do("pipe.send %s 1000 x02", a)
	p.says(p.b, "x02", "pipe.recv %s 1000", b)
	p.says(p.a, "x01", "pipe.recv %s 1000", a)
	p.b.Do("pipe.close %s", b)
	p.says(p.a, "0", "pipe.poll %s 10", a) // c has the end still
	p.a.Do("pipe.close %s", c)
	p.fails(p.a, "END_OF_FILE", "pipe.recv %s -1", a)
}

func pipeOptions(p *pair) {
	p.made++
	name := fmt.Sprintf("p%d", p.made)
	p.fails(p.b, "NOT_FOUND", "pipe.open %s -", name)
	a := p.a.Do("pipe.open_or_create %s - 100000 k1", name)
	p.fails(p.b, "EXISTS", "pipe.create %s - 0 -", name)
	p.fails(p.b, "MISMATCH", "pipe.open_or_create %s - 0 k1", name)
	p.fails(p.b, "MISMATCH", "pipe.open_or_create %s - 100000 k", name)
	p.fails(p.b, "WRONG_KIND", "open %s", name)
	b := p.b.Do("pipe.open_or_create %s - 131072 k1", name)
	p.says(p.b, "end=1 other=1 messages=0 sent=0 received=0", "pipe.stat %s", b)
	p.b.Do("pipe.close %s", b)
	p.a.Do("pipe.close %s", a)
	p.b.Do("pipe.unlink %s", name)
	p.b.Do("pipe.unlink %s", name)
	both := strings.Fields(p.a.Do("pipe.pair - 0 -"))
	p.a.Do("pipe.send %s 1000 x01", both[1])
	p.says(p.a, "x01", "pipe.recv %s 1000", both[0])
	p.a.Do("pipe.close %s", both[0])
	p.a.Do("pipe.close %s", both[1])
}

// pipeFork has a forked child use what it inherited. A Go program does not fork.
func pipeFork(p *pair) {
	if p.b.Language == peers.Go {
		return
	}
	a, b := p.pipe("")
	p.a.Do("pipe.send %s 1000 x01", a)
	child := p.b.Do("fork pipe.recv %s 1000", b)
	p.says(p.b, "x01", "wait %s", child)
	child = p.b.Do("fork pipe.recv %s -1", b)
	p.b.Do("pipe.close %s", b)
	p.says(p.a, "0", "pipe.poll %s 10", a) // the child has it
	p.a.Do("pipe.close %s", a)
	p.b.Send("wait %s", child)
	if got, there := p.b.Answer(peers.Bound); !there || !strings.HasPrefix(got, "err END_OF_FILE") {
		p.Fatalf("%q", got)
	}
}

// TestPipeDeath kills the process at one end in the middle of what it sends, over every ordered pair: the other
// receives whole messages in their order, and then the end of file.
func TestPipeDeath(t *testing.T) {
	for _, a := range languages {
		for _, b := range languages {
			t.Run(fmt.Sprintf("%s_to_%s", a, b), func(t *testing.T) {
				for i := range 4 {
					pipeDeath(t, a, b, time.Duration(i)*3*time.Millisecond)
				}
			})
		}
	}
}

func pipeDeath(t *testing.T, a, b peers.Language, after time.Duration) {
	root := newRoot(t)
	p := &pair{TB: t, root: root, a: peers.Start(t, a, root), b: peers.Start(t, b, root)}
	name := "p"
	p.qa = p.a.Do("pipe.create %s - 0 t", name)
	p.qb = p.b.Do("pipe.open %s -", name)
	p.b.Send("pipe.drain %s", p.qb)
	p.a.Send("pipe.pour %s 100000000", p.qa)
	time.Sleep(after) // any moment will do
	p.a.Signal(syscall.SIGKILL)
	killed := time.Now()
	answer, there := p.b.Answer(peers.Bound)
	if n, err := strconv.Atoi(strings.TrimPrefix(answer, "ok ")); !there || err != nil {
		t.Fatalf("%q", answer)
	} else {
		t.Logf("the end of file after %d messages and %v", n, time.Since(killed).Round(time.Millisecond))
	}
	p.fails(p.b, "BROKEN", "pipe.send %s 1000 x01", p.qb)
	p.b.Do("pipe.close %s", p.qb)
	p.b.Close()
}
