package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/runtime/psync"
)

func TestStatOfSync(t *testing.T) {
	dir := newRoot(t)
	l, err := psync.CreateLock("l", psync.Options{Root: dir})
	must(t, err)
	defer func() { must(t, l.Unlink()) }()
	defer func() { must(t, l.Close()) }()
	_, err = l.Acquire(context.Background())
	must(t, err)
	type report struct {
		Sync syncJSON
	}
	s := parsed[report](t, polyipc("stat", "l", "--json")).Sync
	if s.Type != "lock" || len(s.Holders) != 1 || s.Holders[0].Pid != os.Getpid() || s.Holders[0].What != "lock" || len(s.Waiters) != 0 {
		t.Errorf("%+v", s)
	}
	b, err := psync.CreateBoundedSemaphore("b", 3, psync.Options{Root: dir, Reclaim: true})
	must(t, err)
	defer func() { must(t, b.Unlink()) }()
	defer func() { must(t, b.Close()) }()
	must(t, b.Acquire(context.Background()))
	for name, wants := range map[string][]string{
		"l": {"type      lock\n", "HOLDS"},
		"b": {"permits   2 free, made with 3\n", "reclaim", "permit"},
	} {
		text := polyipc("stat", name).ok(t)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in\n%s", want, text)
			}
		}
	}
}
