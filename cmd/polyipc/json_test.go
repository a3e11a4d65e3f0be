package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/codec"
)

// Every valid vector of the codec goes to JSON and back without loss.
func TestNotationOfVectors(t *testing.T) {
	text, err := os.ReadFile("../../tests/vectors/codec.txt")
	must(t, err)
	n := 0
	for block := range strings.SplitSeq(string(text), "\n\n") {
		var name string
		var data []byte
		for line := range strings.Lines(block) {
			word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch word {
			case "vector":
				name = rest
			case "hex":
				data, err = hex.DecodeString(rest)
				must(t, err)
			}
		}
		if name == "" {
			continue
		}
		n++
		v, err := codec.Decode(data)
		must(t, err)
		notation := appendValue(nil, v)
		if !json.Valid(notation) || strings.Contains(string(notation), "\n") {
			t.Errorf("%s: %.200s is no line of JSON", name, notation)
		}
		read, err := readValue(notation)
		if err != nil {
			t.Errorf("%s: %.200s: %v", name, notation, err)
			continue
		}
		b, err := codec.Marshal(read)
		must(t, err)
		again, err := codec.Decode(b)
		must(t, err)
		if got, want := fmt.Sprintf("%#v", again), fmt.Sprintf("%#v", v); got != want {
			t.Errorf("%s: %.200s gives %.200s, want %.200s", name, notation, got, want)
		}
	}
	if n < 100 {
		t.Fatalf("only %d vectors: the file was not read as meant", n)
	}
}

func TestNotation(t *testing.T) {
	for text, want := range map[string]string{
		`1`:                            "01",
		`-0`:                           "00",
		`1.0`:                          "cb3ff0000000000000",
		`1E0`:                          "cb3ff0000000000000",
		`9223372036854775808`:          "cf8000000000000000",
		` {"b": 1, "a": [true, null]}`: "82a16201a16192c3c0", // in this order
		`{"$bytes":""}`:                "c400",
		`"\ud83d\ude00"`:               "a4f09f9880",
		`"\\ud800"`:                    "a65c7564383030",
		`{"$map":[["$x",1]]}`:          "81a2247801",
		`{"$x":1,"y":2}`:               "82a2247801a17902",
		`{"$float":"-Infinity"}`:       "cbfff0000000000000",
	} {
		v, err := readValue([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		b, err := codec.Marshal(v)
		if err != nil || hex.EncodeToString(b) != want {
			t.Errorf("%s gives %x, %v; want %s", text, b, err, want)
		}
	}
	for _, c := range []struct {
		v    any
		want string
	}{
		{1e15, "1000000000000000.0"}, {1e16, "1e+16"}, {0.00001, "0.00001"}, {0.000001, "1e-06"},
		{math.Copysign(0, -1), "-0.0"}, {math.MaxFloat64, "1.7976931348623157e+308"}, {5e-324, "5e-324"},
		{"<&>\u2028\n", `"<&>\u2028\n"`}, {map[string]any{"$x": nil}, `{"$map":[["$x",null]]}`},
		{map[string]any{"b": int64(1), "a": int64(2)}, `{"a":2,"b":1}`}, {map[string]any{}, "{}"}, {[]any{}, "[]"},
	} {
		if got := string(appendValue(nil, c.v)); got != c.want {
			t.Errorf("%#v is written %s, want %s", c.v, got, c.want)
		}
	}
}

func TestNotationRefuses(t *testing.T) {
	for text, message := range map[string]string{
		``:                           "ends too early",
		`{"a":1`:                     "ends too early",
		`hello`:                      "--text",
		`NaN`:                        "not JSON",
		`1 2`:                        "more behind the value",
		`[1]]`:                       "more behind the value",
		"\"\xff\"":                   "not UTF-8",
		`"\ud800"`:                   "surrogate",
		`"\udc00\ud800"`:             "surrogate",
		`"\ud800\u0041"`:             "surrogate",
		`1e999`:                      "range of a float",
		`{"a":1,"a":2}`:              "twice",
		`{"$what":1}`:                "no known form",
		`{"$bytes":"A"}`:             "what belongs there",
		`{"$bytes":"AB=="}`:          "what belongs there", // bits that would be lost
		`{"$float":"nan"}`:           "what belongs there",
		`{"$time":"yesterday"}`:      "what belongs there",
		`{"$uuid":"1"}`:              "what belongs there",
		`{"$map":[[1]]}`:             "what belongs there",
		`{"$map":{}}`:                "what belongs there",
		`{"$tuple":1}`:               "what belongs there",
		`{"$ext":{"type":200}}`:      "what belongs there",
		`[{"$raw":""}]`:              "whole message",
		`{"$set":[{"$raw":""}]}`:     "whole message",
		strings.Repeat("[", 1000000): "too deeply",
		`{"$ref":{"kind":0,"uuid":"00000000-0000-0000-0000-000000000000","name":"x"}}`:               "what belongs there",
		`{"$ndarray":{"dtype":"<f8","shape":["x"],"data":""}}`:                                       "what belongs there",
		`{"$ext":{"type":300,"data":""}}`:                                                            "what belongs there",
		`{"$ndarray":{"dtype":"<f8","shape":[1],"data":"","more":1}}`:                                "what belongs there",
		`{"a":` + strings.Repeat(`{"$set":[`, 3) + `{"$raw":"AAAA"}` + strings.Repeat(`]}`, 3) + `}`: "whole message",
		`{"$ref":{"kind":256,"uuid":"00000000-0000-0000-0000-000000000000","name":"x"}}`:             "what belongs there",
		`{"$ref":{"kind":2,"uuid":"00000000-0000-0000-0000-000000000000","nam":"x"}}`:                "what belongs there",
	} {
		v, err := readValue([]byte(text))
		if err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%.80s: got %v, %v; want an error with %q", text, v, err, message)
		}
	}
}

func FuzzReadValue(f *testing.F) {
	for _, s := range []string{`{"$map":[[1,{"$time":"2026-01-02T03:04:05Z"}]]}`, `[1,2.5,"x",null,true]`, `{"$ndarray":{"dtype":"|u1","shape":[2],"data":"AAA="}}`, `{"$raw":"AA=="}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := readValue(text)
		if err != nil {
			return
		}
		if _, raw := v.(rawMessage); raw {
			return
		}
		b, err := codec.Marshal(v)
		if err != nil {
			return // an array whose data do not fit its shape, a key that cannot be one
		}
		decoded, err := codec.Decode(b)
		must(t, err)
		notation := appendValue(nil, decoded)
		again, err := readValue(notation)
		if err != nil {
			t.Fatalf("%s: %v", notation, err)
		}
		b2, err := codec.Marshal(again)
		must(t, err)
		decoded2, err := codec.Decode(b2)
		must(t, err)
		if got := appendValue(nil, decoded2); string(got) != string(notation) {
			t.Fatalf("%s became %s", notation, got)
		}
	})
}
