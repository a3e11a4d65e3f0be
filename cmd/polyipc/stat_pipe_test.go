package main

import (
	"context"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/runtime/pipe"
)

func TestStatOfPipe(t *testing.T) {
	dir := newRoot(t)
	a, err := pipe.Create("p", pipe.Options{Root: dir, Transient: true})
	must(t, err)
	defer func() { must(t, a.Close()) }()
	must(t, a.TrySend([]byte("x"), pipe.Raw))
	seen := func(ends string, wants ...string) {
		t.Helper()
		s := parsed[struct{ Pipe pipeJSON }](t, polyipc("stat", "p", "--json")).Pipe
		if strings.Join(s.Ends[:], ", ") != ends || !s.Duplex || s.Capacity != 65536 || len(s.Ways) != 2 {
			t.Errorf("%+v", s)
		}
		if w := s.Ways[1]; w.Sent != 1 || w.Blocked {
			t.Errorf("%+v", w)
		}
		text := polyipc("stat", "p").ok(t)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in\n%s", want, text)
			}
		}
	}
	seen("open, not opened yet", "duplex, 64.0 KiB each way", "1 messages under way, 32 B; sent 1, received 0")
	b, err := pipe.Open("p", pipe.Options{Root: dir})
	must(t, err)
	seen("open, open", "end 1     open\n")
	_, err = b.Recv(context.Background())
	must(t, err)
	must(t, b.Close())
	seen("open, gone", "end 1     gone\n", "sent 1, received 1")
	// Looking does not make an end be there.
	if s, err := a.Stat(); err != nil || s.Other != pipe.Gone {
		t.Errorf("%+v %v", s, err)
	}
}
