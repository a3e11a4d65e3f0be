package cross

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/polyipc/polyipc/tests/peers"
)

type scenario struct {
	name string
	run  func(*pair)
}

// More than a ring of 256 KiB holds in one message, and so a part of its own.
const side = "g7:300000"

var scenarios = []scenario{
	{"bytes", plainBytes},
	{"values", values},
	{"batches", batches},
	{"large", large},
	{"growth", growth},
	{"maxsize", maxsize},
	{"capacity", capacity},
	{"timeouts", timeouts},
	{"wakes", wakes},
	{"lease", lease},
	{"redelivery", redelivery},
	{"join", join},
	{"shutdown", shutdown},
	{"shutdown_at_once", shutdownAtOnce},
	{"lifetime", lifetime},
	{"options", options},
	{"stat", stat},
	{"fork", fork},
}

func plainBytes(p *pair) {
	p.queue(0, 0)
	words := []string{"x", "x00", "x0a", "xff00ff", "xc3a9", "g1:63", "g2:64", "g3:65", "g4:4096", "g5:4097", "g6:65536", "g7:65537"}
	p.give(words...)
	p.take(words...)
	p.b.Fails("EMPTY", "get %s 0", p.qb)
}

func batches(p *pair) {
	p.queue(0, 0)
	var words []string
	for i := range 200 {
		words = append(words, fmt.Sprintf("m92cd%04xc4%02x%s", 1000+i, i, strings.Repeat("ab", i)))
	}
	if n := p.a.Do("put_many %s 1000 %s", p.qa, strings.Join(words, " ")); n != "200" {
		p.Fatalf("put %s of 200", n)
	}
	var got []string
	for len(got) < len(words) {
		few := strings.Fields(p.b.Do("get_many %s 1000 7", p.qb))
		if len(few) == 0 || len(few) > 7 {
			p.Fatalf("get_many of 7 gave %d", len(few))
		}
		got = append(got, few...)
	}
	if !slices.Equal(got, words) {
		p.Fatalf("got %v", got)
	}
	p.b.Fails("EMPTY", "get_many %s 0 7", p.qb)
}

func large(p *pair) {
	p.queue(0, 0)
	words := []string{side, "x01", "g8:5000000", side, "g9:1048576"}
	p.give(words...)
	p.take(words...)
	if left := files(p, p.root); left != p.name {
		p.Fatalf("parts are left: %s", left)
	}
}

func growth(p *pair) {
	p.queue(0, 0)
	var words []string
	for i := range 100 {
		words = append(words, fmt.Sprintf("g%d:%d", i, 10_000+i))
	}
	p.give(words...)
	if s := p.b.Do("stat %s", p.qb); strings.Contains(s, "rings=1") {
		p.Fatalf("a megabyte in one ring of 256 KiB: %s", s)
	}
	p.take(words...)
	p.b.Fails("EMPTY", "get %s 0", p.qb)
	if s := p.b.Do("stat %s", p.qb); !strings.Contains(s, "rings=1") {
		p.Fatalf("more than a ring at rest: %s", s)
	}
}

func maxsize(p *pair) {
	p.queue(3, 0)
	p.give("x01", "x02", "x03")
	p.a.Fails("FULL", "put %s 0 x04", p.qa)
	p.a.Fails("TIMEOUT", "put %s 30 x04", p.qa)
	p.a.Fails("FULL", "put %s 0 %s", p.qa, side)
	if full := p.b.Do("full %s", p.qb); full != "1" {
		p.Fatalf("full: %s", full)
	}
	p.a.Send("put %s -1 x04", p.qa)
	p.sleeps(p.a)
	p.take("x01")
	p.answers(p.a, "ok")
	p.a.Fails("FULL", "put %s 0 x05", p.qa)
	p.take("x02")
	if n := p.a.Do("put_many %s 30 m05 m06 m07", p.qa); n != "1" {
		p.Fatalf("put_many into one place put %s", n)
	}
	p.take("x03", "x04")
	if got := p.b.Do("get %s 0", p.qb); got != "m05" {
		p.Fatal(got)
	}
}

