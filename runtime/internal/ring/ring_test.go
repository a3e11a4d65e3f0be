package ring

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
)

const testSize = 64 << 10

// newRing maps a ring's memory twice, as package shm does, and starts its positions at pos.
func newRing(t testing.TB, pos uint64) *Ring {
	t.Helper()
	fd, err := unix.MemfdCreate("ring", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, testSize); err != nil {
		t.Fatal(err)
	}
	base, err := unix.MmapPtr(-1, 0, nil, 2*testSize, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.MunmapPtr(base, 2*testSize) })
	for i := range 2 {
		if _, err := unix.MmapPtr(fd, 0, unsafe.Add(base, i*testSize), testSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_FIXED); err != nil {
			t.Fatal(err)
		}
	}
	r := &Ring{H: &layout.Ring{}, Data: layout.DataAt(unsafe.Slice((*byte)(base), 2*testSize), testSize)}
	r.H.Tail.Store(pos)
	r.Init(1)
	return r
}

// put stages and publishes one record, as a producer does.
func put(r *Ring, body []byte, s layout.State) bool {
	at, size := r.H.Tail.Load(), layout.RecordSize(uint64(len(body)))
	if !r.Room(at, size) {
		return false
	}
	copy(r.Stage(at, r.NextSeq(), len(body), 0, 7, s), body)
	r.Publish(at, at+size)
	return true
}

// take finishes the record as a plain get does.
func take(t testing.TB, r *Ring, it *Item) []byte {
	t.Helper()
	b := append([]byte(nil), r.Payload(it)...)
	if it.Pos == r.H.Head.Load() {
		r.H.Head.Store(it.Pos + it.Size)
	} else if !r.Claim(it, layout.Done) {
		t.Fatal("claim failed")
	}
	return b
}

func sweep(t testing.TB, r *Ring) Swept {
	t.Helper()
	sw, err := r.Sweep(func(*Item) { t.Error("no parts here") })
	if err != nil {
		t.Fatal(err)
	}
	r.H.Head.Store(sw.Head)
	return sw
}

// The stupid one: what is in the ring, in order.
type modelRecord struct {
	seq   uint64
	body  string
	phase layout.State
	pos   uint64
	state layout.State
}

