package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/runtime/segment"
)

func TestStatOfSegment(t *testing.T) {
	dir := newRoot(t)
	made := func(name string, o segment.Options) *segment.Segment {
		o.Root = dir
		s, err := segment.Create(name, o)
		must(t, err)
		t.Cleanup(func() {
			must(t, s.Close())
			must(t, s.Unlink())
		})
		return s
	}
	a := made("a", segment.Options{Format: "T{i:n:(2)d:xy:5s:name:}", Shape: []int64{2}, MaxSize: 1000,
		Data: []byte("\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xe0\xbf\x00\x00\x00\x00\x00\x00\xf8\x3fab\x00\x00\x00")})
	_, err := a.Lock(context.Background())
	must(t, err)
	text := polyipc("stat", "a").ok(t)
	for _, want := range []string{"holds     2 of T{<i:n:4x(2)<d:xy:5s:name:3x}\n", "may grow to", "LOCK"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	type report struct{ Segment segmentStatJSON }
	s := parsed[report](t, polyipc("stat", "a", "--json")).Segment
	if s.Size != 64 || s.MaxSize != 1000 || s.ItemSize != 32 || len(s.Shape) != 1 || len(s.Locks) != 1 || s.Locks[0].Pid != os.Getpid() {
		t.Errorf("%+v", s)
	}
}
