package fifo

import (
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Whoever finds nothing, and then nobody at the other side, looks once more: what was put in between is there.
func TestLookedAtOnceMore(t *testing.T) {
	q := fresh(t, Options{})
	last := []string{"c", "b", "a"}
	q.Other = func(bool) bool {
		if len(last) > 0 { // the last words of who has just gone
			q.Other = nil // but he asks nobody
			mustPut(t, q, last[len(last)-1])
			last = last[:len(last)-1]
		}
		return false
	}
	gone := q.Other
	for _, want := range []string{"a", "b"} {
		mustGet(t, q, want)
		q.Other = gone
	}
	m, err := q.Get(ctx)
	if err != nil || string(m.Body) != "c" {
		t.Fatal(m, err)
	}
	q.Other = gone
	_, err = q.TryGet()
	mustBe(t, err, ipcerr.EndOfFile)
	_, err = q.Get(ctx)
	mustBe(t, err, ipcerr.EndOfFile)
	mustBe(t, q.TryReady(), ipcerr.EndOfFile)
	mustBe(t, q.TryPut([]byte("x"), Raw), ipcerr.Broken)
	mustBe(t, q.Put(ctx, []byte("x"), Raw), ipcerr.Broken)
}

// What the dead were writing is no reason to wait for more, and what another is getting is.
func TestEndBehindUnfinishedRecords(t *testing.T) {
	q := fresh(t, Options{})
	c := child(t, q, "reserve")
	_, err := q.TryGet()
	mustBe(t, err, ipcerr.Empty) // and it was looked for dead owners just now
	kill(c)
	q.Other = func(bool) bool { return false }
	_, err = q.TryGet()
	mustBe(t, err, ipcerr.EndOfFile)

	q.Other = nil
	mustPut(t, q, "x")
	c = child(t, q, "lease")
	q.Other = func(bool) bool { return false }
	_, err = q.TryGet()
	mustBe(t, err, ipcerr.Empty)
	kill(c)
	mustGet(t, q, "x")
	_, err = q.TryGet()
	mustBe(t, err, ipcerr.EndOfFile)
}

// The first sleep is short, since it may begin without asking for the other side.
func TestTheFirstSleepIsShort(t *testing.T) {
	q := fresh(t, Options{})
	began := time.Now()
	asked := 0
	q.Other = func(sure bool) bool {
		asked++
		return !sure
	}
	_, err := q.Get(ctx)
	mustBe(t, err, ipcerr.EndOfFile)
	if d := time.Since(began); d > sliceIdle/2 {
		t.Errorf("asked for certain after %v", d)
	}
}

// A bell asks for the other side when its wait word has moved, as who closes an end sees to, and when it must be sure.
func TestABellBelievesWhatItHeard(t *testing.T) {
	for kind := range layout.BellKinds {
		q := fresh(t, Options{MaxSize: 1})
		word := &q.h.Readable
		if kind == layout.BellWritable {
			mustPut(t, q, "full")
			word = &q.h.Writable
		}
		there, asked := true, false
		q.Other = func(bool) bool {
			asked = true
			return there
		}
		look := func(when string, sure, ready, asks bool) {
			t.Helper()
			asked = false
			if is, err := q.ready(kind, sure); is != ready || asked != asks || err != nil {
				t.Errorf("kind %d, %s: ready %v, asked %v, %v", kind, when, is, asked, err)
			}
		}
		look("at first", false, false, true)
		look("again", false, false, false)
		look("to be sure", true, false, true)
		there = false
		look("it was killed", false, false, false)
		park.Kick(word)
		look("it has closed its end", false, true, true)
		look("and again", false, true, true)
		there = true
		look("somebody came back", false, false, true)
		look("and stays", false, false, false)
		there = false
		look("killed, and the watch comes", true, true, true)
		look("which is remembered", false, true, true)
		q.Other = nil
	}
}
