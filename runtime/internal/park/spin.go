package park

import (
	"runtime"
	"sync/atomic"
	"time"
)

// alone is true where spinning can only keep the other side from running.
var alone = runtime.NumCPU() < 2 || quotaBelow(2)

// Alone reports that spinning does no good here.
func Alone() bool { return alone }

// few is true where who spins may have the processor that a third party needs.
var few = runtime.NumCPU() < 3 || quotaBelow(3)

// Few reports that spinning does no good while a third process has to act first.
func Few() bool { return few }

// Spin adapts how long a side spins before it sleeps to how long its waits were lately. One per
// handle and side; shared by threads without harm, since it only steers.
type Spin struct {
	// Polite reports, while spinning, whether a third process has to run (polite.go); nil: never. Set before the first use.
	Polite func() bool

	courtesy Courtesy
	polite   atomic.Bool // the latest spin was
	budget   atomic.Int32
	held     atomic.Int32 // how many more sleeps it is not worth trying to spin longer
	yielded  atomic.Int64 // when yield did, on Go's clock
	waited   atomic.Int64 // and when it was called
}

// Spin bounds, in rounds of about 15 ns each. The most is a few times what two system calls and the
// switch cost that a spin can spare; the least is next to nothing.
const (
	spinStart = 1000
	spinLeast = 20
	spinMost  = 4000
	spinHold  = 200
	spinWorth = 60 * time.Microsecond // a wait that was no longer could have been spun
)

// A goroutine that does nothing but system calls never passes through Go's scheduler, which after
// 10 ms takes it for one that will not let go, and from then on takes its processor away within
// 20 us of every sleep. Each wake-up then has to find another processor: a round trip between two
// sleepers took 58 us instead of the 10 us that it takes when they yield now and then.
const yieldEvery = 5 * time.Millisecond

// Who has not waited for so long is at rest: its processor was taken away in the last sleep, which is as good as a yield. A
// manager's client that waits in slices was woken 700 times a second by yields in between.
const restsAfter = 50 * time.Millisecond

// yield goes through the scheduler, unless that was done a moment ago. It is called before the first sleep
// of a wait: a wait that lasts gains nothing, and each pass wakes the scheduler's own threads.
func (s *Spin) yield() {
	now := int64(time.Since(loaded))
	if now-s.waited.Swap(now) >= int64(restsAfter) {
		return
	}
	if last := s.yielded.Load(); now-last >= int64(yieldEvery) && s.yielded.CompareAndSwap(last, now) {
		runtime.Gosched()
	}
}

var loaded = time.Now()

// run tries as soon as hint gives hope, until the budget is used up.
func (s *Spin) run(hint func() bool, try func() (bool, error)) (bool, error) {
	if alone {
		return false, nil
	}
	if s.Polite != nil {
		s.polite.Store(false)
	}
	budget := s.budget.Load()
	if budget == 0 {
		budget = spinStart
	}
	for i := range budget {
		pause(10)
		if !hint() {
			if i%politeEvery == politeEvery-1 && s.Polite != nil && s.Polite() {
				s.polite.Store(true)
				return s.courtesy.spin(hint, try)
			}
			continue
		}
		if done, err := try(); done || err != nil {
			// Twice what it took, approached slowly: enough for the next one, not much more.
			s.budget.Store(min(max(budget+(2*i+spinLeast-budget)/16, spinStart/4), spinMost))
			return done, err
		}
	}
	return false, nil
}

// learn steers by a wait that ended in a sleep. If both sides sleep, each one's wait is as long as it
// takes to wake the other: only who spins for so long once breaks out of that. But if even the longest
// spin ends in a sleep, the other side cannot run, perhaps because this one has its processor: on a
// loaded machine a round trip took 50 us with such spins and 7 us without. Then there are no more of them
// for spinHold sleeps.
func (s *Spin) learn(waited time.Duration) {
	if alone {
		return
	}
	if s.polite.Load() {
		s.courtesy.learn(waited)
		return
	}
	budget := s.budget.Load()
	switch {
	case waited >= spinWorth:
		s.budget.Store(max(budget-budget/4, spinLeast))
	case s.held.Load() > 0:
		s.held.Add(-1)
	case budget >= spinMost:
		s.budget.Store(spinLeast)
		s.held.Store(spinHold)
	default:
		s.budget.Store(min(2*budget+spinLeast, spinMost))
	}
}
