//go:build crash

package chaos

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/manager"
	"github.com/polyipc/polyipc/tests/peers"
)

// managing are the languages whose peers have managers.
var managing = []peers.Language{peers.Go, peers.C, peers.Python}

// realm is a manager, whose server is a peer, and a client of it in the test's process that survives.
type realm struct {
	testing.TB
	ctx    context.Context
	root   string
	server *peers.Peer
	c      *manager.Client

	address string
	clients int // so far
}

func newRealm(t *testing.T, l peers.Language) *realm {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	r := &realm{TB: t, ctx: ctx, root: newRoot(t)}
	r.server = r.serve(l)
	r.c = r.connect()
	return r
}

func (r *realm) serve(l peers.Language) *peers.Peer {
	r.Helper()
	p := peers.Start(r, l, r.root)
	r.address = p.Do("manager.address %s", p.Do("manager.serve m 127.0.0.1:0 %x -", key))
	return p
}

func (r *realm) connect() *manager.Client {
	r.Helper()
	c, err := manager.Connect(r.ctx, "m", manager.Options{Root: r.root, Key: []byte(key)})
	if err != nil {
		r.Fatal(err)
	}
	return c
}

// client is a peer that is connected as its 0; each other one by TCP.
func (r *realm) client(l peers.Language) *peers.Peer {
	r.Helper()
	p := peers.Start(r, l, r.root)
	at := "m"
	if r.clients++; r.clients/len(managing)%2 == 1 {
		at = r.address
	}
	p.Do("manager.connect %s 10000 %x -", at, key)
	return p
}

const key = "key"

// end closes all; what is left in the root is found.
func (r *realm) end() {
	r.Helper()
	r.must(r.c.Close())
	r.server.Close()
}

func (r *realm) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// kill kills a peer and says when.
func (r *realm) kill(p *peers.Peer) time.Time {
	began := time.Now()
	p.Kill()
	return began
}

func args(t testing.TB, values ...any) string {
	t.Helper()
	b, err := codec.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b)
}

// A holding is something that a client has of an object, and how the survivor waits for it.
type holding struct {
	name string
	make func(r *realm) (manager.Object, error) // named "o"
	take []string                               // commands of the peer; %s is the object
	wait func(r *realm, o manager.Object) error
}

func open(typ string, a ...any) func(r *realm) (manager.Object, error) {
	return func(r *realm) (manager.Object, error) { return r.c.Open(r.ctx, "o", typ, a...) }
}

// calls waits by a call, which must return that.
func calls(want any, method string, a ...any) func(r *realm, o manager.Object) error {
	return func(r *realm, o manager.Object) error {
		got, err := o.Call(r.ctx, method, a...)
		if err == nil && got != want {
			err = fmt.Errorf("%v, not %v", got, want)
		}
		return err
	}
}

const now = "manager.call 0 5000 1 %s "

var holdings = []holding{
	{"lock", open("lock"), []string{now + "acquire - -"}, calls(int64(2), "acquire")},
	{"rlock", open("rlock"), []string{now + "acquire - -", now + "acquire - -"}, calls(int64(2), "acquire")},
	{"condition", open("condition"), []string{now + "acquire - -"}, calls(int64(2), "acquire")},
	{"permit", open("semaphore", 1), []string{now + "acquire - -"}, calls(int64(1), "acquire")},
	{"lease", withItem, []string{now + "lease - -"}, func(r *realm, o manager.Object) error {
		got, err := o.Call(r.ctx, "lease")
		if l, ok := got.([]any); err == nil && (!ok || l[1] != "item" || l[2] != int64(2)) {
			err = fmt.Errorf("%v is not the item, delivered twice", got)
		}
		return err
	}},
	{"item that was not read", withItem, []string{"manager.start 0 5000 1 %s get - -", now + "maxsize - -"}, calls("item", "get")},
	{"seat at a barrier", open("barrier", 2), []string{"manager.start 0 5000 1 %s wait - -", now + "parties - -"}, untilNobodyWaits},
}

