package cross

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/polyipc/polyipc/tests/peers"
)

func init() {
	scenarios = append(scenarios,
		scenario{"segment_bytes", segmentBytes}, scenario{"segment_items", segmentItems}, scenario{"segment_options", segmentOptions},
		scenario{"segment_growth", segmentGrowth}, scenario{"segment_atomics", segmentAtomics}, scenario{"segment_wait", segmentWait},
		scenario{"segment_lock", segmentLock}, scenario{"segment_fork", segmentFork},
	)
}

// segment gives both a new segment, until the end of the test.
func (p *pair) segment(options string) (name, a, b string) {
	p.Helper()
	p.made++
	name = fmt.Sprintf("g%d", p.made)
	a = p.a.Do("segment.create %s %s -", name, options)
	b = p.b.Do("segment.open %s - -", name)
	p.says(p.b, name, "segment.name %s", b)
	p.Cleanup(func() {
		if !p.Failed() {
			p.a.Do("segment.close %s", a)
			p.b.Do("segment.close %s", b)
			p.a.Do("segment.unlink %s", name)
		}
	})
	return name, a, b
}

func segmentBytes(p *pair) {
	_, a, b := p.segment("5000 0 - -")
	p.says(p.b, "- - 1 5000 5000", "segment.describe %s", b)
	p.says(p.b, "x0000", "segment.read %s 4998 2", b)
	p.a.Do("segment.write %s 4997 ff00ee", a)
	p.says(p.b, "xff00ee", "segment.read %s 4997 3", b)
	p.b.Do("segment.write %s 0 01", b)
	p.says(p.a, "x01", "segment.read %s 0 1", a)
}

func segmentItems(p *pair) {
	_, a, b := p.segment("0 0 q 10")
	p.says(p.b, "<q 10 8 80 80", "segment.describe %s", b)
	p.a.Do("segment.set %s 9 -9007199254740993", a)
	p.says(p.b, "x"+"ffffffffffffdfff", "segment.read %s 72 8", b)
	p.a.Do("segment.set %s 3 -12345", a)
	p.says(p.b, "-12345", "segment.get %s 3", b)

	_, _, b = p.segment("0 0 <d 2,3")
	p.says(p.b, "<d 2,3 8 48 48", "segment.describe %s", b)

	_, a, b = p.segment("0 0 d 4")
	p.b.Do("segment.set %s 1 -2.5", b)
	p.says(p.a, "-2.5", "segment.get %s 1", a)

	// A structure as C lays it out.
	_, a, b = p.segment("0 0 T{i:x:d:y:} 3")
	p.says(p.b, "T{<i:x:4x<d:y:} 3 16 48 48", "segment.describe %s", b)
	p.a.Do("segment.set %s 2 -7 0.5", a)
	p.says(p.b, "-7 0.5", "segment.get %s 2", b)
	p.b.Do("segment.set %s 0 8 1e+100", b)
	p.says(p.a, "8 1e+100", "segment.get %s 0", a)
}

func segmentOptions(p *pair) {
	name, _, _ := p.segment("0 0 i 2,3")
	for _, who := range []*peers.Peer{p.a, p.b} {
		who.Fails("EXISTS", "segment.create %s 8 0 - - -", name)
		for _, expected := range []string{"I -", "i 3,2", "i 6", "<l 2,3,1", "T{i:x:} -"} {
			who.Fails("MISMATCH", "segment.open %s %s", name, expected)
			who.Fails("MISMATCH", "segment.open_or_create %s 0 0 %s -", name, expected)
		}
		for _, same := range []string{"i 2,3", "<i 2,3", "=l 2,3", "@i 2,3"} {
			who.Do("segment.close %s", who.Do("segment.open %s %s", name, same))
			who.Do("segment.close %s", who.Do("segment.open_or_create %s 0 0 %s -", name, same))
		}
		who.Fails("MISMATCH", "segment.open_or_create %s 24 0 - - -", name)
		who.Fails("NOT_FOUND", "segment.open nothing - -")
		who.Fails("INVALID", "segment.create - 0 0 - - -")
		who.Fails("INVALID", "segment.create - 10 5 - - -")
		who.Fails("INVALID", "segment.create - 0 0 y - -")
		who.Fails("INVALID", "segment.create - 8 0 i - -")
		who.Do("segment.unlink nothing")
	}
	// An anonymous one goes with its last user.
	a := p.a.Do("segment.create - 8 0 - - -")
	n := p.a.Do("segment.name %s", a)
	b := p.b.Do("segment.open %s - -", n)
	p.a.Do("segment.close %s", a)
	p.says(p.b, "x00", "segment.read %s 0 1", b)
	p.b.Do("segment.close %s", b)
	p.b.Fails("NOT_FOUND", "segment.open %s - -", n)
}

func segmentGrowth(p *pair) {
	_, a, b := p.segment("100 1000000 - -")
	p.a.Do("segment.write %s 99 aa", a)
	p.b.Do("segment.grow %s 500000", b)
	p.says(p.a, "- - 1 500000 1000000", "segment.describe %s", a)
	p.says(p.a, "xaa00", "segment.read %s 99 2", a)
	p.a.Do("segment.write %s 499999 bb", a)
	p.says(p.b, "xbb", "segment.read %s 499999 1", b)
	p.b.Fails("TOO_LARGE", "segment.grow %s 1000001", b)
	p.b.Do("segment.grow %s 50", b)
	p.says(p.b, "size=500000 max=1000000 waiters=0 take_overs=0 holder=0", "segment.stat %s", b)
}

