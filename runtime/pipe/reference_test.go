package pipe

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

// TestEndInMessage hands an end over by a message and lets go of it: the other end does not take that for the
// end of the file, and the receiver is at it.
func TestEndInMessage(t *testing.T) {
	dir := testroot.New(t)
	post, box, err := Pair("", Options{Root: dir})
	must(t, err)
	for _, which := range []int{0, 1} {
		a, b, err := Pair("", Options{Root: dir})
		must(t, err)
		kept, sent := a, b
		if which == 0 {
			kept, sent = b, a
		}
		must(t, Of[map[string]any](post).Send(ctx, map[string]any{"end": sent}))
		must(t, sent.Close())
		if _, err := kept.TryRecv(); !errors.Is(err, ipcerr.Empty) {
			t.Errorf("end %d is in a message: %v", which, err)
		}
		must(t, kept.TrySend([]byte("hello"), Raw))
		m, err := Of[map[string]codec.Ref](box).Recv(ctx)
		must(t, err)
		time.Sleep(time.Millisecond) // beyond what a send believes without asking
		if _, err := kept.TryRecv(); !errors.Is(err, ipcerr.Empty) {
			t.Errorf("end %d came with a message: %v", which, err)
		}
		got, err := OpenRef(m["end"], "")
		must(t, err)
		if got.End() != sent.End() {
			t.Errorf("it is end %v", got.End())
		}
		if hello, err := got.TryRecv(); err != nil || string(hello.Body) != "hello" {
			t.Errorf("%q %v", hello.Body, err)
		}
		must(t, got.TrySend([]byte("bye"), Raw))
		must(t, got.Close())
		if bye, err := kept.Recv(ctx); err != nil || string(bye.Body) != "bye" {
			t.Errorf("%q %v", bye.Body, err)
		}
		if _, err := kept.Recv(ctx); !errors.Is(err, io.EOF) {
			t.Errorf("after all closed: %v", err)
		}
		must(t, kept.Close())
	}
	must(t, post.Close())
	must(t, box.Close())
}
