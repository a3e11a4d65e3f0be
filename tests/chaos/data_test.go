//go:build crash

package chaos

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/manager"
	"github.com/polyipc/polyipc/tests/peers"
)

// command is polyipc with crash points.
var command = sync.OnceValues(func() (string, error) {
	words, _, err := peers.Command(peers.Go)
	if err != nil {
		return "", err
	}
	file := filepath.Join(filepath.Dir(words[0]), "polyipc")
	build := exec.Command("go", "build", "-tags=crash", "-o", file, "./cmd/polyipc")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return file, nil
})

// kept is a manager with a data file, whose server is killed and started again.
type kept struct {
	testing.TB
	ctx        context.Context
	root, file string
	sync       string
	cmd        *exec.Cmd
	c          *manager.Client
}

func newKept(t *testing.T, sync string) *kept {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(cancel)
	return &kept{TB: t, ctx: ctx, root: newRoot(t), file: filepath.Join(t.TempDir(), "data"), sync: sync}
}

// start starts the server, to die at a crash point if one is given, and reports whether it has lived to be ready.
func (k *kept) start(point string) bool {
	k.Helper()
	polyipc, err := command()
	k.must(err)
	k.cmd = exec.Command(polyipc, "manager", "--root", k.root, "--name", "m", "--data", k.file, "--sync", k.sync)
	k.cmd.Env = append(os.Environ(), "POLYIPC_CRASH="+point)
	k.cmd.Stderr = os.Stderr
	k.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := k.cmd.StdoutPipe()
	k.must(err)
	k.must(k.cmd.Start())
	k.Cleanup(func() { _ = k.cmd.Process.Kill(); _ = k.cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		return false
	} else if line != "ready m\n" {
		k.Fatalf("%q", line)
	}
	return true
}

// connect connects the test's own client, anew if it was connected before.
func (k *kept) connect() {
	k.Helper()
	var err error
	if k.c != nil {
		err = k.c.Reconnect(k.ctx)
	} else {
		k.c, err = manager.Connect(k.ctx, "m", manager.Options{Root: k.root})
	}
	k.must(err)
}

// died waits for the server's end by SIGKILL.
func (k *kept) died() {
	k.Helper()
	if err := k.cmd.Wait(); k.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		k.Fatalf("the server ended by itself: %v", err)
	}
}

// end stops the server in good order.
func (k *kept) end() {
	k.Helper()
	k.must(k.c.Close())
	k.must(k.cmd.Process.Signal(syscall.SIGTERM))
	k.must(k.cmd.Wait())
}

func (k *kept) must(err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
}

// ledger changes all that is kept, and knows what it was told: so many rounds are done, one more may be.
type ledger struct {
	k     *kept
	round int // was begun
	told  int // steps of it that were answered
}

// ledgerSteps are the calls of a round n. Each changes several things, all of them or none.
var ledgerSteps = []func(c *manager.Client, ctx context.Context, n int) error{
	func(c *manager.Client, ctx context.Context, n int) error {
		return called(c, ctx, "d", "dict", "update", map[string]int{"a": n, "b": n, "c": n})
	},
	func(c *manager.Client, ctx context.Context, n int) error {
		return called(c, ctx, "l", "list", "extend", []int{n, n, n})
	},
	func(c *manager.Client, ctx context.Context, n int) error {
		return called(c, ctx, "s", "set", "update", []int{3*n + 1, 3*n + 2, 3*n + 3})
	},
	func(c *manager.Client, ctx context.Context, n int) error {
		return called(c, ctx, "q", "queue", "put_many", []int{n, n, n})
	},
	func(c *manager.Client, ctx context.Context, n int) error {
		counter, err := c.Open(ctx, "n", "counter")
		if err != nil {
			return err
		}
		other, err := c.Open(ctx, "e", "dict")
		if err != nil {
			return err
		}
		b := c.NewBatch()
		b.Add(counter, "increment")
		b.Add(other, "set", "n", n)
		b.Add(counter, "increment")
		_, err = b.Do(ctx)
		return err
	},
}

func called(c *manager.Client, ctx context.Context, name, typ, method string, a any) error {
	o, err := c.Open(ctx, name, typ)
	if err == nil {
		_, err = o.Call(ctx, method, a)
	}
	return err
}

// work goes on until the server dies.
func (l *ledger) work() {
	for {
		for ; l.told < len(ledgerSteps); l.told++ {
			if err := ledgerSteps[l.told](l.k.c, l.k.ctx, l.round); err != nil {
				if !errors.Is(err, ipcerr.PeerDied) {
					l.k.Errorf("round %d, step %d: %v", l.round, l.told, err)
				}
				return
			}
		}
		l.round, l.told = l.round+1, 0
	}
}