func segmentAtomics(p *pair) {
	_, a, b := p.segment("64 0 - -")
	const most = "18446744073709551615"
	for _, step := range []struct{ does, before string }{
		{"store 8 8 " + most, "0"}, {"add 8 8 3", most}, {"sub 8 4 3", "2"}, {"load 8 8 0", "4294967295"}, {"and 8 8 61680", "4294967295"},
		{"or 8 8 15", "61680"}, {"xor 8 8 255", "61695"}, {"exchange 8 8 5", "61440"}, {"load 8 8 0", "5"}, {"add 12 4 1", "0"}, {"load 8 8 0", "4294967301"},
		{"exchange 8 4 4294967295", "5"}, {"add 8 4 2", "4294967295"}, {"load 8 8 0", "4294967297"},
	} {
		p.says(p.a, step.before, "segment.atomic %s %s", a, step.does)
		p.a, p.b, a, b = p.b, p.a, b, a // in turns
	}
	p.says(p.a, "4294967297", "segment.compare_exchange %s 8 8 5 6", a)
	p.says(p.b, "4294967297", "segment.compare_exchange %s 8 8 4294967297 6", b)
	p.says(p.a, "6", "segment.compare_exchange %s 8 4 6 7", a)
	p.says(p.b, "7", "segment.atomic %s load 8 4 0", b)
	for _, who := range []struct {
		*peers.Peer
		s string
	}{{p.a, a}, {p.b, b}} {
		for _, bad := range []string{"4 8", "-8 8", "60 8", "64 4", "2 4", "0 2"} {
			who.Fails("INVALID", "segment.atomic %s add %s 1", who.s, bad)
			who.Fails("INVALID", "segment.compare_exchange %s %s 1 1", who.s, bad)
			who.Fails("INVALID", "segment.wait %s -1 %s 7", who.s, bad)
		}
	}
}

func segmentWait(p *pair) {
	_, a, b := p.segment("64 0 - -")
	p.says(p.b, "0", "segment.wait %s -1 0 8 1", b)
	p.b.Fails("TIMEOUT", "segment.wait %s 0 0 8 0", b)
	p.b.Fails("TIMEOUT", "segment.wait %s 30 0 8 0", b)
	for _, width := range []int{4, 8} {
		p.later(p.b, "segment.wait %s -1 16 %d %d", b, width, width-4)
		p.says(p.a, fmt.Sprint(width-4), "segment.atomic %s exchange 16 %d %d", a, width, width)
		p.a.Do("segment.notify %s 16 %d", a, width)
		p.answers(p.b, fmt.Sprintf("ok %d", width))
	}
	// Nobody tells, and it is seen all the same; also a change of the high half alone.
	p.later(p.b, "segment.wait %s -1 16 8 8", b)
	began := time.Now()
	p.a.Do("segment.atomic %s add 20 4 1", a)
	p.answers(p.b, "ok 4294967304")
	if d := time.Since(began); d > 2*time.Second {
		p.Errorf("seen after %v", d)
	}
}

func segmentLock(p *pair) {
	_, a, b := p.segment("64 0 - -")
	p.a.Fails("INVALID", "segment.unlock %s", a)
	p.says(p.a, "0", "segment.lock %s -1", a)
	p.b.Fails("TIMEOUT", "segment.lock %s 0", b)
	p.b.Fails("TIMEOUT", "segment.lock %s 30", b)
	p.b.Fails("INVALID", "segment.unlock %s", b)
	if s := p.b.Do("segment.stat %s", b); !strings.Contains(s, fmt.Sprintf("holder=%d", p.a.Pid())) {
		p.Fatal(s)
	}
	p.later(p.b, "segment.lock %s -1", b)
	p.a.Do("segment.unlock %s", a)
	p.answers(p.b, "ok 0")
	p.b.Do("segment.unlock %s", b)
}

// segmentFork: a forked child uses what it inherited; a lock it dies with is handed on.
func segmentFork(p *pair) {
	if p.b.Language == peers.Go {
		return
	}
	_, a, b := p.segment("64 0 - -")
	p.says(p.b, "0", "wait %s", p.b.Do("fork segment.atomic %s add 0 8 5", b))
	p.says(p.a, "5", "segment.atomic %s load 0 8 0", a)
	p.says(p.b, "0", "wait %s", p.b.Do("fork segment.lock %s -1", b))
	p.says(p.a, "1", "segment.lock %s 5000", a)
	p.a.Do("segment.unlock %s", a)
	p.says(p.a, "0", "segment.lock %s 0", a)
	p.a.Do("segment.unlock %s", a)
}

// TestSegmentsExclude lets all three languages count at once, by atomics and under the lock: a million increments of each,
// none of which is lost.
func TestSegmentsExclude(t *testing.T) {
	root := newRoot(t)
	const each = 170_000
	var all []*peers.Peer
	var handles []string
	for i := range 6 {
		p := peers.Start(t, languages[i%3], root)
		all = append(all, p)
		handles = append(handles, p.Do("segment.open_or_create count 64 0 - - -"))
	}
	for i, p := range all {
		p.Send("segment.count %s %d", handles[i], each)
	}
	for _, p := range all {
		if line, there := p.Answer(3 * time.Minute); !there || line != "ok" {
			t.Fatalf("%s: %s", p.Language, line)
		}
	}
	for at, how := range []string{"atomics", "the lock"} {
		if n := all[0].Do("segment.atomic %s load %d 8 0", handles[0], 8*at); n != fmt.Sprint(6*each) {
			t.Errorf("by %s: %s of %d", how, n, 6*each)
		}
	}
	all[0].Do("segment.unlink count")
	for _, p := range all {
		p.Close()
	}
}
