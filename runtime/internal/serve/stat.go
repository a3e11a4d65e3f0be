package serve

import (
	"maps"
	"math/bits"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/codec"
)

// figures count what the server does.
type figures struct {
	calls uint64
	rate  rate // of calls
	took  struct {
		counts  [4 * 64]uint64 // by size: four classes for each power of two nanoseconds
		n       uint64
		longest int64
	}
}

// rate counts what happened in each of the last seconds.
type rate [8]struct{ second, n int64 }

func (r *rate) count(now int64) {
	second := now / int64(time.Second)
	at := &r[second&7]
	if at.second != second {
		at.second, at.n = second, 0
	}
	at.n++
}

// perSecond is how much there was in each of the last full seconds.
func (r *rate) perSecond(now int64) uint64 {
	const over = 5
	second, sum := now/int64(time.Second), int64(0)
	for _, s := range r {
		if s.second < second && s.second >= second-over {
			sum += s.n
		}
	}
	return uint64(sum / over)
}

// sampleEvery is how many calls there are for each whose time is taken.
const sampleEvery = 16

func (f *figures) sampled() bool { return f.calls%sampleEvery == 0 }

func (f *figures) count(now int64) {
	f.calls++
	f.rate.count(now)
}

// tookNS notes how long a call took that did not wait.
func (f *figures) tookNS(ns int64) {
	t := &f.took
	t.n++
	t.longest = max(t.longest, ns)
	t.counts[class(uint64(max(ns, 1)))]++
}

// class is the place of a time among the counts: its highest bit and the two behind it.
func class(ns uint64) int {
	high := bits.Len64(ns) - 1
	return 4*high + int(ns<<2>>high&3)
}

// above is the first time that is above a class.
func above(class int) int64 {
	high, quarter := class/4, class%4
	return int64(1)<<high + int64(quarter+1)<<high>>2
}

func (f *figures) percentile(p float64) int64 {
	want, seen := uint64(p*float64(f.took.n)), uint64(0)
	for i, n := range f.took.counts {
		if seen += n; n > 0 && seen > want {
			return min(above(i), f.took.longest)
		}
	}
	return f.took.longest
}

// figures is the answer to "stat".
func (s *Server) figures() codec.Raw {
	var references, parked uint64
	types := map[string]uint64{}
	for _, e := range s.objects {
		references += e.count
		types[e.obj.Type()]++
	}
	clients, waiting := 0, 0
	for p := range s.peers {
		if !p.greeting {
			clients++
		}
		parked += uint64(len(p.parked))
		waiting += p.held
	}
	n := 11
	if s.options.Journal != nil {
		n++
	}
	b := codec.AppendMap(nil, n)
	number := func(name string, n uint64) { b = codec.AppendUint(codec.AppendText(b, name), n) }
	number("pid", uint64(unix.Getpid()))
	number("uptime_ns", uint64(time.Since(s.begun)))
	number("clients", uint64(clients))
	number("objects", uint64(len(s.objects)))
	number("references", references)
	number("names", uint64(len(s.names)))
	number("parked", parked)
	number("calls", s.stat.calls)
	number("calls_per_second", s.stat.rate.perSecond(s.now))
	b = codec.AppendMap(codec.AppendText(b, "latency_ns"), 3)
	number("p50", uint64(s.stat.percentile(0.5)))
	number("p99", uint64(s.stat.percentile(0.99)))
	number("max", uint64(s.stat.took.longest))
	if s.options.Journal != nil {
		where, size := s.options.Journal.Stat()
		b = codec.AppendMap(codec.AppendText(b, "data"), 7)
		b = codec.AppendText(codec.AppendText(b, "file"), where)
		number("size", uint64(size))
		number("commits", s.keep.commits)
		number("commits_per_second", s.keep.rate.perSecond(s.now))
		number("changes", s.keep.changes)
		number("failures", s.keep.failures)
		number("waiting", uint64(waiting))
	}
	b = codec.AppendMap(codec.AppendText(b, "types"), len(types))
	for _, t := range slices.Sorted(maps.Keys(types)) {
		number(t, types[t])
	}
	return b
}
