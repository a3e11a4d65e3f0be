package codec

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// The notation of docs/spec/codec.md, in which the vectors give values.

func format(t testing.TB, v any) string {
	t.Helper()
	switch v := v.(type) {
	case nil:
		return "nil"
	case bool:
		return strconv.FormatBool(v)
	case int64, uint64:
		return fmt.Sprintf("int:%d", v)
	case *big.Int:
		return fmt.Sprintf("big:%c%x", "+-"[(1-v.Sign())/2], v.Bytes())
	case float64:
		return fmt.Sprintf("float:%016x", math.Float64bits(v))
	case string:
		return "str:" + hex.EncodeToString([]byte(v))
	case []byte:
		return "bin:" + hex.EncodeToString(v)
	case time.Time:
		return fmt.Sprintf("time:%d.%09d", v.Unix(), v.Nanosecond())
	case uuid.UUID:
		return "uuid:" + hex.EncodeToString(v[:])
	case Ref:
		return fmt.Sprintf("ref:%d:%x:%s", v.Kind, v.UUID[:], v.Name)
	case NDArray:
		dims := strings.ReplaceAll(strings.Trim(fmt.Sprint(v.Shape), "[]"), " ", "x")
		return fmt.Sprintf("ndarray:%s:%s:%x", v.DType, dims, v.Data)
	case Pickle:
		return "pickle:" + hex.EncodeToString(v)
	case Ext:
		return fmt.Sprintf("ext:%d:%x", v.Type, v.Data)
	case []any:
		return formatList(t, "array", v)
	case Tuple:
		return formatList(t, "tuple", v)
	case Set:
		return formatList(t, "set", v)
	case FrozenSet:
		return formatList(t, "frozenset", v)
	case Pairs:
		s := fmt.Sprintf("map %d", len(v))
		for _, p := range v {
			s += " " + format(t, p.Key) + " " + format(t, p.Value)
		}
		return s
	case map[string]any:
		var entries []string
		for k, e := range v {
			entries = append(entries, " "+format(t, k)+" "+format(t, e))
		}
		slices.Sort(entries)
		return fmt.Sprintf("map %d", len(v)) + strings.Join(entries, "")
	}
	t.Fatalf("Decode must not return a %T", v)
	return ""
}

func formatList(t testing.TB, word string, list []any) string {
	s := fmt.Sprintf("%s %d", word, len(list))
	for _, v := range list {
		s += " " + format(t, v)
	}
	return s
}

// parse reads one value and returns the words after it.
func parse(t testing.TB, words []string) (any, []string) {
	t.Helper()
	word, rest, _ := strings.Cut(words[0], ":")
	parts := strings.Split(rest, ":")
	words = words[1:]
	switch word {
	case "nil":
		return nil, words
	case "true", "false":
		return word == "true", words
	case "int":
		if n, err := strconv.ParseInt(rest, 10, 64); err == nil {
			return n, words
		}
		n, err := strconv.ParseUint(rest, 10, 64)
		must(t, err)
		return n, words
	case "big":
		n := new(big.Int).SetBytes(unhex(t, rest[1:]))
		if rest[0] == '-' {
			n.Neg(n)
		}
		return n, words
	case "float":
		bits, err := strconv.ParseUint(rest, 16, 64)
		must(t, err)
		return math.Float64frombits(bits), words
	case "str":
		return string(unhex(t, rest)), words
	case "bin":
		return unhex(t, rest), words
	case "time":
		s, ns, _ := strings.Cut(rest, ".")
		return time.Unix(int64(number(t, s)), int64(number(t, ns))), words
	case "uuid":
		return uuid.UUID(unhex(t, rest)), words
	case "ref":
		return Ref{Kind: uint8(number(t, parts[0])), UUID: uuid.UUID(unhex(t, parts[1])), Name: parts[2]}, words
	case "ndarray":
		a := NDArray{DType: parts[0], Data: unhex(t, parts[2])}
		for n := range strings.SplitSeq(parts[1], "x") {
			if n != "" {
				a.Shape = append(a.Shape, number(t, n))
			}
		}
		return a, words
	case "pickle":
		return Pickle(unhex(t, rest)), words
	case "ext":
		return Ext{int8(number(t, parts[0])), unhex(t, parts[1])}, words
	}
	n := number(t, words[0])
	words = words[1:]
	if word == "map" {
		n *= 2
	}
	list := make([]any, n)
	for i := range list {
		list[i], words = parse(t, words)
	}
	switch word {
	case "array":
		return list, words
	case "tuple":
		return Tuple(list), words
	case "set":
		return Set(list), words
	case "frozenset":
		return FrozenSet(list), words
	case "map":
		pairs := make(Pairs, 0, n/2)
		for i := 0; i < n; i += 2 {
			pairs = append(pairs, Pair{list[i], list[i+1]})
		}
		return pairs, words
	}
	t.Fatalf("unknown word %q", word)
	return nil, nil
}

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(s)
	must(t, err)
	return b
}

func number(t testing.TB, s string) int {
	n, err := strconv.Atoi(s)
	must(t, err)
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
