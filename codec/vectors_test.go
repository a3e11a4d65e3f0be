package codec

import (
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// vector is a block of tests/vectors/codec.txt.
type vector struct {
	name       string
	data       []byte
	value      string // in the notation of docs/spec/codec.md
	decodeOnly bool
	code       string // the error's name, for an invalid message
}

func readVectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("../tests/vectors/codec.txt")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	for block := range strings.SplitSeq(string(text), "\n\n") {
		var v vector
		for line := range strings.Lines(block) {
			word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			switch word {
			case "vector", "invalid":
				v.name = rest
			case "hex":
				if v.data, err = hex.DecodeString(rest); err != nil {
					t.Fatalf("%s: %v", v.name, err)
				}
			case "value":
				v.value = rest
			case "decode_only":
				v.decodeOnly = true
			case "error":
				v.code = rest
			case "#", "", "python":
			default:
				t.Fatalf("unknown line %q", line)
			}
		}
		if v.name != "" {
			vectors = append(vectors, v)
		}
	}
	if len(vectors) < 200 {
		t.Fatalf("only %d vectors: the file was not read as meant", len(vectors))
	}
	return vectors
}

func TestVectors(t *testing.T) {
	for _, v := range readVectors(t) {
		t.Run(v.name, func(t *testing.T) {
			got, err := Decode(v.data)
			if v.code != "" {
				checkCode(t, err, v.code)
				var x any
				checkCode(t, Unmarshal(v.data, &x), v.code)
				checkCode(t, skipAll(v.data), v.code)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if s := format(t, got); s != v.value {
				t.Fatalf("got  %.300s\nwant %.300s", s, v.value)
			}
			if err := skipAll(v.data); err != nil {
				t.Fatalf("skip: %v", err)
			}
			want, rest := parse(t, strings.Fields(v.value))
			if len(rest) > 0 {
				t.Fatalf("notation has more than a value: %q", rest)
			}
			b, err := Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := Decode(b); err != nil || format(t, again) != v.value {
				t.Fatalf("after a round trip: %T %v, %v", again, again, err)
			}
			if same := string(b) == string(v.data); same == v.decodeOnly && len(v.value) > 0 {
				t.Fatalf("wrote %x, file has %x, decode_only is %v", b, v.data, v.decodeOnly)
			}
		})
	}
}

// skipAll runs the path that passes over fields nobody asked for.
func skipAll(data []byte) error {
	d := decoder{data: data, owed: 1}
	err := d.skip(false)
	if err == nil {
		err = d.end()
	}
	return public("skip", err)
}

func checkCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *ipcerr.Error
	if !errors.As(err, &e) || e.Code.Name() != code {
		t.Fatalf("got %v, want an ipcerr.Error of code %s", err, code)
	}
}
