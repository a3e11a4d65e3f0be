package journal_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/journal"
	"github.com/polyipc/polyipc/runtime/manager"
	"github.com/polyipc/polyipc/tests/testroot"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// side is a server and its client, with a file or without.
type side struct {
	testing.TB
	root, file string
	server     *manager.Server
	client     *manager.Client
	objects    map[string]manager.Object
}

func (s *side) start() {
	s.Helper()
	o := manager.Options{Root: s.root}
	if s.file != "" {
		j, err := journal.Open(s.file, journal.Options{NoSync: true})
		must(s, err)
		o.Journal = j
	}
	var err error
	s.server, err = manager.Serve("m", o)
	must(s, err)
	s.client, err = manager.Connect(context.Background(), "m", manager.Options{Root: s.root})
	must(s, err)
	s.objects = map[string]manager.Object{}
}

func (s *side) stop() {
	s.Helper()
	must(s, s.client.Close())
	must(s, s.server.Close())
}

// call calls an object that is named by its type, and says what came of it.
func (s *side) call(typ, method string, args ...any) string {
	s.Helper()
	ctx := context.Background()
	o, ok := s.objects[typ]
	if !ok {
		var err error
		o, err = s.client.Open(ctx, "the-"+typ, typ)
		must(s, err)
		s.objects[typ] = o
	}
	var raw codec.Raw
	err := o.CallInto(ctx, &raw, method, args, nil)
	if err != nil {
		_, why, _ := strings.Cut(err.Error(), ": ") // behind the object's number
		return why
	}
	return fmt.Sprintf("% x", raw)
}

// random is any call of one of the types.
func random(r *rand.Rand) (typ, method string, args []any) {
	n := func() any {
		switch k := r.IntN(30); r.IntN(4) {
		case 0:
			return float64(k)
		case 1:
			return fmt.Sprint(k)
		case 2:
			return codec.Tuple{k, "x"}
		default:
			return k
		}
	}
	place := func() any { return r.IntN(40) - 10 }
	some := func() []any {
		all := make([]any, r.IntN(6))
		for i := range all {
			all[i] = n()
		}
		return all
	}
	calls := map[string]map[string][]any{
		"dict": {
			"set": {n(), n()}, "pop": {n(), nil}, "delete": {n()}, "popitem": {}, "setdefault": {n(), n()}, "increment": {n(), 2}, "add": {n(), n()},
			"update": {map[string]any{"a": n(), "b": n()}}, "compare_and_set": {n(), n(), n()}, "pop_if": {n(), n()}, "items": {}, "get": {n()},
		},
		"list": {
			"append": {n()}, "extend": {some()}, "insert": {place(), n()}, "pop": {place()}, "set": {place(), n()}, "delete": {place()}, "remove": {n()}, "sort": {},
			"reverse": {}, "set_slice": {place(), place(), nil, some()}, "delete_slice": {place(), place(), 2}, "increment": {place()}, "copy": {}, "multiply": {r.IntN(3)},
			"compare_and_set": {place(), n(), n()}, "pop_if": {place(), n()},
		},
		"set": {
			"add": {n()}, "discard": {n()}, "remove": {n()}, "pop": {}, "update": {some(), some()}, "intersection_update": {append(some(), 1, 2, 3, 4, 5, 6, 7, 8, 9)},
			"difference_update": {some()}, "symmetric_difference_update": {some()}, "copy": {},
		},
		"counter": {"increment": {place()}, "set": {place()}, "exchange": {place()}, "compare_and_set": {place(), place()}, "get": {}},
		"joinable_queue": {
			"put": {n()}, "put_many": {some()}, "get": {false}, "get_many": {3, false}, "task_done": {}, "qsize": {}, "join": {0},
		},
	}
	types := []string{"dict", "list", "set", "counter", "joinable_queue"}
	typ = types[r.IntN(len(types))]
	if r.IntN(60) == 0 && typ != "counter" && typ != "joinable_queue" {
		return typ, "clear", nil
	}
	at := r.IntN(len(calls[typ]))
	for method, args = range calls[typ] {
		if at--; at < 0 {
			break
		}
	}
	return typ, method, args
}

// TestServerModel makes any calls of a server with a file that is stopped and started again, and of one without that goes on: they
// cannot be told apart.
func TestServerModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	kept := &side{TB: t, root: testroot.New(t), file: filepath.Join(t.TempDir(), "data")}
	model := &side{TB: t, root: testroot.New(t)}
	kept.start()
	model.start()
	defer model.stop()
	defer func() { kept.stop() }()
	steps := 6000
	if testing.Short() {
		steps = 1000
	}
	for i := range steps {
		typ, method, args := random(r)
		if got, want := kept.call(typ, method, args...), model.call(typ, method, args...); got != want {
			t.Fatalf("step %d: %s.%s(%v) returns %s, and without a file %s", i, typ, method, args, got, want)
		}
		if r.IntN(50) == 0 {
			kept.stop()
			kept.start()
		}
	}
}
