package manager

import (
	"context"
	"slices"
	"testing"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// told returns what News tells, waiting for some.
func told(t *testing.T, c *Client) []uint64 {
	must(t, c.AwaitNews(soon(t)))
	var b [8]uint64
	return slices.Clone(b[:c.News(b[:])])
}

func TestNews(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		a, b := connect(), connect()
		q := numberOf(t, do(t, a, 0, "open", "q", "queue"))
		first, err := a.Start(soon(t), &Call{Object: q, Method: "get"})
		must(t, err)
		second, err := a.Start(soon(t), &Call{Object: q, Method: "get"})
		must(t, err)
		a.Mind(first)
		mustBe(t, a.AwaitNews(short()), ipcerr.Timeout)
		do(t, b, numberOf(t, do(t, b, 0, "open", "q")), "put_many", []any{1, 2})
		if n := told(t, a); !slices.Equal(n, []uint64{first << 1}) {
			t.Errorf("%v of call %d", n, first)
		}
		_, _, err = a.Finish(context.Background(), first, -1)
		must(t, err)
		do(t, a, 0, "ping", 1) // behind which the other answer has come
		a.Mind(second)
		a.Mind(first) // which is no more
		if n := told(t, a); !slices.Equal(n, []uint64{second << 1, first << 1}) {
			t.Errorf("%v", n)
		}
		mustBe(t, a.AwaitNews(short()), ipcerr.Timeout)
	})
}

func TestNewsOfEventsAndOfTheEnd(t *testing.T) {
	both(t, Options{}, func(t *testing.T, s *Server, connect func() *Client) {
		c := connect()
		d := numberOf(t, do(t, c, 0, "create", "dict"))
		sub := do(t, c, 0, "watch", d).(int64)
		_, _, err := c.NextEvent(soon(t), uint64(sub), -1)
		must(t, err)
		c.MindEvents(uint64(sub))
		mustBe(t, c.AwaitNews(short()), ipcerr.Timeout)
		do(t, c, d, "set", "a", 1)
		do(t, c, d, "set", "a", 2)
		if n := told(t, c); !slices.Equal(n, []uint64{uint64(sub)<<1 | 1}) {
			t.Errorf("%v of subscription %d", n, sub)
		}
		_, _, err = c.NextEvent(soon(t), uint64(sub), -1)
		must(t, err)
		_, _, err = c.NextEvent(soon(t), uint64(sub), -1)
		must(t, err)
		q := numberOf(t, do(t, c, 0, "create", "queue"))
		call, err := c.Start(soon(t), &Call{Object: q, Method: "get"})
		must(t, err)
		c.Mind(call)
		c.MindEvents(uint64(sub))
		must(t, s.Close())
		n := told(t, c)
		slices.Sort(n)
		want := []uint64{uint64(sub)<<1 | 1, call << 1}
		slices.Sort(want)
		if !slices.Equal(n, want) {
			t.Errorf("%v, not %v", n, want)
		}
		if err := c.AwaitNews(soon(t)); err == nil {
			t.Error("no error without a server")
		}
	})
}
