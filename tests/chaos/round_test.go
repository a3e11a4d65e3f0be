//go:build crash

package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/tests/peers"
)

// A round is one queue at which several producers and consumers work on their own (produce and
// consume of PROTOCOL.md), and are killed and replaced at random times; at the end it is shut down,
// and what the logs of all of them say is held against each other (account_test.go).
type round struct {
	testing.TB
	r       *rand.Rand
	root    string
	logs    string
	options queue.Options
	q       *queue.Queue
	mix     [2]string // of producers and of consumers
	langs   []peers.Language
	workers []*worker // those who live
	all     []*worker
	nextID  int
	waited  []time.Duration // from each kill until the others had got on
}

// worker is a peer at work.
type worker struct {
	*peers.Peer
	id       int // of its messages, or of nothing
	child    int // the process that works, if the peer has forked it
	consumes bool
	path     string
	log      []byte // mapped; what it says is true also after a kill
	killed   bool
}

// A log has logSize bytes, and its worker ends when there are less than reserve left.
const (
	logSize = 512 << 10
	reserve = 8192
)

// shapes are the queues and the work on them, of which one is drawn for a round. Where nothing but a
// message bound holds the producers back, the queue grows; without any, they put only what is soon
// taken.
var shapes = []struct {
	options              queue.Options
	producers, consumers string
}{
	{queue.Options{}, "l", "gm"},
	{queue.Options{}, "el", "m"},
	{queue.Options{MaxSize: 20_000}, "s", "lnh"},
	{queue.Options{MaxSize: 20_000}, "sm", "gmlnht"},
	{queue.Options{MaxSize: 5000}, "f", "gmw"},
	{queue.Options{MaxSize: 2000}, "fffl", "lnh"},
	{queue.Options{MaxSize: 2000}, "semfl", "g"},
	{queue.Options{MaxSize: 500}, "ssmmlb", "gmlnht"},
	{queue.Options{MaxSize: 1}, "s", "l"},
	{queue.Options{MaxSize: 1}, "semfl", "gmlnht"},
	{queue.Options{MaxSize: 20}, "ssmmlb", "mtw"},
	{queue.Options{MaxSize: 20}, "fffl", "lnh"},
	{queue.Options{Capacity: 64 << 10}, "s", "gmlnht"},
	{queue.Options{Capacity: 64 << 10}, "ssmmlb", "l"},
	{queue.Options{Capacity: 64 << 10}, "semfl", "gmw"},
	{queue.Options{Capacity: 1 << 20}, "b", "gl"},
	{queue.Options{Capacity: 1 << 20}, "fffl", "gmlnht"},
	{queue.Options{Capacity: 1 << 20, MaxSize: 50}, "semflb", "mt"},
}

func newRound(t testing.TB, r *rand.Rand, langs []peers.Language) *round {
	t.Helper()
	rd := &round{TB: t, r: r, root: newRoot(t), langs: langs}
	var err error
	if rd.logs, err = os.MkdirTemp("/dev/shm", "polyipc-chaos-logs-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(rd.logs) })
	shape := shapes[r.IntN(len(shapes))]
	rd.options = shape.options
	rd.options.Root = rd.root
	rd.mix = [2]string{shape.producers, shape.consumers}
	if rd.q, err = queue.Create("q", rd.options); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		rd.employ(false)
		rd.employ(true)
	}
	return rd
}

func (rd *round) String() string {
	return fmt.Sprintf("max size %d, capacity %d, producers %s, consumers %s", rd.options.MaxSize, rd.options.Capacity, rd.mix[0], rd.mix[1])
}

