package cross

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/polyipc/polyipc/tests/peers"
)

// worker is a peer that produces or consumes on its own.
type worker struct {
	*peers.Peer
	log string
}

// employ starts a worker; command has a %s for the path of its log.
func employ(t *testing.T, l peers.Language, root, log string, size int64, command string) worker {
	t.Helper()
	f, err := os.Create(log)
	if err == nil {
		err = f.Truncate(size)
		_ = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	w := worker{peers.Start(t, l, root), log}
	w.Do("open q")
	w.Send(command, log)
	return w
}

// ends waits until the worker has done its work and returns how many messages it says it was.
func (w worker) ends(t *testing.T) (n int) {
	t.Helper()
	line, there := w.Answer(2 * time.Minute)
	if _, err := fmt.Sscanf(line, "ok %d", &n); err != nil || !there {
		t.Fatalf("%s worker ends with %q", w.Language, line)
	}
	w.Close()
	return n
}

// TestMixed lets two producers and two consumers of each language work at one queue at once, with
// every verb: 100,000 messages, each seen exactly once, and what a consumer sees of a producer in
// order.
func TestMixed(t *testing.T) {
	for _, c := range []struct {
		name              string
		maxSize, capacity int
	}{
		{"growing", 0, 0},
		{"bounded", 100, 0},
	} {
		t.Run(c.name, func(t *testing.T) { mixed(t, c.maxSize, c.capacity) })
	}
}

func mixed(t *testing.T, maxSize, capacity int) {
	const total = 100_000
	root, logs := newRoot(t), t.TempDir()
	driver := peers.Start(t, peers.Go, root)
	driver.Do("create q %d %d -", maxSize, capacity)
	var producers, consumers []worker
	for i := range 6 {
		l := languages[i%3]
		consumers = append(consumers, employ(t, l, root, filepath.Join(logs, fmt.Sprint("c", i)), 16<<20,
			fmt.Sprintf("consume 0 %%s %d gmmltn", i)))
	}
	shares := map[peers.Language]int{peers.Go: 20_000, peers.C: 20_000, peers.Python: 10_000}
	for i := range 6 {
		l := languages[i%3]
		producers = append(producers, employ(t, l, root, filepath.Join(logs, fmt.Sprint("p", i)), 16<<20,
			fmt.Sprintf("produce 0 %%s %d %d sssmmmel %d", i, i, shares[l])))
	}
	put := 0
	for _, w := range producers {
		put += w.ends(t)
	}
	driver.Do("shutdown 0 0")
	taken := 0
	for _, w := range consumers {
		taken += w.ends(t)
	}
	if put != total || taken != total {
		t.Errorf("put %d, taken %d of %d", put, taken, total)
	}
	seen := map[string]int{}
	for i, w := range consumers {
		n := 0
		for _, name := range w.took(t) {
			seen[name]++
			n++
		}
		if n < total/100 {
			t.Errorf("consumer %d, in %s, took %d of %d messages: no real competition", i, w.Language, n, total)
		}
	}
	for i := range producers {
		for k := range shares[languages[i%3]] {
			if n := seen[fmt.Sprintf("%d/%d", i, k)]; n != 1 {
				t.Fatalf("message %d/%d was taken %d times", i, k, n)
			}
		}
	}
	if len(seen) != total {
		t.Errorf("%d different messages of %d", len(seen), total)
	}
	stat := driver.Do("stat 0")
	if !strings.HasPrefix(stat, "messages=0 leased=0 reserved=0 ") || !strings.HasSuffix(stat, " rings=1") {
		t.Errorf("at the end: %s", stat)
	}
	driver.Do("unlink q")
	driver.Close()
}

// took reads out of a consumer's log which messages it took, by get or with an ack, and checks that
// those of a producer that nobody had before came in order.
func (w worker) took(t *testing.T) (names []string) {
	t.Helper()
	text, err := os.ReadFile(w.log)
	if err != nil {
		t.Fatal(err)
	}
	if i := bytes.IndexByte(text, 0); i >= 0 {
		text = text[:i]
	}
	newest := map[string]int{}
	order := func(name string) {
		id, index := name, 0
		if _, err := fmt.Sscanf(strings.Replace(name, "/", " ", 1), "%s %d", &id, &index); err != nil {
			t.Fatalf("message called %q", name)
		}
		if was, ok := newest[id]; ok && index <= was {
			t.Errorf("%s consumer: %s behind %s/%d", w.Language, name, id, was)
		}
		newest[id] = index
	}
	leased := ""
	for _, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "G":
			names = append(names, words[1:]...)
		case words[0] == "L":
			leased = words[1]
			if words[2] == "1" {
				order(leased)
			}
		case words[0] == "A":
			names = append(names, leased)
		case words[0] == "X":
			t.Errorf("%s consumer: %s", w.Language, line)
		}
	}
	return names
}