func withItem(r *realm) (manager.Object, error) {
	o, err := r.c.Open(r.ctx, "o", "queue")
	if err == nil {
		_, err = o.Call(r.ctx, "put", "item")
	}
	return o, err
}

// untilNobodyWaits waits until the seats are free, and sees that two may pass.
func untilNobodyWaits(r *realm, o manager.Object) error {
	for {
		n, err := o.Call(r.ctx, "n_waiting")
		if err != nil {
			return err
		}
		if n == int64(0) {
			break
		}
	}
	other, err := r.c.Go(r.ctx, o, "wait")
	if err == nil {
		_, err = o.Call(r.ctx, "wait")
	}
	if err == nil {
		_, err = other.Result(r.ctx)
	}
	return err
}

// TestManagerRecovery measures how long it takes from the kill of a client that has something until the one who waits for
// it has it.
func TestManagerRecovery(t *testing.T) {
	n := repetitions(t, "POLYIPC_CHAOS_RECOVERIES", 5, 100)
	for _, h := range holdings {
		t.Run(h.name, func(t *testing.T) {
			r := newRealm(t, peers.Go)
			var took []time.Duration
			for i := range n * len(managing) {
				o, err := h.make(r)
				r.must(err)
				p := r.client(managing[i%len(managing)])
				number := p.Do("manager.open 0 o - -")
				for _, take := range h.take {
					p.Do(take, number)
				}
				done := make(chan error, 1)
				go func() { done <- h.wait(r, o) }()
				if h.name != "seat at a barrier" && i%2 == 0 { // some wait already, some come just then
					r.parked(1)
				}
				began := r.kill(p)
				r.must(<-done)
				took = append(took, time.Since(began))
				if _, err := r.c.Unlink(r.ctx, "o"); err != nil {
					t.Fatal(err)
				}
				r.must(o.Close())
			}
			report(t, "from the kill of the client that had the "+h.name, took)
			for _, d := range took {
				if d > bound {
					t.Errorf("recovery after %v", d)
				}
			}
			r.end()
		})
	}
}

// parked waits until so many calls wait at the server.
func (r *realm) parked(n int) {
	r.Helper()
	within(r, "calls that wait", func() bool {
		s, err := r.c.Stat(r.ctx)
		r.must(err)
		return s.Parked == n
	})
}

// TestManagerReferences kills clients that refer to objects and are in the middle of calls: nothing of them is left, and the
// survivor's calls go on.
func TestManagerReferences(t *testing.T) {
	kills := repetitions(t, "POLYIPC_CHAOS_MANAGER_KILLS", 20, 300)
	r := newRealm(t, peers.Go)
	d, err := manager.OpenDict[string, int](r.ctx, r.c, "d")
	r.must(err)
	for i := range kills * len(managing) {
		p := r.client(managing[i%len(managing)])
		for range 20 {
			p.Do("manager.create 0 list %s", args(t, []any{1, 2}))
		}
		n := p.Do("manager.open 0 d - -")
		if i%2 == 0 {
			p.Send("manager.repeat 0 1000000000 1 %s increment %s", n, args(t, "n"))
		} else {
			p.Send("manager.repeat 0 1000000000 1 0 create %s", args(t, "dict"))
		}
		time.Sleep(time.Duration(rand.IntN(5000)) * time.Microsecond)
		_, err := d.Increment(r.ctx, "mine", 1)
		r.must(err)
		r.kill(p)
		within(r, "no client but this one, no object but the dict", func() bool {
			s, err := r.c.Stat(r.ctx)
			r.must(err)
			return s.Clients == 1 && s.Objects == 1 && s.References == 2 && s.Parked == 0
		})
	}
	if n, _, err := d.Get(r.ctx, "mine"); err != nil || n != kills*len(managing) {
		t.Error(n, err)
	}
	tally("manager", kills*len(managing))
	r.end()
}

