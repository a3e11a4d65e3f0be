package cross

import (
	"os"
	"strings"

	"github.com/polyipc/polyipc/tests/peers"
)

// values sends every value of tests/vectors from the one language to the other: a reads the vector
// into a value of its own and puts that, b gets it and writes it anew. Bytes travel within a list,
// so that they are not taken for a raw message.
func values(p *pair) {
	p.queue(0, 0)
	n := 0
	for _, v := range vectors(p) {
		if v.decodeOnly || len(v.hex) > 200_000 {
			continue
		}
		if v.python && (p.a.Language == peers.Python || p.b.Language == peers.Python) {
			continue // Python reads something else, which is written in its own way
		}
		word := "m" + v.hex
		if strings.HasPrefix(v.hex, "c4") || strings.HasPrefix(v.hex, "c5") || strings.HasPrefix(v.hex, "c6") {
			word = "m91" + v.hex
		}
		if _, name := p.a.Try("put %s 0 %s", p.qa, word); name != "" {
			p.Fatalf("%s cannot put %q: %s", p.a.Language, v.name, name)
		}
		if got := p.b.Do("get %s 1000", p.qb); got != word {
			p.Errorf("%q (%s) comes out as %.200s, not %.200s", v.name, v.value, got, word)
		}
		n++
	}
	if n < 100 {
		p.Fatalf("only %d vectors", n)
	}
}

// vector is a value and its encoding.
type vector struct {
	name, hex, value   string
	decodeOnly, python bool
}

func vectors(p *pair) (vs []vector) {
	text, err := os.ReadFile("../vectors/codec.txt")
	if err != nil {
		p.Fatal(err)
	}
	for _, block := range strings.Split(string(text), "\n\n") {
		var v vector
		for _, line := range strings.Split(block, "\n") {
			word, rest, _ := strings.Cut(line, " ")
			switch word {
			case "vector":
				v.name = rest
			case "hex":
				v.hex = rest
			case "value":
				v.value = rest
			case "python":
				v.python = true
			case "decode_only":
				v.decodeOnly = true
			}
		}
		if v.name != "" {
			vs = append(vs, v)
		}
	}
	return vs
}
