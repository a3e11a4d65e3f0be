// Package cross lets each language talk to each: every scenario over all nine ordered pairs of Go, C
// and Python, and one run in which many of all three work at once. The programs that talk are those
// of tests/peers.
package cross

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/polyipc/polyipc/tests/peers"
)

var languages = []peers.Language{peers.Go, peers.C, peers.Python}

func TestMain(m *testing.M) {
	if err := peers.Prepare(languages...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	peers.Clean()
	os.Exit(code)
}

// newRoot makes a root, in which the test must leave nothing.
func newRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-cross-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left := files(t, dir); left != "" && !t.Failed() {
			t.Errorf("left in the root: %s", left)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// files are what is in a root besides the registry of its members, which stays as long as the root.
func files(t testing.TB, root string) string {
	t.Helper()
	all, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range all {
		if f.Name() != "members" {
			names = append(names, f.Name())
		}
	}
	return strings.Join(names, " ")
}

// pair is two peers with one queue: a is the language that puts, b the one that takes.
type pair struct {
	testing.TB
	root string
	a, b *peers.Peer
	made int    // queues so far
	name string // of the queue
	qa   string // its number in a
	qb   string // and in b
}

// queue gives both a new queue.
func (p *pair) queue(maxSize, capacity int) {
	p.Helper()
	p.made++
	p.name = fmt.Sprintf("q%d", p.made)
	p.qa = p.a.Do("create %s %d %d -", p.name, maxSize, capacity)
	p.qb = p.b.Do("open %s", p.name)
}

// end gives the queue up, of which nothing may be left.
func (p *pair) end() {
	p.Helper()
	if p.name == "" {
		return
	}
	p.a.Do("unlink %s", p.name)
	p.a.Do("close %s", p.qa)
	p.b.Do("close %s", p.qb)
	if left := files(p, p.root); left != "" {
		p.Fatalf("left in the root: %s", left)
	}
}

// give puts messages from a.
func (p *pair) give(words ...string) {
	p.Helper()
	for _, w := range words {
		p.a.Do("put %s 1000 %s", p.qa, w)
	}
}

// take gets messages in b, which must be these.
func (p *pair) take(words ...string) {
	p.Helper()
	for _, w := range words {
		if got := p.b.Do("get %s 1000", p.qb); got != peers.Shown(w) {
			p.Fatalf("got %.100s, not %.100s", got, peers.Shown(w))
		}
	}
}

// sleeps waits until a peer that was sent a command has gone to sleep in it.
func (p *pair) sleeps(who *peers.Peer) {
	p.Helper()
	for end := time.Now().Add(peers.Bound); !who.Sleeping(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			p.Fatalf("%s does not sleep", who.Language)
		}
	}
}

// answers waits for the answer to a command that was sent.
func (p *pair) answers(who *peers.Peer, want string) {
	p.Helper()
	if got, there := who.Answer(peers.Bound); !there || got != want {
		p.Fatalf("%s answers %q, not %q", who.Language, got, want)
	}
}

// TestPairs runs every scenario over every ordered pair.
func TestPairs(t *testing.T) {
	for _, a := range languages {
		for _, b := range languages {
			t.Run(fmt.Sprintf("%s_to_%s", a, b), func(t *testing.T) {
				root := newRoot(t)
				p := &pair{TB: t, root: root, a: peers.Start(t, a, root), b: peers.Start(t, b, root)}
				for _, s := range scenarios {
					t.Run(s.name, func(t *testing.T) {
						one := &pair{TB: t, root: root, a: p.a, b: p.b, made: p.made}
						one.a.In(t)
						one.b.In(t)
						s.run(one)
						one.end()
						p.made = one.made
					})
					if t.Failed() {
						return // the peers may be anywhere now
					}
				}
				p.a.In(t)
				p.b.In(t)
				p.a.Close()
				p.b.Close()
			})
		}
	}
}