func capacity(p *pair) {
	p.queue(0, 65536)
	for i := range 4 {
		p.give(fmt.Sprintf("g%d:16000", i))
	}
	p.a.Fails("FULL", "put %s 0 g4:16000", p.qa)
	p.a.Send("put %s -1 g4:16000", p.qa)
	p.sleeps(p.a)
	p.take("g0:16000")
	p.answers(p.a, "ok")
	p.take("g1:16000", "g2:16000", "g3:16000", "g4:16000")
	p.give("g5:1000000") // larger than the queue, and alone in it
	p.a.Fails("FULL", "put %s 0 x01", p.qa)
	p.take("g5:1000000")
}

func timeouts(p *pair) {
	p.queue(1, 0)
	p.b.Fails("EMPTY", "get %s 0", p.qb)
	p.b.Fails("EMPTY", "lease %s 0", p.qb)
	p.give("x01")
	for _, c := range []struct {
		who     *peers.Peer
		command string
	}{
		{p.a, "put " + p.qa + " 100 x02"},
		{p.a, "put " + p.qa + " 100 " + side},
		{p.a, "put_many " + p.qa + " 100 m02"},
		{p.a, "join " + p.qa + " 100"},
		{p.b, "get " + p.qb + " 100"},
		{p.b, "lease " + p.qb + " 100"},
		{p.b, "get_many " + p.qb + " 100 3"},
	} {
		if strings.HasPrefix(c.command, "get ") {
			p.take("x01") // from here on it is empty
		}
		began := time.Now()
		c.who.Fails("TIMEOUT", "%s", c.command)
		if d := time.Since(began); d < 99*time.Millisecond || d > 2*time.Second {
			p.Fatalf("%s: %q timed out after %v", c.who.Language, c.command, d)
		}
	}
}

func wakes(p *pair) {
	p.queue(0, 0)
	for _, w := range []string{"x01", "g1:20000", side} {
		p.b.Send("get %s -1", p.qb)
		p.sleeps(p.b)
		p.give(w)
		p.answers(p.b, "ok "+peers.Shown(w))
	}
	p.b.Send("get_many %s -1 5", p.qb)
	p.sleeps(p.b)
	p.a.Do("put_many %s 0 m01", p.qa)
	p.answers(p.b, "ok m01")
	p.b.Send("get %s -1", p.qb)
	p.sleeps(p.b)
	p.a.Do("shutdown %s 0", p.qa)
	if got, there := p.b.Answer(peers.Bound); !there || !strings.HasPrefix(got, "err SHUTDOWN") {
		p.Fatalf("%s answers %q", p.b.Language, got)
	}
}

// leases has who lease a message and returns the lease's number.
func (p *pair) leases(who *peers.Peer, q, word string, delivery int) string {
	p.Helper()
	words := strings.Fields(who.Do("lease %s 1000", q))
	if len(words) != 3 || words[1] != fmt.Sprint(delivery) || words[2] != peers.Shown(word) {
		p.Fatalf("%s leases %v, not delivery %d of %s", who.Language, words, delivery, peers.Shown(word))
	}
	return words[0]
}

func lease(p *pair) {
	p.queue(0, 0)
	for _, w := range []string{"x01", "g1:20000", side} {
		p.give(w, "x99")
		n := p.leases(p.b, p.qb, w, 1)
		p.b.Do("nack %s %s", p.qb, n)
		p.b.Fails("LEASE_LOST", "nack %s %s", p.qb, n)
		n = p.leases(p.a, p.qa, w, 2) // before newer ones, and by anybody
		p.take("x99")
		p.b.Fails("EMPTY", "get %s 0", p.qb)
		p.a.Do("nack %s %s", p.qa, n)
		n = p.leases(p.b, p.qb, w, 3)
		p.b.Do("ack %s %s", p.qb, n)
		p.b.Fails("LEASE_LOST", "ack %s %s", p.qb, n)
		p.b.Do("task_done %s", p.qb)
		p.a.Do("join %s 1000", p.qa)
	}
	if left := files(p, p.root); left != p.name {
		p.Fatalf("parts are left: %s", left)
	}
}

