package cross

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/tests/peers"
)

// pickles puts, for each of two readers, an object that is pickled, and one whose buffer follows its pickle.
const pickles = `
import fractions, pickle, polyipc
q = polyipc.Queue(name="pickles", pickle=True)
for _ in range(2):
    q.put(fractions.Fraction(1, 3))
    q.put([pickle.PickleBuffer(bytes(70000))])
`

// TestPickles are opaque to Go and C: they get them, and can pass them on as they are.
func TestPickles(t *testing.T) {
	root := newRoot(t)
	put := exec.Command("../../.venv/bin/python", "-c", pickles)
	put.Env = append(os.Environ(), "POLYIPC_ROOT="+root)
	if said, err := put.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	for _, l := range []peers.Language{peers.Go, peers.C} {
		p := peers.Start(t, l, root)
		q := p.Do("open pickles")
		plain, beside := p.Do("get %s 1000", q), p.Do("get %s 1000", q)
		// An extension of type 107; a pickle ends with a full stop, one that buffers follow with 0.
		if !strings.HasPrefix(plain, "mc7") || plain[5:7] != "6b" || !strings.HasSuffix(plain, "2e") {
			t.Errorf("%s got %s", l, plain)
		}
		if !strings.HasPrefix(beside, "mc9") || beside[11:13] != "6b" || !strings.HasSuffix(beside, "0000000100") {
			t.Errorf("%s got %.40s...%s", l, beside, beside[max(0, len(beside)-20):])
		}
		back := p.Do("create back-%s 0 0 -", l)
		for _, word := range []string{plain, beside} {
			p.Do("put %s 1000 %s", back, word)
			if got := p.Do("get %s 1000", back); got != word {
				t.Errorf("%s passes on %.40s as %.40s", l, word, got)
			}
		}
		p.Do("unlink back-%s", l)
		p.Do("close %s", back)
		p.Do("close %s", q)
		if l == peers.C {
			p.Do("unlink pickles")
		}
		p.Close()
	}
}
