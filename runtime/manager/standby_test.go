package manager

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"
)

// gate is a type whose method is quick until it is told to wait.
type gate struct{ began, open chan struct{} }

func newGate() *gate { return &gate{make(chan struct{}, 100), make(chan struct{})} }

func (g *gate) Pass(waits bool) int {
	if waits {
		g.began <- struct{}{}
		<-g.open
	}
	return 7
}

// Again calls itself, by way of the server.
func (g *gate) Again(ctx context.Context, self Object) (any, error) {
	return self.Call(ctx, "pass", false)
}

// served is a host with a gate, and what a client has of it.
func served(t *testing.T) (g *gate, host *Client, o Object) {
	root := newRoot(t)
	serveIn(t, Options{Root: root})
	host, c := connectTo(t, root), connectTo(t, root)
	g = newGate()
	must(t, host.Register(soon(t), "gate", func() *gate { return g }))
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- host.Serve(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	o, err := c.New(soon(t), "gate")
	must(t, err)
	return g, host, o
}

// trusted calls a method until its host takes it for a quick one.
func trusted(t *testing.T, host *Client, o Object) {
	waitFor(t, func() bool {
		is[any](t, int64(7))(o.Call(soon(t), "pass", false))
		host.mu.Lock()
		defer host.mu.Unlock()
		for _, h := range host.standby.habits {
			if h.wary == 0 && h.takes < int64(quick) {
				return true
			}
		}
		return false
	})
}

// TestDeputy has a method take long that never did: others go on meanwhile, and its host is wary of it from then on.
func TestDeputy(t *testing.T) {
	g, host, o := served(t)
	for range 3 {
		trusted(t, host, o)
		slow, err := o.h.client.Go(soon(t), o, "pass", true)
		must(t, err)
		<-g.began
		for range 20 {
			is[any](t, int64(7))(o.Call(soon(t), "pass", false))
		}
		time.Sleep(2 * standIn)
		g.open <- struct{}{}
		is[any](t, int64(7))(slow.Result(soon(t)))
		host.mu.Lock()
		wary := false
		for _, h := range host.standby.habits {
			if h.wary > waryNew {
				wary, h.wary = true, waryNew // not to wait for a thousand calls
			}
		}
		host.mu.Unlock()
		if !wary {
			t.Error("a method that took long is trusted")
		}
	}
}

// TestDeputyRests has nobody look any more when no calls come.
func TestDeputyRests(t *testing.T) {
	_, host, o := served(t)
	trusted(t, host, o)
	is[any](t, int64(7))(o.Call(soon(t), "pass", false))
	waitFor(t, func() bool {
		host.mu.Lock()
		defer host.mu.Unlock()
		return host.standby.deputy == nil && host.reading && len(host.callees) > 0
	})
}

// TestManyDeputies has calls of all kinds come through one host, some of which wait for others.
func TestManyDeputies(t *testing.T) {
	g, _, o := served(t)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range 300 {
				switch {
				case n == 0 && i%30 == 0:
					go func() { <-g.began; g.open <- struct{}{} }()
					is[any](t, int64(7))(o.Call(soon(t), "pass", true))
				case n == 1 && i%3 == 0:
					is[any](t, int64(7))(o.Call(soon(t), "again", o))
				default:
					is[any](t, int64(7))(o.Call(soon(t), "pass", false))
				}
			}
		})
	}
	all.Wait()
}

// TestEarlyCancel gives a call up that one goroutine of Serve has pulled and not begun, when another one hears of it.
func TestEarlyCancel(t *testing.T) {
	g, host, _ := served(t)
	p := &pulling{c: host, h: host.hosts(), ctx: context.Background()}
	host.mu.Lock()
	host.serving[99] = doing{habit: &habit{}}
	host.mu.Unlock()
	p.cancel(99)
	p.cancel(98) // has been answered
	if len(p.h.early) != 1 {
		t.Error(p.h.early)
	}
	body := pack("gate", "again", []any{nil}, map[string]any{})
	p.h.add(5, reflect.ValueOf(&early{t: t, gate: g}))
	p.do(&Hosted{What: HostedCall, Call: 99, Object: 5, Body: body})
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	if _, running := p.h.running[99]; running || len(p.h.early) != 0 {
		t.Error(p.h.early, p.h.running)
	}
}

type early struct {
	*gate
	t *testing.T
}

// Again hides the gate's.
func (e *early) Again(ctx context.Context, _ any) error {
	if context.Cause(ctx) != errGivenUp {
		e.t.Error("a call that was given up before it began goes on:", ctx.Err())
	}
	return fmt.Errorf("given up")
}
