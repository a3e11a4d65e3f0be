package main

import (
	"strings"
	"testing"

	"github.com/polyipc/polyipc/runtime/segment"
)

// memory makes a segment with these bytes, until the end of the test.
func memory(t *testing.T, dir, name string, o segment.Options, bytes []byte) *segment.Segment {
	t.Helper()
	o.Root, o.Transient = dir, true
	s, err := segment.Create(name, o)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	b, err := s.Bytes()
	must(t, err)
	if copy(b, bytes) != len(bytes) {
		t.Fatalf("%s has %d bytes", name, len(b))
	}
	return s
}

func TestCat(t *testing.T) {
	dir := newRoot(t)
	twelve := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255}
	memory(t, dir, "numbers", segment.Options{Format: "b", Shape: []int64{12}}, twelve)
	memory(t, dir, "grid", segment.Options{Format: "B", Shape: []int64{2, 2, 3}}, twelve)
	memory(t, dir, "points", segment.Options{Format: "T{<h:x:<h:y:}", Shape: []int64{2}}, []byte{1, 0, 2, 0, 3, 0, 4, 0})
	memory(t, dir, "plain", segment.Options{Size: 18}, []byte("hello\x00world\xff and 1"))
	memory(t, dir, "text", segment.Options{Format: "5s"}, []byte("hello"))

	polyipc("cat", "numbers").prints(t, "0\t0 1 2 3 4 5 6 7\n8\t8 9 10 -1\n")
	polyipc("cat", "numbers", "--from", "6", "--count", "3").prints(t, "6\t6 7\n8\t8\n")
	polyipc("cat", "numbers", "--from", "12").prints(t, "")
	polyipc("cat", "grid").prints(t, "0,0,0\t0 1 2\n0,1,0\t3 4 5\n1,0,0\t6 7 8\n1,1,0\t9 10 255\n")
	polyipc("cat", "points").prints(t, "0\t{\"x\":1,\"y\":2}\n1\t{\"x\":3,\"y\":4}\n")
	polyipc("cat", "plain").prints(t, "00000000  68 65 6c 6c 6f 00 77 6f 72 6c 64 ff 20 61 6e 64  hello.world. and\n"+
		"00000010  20 31                                             1\n")
	polyipc("cat", "plain", "--raw", "--from", "6", "--count", "5").prints(t, "world")
	polyipc("cat", "text").prints(t, "0\t{\"$bytes\":\"aGVsbG8=\"}\n")
	polyipc("cat", "grid", "--raw", "--from", "3", "--count", "2").prints(t, "\x03\x04")
	polyipc("cat", "numbers", "--json", "--count", "2").prints(t,
		`{"name":"numbers","format":"<b","shape":[12],"size":12,"from":0,"items":[0,1]}`+"\n")
	polyipc("cat", "plain", "--json", "--count", "5").prints(t,
		`{"name":"plain","format":null,"shape":[],"size":18,"from":0,"items":{"$bytes":"aGVsbG8="}}`+"\n")

	polyipc("cat", "nothing").fails(t, exitError, "there is no segment of that name")
	polyipc("put", "jobs", "--create", "1").prints(t, "")
	polyipc("cat", "jobs").fails(t, exitError, "it is a queue, not a segment")
	polyipc("rm", "jobs").prints(t, "")
	polyipc("cat").fails(t, exitUsage, "accepts 1 arg")
	polyipc("cat", "numbers", "--from", "-1").fails(t, exitUsage, "0 or more")
}

// A large one comes in pieces, whole rows each.
func TestCatLarge(t *testing.T) {
	dir := newRoot(t)
	memory(t, dir, "large", segment.Options{Format: "B", Shape: []int64{40_000, 5}}, nil)
	lines := strings.Split(strings.TrimSuffix(polyipc("cat", "large").ok(t), "\n"), "\n")
	if len(lines) != 40_000 || lines[39_999] != "39999,0\t0 0 0 0 0" || lines[13_107] != "13107,0\t0 0 0 0 0" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
	memory(t, dir, "plain", segment.Options{Size: 200_000}, nil)
	if lines := strings.Count(polyipc("cat", "plain").ok(t), "\n"); lines != 12_500 {
		t.Errorf("%d lines", lines)
	}
}