func redelivery(p *pair) {
	p.queue(0, 0)
	p.give("x01", side, "x02")
	dies := peers.Start(p, p.b.Language, p.root)
	q := dies.Do("open %s", p.name)
	p.leases(dies, q, "x01", 1)
	p.leases(dies, q, side, 1)
	p.take("x02")
	p.a.Send("lease %s -1", p.qa)
	p.sleeps(p.a)
	dies.Kill()
	got, _ := p.a.Answer(peers.Bound)
	if words := strings.Fields(got); len(words) != 4 || words[2] != "2" || words[3] != "x01" {
		p.Fatalf("%s is redelivered %q", p.a.Language, got)
	}
	p.a.Do("ack %s %s", p.qa, strings.Fields(got)[1])
	p.b.Do("ack %s %s", p.qb, p.leases(p.b, p.qb, side, 2))
}

func join(p *pair) {
	p.queue(0, 0)
	p.a.Do("join %s 1000", p.qa) // nothing to wait for
	p.give("x01", "x02", side)
	p.a.Fails("TIMEOUT", "join %s 20", p.qa)
	p.take("x01")
	p.b.Do("task_done %s", p.qb)
	p.take("x02")
	p.a.Send("join %s -1", p.qa)
	p.sleeps(p.a)
	n := p.leases(p.b, p.qb, side, 1)
	p.b.Do("task_done %s", p.qb)
	p.b.Do("ack %s %s", p.qb, n)
	p.answers(p.a, "ok")
	p.b.Fails("INVALID", "task_done %s", p.qb)
}

func shutdown(p *pair) {
	p.queue(0, 0)
	p.give("x01", side, "x02")
	p.a.Do("shutdown %s 0", p.qa)
	p.a.Do("shutdown %s 0", p.qa)
	p.a.Fails("SHUTDOWN", "put %s 0 x03", p.qa)
	p.b.Fails("SHUTDOWN", "put %s -1 %s", p.qb, side)
	p.a.Fails("SHUTDOWN", "put_many %s -1 m03", p.qa)
	p.take("x01", side)
	n := p.leases(p.b, p.qb, "x02", 1)
	p.b.Do("nack %s %s", p.qb, n)
	p.take("x02")
	p.b.Fails("SHUTDOWN", "get %s 0", p.qb)
	p.b.Fails("SHUTDOWN", "get %s -1", p.qb)
	p.a.Fails("SHUTDOWN", "lease %s -1", p.qa)
	p.a.Fails("SHUTDOWN", "get_many %s -1 3", p.qa)
}

func shutdownAtOnce(p *pair) {
	p.queue(0, 0)
	p.give("x01", side, "x02")
	n := p.leases(p.b, p.qb, "x01", 1)
	p.a.Do("shutdown %s 1", p.qa)
	p.b.Fails("SHUTDOWN", "get %s -1", p.qb)
	p.b.Do("ack %s %s", p.qb, n)
	p.a.Do("join %s 1000", p.qa)
	if left := files(p, p.root); left != p.name {
		p.Fatalf("parts are left: %s", left)
	}
}

