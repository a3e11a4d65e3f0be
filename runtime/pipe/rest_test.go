package pipe

import (
	"sync"
	"testing"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

// A kept pipe at which nobody is left is as new, but what waits in it is received first.
func TestAtRest(t *testing.T) {
	dir := testroot.New(t)
	o := Options{Root: dir}
	first, second, err := Pair("p", o)
	if err != nil {
		t.Fatal(err)
	}
	mustSend(t, first, "x")
	mustRecv(t, second, "x")
	end(t, first)
	end(t, second)
	o.End = First
	if first, err = Open("p", o); err != nil {
		t.Fatal(err)
	}
	_, err = first.TryRecv()
	mustBe(t, err, ipcerr.Empty)
	mustSend(t, first, "y")
	end(t, first)
	// Whoever sent it is gone.
	o.End = Second
	if second, err = Open("p", o); err != nil {
		t.Fatal(err)
	}
	mustRecv(t, second, "y")
	_, err = second.TryRecv()
	mustBe(t, err, ipcerr.EndOfFile)
	end(t, second)
	if err := Unlink(dir, "p"); err != nil {
		t.Fatal(err)
	}
}

// Ends that are opened at once see each other, whoever comes first, and so does who opens them again and again.
func TestOpenedAtOnce(t *testing.T) {
	dir := testroot.New(t)
	first, second, err := Pair("p", Options{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	end(t, first)
	end(t, second)
	for range 300 {
		var both sync.WaitGroup
		for _, e := range []End{First, Second} {
			both.Go(func() {
				p, err := Open("p", Options{Root: dir, End: e})
				if err != nil {
					t.Error(err)
					return
				}
				if err := p.Send(ctx, []byte("x"), Raw); err != nil {
					t.Error(err)
				}
				if _, err := p.Recv(ctx); err != nil {
					t.Error(err)
				}
				if err := p.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
	}
	if err := Unlink(dir, "p"); err != nil {
		t.Fatal(err)
	}
}

// A pipe that goes with its last user does not rest: whoever has its end from a message finds the other one gone.
func TestAnEndFromAMessageDoesNotWait(t *testing.T) {
	a, b := pair(t, Options{})
	ours, theirs, err := Pair("", Options{Root: a.obj.Root.Path()})
	if err != nil {
		t.Fatal(err)
	}
	if err := Of[*Pipe](a).Send(ctx, theirs); err != nil {
		t.Fatal(err)
	}
	end(t, theirs)
	end(t, ours)
	r, err := Of[codec.Ref](b).Recv(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p, err := OpenRef(r, "")
	if err != nil {
		t.Fatal(err)
	}
	mustBe(t, p.TrySend([]byte("an answer"), Raw), ipcerr.Broken)
	_, err = p.TryRecv()
	mustBe(t, err, ipcerr.EndOfFile)
	end(t, p)
}