// TestModel runs random verbs beside a slice and compares after each, with the data area's
// boundary crossed thousands of times.
func TestModel(t *testing.T) {
	for _, start := range []uint64{0, testSize - 8, 1<<40 + testSize - 24} {
		seed := rand.Uint64()
		t.Logf("start %d seed %d", start, seed)
		rnd := rand.New(rand.NewPCG(seed, start))
		r := newRing(t, start)
		var model []modelRecord
		next := uint64(1)
		for step := range 60000 {
			switch rnd.IntN(7) {
			case 0, 1, 2: // put
				body := make([]byte, rnd.IntN(3000))
				for i := range body {
					body[i] = byte(rnd.Uint32())
				}
				s := layout.Ready
				if rnd.IntN(8) == 0 {
					s = layout.ReservedBy(5)
				}
				pos := r.H.Tail.Load()
				if put(r, body, s) {
					model = append(model, modelRecord{next, string(body), s.Phase(), pos, s})
					next++
				}
			case 3: // get or lease
				var it Item
				ok, err := r.Find(&it)
				if err != nil {
					t.Fatal(err)
				}
				want := -1
				for i := range model {
					if model[i].phase == layout.Ready {
						want = i
						break
					}
				}
				if ok != (want >= 0) {
					t.Fatalf("step %d: found %v, model %d", step, ok, want)
				}
				if !ok {
					continue
				}
				m := &model[want]
				if it.Seq != m.seq || it.Pos != m.pos || string(r.Payload(&it)) != m.body || it.Format != 7 {
					t.Fatalf("step %d: got %d at %d, want %d at %d", step, it.Seq, it.Pos, m.seq, m.pos)
				}
				if rnd.IntN(2) == 0 {
					if string(take(t, r, &it)) != m.body {
						t.Fatal("payload")
					}
					m.phase = layout.Done
				} else {
					if !r.Claim(&it, it.S.Lease(9, int64(step))) {
						t.Fatal("lease")
					}
					m.phase, m.state = layout.Leased, it.S
				}
			case 4: // something in hand comes to its end
				if len(model) == 0 {
					continue
				}
				m := &model[rnd.IntN(len(model))]
				var to layout.State
				switch {
				case m.phase == layout.Leased && rnd.IntN(3) == 0:
					to = m.state.Return()
				case m.phase == layout.Leased:
					to = layout.Acked
				case m.phase == layout.Reserved && rnd.IntN(4) == 0:
					to = layout.Abandoned
				case m.phase == layout.Reserved:
					to = layout.Ready
				default:
					continue
				}
				rec, ok := r.At(m.pos)
				if !ok || !rec.Move(m.state, to) {
					t.Fatalf("step %d: record %d is not as the model has it", step, m.seq)
				}
				if m.phase == layout.Leased && to.Phase() == layout.Ready {
					r.Rewind()
				}
				m.phase, m.state = to.Phase(), to
			case 5: // sweep
				sweep(t, r)
			case 6: // crash: a staged batch that is never published
				at := r.H.Tail.Load()
				if r.Room(at, 2*layout.RecordSize(10)) {
					seq := r.NextSeq()
					r.Stage(at, seq, 10, 0, 0, layout.Ready)
					r.Stage(at+layout.RecordSize(10), seq+1, 10, 0, 0, layout.Ready)
					r.H.Last = at + layout.RecordSize(10)
				}
			}
			for len(model) > 0 && r.H.Head.Load() > model[0].pos {
				if p := model[0].phase; p == layout.Ready || p == layout.Leased || p == layout.Reserved {
					t.Fatalf("step %d: the head passed a live record", step)
				}
				model = model[1:]
			}
			if got := r.NextSeq(); got != next {
				t.Fatalf("step %d: next sequence number %d, want %d", step, got, next)
			}
			if step%97 == 0 {
				compareCounts(t, r, model)
			}
		}
	}
}

func compareCounts(t *testing.T, r *Ring, model []modelRecord) {
	t.Helper()
	var want Counts
	for _, m := range model {
		switch m.phase {
		case layout.Ready:
			want.Ready++
		case layout.Leased:
			want.Leased++
		case layout.Reserved:
			want.Reserved++
		default:
			continue
		}
		want.Bytes += layout.RecordSize(uint64(len(m.body)))
	}
	var c, quick Counts
	if err := r.Count(&c); err != nil {
		t.Fatal(err)
	}
	if c.Ready != want.Ready || c.Leased != want.Leased || c.Reserved != want.Reserved || c.Bytes != want.Bytes {
		t.Fatalf("counted %+v, want %+v", c, want)
	}
	if err := r.CountQuick(&quick); err != nil {
		t.Fatal(err)
	}
	// The quick count may take a record that is abandoned or being written for a ready one, if nobody
	// ever came by; never the other way round.
	if quick.Live() < want.Live() || quick.Leased != want.Leased {
		t.Fatalf("counted quickly %+v, want at least %+v", quick, want)
	}
	tail, seq := r.End()
	if tail != r.H.Tail.Load() || seq != r.NextSeq() {
		t.Fatal("End and NextSeq differ")
	}
}

func TestFullToTheByte(t *testing.T) {
	r := newRing(t, 40)
	body := make([]byte, testSize/4-layout.RecordHeader)
	for i := range 4 {
		binary.LittleEndian.PutUint32(body, uint32(i))
		if !put(r, body, layout.Ready) {
			t.Fatalf("no room for record %d of 4 that fit exactly", i)
		}
	}
	if put(r, nil, layout.Ready) {
		t.Fatal("room in a full ring")
	}
	if got := r.NextSeq(); got != 5 {
		t.Fatalf("next sequence number %d in a full ring, want 5", got)
	}
	for i := range 4 {
		var it Item
		ok, err := r.Find(&it)
		if !ok || err != nil || binary.LittleEndian.Uint32(take(t, r, &it)) != uint32(i) {
			t.Fatalf("record %d: %v %v", i, ok, err)
		}
	}
	if !r.Empty() {
		t.Fatal("not empty")
	}
	if !put(r, body, layout.Ready) {
		t.Fatal("no room in a ring that was emptied")
	}
}

