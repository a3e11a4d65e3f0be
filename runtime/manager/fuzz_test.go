package manager

import (
	"testing"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
)

// FuzzTake has a client take what a server might send.
func FuzzTake(f *testing.F) {
	hosted := codec.AppendText(codec.AppendText(append(frame.Open(nil, frame.CallHost, 9, 1), 1), "T"), "m")
	f.Add(append(hosted, 0x90, 0x80, 1, 1))
	f.Add(frame.AppendResult(nil, frame.Result, 1, pack(7)))
	f.Add(frame.AppendResult(nil, frame.Grant, 2, pack(7)))
	f.Add(frame.AppendFailure(nil, 3, frame.Failure{Code: 4, Type: "KeyError"}))
	f.Add(append(frame.Open(nil, frame.Event, 3, 1), pack("set", "x", 1)...))
	f.Add(frame.Open(nil, frame.Drop, 2, 1))
	f.Add(frame.Open(nil, frame.Cancel, 2, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &Client{calls: map[uint64]*call{1: {watch: 1}, 2: {}, 3: {watch: -1}}, subs: map[uint64]*subscription{}, serving: map[uint64]doing{}}
		c.mu.Lock()
		_ = c.take(data)
		c.mu.Unlock()
	})
}
