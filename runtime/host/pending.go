package host

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"golang.org/x/sys/unix"
)

// MostPending is how many waits may be pending in a process. Each may take a thread, of which Go bears 10,000.
const MostPending = 1000

var pending atomic.Int32

// Pending are waits of an event loop for what has no descriptor: locks, say. Each is done by a goroutine, and how it
// ended is kept until the loop asks. The loop polls FD, which is readable while there is such news.
//
// No wait gets lost with what it got: one that is cancelled is undone, whatever came of it meanwhile.
type Pending struct {
	fd int

	mu     sync.Mutex
	closed bool
	last   uint64
	under  map[uint64]*underway
	ended  []*underway
}

// Work is what a wait does. Begin, if there is one, is done within Start. Do waits until wait ends, and does what it has to
// do behind that until whole ends. Undo takes back what a Do did that returned no error; it does not wait.
type Work struct {
	Begin func() error
	Do    func(wait, whole context.Context) (Outcome, error)
	Undo  func(Outcome)
}

// Outcome is what a wait is told: whether a former owner died, say. What the numbers mean is the work's own.
type Outcome struct{ First, Second uint64 }

// Ended is how a wait ended.
type Ended struct {
	Number uint64
	Outcome
	Err error
}

// underway is a wait that is not told of yet.
type underway struct {
	work      Work
	interrupt context.CancelFunc // ends the wait
	cancel    context.CancelFunc // ends all of it
	unwanted  bool               // under Pending.mu
	done      chan struct{}
	Ended
}

// NewPending makes an empty set. LIMIT.
func NewPending() (*Pending, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, &ipcerr.Error{Op: "make event loop's waits", Code: ipcerr.Limit, Err: err,
			Hint: "no descriptor is left: raise RLIMIT_NOFILE (ulimit -n) or close some"}
	}
	if shm.OnDescriptor != nil {
		shm.OnDescriptor(fd, true)
	}
	return &Pending{fd: fd, under: map[uint64]*underway{}}, nil
}

// FD is the descriptor. It belongs to p.
func (p *Pending) FD() int { return p.fd }

// Start begins a wait and returns its number. LIMIT, and what Begin returns. In a closed set it ends
// at once, and nobody is told. A deadline that is not zero ends the wait, with TIMEOUT.
func (p *Pending) Start(w Work, deadline time.Time) (number uint64, err error) {
	if pending.Add(1) > MostPending {
		err = &ipcerr.Error{Op: "wait in event loop", Code: ipcerr.Limit,
			Hint: fmt.Sprintf("%d waits for locks and their kin are pending in this process: let fewer tasks wait at once", MostPending)}
	} else if w.Begin != nil {
		err = w.Begin()
	}
	if err != nil {
		pending.Add(-1)
		return 0, err
	}
	whole, cancel := context.WithCancel(context.Background())
	wait, interrupt := context.WithCancel(whole)
	u := &underway{work: w, interrupt: interrupt, cancel: cancel, done: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	if u.unwanted = p.closed; u.unwanted {
		cancel()
	}
	p.last++
	u.Number = p.last
	p.under[u.Number] = u
	go p.run(u, limited{wait, deadline}, whole)
	return u.Number, nil
}

func (p *Pending) run(u *underway, wait, whole context.Context) {
	defer close(u.done)
	defer pending.Add(-1)
	u.Outcome, u.Err = u.work.Do(wait, whole)
	u.cancel()
	p.mu.Lock()
	delete(p.under, u.Number)
	if !u.unwanted {
		p.ended = append(p.ended, u)
		_, _ = unix.Write(p.fd, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // one, as an eventfd reads it on either machine
	}
	p.mu.Unlock()
	if u.unwanted {
		u.undo()
	}
}

// limited is a context with a deadline and no timer, of which Go's poller would come.
type limited struct {
	context.Context
	deadline time.Time
}

// Deadline is what the waits of this runtime look at.
func (l limited) Deadline() (time.Time, bool) { return l.deadline, !l.deadline.IsZero() }

func (u *underway) undo() {
	if u.Err == nil && u.work.Undo != nil {
		u.work.Undo(u.Outcome)
	}
}

// Next returns how one of the waits ended, if there is one that ended.
func (p *Pending) Next() (e Ended, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ended) > 0 {
		e, ok = p.ended[0].Ended, true
		p.ended[0] = nil
		p.ended = p.ended[1:]
	}
	if len(p.ended) == 0 && !p.closed {
		_, _ = unix.Read(p.fd, make([]byte, 8))
	}
	return e, ok
}

// Interrupt ends a wait, and Next will tell of it, like any other.
func (p *Pending) Interrupt(number uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u := p.under[number]; u != nil {
		u.interrupt()
	}
}

// Cancel ends a wait that nobody wants to be told of. When it returns nothing is left of it.
func (p *Pending) Cancel(number uint64) {
	p.mu.Lock()
	if u := p.under[number]; u != nil {
		u.unwanted = true
		p.mu.Unlock()
		u.cancel()
		<-u.done
		return
	}
	var was *underway
	for i, u := range p.ended {
		if u.Number == number {
			was = u
			p.ended = append(p.ended[:i], p.ended[i+1:]...)
			break
		}
	}
	p.mu.Unlock()
	if was != nil {
		was.undo()
	}
}

// Close cancels all waits and closes the descriptor.
func (p *Pending) Close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	ended := p.ended
	p.ended = nil
	var left []*underway
	for _, u := range p.under {
		u.unwanted = true
		u.cancel()
		left = append(left, u)
	}
	p.mu.Unlock()
	for _, u := range left {
		<-u.done
	}
	for _, u := range ended {
		u.undo()
	}
	shm.CloseFile(p.fd, shm.OnDescriptor)
}
