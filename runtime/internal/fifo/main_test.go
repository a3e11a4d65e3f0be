package fifo

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/tests/testroot"
)

func TestMain(m *testing.M) {
	if what := os.Getenv("POLYIPC_ACT"); what != "" {
		act(what, os.Getenv("POLYIPC_PEER"))
	}
	os.Exit(m.Run())
}

// Options shape a Queue.
type Options struct {
	Root              string
	MaxSize, Capacity int64
}

// Queue is the least that a noun over a Fifo can be.
type Queue struct {
	file object.Object
	Fifo
}

func Create(name string, o Options) (*Queue, error) { return open(name, o, true) }

func Open(name string, o Options) (*Queue, error) { return open(name, o, false) }

func open(name string, o Options, create bool) (*Queue, error) {
	q := &Queue{}
	c := Config{Place: alone, RingLetter: 'r', MessageLetter: 'm', LinkLetter: 'o', BellLetter: 'b', PutTo: "put to", GetFrom: "get from"}
	data, capacity := uint64(256<<10), uint64(0)
	if o.Capacity > 0 {
		data = RoundUp(o.Capacity)
		capacity = data
	}
	return q, q.file.Open(&object.Want{
		Op: "open queue", Noun: "queue", Kind: layout.KindQueue, Root: o.Root, Name: name, Create: create, Open: !create, Twice: true,
		Spec: func(members [16]byte) shm.Spec {
			var flags layout.Flags
			if name == "" {
				flags = layout.Transient
			}
			return shm.Spec{Kind: layout.KindQueue, Flags: flags, Members: members, Header: layout.QueueHeaderBytes, Data: int64(data), Twice: true,
				Init: func(mem []byte) { c.Init(mem, uint64(o.MaxSize), capacity, data) }}
		},
		Attach:  func() error { return q.Attach(&q.file, c) },
		Free:    q.Detach,
		Matches: func() error { return nil },
	})
}

func (q *Queue) Name() string { return q.file.Name() }

func (q *Queue) Unlink() error { return q.file.Unlink() }

func (q *Queue) Close() error {
	return q.file.Close(nil, q.Kick)
}

// Leased is a message with its lease.
type Leased struct {
	Message
	Lease
	q *Queue
}

func (l *Leased) Ack() error { return l.q.Ack(l.Lease) }

func (l *Leased) Nack() error { return l.q.Nack(l.Lease) }

func (q *Queue) Lease(ctx context.Context) (*Leased, error) {
	return q.lease(func(buf []byte) (Lease, int, Format, error) { return q.LeaseInto(ctx, buf) })
}

func (q *Queue) TryLease() (*Leased, error) { return q.lease(q.TryLeaseInto) }

func (q *Queue) lease(get func([]byte) (Lease, int, Format, error)) (*Leased, error) {
	l := &Leased{q: q}
	var err error
	l.Message, err = Fit(func(buf []byte) (n int, f Format, err error) {
		l.Lease, n, f, err = get(buf)
		return n, f, err
	})
	return l, err
}

// fresh makes an anonymous queue that goes with the test.
func fresh(t testing.TB, o Options) *Queue {
	t.Helper()
	o.Root = testroot.New(t)
	q, err := Create("", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		check(t, q)
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return q
}

// check holds the queue against itself: the counts of Stat must fit together, and no lock be held.
func check(t testing.TB, q *Queue) {
	t.Helper()
	s, err := q.Stat()
	if errors.Is(err, ipcerr.Closed) {
		return
	}
	if err != nil {
		t.Errorf("stat: %v", err)
		return
	}
	if live := uint64(s.Messages + s.Leased + s.Reserved); s.Put != s.Taken+s.Abandoned+live {
		t.Errorf("put %d, but taken %d, abandoned %d, live %d", s.Put, s.Taken, s.Abandoned, live)
	}
	if s.Unfinished < 0 || s.MaxSize > 0 && s.Messages+s.Leased+s.Reserved > s.MaxSize {
		t.Errorf("out of bounds: %+v", s)
	}
	if locks, err := q.Locks(); err != nil || len(locks) != 0 {
		t.Errorf("locks held at the end: %v %v", locks, err)
	}
}

func mustPut(t testing.TB, q *Queue, s string) {
	t.Helper()
	if err := q.TryPut([]byte(s), Raw); err != nil {
		t.Fatalf("put %.20q: %v", s, err)
	}
}

func mustGet(t testing.TB, q *Queue, want string) {
	t.Helper()
	m, err := q.TryGet()
	if err != nil {
		t.Fatalf("get %.20q: %v", want, err)
	}
	if string(m.Body) != want {
		t.Fatalf("got %.20q, want %.20q", m.Body, want)
	}
}

func mustBe(t testing.TB, err error, code ipcerr.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("got error %v, want %s", err, code.Name())
	}
}
