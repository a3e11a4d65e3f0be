//go:build crash

package chaos

import (
	"strings"

	"github.com/polyipc/polyipc/runtime/root"
)

// Messages that refer to a queue which the one that dies had made: what its links leave behind, and that what
// was committed keeps the queue alive.

var letter = list("create - 0 0 -", "put 1 0 x0102", "ref.put 0 0 queue.1")

var referring = []scenario{
	dies("reference linked", "fifo.put_referring.linked", list("x01"), letter, 0, "x01"),
	dies("reference linked in the file system", "shm.link.linked", list("x01"), letter, 0, "x01"),
	{name: "reference reserved", run: func(w *world) {
		w.put("x01")
		w.victim("fifo.put_large.reserved", letter...)
		w.reap()
		w.prove(0, "x01")
	}},
	{name: "reference committed", run: func(w *world) {
		w.victim("fifo.put_large.committed", letter...)
		w.open("x0102")
		w.prove(1)
	}},
	{name: "reference received", run: func(w *world) {
		w.survivor.Do("create - 0 0 -")
		w.survivor.Do("put 1 0 x0102")
		w.survivor.Do("ref.put 0 0 queue.1")
		w.survivor.Do("close 1")
		w.victim("fifo.get_large.read", "ref.get 0 0")
		w.open("x0102")
		w.prove(1)
	}},
	{name: "reference removed", run: func(w *world) {
		w.survivor.Do("create - 0 0 -")
		w.survivor.Do("ref.put 0 0 queue.1")
		w.survivor.Do("close 1")
		w.victim("shm.link.removed", "ref.get 0 0")
		w.reap()
		w.prove(1)
	}},
	{name: "reference received and done", run: func(w *world) {
		w.survivor.Do("create - 0 0 -")
		w.survivor.Do("ref.put 0 0 queue.1")
		w.survivor.Do("close 1")
		w.victim("fifo.get_large.done", "ref.get 0 0")
		w.prove(1)
	}},
}

// open has the survivor receive a queue, which must have one message.
func (w *world) open(message string) {
	w.Helper()
	_, n, _ := strings.Cut(w.survivor.Do("ref.get 0 %d", bound.Milliseconds()), ".")
	if got := w.survivor.Do("get %s 0", n); got != message {
		w.Fatalf("the queue has %q, not %q", got, message)
	}
	w.survivor.Do("close %s", n)
}

// reap removes what the dead leave to whoever joins or leaves the root next: their objects without users.
func (w *world) reap() {
	w.Helper()
	if n, err := root.GC(w.root); n != 1 || err != nil {
		w.Fatalf("%d files removed, %v", n, err)
	}
}