// audit looks at what there is after a restart, and goes on behind it.
func (l *ledger) audit() {
	l.k.Helper()
	read := func(step int, name, typ, method string, a ...any) any {
		o, err := l.k.c.Open(l.k.ctx, name, typ)
		l.k.must(err)
		v, err := o.Call(l.k.ctx, method, a...)
		l.k.must(err)
		return v
	}
	// done is how many rounds there are of a step; -1 if one is not whole.
	done := make([]int, len(ledgerSteps))
	d := read(0, "d", "dict", "copy")
	if m, ok := d.(map[string]any); ok && len(m) > 0 {
		done[0] = int(m["a"].(int64)) + 1
		if m["a"] != m["b"] || m["b"] != m["c"] {
			done[0] = -1
		}
	}
	values := read(1, "l", "list", "copy").([]any)
	done[1] = len(values) / 3
	for i, v := range values {
		if v != int64(i/3) {
			done[1] = -1
		}
	}
	if len(values)%3 != 0 {
		done[1] = -1
	}
	n := int(read(2, "s", "set", "len").(int64))
	if done[2] = n / 3; n%3 != 0 || n > 0 && read(2, "s", "set", "contains", n) != true {
		done[2] = -1
	}
	n = int(read(3, "q", "queue", "qsize").(int64))
	if done[3] = n / 3; n%3 != 0 {
		done[3] = -1
	}
	n = int(read(4, "n", "counter", "get").(int64))
	last, _ := read(4, "e", "dict", "get", "n", -1).(int64)
	if done[4] = n / 2; n%2 != 0 || int(last) != n/2-1 {
		done[4] = -1
	}
	for step, n := range done {
		least := l.round
		if step < l.told {
			least++
		}
		if n != least && (step != l.told || n != least+1) {
			l.k.Fatalf("step %d of round %d was told, and of step %d there are %d rounds, in %v", l.told-1, l.round, step, n, done)
		}
	}
	if done[l.told] > l.round { // it was done, and not told
		if l.told++; l.told == len(ledgerSteps) {
			l.round, l.told = l.round+1, 0
		}
	}
}

// TestDataRestarts kills a server under load by clients in all languages, and starts it again, time after time. What they were
// told is there, and what they were not told is whole or not at all.
func TestDataRestarts(t *testing.T) {
	kills := repetitions(t, "POLYIPC_CHAOS_RESTARTS", 50, 200)
	for i, sync := range []string{"no", "always"} {
		t.Run(sync, func(t *testing.T) {
			k := newKept(t, sync)
			k.start("")
			k.connect()
			l := &ledger{k: k}
			team := make([]*tallier, len(managing))
			for j, language := range managing {
				team[j] = &tallier{peers.Start(t, language, k.root), fmt.Sprint("tally", j), filepath.Join(t.TempDir(), fmt.Sprint(j))}
				k.must(os.WriteFile(team[j].file, make([]byte, 16), 0o600))
				team[j].Do("manager.connect m 10000 - -")
			}
			r := &realm{TB: t, ctx: k.ctx}
			var ready []time.Duration
			were := make([]int, len(team)) // counted before
			for n := i; n < kills; n += 2 {
				for _, p := range team {
					p.Send("manager.tally 0 %s %s %s", p.Do("manager.open 0 tally dict -"), p.key, p.file)
				}
				ended := make(chan struct{})
				go func() { l.work(); close(ended) }()
				for _, p := range team {
					within(t, "it works", func() bool { _, answered := p.counts(r); return answered > n%5 })
				}
				k.must(k.cmd.Process.Kill())
				k.died()
				<-ended
				for _, p := range team {
					if line, _ := p.Answer(bound); !strings.Contains(line, "PEER_DIED") {
						t.Fatalf("the %s peer ended with %q", p.Language, line)
					}
				}
				began := time.Now()
				k.start("")
				ready = append(ready, time.Since(began))
				k.connect()
				l.audit()
				tallies, err := k.c.Open(k.ctx, "tally", "dict")
				k.must(err)
				for j, p := range team {
					p.Do("manager.reconnect 0 10000")
					got, err := tallies.Call(k.ctx, "get", p.key, 0)
					k.must(err)
					there := int(got.(int64))
					if began, ended := p.counts(r); there-were[j] < ended || there-were[j] > began || began-ended > 1 {
						t.Fatalf("kill %d: the %s peer began %d calls and had %d answers; %d were done", n, p.Language, began, ended, there-were[j])
					}
					were[j] = there
					k.must(os.WriteFile(p.file, make([]byte, 16), 0o600))
				}
			}
			for _, p := range team {
				p.Close()
			}
			k.end()
			tally("manager with data", len(ready))
			report(t, "from the start of a server with data until it is ready", ready)
		})
	}
}

// dataPoints has a server die at each crash point on the way of a change to the disk, and is part of TestCrashPoints.
func dataPoints(t *testing.T) {
	for _, sync := range []string{"always", "no"} {
		for _, point := range []string{"journal.create.made", "journal.create.linked"} {
			t.Run(sync+" "+point, func(t *testing.T) {
				k := newKept(t, sync)
				if k.start(point) {
					t.Fatal("it did not die")
				}
				k.died()
				died.Store(point, true)
				_, err := os.Stat(k.file)
				if there := err == nil; there != (point == "journal.create.linked") {
					t.Errorf("the file is there: %v", there)
				}
				k.start("")
				k.connect()
				l := &ledger{k: k}
				l.audit()
				k.end()
				if all, err := os.ReadDir(filepath.Dir(k.file)); err != nil || len(all) != 1 {
					t.Errorf("there are %v, %v", all, err)
				}
			})
		}
		for _, point := range []string{"serve.commit.before", "journal.commit.changed", "serve.commit.after", "serve.commit.answered"} {
			t.Run(sync+" "+point, func(t *testing.T) {
				k := newKept(t, sync)
				l := &ledger{k: k}
				for n := 1; n < 25; n += 3 {
					k.start(fmt.Sprint(point, ":", n))
					k.connect()
					l.work()
					k.died()
					died.Store(point, true)
					k.start("")
					k.connect()
					before := *l
					l.audit()
					if wrote := *l != before; wrote && (point == "serve.commit.before" || point == "journal.commit.changed") {
						t.Errorf("%s:%d: a change was there that was not committed", point, n)
					}
					k.must(k.cmd.Process.Kill())
					k.died()
				}
				k.start("")
				k.connect()
				l.audit()
				k.end()
			})
		}
	}
}