// TestHostileRecord: what a record says of itself is not believed.
func TestHostileRecord(t *testing.T) {
	for name, spoil := range map[string]func(*layout.Record){
		"longer than the ring":  func(rec *layout.Record) { rec.Length = 1 << 31 },
		"longer than the rest":  func(rec *layout.Record) { rec.Length = 200 },
		"no phase":              func(rec *layout.Record) { rec.Begin(0) },
		"a phase there is not":  func(rec *layout.Record) { rec.Begin(layout.Abandoned + 1<<60) },
		"side without a length": func(rec *layout.Record) { rec.Flags = layout.Side },
	} {
		r := newRing(t, 0)
		put(r, make([]byte, 100), layout.Ready)
		spoil(r.Data.Record(0))
		var it Item
		if _, err := r.Find(&it); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: find: %v", name, err)
		}
		var c Counts
		if err := r.Count(&c); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: count: %v", name, err)
		}
		if _, err := r.Sweep(func(*Item) {}); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: sweep: %v", name, err)
		}
		if n, _, _, ok := r.TakeFront(make([]byte, 4096), 4096); ok {
			t.Errorf("%s: took %d bytes", name, n)
		}
	}
}

func TestState(t *testing.T) {
	s := layout.Ready
	for i := range 5000 {
		if want := uint32(min(i, 4095)); s.Deliveries() != want {
			t.Fatalf("after %d returns %d deliveries, want %d", i, s.Deliveries(), want)
		}
		l := s.Lease(0x7fffffff, 1<<17+5)
		if l.Phase() != layout.Leased || l.Owner() != 0x7fffffff || l.Age(1<<17+9) != 4 || l.Deliveries() != s.Deliveries() {
			t.Fatalf("lease %x", uint64(l))
		}
		if s = l.Return(); s.Phase() != layout.Ready || s.Owner() != 0 {
			t.Fatalf("returned %x", uint64(s))
		}
	}
}

// FuzzHostile gives a consumer and a producer a ring of arbitrary bytes: an error is fine, a fault
// or an endless loop is not.
func FuzzHostile(f *testing.F) {
	f.Add(uint64(0), uint64(64), uint64(0), uint64(0), []byte{})
	f.Add(uint64(8), uint64(1<<40), uint64(24), uint64(9), []byte("\x10\x00\x00\x00\x00\x00\x00\x00"))
	f.Add(^uint64(7), uint64(16), ^uint64(0), ^uint64(0), []byte("\xff\xff\xff\xff\x01\x00"))
	f.Fuzz(func(t *testing.T, head, tail, cursor, last uint64, data []byte) {
		r := newRing(t, 0)
		copy(r.Data.Payload(0, testSize-layout.RecordHeader), data)
		for i := range len(data) / 40 {
			copy(r.Data.Payload(uint64(i)*40, 40), data[i*40:])
		}
		r.H.Head.Store(head)
		r.H.Tail.Store(tail)
		r.H.Cursor, r.H.Last, r.H.Reach, r.H.TailSeen, r.H.HeadSeen = cursor, last, tail^head, cursor+8, last^8
		for range 5 {
			var it Item
			ok, err := r.Find(&it)
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
			if ok {
				_ = append([]byte(nil), r.Payload(&it)...)
				r.Claim(&it, layout.Done)
			}
		}
		var c Counts
		_ = r.Count(&c)
		_ = r.CountQuick(&c)
		_, _ = r.Sweep(func(*Item) {})
		r.At(cursor)
		r.SpanSeq()
		put(r, data[:min(len(data), 100)], layout.Ready)
	})
}

func BenchmarkPutGet(b *testing.B) {
	r := newRing(b, 0)
	body := make([]byte, 64)
	var it Item
	for b.Loop() {
		put(r, body, layout.Ready)
		_, _ = r.Find(&it)
		copy(body, r.Payload(&it))
		r.H.Head.Store(it.Pos + it.Size)
	}
}
