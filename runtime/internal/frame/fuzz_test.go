package frame

import (
	"bytes"
	"testing"

	"github.com/polyipc/polyipc/codec"
)

// FuzzFrame reads a frame as server and client do. What was read is the same when it is written and read again.
func FuzzFrame(f *testing.F) {
	f.Add(AppendCall(nil, 1, 2, "get", codec.AppendArray(nil, 0), nil, 0))
	f.Add(AppendCall(nil, 1<<40, 2, "get", codec.AppendUint(codec.AppendArray(nil, 1), 7), codec.AppendMap(nil, 0), 3))
	f.Add(AppendRelease(nil, 7, 1<<63))
	f.Add(AppendResult(nil, Grant, 5, codec.AppendText(nil, "item")))
	f.Add(AppendFailure(nil, 5, Failure{Code: 4, Type: "KeyError", Message: "x", Traceback: "y"}))
	f.Add(Open(nil, Cancel, 2, 9))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s codec.Scanner
		k, id, left, err := Head(&s, data)
		if err != nil {
			return
		}
		if k > lastKnown || left < 0 {
			t.Fatalf("kind %d, %d values left", k, left)
		}
		if k == Error {
			failure, err := ReadFailure(&s)
			if err != nil {
				return
			}
			again := AppendFailure(nil, id, failure)
			if _, _, _, err := Head(&s, again); err != nil {
				t.Fatal(err)
			}
			if same, err := ReadFailure(&s); err != nil || same != failure {
				t.Fatalf("%+v became %+v: %v", failure, same, err)
			}
			return
		}
		for range left {
			if _, err := s.Value(); err != nil {
				return
			}
		}
		_ = s.End()
	})
}

// FuzzGreeting reads a block as each side does. Nobody who does not know the key has words that are taken.
func FuzzGreeting(f *testing.F) {
	key := []byte("secret")
	hello := Block(Hello{Keyed: true}.Body())
	f.Add(Hello{}.Body())
	f.Add(Introduction{Language: "go", Pid: 7, Token: 9}.Body())
	f.Add(Welcome{Epoch: 1, Client: 2, Pipe: "x", Frame: DefaultFrame}.Body())
	f.Add(Prove(nil, false, Introduction{Language: "c"}.Body(), hello))
	f.Add(Prove([]byte("guess"), true, Welcome{Frame: LeastFrame}.Body(), hello))
	f.Fuzz(func(t *testing.T, data []byte) {
		if h, err := ReadHello(data); err == nil {
			if same, err := ReadHello(h.Body()); err != nil || same != h {
				t.Fatalf("%+v became %+v: %v", h, same, err)
			}
		}
		if i, err := ReadIntroduction(data); err == nil {
			if same, err := ReadIntroduction(i.Body()); err != nil || same.Nonce != i.Nonce || same.Pid != i.Pid || same.Token != i.Token {
				t.Fatalf("%+v became %+v: %v", i, same, err)
			}
		}
		if w, err := ReadWelcome(data); err == nil {
			if same, err := ReadWelcome(w.Body()); err != nil || same != w {
				t.Fatalf("%+v became %+v: %v", w, same, err)
			}
		}
		for _, server := range []bool{false, true} {
			if _, err := Proven(key, server, data, hello); err == nil {
				t.Fatal("taken")
			}
			if body, err := Proven(nil, server, data); err == nil && !bytes.Contains(data, body) {
				t.Fatal("another body than was sent")
			}
		}
	})
}
