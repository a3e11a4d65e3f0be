package fifo

import (
	"bytes"
	"testing"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// A message in pieces is their concatenation, in a ring and in a file of its own.
func TestPieces(t *testing.T) {
	for name, o := range map[string]Options{"grows": {}, "bounded": {MaxSize: 2}, "one ring": {Capacity: 1 << 16}} {
		q := fresh(t, o)
		for _, sizes := range [][]int{{0, 0}, {1, 2, 3}, {0, 5000, 0, 7}, {5000, 1}, {10, 300_000, 1, 200_000}} {
			var pieces [][]byte
			for i, n := range sizes {
				pieces = append(pieces, body(n, i))
			}
			if err := q.PutReferring(ctx, pieces[0], MsgPack, nil, pieces[1:]...); err != nil {
				t.Fatal(name, sizes, err)
			}
			m, err := q.Get(ctx)
			if err != nil || m.Format != MsgPack || !bytes.Equal(m.Body, bytes.Join(pieces, nil)) {
				t.Fatal(name, sizes, m.Format, len(m.Body), err)
			}
		}
		check(t, q)
	}
}

func TestPiecesWaitForRoom(t *testing.T) {
	q := fresh(t, Options{MaxSize: 1})
	mustPut(t, q, "x")
	mustBe(t, q.TryPutReferring([]byte("a"), Raw, nil, []byte("b")), ipcerr.Full)
	done := make(chan error)
	go func() { done <- q.PutReferring(ctx, []byte("a"), Raw, nil, []byte("b"), []byte("c")) }()
	waitFor(t, q, "room")
	mustGet(t, q, "x")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	mustGet(t, q, "abc")
	q.Other = func(bool) bool { return false }
	mustBe(t, q.TryPutReferring([]byte("a"), Raw, nil, []byte("b")), ipcerr.Broken)
}