// employ starts one more worker.
func (rd *round) employ(consumes bool) {
	rd.Helper()
	rd.nextID++
	w := &worker{id: rd.nextID, consumes: consumes, path: filepath.Join(rd.logs, fmt.Sprint(rd.nextID))}
	f, err := os.OpenFile(w.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		if err = f.Truncate(logSize); err == nil {
			w.log, err = syscall.Mmap(int(f.Fd()), 0, logSize, syscall.PROT_READ, syscall.MAP_SHARED)
		}
		_ = f.Close()
	}
	if err != nil {
		rd.Fatal(err)
	}
	rd.Cleanup(func() { _ = syscall.Munmap(w.log) })
	w.Peer = peers.Start(rd, rd.langs[rd.r.IntN(len(rd.langs))], rd.root)
	work := fmt.Sprintf("produce 0 %s %d %d %s 0", w.path, w.id, rd.r.Uint32(), rd.mix[0])
	if consumes {
		work = fmt.Sprintf("consume 0 %s %d %s", w.path, rd.r.Uint32(), rd.mix[1])
	}
	if w.Language != peers.Go && rd.r.IntN(2) == 0 {
		w.Do("open q")
		if w.child, err = strconv.Atoi(w.Do("fork %s", work)); err != nil {
			rd.Fatal(err)
		}
	} else {
		w.Send("open q")
		w.Send("%s", work)
	}
	rd.workers = append(rd.workers, w)
	rd.all = append(rd.all, w)
}

// kill kills one of the workers, at a random time, and starts another in its place. Before the
// next one is killed, both sides have got on: nobody is wedged.
func (rd *round) kill() {
	rd.Helper()
	w := rd.workers[rd.r.IntN(len(rd.workers))]
	if rd.r.IntN(8) > 0 { // else also while it starts
		rd.getsOn(time.Now(), w)
	}
	if !slices.Contains(rd.workers, w) {
		return // its log was full meanwhile: it has ended, and another has come
	}
	time.Sleep(time.Duration(rd.r.IntN(3_000_000))) // the random time
	w.killed = true
	began := w.dies(rd)
	defer w.bury(rd) // a parent takes its time to end, which holds up nobody
	rd.dismiss(w)
	var alive [2]*worker
	for _, other := range rd.workers {
		if at := other.size(); at > 0 { // one that works already
			alive[boolean(other.consumes)] = other
		}
	}
	if alive[0] != nil && alive[1] != nil { // else those who are left may have nobody to wait for
		rd.getsOn(began, alive[0])
		rd.getsOn(began, alive[1])
		rd.waited = append(rd.waited, time.Since(began))
	}
	rd.employ(w.consumes)
}

func (rd *round) dismiss(w *worker) {
	rd.workers = slices.DeleteFunc(rd.workers, func(x *worker) bool { return x == w })
}

// dies kills the worker and returns when.
func (w *worker) dies(rd *round) time.Time {
	rd.Helper()
	if w.child == 0 {
		w.Kill()
		return time.Now()
	}
	// A forked child alone: its parent goes on with the handle that both have.
	if err := syscall.Kill(w.child, syscall.SIGKILL); err != nil {
		rd.Fatal(err)
	}
	return time.Now()
}

// bury ends the parent of a child that was killed.
func (w *worker) bury(rd *round) {
	rd.Helper()
	if w.child == 0 {
		return
	}
	if _, name := w.Try("wait %d", w.child); name == "" {
		w.killed = false // its log was full, and it had ended by itself
	} else if name != "KILLED" {
		rd.Errorf("worker %d was killed, and its parent says %q", w.id, name)
	}
	w.Do("size 0")
	w.Close()
}

// relieve replaces those whose logs are full.
func (rd *round) relieve() {
	rd.Helper()
	for _, w := range slices.Clone(rd.workers) {
		if w.log[logSize-reserve] != 0 {
			rd.leaves(w)
			rd.dismiss(w)
			rd.employ(w.consumes)
		}
	}
}

// leaves waits until a worker has ended by itself.
func (rd *round) leaves(w *worker) {
	rd.Helper()
	answers := 2 // open, and the work itself
	if w.child != 0 {
		w.Send("wait %d", w.child)
		answers = 1
	}
	for range answers {
		line, there := w.Answer(peers.Bound + time.Minute)
		if !there || len(line) < 2 || line[:2] != "ok" {
			rd.dump()
			rd.Fatalf("%s: worker %d (consumes: %v) ended with %q", rd, w.id, w.consumes, line)
		}
	}
	w.Close()
}

