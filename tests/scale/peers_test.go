package scale

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/polyipc/polyipc/tests/peers"
)

// team is a peer that is a part of a crowd.
type team struct {
	*peers.Peer
	noun        string // the prefix of its commands: "pipe.", none for a queue
	object, sum string // their numbers
	before      state
}

// join has a peer open what a crowd works on. Its library is in use before, so that what it opens once is no leak.
func join(t *testing.T, l peers.Language, name, root string) *team {
	t.Helper()
	p := &team{Peer: peers.Start(t, l, root)}
	p.Do("close %s", p.Do("create - 0 0 t"))
	p.before = p.state(t)
	switch name {
	case "queue":
		p.object = p.Do("open crowd")
	case "pipe":
		p.noun, p.object = "pipe.", p.Do("pipe.open crowd 1")
	case "segment":
		p.noun, p.object = "segment.", p.Do("segment.open crowd - -")
	default:
		p.noun, p.object = "sync.", p.Do("sync.open %s crowd", name)
	}
	p.sum = p.Do("segment.open sum - -")
	return p
}

// work has so many of them, threads or children, begin; leave waits until they have done what they do.
func (p *team) work(who, name string, count, size int) {
	p.Send("crowd.%s %s %s %d %d %s", who, name, p.object, count, size, p.sum)
}

func (p *team) leave(t *testing.T) {
	t.Helper()
	if line, there := p.Answer(time.Minute + peers.Bound); !there || line != "ok" {
		t.Fatalf("%s: %q", p.Language, line)
	}
	p.Do("%sclose %s", p.noun, p.object)
	p.Do("segment.close %s", p.sum)
	if after := p.state(t); after != p.before {
		t.Errorf("%s: before %+v, after %+v", p.Language, p.before, after)
	}
	p.Close()
}

func (p *team) state(t *testing.T) state {
	t.Helper()
	return stateOf(t, fmt.Sprint(p.Pid()))
}

// TestThreadsOfPeers has the threads of one process in C, and of one in Python, on one object.
func TestThreadsOfPeers(t *testing.T) {
	for _, l := range []peers.Language{peers.C, peers.Python} {
		for name := range works {
			t.Run(fmt.Sprintf("%s-%s", l, name), func(t *testing.T) {
				root := newRoot(t)
				o, sum := gather(t, name, root, threads)
				p := join(t, l, name, root)
				p.work("threads", name, threads, threads)
				begin(t, o, sum, threads)
				p.leave(t)
				disperse(t, name, o, sum, threads)
			})
		}
	}
}

// TestProcesses has processes of all three languages on one object. Those in C and Python are forked, and go on with
// what their parents have open.
func TestProcesses(t *testing.T) {
	const inC, inPython = 70, 60
	for name := range works {
		t.Run(name, func(t *testing.T) {
			root := newRoot(t)
			o, sum := gather(t, name, root, processes)
			c, python := join(t, peers.C, name, root), join(t, peers.Python, name, root)
			c.work("children", name, inC, processes)
			python.work("children", name, inPython, processes)
			crowd := make([]*exec.Cmd, processes-inC-inPython)
			for i := range crowd {
				c := exec.Command("/proc/self/exe")
				c.Env = append(os.Environ(), "POLYIPC_SCALE="+name, "POLYIPC_ROOT="+root)
				c.Stderr = os.Stderr
				must(t, c.Start())
				crowd[i] = c
			}
			begin(t, o, sum, processes)
			for _, c := range crowd {
				if err := c.Wait(); err != nil {
					t.Error(err)
				}
			}
			c.leave(t)
			python.leave(t)
			disperse(t, name, o, sum, processes)
		})
	}
}