// TestManagerKills kills clients that take a lock from each other, at random moments.
func TestManagerKills(t *testing.T) {
	kills := repetitions(t, "POLYIPC_CHAOS_KILLS", 60, 1000)
	r := newRealm(t, peers.Go)
	l, err := manager.OpenLock(r.ctx, r.c, "l")
	r.must(err)
	file := filepath.Join(t.TempDir(), "n")
	r.must(os.WriteFile(file, make([]byte, 8), 0o600))
	var took []time.Duration
	for range max(1, kills/len(managing)) {
		var team []*peers.Peer
		for _, lang := range managing {
			p := r.client(lang)
			n := p.Do("manager.open 0 l - -")
			p.Send("manager.count 0 %s %s 1000000000 1", n, file)
			team = append(team, p)
		}
		for _, p := range team {
			time.Sleep(time.Duration(rand.IntN(5000)) * time.Microsecond)
			began := r.kill(p)
			_, err := l.Acquire(r.ctx)
			r.must(err)
			r.must(l.Release(r.ctx))
			took = append(took, time.Since(began))
		}
	}
	tally("manager", len(took))
	report(t, "from a kill among rivals until another had the manager's lock", took)
	r.end()
}

// TestManagerHostKills kills hosts in the middle of calls.
func TestManagerHostKills(t *testing.T) {
	kills := repetitions(t, "POLYIPC_CHAOS_MANAGER_KILLS", 10, 200)
	r := newRealm(t, peers.Go)
	var took []time.Duration
	for i := range kills * len(managing) {
		p := r.client(managing[i%len(managing)])
		p.Do("manager.host 0")
		o, err := r.c.New(r.ctx, "Account", "anna")
		r.must(err)
		failed := make(chan error, 1)
		go func() {
			for {
				if _, err := o.Call(r.ctx, "deposit", 1); err != nil {
					failed <- err
					return
				}
			}
		}()
		time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
		began := r.kill(p)
		if err := <-failed; !errors.Is(err, ipcerr.PeerDied) {
			t.Fatal(err)
		}
		took = append(took, time.Since(began))
		r.must(o.Close())
	}
	report(t, "from the kill of a host until its caller knew", took)
	r.end()
}

// TestManagerServerKills kills servers under load. All clients learn of it, and find the next one of the name.
func TestManagerServerKills(t *testing.T) {
	kills := repetitions(t, "POLYIPC_CHAOS_MANAGER_KILLS", 5, 100)
	for _, lang := range managing {
		t.Run(string(lang), func(t *testing.T) {
			r := newRealm(t, lang)
			var learned, back []time.Duration
			for range kills {
				d, err := manager.OpenDict[string, int](r.ctx, r.c, "d")
				r.must(err)
				var team []*peers.Peer
				for _, l := range managing {
					p := r.client(l)
					p.Send("manager.repeat 0 1000000000 1 %s set %s", p.Do("manager.open 0 d - -"), args(t, "k", 1))
					team = append(team, p)
				}
				failed := make(chan error, 1)
				go func() {
					for {
						if err := d.Set(r.ctx, "x", 1); err != nil {
							failed <- err
							return
						}
					}
				}()
				time.Sleep(time.Duration(rand.IntN(5000)) * time.Microsecond)
				began := time.Now()
				r.server.Signal(syscall.SIGKILL)
				if err := <-failed; !errors.Is(err, ipcerr.PeerDied) {
					t.Fatal(err)
				}
				learned = append(learned, time.Since(began))
				for _, p := range team {
					if got, there := p.Answer(bound); !there || len(got) < 13 || got[:13] != "err PEER_DIED" {
						t.Fatalf("%s: %q", p.Language, got)
					}
				}
				r.server.Kill()
				r.server = r.serve(lang)
				began = time.Now()
				r.must(r.c.Reconnect(r.ctx))
				back = append(back, time.Since(began))
				if err := d.Set(r.ctx, "x", 1); !errors.Is(err, ipcerr.Gone) {
					t.Fatal(err)
				}
				for _, p := range team {
					p.Do("manager.connect m 5000 %x -", key)
					p.Do("manager.call 1 5000 1 0 ping %s -", args(t, 1))
					p.Close()
				}
			}
			report(t, "from the kill of a server until its client knew", learned)
			report(t, "of a reconnect", back)
			r.end()
		})
	}
}