func lifetime(p *pair) {
	p.made++
	name := fmt.Sprintf("q%d", p.made)
	a := p.a.Do("create %s 0 0 t", name)
	p.b.Fails("EXISTS", "create %s 0 0 t", name)
	b := p.b.Do("open %s", name)
	p.a.Do("put %s 0 x01", a)
	p.a.Do("put %s 0 %s", a, side)
	p.a.Do("close %s", a)
	if got := p.b.Do("get %s 0", b); got != "x01" {
		p.Fatal(got)
	}
	p.b.Do("close %s", b)
	p.a.Fails("NOT_FOUND", "open %s", name)
	if left := files(p, p.root); left != "" {
		p.Fatalf("left by a transient queue: %s", left)
	}

	a = p.a.Do("create - 0 0 -") // anonymous: found by the name that it gives itself
	b = p.b.Do("open %s", p.a.Do("name %s", a))
	p.b.Do("put %s 0 x02", b)
	p.b.Do("close %s", b)
	if got := p.a.Do("get %s 0", a); got != "x02" {
		p.Fatal(got)
	}
	p.a.Do("close %s", a)

	a = p.a.Do("create %s 0 0 -", name) // kept without a user
	p.a.Do("put %s 0 %s", a, side)
	p.a.Do("close %s", a)
	b = p.b.Do("open %s", name)
	p.b.Do("unlink %s", name)
	p.b.Do("unlink %s", name)
	if got := p.b.Do("get %s 0", b); got != peers.Shown(side) { // goes on for who has it open
		p.Fatal(got)
	}
	p.a.Fails("NOT_FOUND", "open %s", name)
	p.b.Do("close %s", b)
	if left := files(p, p.root); left != "" {
		p.Fatalf("left: %s", left)
	}
}

func options(p *pair) {
	p.queue(10, 100_000)
	p.b.Fails("MISMATCH", "open_or_create %s 11 100000 -", p.name)
	p.b.Fails("MISMATCH", "open_or_create %s 10 0 -", p.name)
	q := p.b.Do("open_or_create %s 10 131072 -", p.name) // rounded up to the same
	p.b.Do("put %s 0 x01", q)
	p.take("x01")
	p.b.Do("close %s", q)
	p.b.Fails("NOT_FOUND", "open there-is-none")
	p.b.Fails("INVALID", "open .hidden")
	p.b.Fails("INVALID", "create a/b 0 0 -")
}

func stat(p *pair) {
	p.queue(0, 0)
	p.give("x01", "x02", "x03", "x04")
	n := p.leases(p.b, p.qb, "x01", 1)
	p.take("x02")
	const want = "messages=2 leased=1 reserved=0 unfinished=4 put=4 taken=1 abandoned=0 redelivered=0 rings=1"
	for _, s := range []string{p.a.Do("stat %s", p.qa), p.b.Do("stat %s", p.qb)} {
		if s != want {
			p.Fatalf("stat says %s", s)
		}
	}
	p.b.Do("ack %s %s", p.qb, n)
	for _, c := range [][2]string{{"size", "2"}, {"empty", "0"}, {"full", "0"}} {
		if got := p.b.Do("%s %s", c[0], p.qb); got != c[1] {
			p.Fatalf("%s: %s", c[0], got)
		}
	}
}

// fork lets forked children of C and Python use the handles they inherit, against a peer of the
// other language. Go has no fork.
func fork(p *pair) {
	p.queue(0, 0)
	child := func(who *peers.Peer, command string) string {
		p.Helper()
		pid := who.Do("fork %s", command)
		return who.Do("wait %s", pid)
	}
	if p.a.Language != peers.Go {
		p.give("x01")
		child(p.a, "put "+p.qa+" 1000 x02")
		child(p.a, "put "+p.qa+" 1000 "+side)
		p.give("x03")
		p.take("x01", "x02", side, "x03")
	}
	if p.b.Language != peers.Go {
		p.give("x04", side, "x05")
		for _, w := range []string{"x04", side} {
			if got := child(p.b, "get "+p.qb+" 1000"); got != peers.Shown(w) {
				p.Fatalf("child got %s, not %s", got, peers.Shown(w))
			}
		}
		// The child's lease is its own, and comes back when it is gone.
		if got := strings.Fields(child(p.b, "lease "+p.qb+" 1000")); len(got) != 3 || got[2] != "x05" {
			p.Fatalf("child leased %v", got)
		}
		p.b.Do("ack %s %s", p.qb, p.leases(p.b, p.qb, "x05", 2))
	}
}