// size is how far the log goes, to within a line.
func (w *worker) size() int {
	low, high := 0, len(w.log)
	for low < high {
		if mid := (low + high) / 2; w.log[mid] == 0 {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}

// getsOn waits until the worker has written more lines.
func (rd *round) getsOn(began time.Time, w *worker) {
	rd.Helper()
	for at := w.size(); w.size() == at && at < logSize-reserve; time.Sleep(20 * time.Microsecond) {
		rd.relieve()
		if time.Since(began) > bound+peers.Bound*time.Duration(boolean(at == 0)) {
			rd.dump()
			rd.Fatalf("%s: for %v worker %d (consumes: %v) has done nothing: wedged", rd, time.Since(began), w.id, w.consumes)
		}
	}
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// dump says in what state the queue is, for whoever looks into a failure.
func (rd *round) dump() { rd.show((*peers.Peer).Pending) }

func (rd *round) show(pending func(*peers.Peer) []string) {
	s, leases, err := rd.q.Detail()
	rd.Logf("%+v %v", s, err)
	for _, l := range leases {
		rd.Logf("  %+v", l)
	}
	locks, _ := rd.q.Locks()
	waiters, _ := rd.q.Waiters()
	rd.Logf("locks %+v\nwaiters %+v", locks, waiters)
	for _, w := range rd.workers {
		lines := strings.Split(string(w.log[max(0, w.size()-80):w.size()]), "\n")
		pid := w.child
		if pid == 0 {
			pid = w.Pid()
		}
		state, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		sleeps, _ := os.ReadFile(fmt.Sprintf("/proc/%d/wchan", pid))
		rd.Logf("worker %d, %s process %d: %d bytes of log, ending %q, in %s: %s; has answered %q", w.id, w.Language, pid, w.size(), lines, sleeps, state, pending(w.Peer))
	}
}

// end shuts the queue down, lets the consumers empty it, and checks everything.
func (rd *round) end() {
	rd.Helper()
	began := time.Now()
	if err := rd.q.Shutdown(false); err != nil {
		rd.Fatal(err)
	}
	if d := time.Since(began); d > bound {
		rd.Errorf("shutdown took %v", d)
	}
	overdue := time.AfterFunc(10*time.Second, func() {
		rd.Logf("%s: still not empty", rd)
		rd.show(func(*peers.Peer) []string { return nil }) // the test waits for the answers meanwhile
	})
	defer overdue.Stop()
	for _, w := range rd.workers {
		rd.leaves(w)
	}
	rd.empty()
	rd.account()
	if rd.Failed() {
		rd.Log(rd)
	}
}

// empty takes out what is left: a consumer whose log is full left early. What comes out counts as
// seen by one more consumer.
func (rd *round) empty() {
	rd.Helper()
	// Takes over both locks, if the last one killed had them: to go back to the first ring, a get needs
	// the producers' lock as well, but does not wait for it.
	consistent(rd, rd.q)
	var log []byte
	for {
		l, err := rd.q.TryLease()
		if err != nil {
			break
		}
		name := heading(l.Message)
		log = fmt.Appendf(log, "l\nL %s %d\na %s\n", name, l.Deliveries, name)
		if err := l.Ack(); err != nil {
			rd.Fatal(err)
		}
		log = append(log, "A\n"...)
	}
	rd.all = append(rd.all, &worker{consumes: true, log: log})
	s := consistent(rd, rd.q)
	if s.Messages+s.Leased+s.Reserved+s.Bytes != 0 || s.Rings != 1 {
		rd.Errorf("%s: not empty at the end: %+v", rd, s)
	}
	// Doorbells of the dead that nobody needed or rang stay until the queue goes.
	left := slices.DeleteFunc(files(rd, rd.root), func(name string) bool { return strings.Contains(name, ".b") })
	if fmt.Sprint(left) != "[q]" {
		rd.Errorf("%s: besides the queue there is %s", rd, left)
	}
	if err := rd.q.Unlink(); err != nil {
		rd.Error(err)
	}
	if err := rd.q.Close(); err != nil {
		rd.Error(err)
	}
}
