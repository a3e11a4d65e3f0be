package serve_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/manager"
)

// frames are the pieces of data, each with its length in front of it, in two bytes.
func frames(data []byte) (all [][]byte) {
	for len(data) >= 2 {
		n := min(int(binary.BigEndian.Uint16(data)), len(data)-2)
		all = append(all, data[2:2+n])
		data = data[2+n:]
	}
	return all
}

func joined(all ...[]byte) (data []byte) {
	for _, f := range all {
		data = append(binary.BigEndian.AppendUint16(data, uint16(len(f))), f...)
	}
	return data
}

// FuzzServer sends frames to a server while another client calls it, which must have its answers. What the sender
// left is gone with it.
func FuzzServer(f *testing.F) {
	batch := append(frame.Open(nil, frame.Batch, 4, 1), 0)
	batch = append(codec.AppendText(append(batch, 0x92, 0x93, 1), "append"), 0x91, 7)
	batch = append(codec.AppendText(append(batch, 0x93, 1), "get"), 0x91, 0)
	f.Add(joined(call(1, 0, "create", "list"), call(2, 2, "append", "x"), call(3, 2, "copy"), frame.AppendRelease(nil, 2, 1)))
	f.Add(joined(call(1, 1, "get"), frame.Open(nil, frame.Cancel, 2, 1), call(2, 1, "put", []any{1, 2}), call(3, 1, "lease"), frame.Open(nil, frame.Ack, 2, 3)))
	f.Add(joined(call(1, 0, "register", "T", []any{"m"}), call(2, 0, "create", "T"), call(3, 0, "adopt", "T"), frame.AppendResult(nil, frame.Result, 1, nil)))
	f.Add(joined(call(1, 0, "watch", 1), call(2, 0, "open", "d", "dict"), call(3, 0, "unwatch", 1), codec.AppendUint(frame.Open(nil, frame.Credit, 3, 1), 9)))
	f.Add(joined(batch, call(1, 0, "stat"), call(2, 0, "names"), call(3, 0, "types"), call(4, 0, "describe", 1), call(5, 0, "retain", 1), call(6, 0, "unlink", "q")))
	for _, b := range brokenFrames() {
		f.Add(joined(call(1, 1, "put", 1), b))
	}
	// Of its own for each process that fuzzes: the objects stay as they are.
	w := newWorld(f, false, manager.Options{Frame: 64 << 10, Objects: 100})
	w.do(w.good, 0, "open", "q", "queue")
	stop := codec.AppendText(nil, "stop")
	f.Fuzz(func(t *testing.T, data []byte) {
		if slices.ContainsFunc(frames(data), func(b []byte) bool { return bytes.Contains(b, stop) }) {
			return // it does
		}
		r := (&world{TB: t, root: w.root, server: w.server, good: w.good}).raw()
		defer r.close()
		for _, b := range frames(data) {
			if r.pipe.TrySend(b, 0) != nil {
				break
			}
		}
		r.ring()
		ctx, cancel := context.WithTimeout(context.Background(), promptly)
		defer cancel()
		if _, err := w.good.Do(ctx, &manager.Call{Method: "ping", Args: pack(1)}); err != nil {
			t.Fatal("a client that behaves: ", err)
		}
	})
}
