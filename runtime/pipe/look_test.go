package pipe

import (
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

// Who looks takes no end, and sees who waits and how much is under way.
func TestLook(t *testing.T) {
	dir := testroot.New(t)
	a, err := Create("p", Options{Root: dir, Transient: true})
	if err != nil {
		t.Fatal(err)
	}
	mustSend(t, a, "x")
	go func() { _, _ = a.Recv(ctx) }()
	waitFor(t, a, "a message")
	s, err := Look("p", Options{Root: dir})
	if err != nil || s.Ends != [2]Presence{Present, Unopened} || len(s.Ways) != 2 || !s.Transient || s.OneWay {
		t.Fatalf("%+v %v", s, err)
	}
	if w := s.Ways[0]; len(w.Waiters) != 1 || w.Waiters[0].What != "message" || w.Sent != 0 {
		t.Errorf("%+v", w)
	}
	if w := s.Ways[1]; w.Messages != 1 || w.Sent != 1 || len(w.Holders) != 0 {
		t.Errorf("%+v", w)
	}
	if s, err := a.Stat(); err != nil || s.Other != Unopened {
		t.Errorf("%+v %v", s, err)
	}
	end(t, a)
	_, err = Look("p", Options{Root: dir})
	mustBe(t, err, ipcerr.NotFound)
}

// A stopped holder of a lock does not keep an operator from seeing him.
func TestLookAtAHeldLock(t *testing.T) {
	a := alone(t, Options{})
	h := layout.View[layout.Queue](a.obj.File.Mem, layout.DirectionOffset(1)+layout.QueueOffset)
	h.Consumers.Store(a.obj.Me)
	began := time.Now()
	s, err := Look(a.Name(), Options{Root: a.obj.Root.Path()})
	h.Consumers.Store(0)
	if err != nil || s.Ways[1].Blocked == nil || len(s.Ways[1].Holders) != 1 || s.Ways[0].Blocked != nil {
		t.Fatalf("%+v %v", s, err)
	}
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("took %v", d)
	}
}
