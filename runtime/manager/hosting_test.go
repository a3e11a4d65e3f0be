package manager

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

type account struct {
	owner   string
	balance atomic.Int64
	waiting chan string
}

type openAccount struct {
	Named
	Balance *int64
}

func newAccount(owner string, o openAccount) (*account, error) {
	if owner == "" {
		return nil, errors.New("nobody")
	}
	a := &account{owner: owner, waiting: make(chan string, 2)}
	if o.Balance != nil {
		a.balance.Store(*o.Balance)
	}
	return a, nil
}

type tooLittle int64

func (e tooLittle) Error() string     { return fmt.Sprintf("only %d there", int64(e)) }
func (e tooLittle) ErrorType() string { return "ValueError" }

func (a *account) Deposit(p struct {
	Named
	Amount int64
	Often  *int64 `msgpack:"times"`
},
) int64 {
	if p.Often == nil {
		p.Often = new(int64)
		*p.Often = 1
	}
	return a.balance.Add(p.Amount * *p.Often)
}

func (a *account) Withdraw(amount int64) (int64, error) {
	if b := a.balance.Load(); b < amount {
		return b, tooLittle(b)
	}
	return a.balance.Add(-amount), nil
}

func (a *account) Dropped()                        { a.waiting <- "dropped" }
func (a *account) Owner() string                   { return a.owner }
func (a *account) Sum(of string, ns ...int) string { return fmt.Sprint(of, ns) }
func (a *account) GetTwo() (int, string)           { return 1, "two" }
func (a *account) Fork() *account                  { return &account{owner: a.owner + "'s child", waiting: a.waiting} }
func (a *account) Itself() *account                { return a }
func (a *account) Panic()                          { panic("oh no") }
func (a *account) Fill(ctx context.Context, l *List[int]) error {
	_, err := l.Append(ctx, 7)
	return err
}
func (a *account) Channel() chan int { return make(chan int) }

func (a *account) Wait(ctx context.Context) error {
	a.waiting <- "began"
	<-ctx.Done()
	a.waiting <- context.Cause(ctx).Error()
	return ctx.Err()
}

func TestRegister(t *testing.T) {
	both(t, Options{}, func(t *testing.T, _ *Server, connect func() *Client) {
		ctx, host, c := soon(t), connect(), connect()
		must(t, host.Register(ctx, "Account", newAccount))
		mustBe(t, c.Register(ctx, "Account", newAccount), ipcerr.Exists)
		mustBe(t, c.Register(ctx, "Other", 5), ipcerr.Invalid)
		mustBe(t, c.Register(ctx, "Other", func() {}), ipcerr.Invalid)
		served := make(chan error)
		go func() { served <- host.Serve(ctx) }()
		types, err := c.Types(ctx)
		must(t, err)
		if got := strings.Join(types["Account"], " "); !strings.Contains(got, "GetTwo") || !strings.Contains(got, "get_two") {
			t.Error(got)
		}

		anna, err := c.Open(ctx, "anna", "Account", "anna", 5)
		must(t, err)
		is[any](t, int64(15))(anna.Call(ctx, "deposit", 10))
		is[any](t, int64(21))(anna.Call(ctx, "Deposit", 2, 3))
		is[any](t, int64(23))(anna.CallNamed(ctx, "deposit", nil, map[string]any{"amount": 1, "times": 2}))
		is[any](t, int64(22))(anna.Call(ctx, "withdraw", 1))
		_, err = anna.Call(ctx, "withdraw", 100)
		var failed *RemoteError
		if !errors.As(err, &failed) || failed.Type != "ValueError" || failed.Message != "only 22 there" {
			t.Error(err)
		}
		for _, wrong := range [][]any{{"deposit"}, {"deposit", 1, 2, 3}, {"withdraw", "x"}, {"withdraw"}, {"withdraw", 1, 2}, {"channel", 1}} {
			fails(t, second(anna.Call(ctx, wrong[0].(string), wrong[1:]...)), "TypeError")
		}
		fails(t, second(anna.CallNamed(ctx, "deposit", []any{1}, map[string]any{"amount": 1})), "TypeError")
		fails(t, second(anna.CallNamed(ctx, "deposit", []any{1}, map[string]any{"no": 1})), "TypeError")
		fails(t, second(anna.CallNamed(ctx, "owner", nil, map[string]any{"no": 1})), "TypeError")
		fails(t, second(anna.Call(ctx, "no")), "AttributeError")
		fails(t, second(anna.Call(ctx, "channel")), "RuntimeError")
		fails(t, second(c.New(ctx, "Account", "")), "RuntimeError")
		is[any](t, "a[1 2]")(anna.Call(ctx, "sum", "a", 1, 2))
		is[any](t, "a[]")(anna.Call(ctx, "sum", "a"))
		two, err := anna.Call(ctx, "get_two")
		must(t, err)
		if l := two.([]any); l[0] != int64(1) || l[1] != "two" {
			t.Error(two)
		}
		_, err = anna.Call(ctx, "panic")
		if !errors.As(err, &failed) || failed.Message != "panic: oh no" || !strings.Contains(failed.Traceback, "account).Panic") {
			t.Error(err)
		}

		child, err := anna.Call(ctx, "fork")
		must(t, err)
		is[any](t, "anna's child")(child.(Object).Call(ctx, "owner"))
		self, err := anna.Call(ctx, "itself")
		must(t, err)
		if n := self.(Object).Number(); n != anna.Number() {
			t.Error(n, anna.Number())
		}
		l, err := NewList[int](ctx, c)
		must(t, err)
		is[any](t, nil)(anna.Call(ctx, "fill", l))
		are(t, 7)(l.Copy(ctx))

		// References in what could not be called are given back, each once.
		for _, named := range []map[string]any{nil, {"amount": l}, {"no": l}} {
			fails(t, second(anna.CallNamed(ctx, "deposit", []any{l, l}, named)), "TypeError")
			fails(t, second(anna.CallNamed(ctx, "withdraw", []any{l}, named)), "TypeError")
			fails(t, second(anna.CallNamed(ctx, "no", []any{l}, named)), "AttributeError")
		}
		is(t, 1)(l.Len(ctx))
		must(t, l.Close())
		waitFor(t, func() bool {
			s, err := c.Stat(ctx)
			must(t, err)
			return s.Types["list"] == 0
		})

		h := host.hosts()
		count := func() int { h.mu.Lock(); defer h.mu.Unlock(); return len(h.objects) }
		must(t, child.(Object).Close())
		waitFor(t, func() bool { return count() == 1 })

		a := h.objects[anna.Number()].Interface().(*account)
		if s := <-a.waiting; s != "dropped" {
			t.Error(s)
		}
		fails(t, second(anna.Call(ctx, "dropped")), "AttributeError")
		for _, way := range []string{"deadline", "cancel", "death"} {
			other := connect()
			o, err := other.Open(ctx, "anna", "")
			must(t, err)
			f, err := other.Go(ctx, o, "wait")
			must(t, err)
			if <-a.waiting != "began" {
				t.Fatal(way)
			}
			switch way {
			case "deadline":
				mustBe(t, second(o.Call(short(), "wait")), ipcerr.Timeout)
				<-a.waiting
				if s := <-a.waiting; s != errGivenUp.Error() {
					t.Error(s)
				}
				fallthrough
			case "cancel":
				must(t, f.Cancel())
				mustBe(t, second(f.Result(ctx)), ipcerr.Cancelled)
			case "death":
				must(t, other.Close())
			}
			if s := <-a.waiting; s != errGivenUp.Error() {
				t.Error(way, s)
			}
		}
		adopted, err := host.Adopt(ctx, "Account", &account{owner: "me"})
		must(t, err)
		is[any](t, "me")(adopted.Call(ctx, "owner"))
		must(t, host.Close())
		mustBe(t, <-served, ipcerr.Closed)
		mustBe(t, second(anna.Call(ctx, "owner")), ipcerr.PeerDied)
	})
}

func TestSnake(t *testing.T) {
	for name, want := range map[string]string{"Owner": "owner", "GetTwo": "get_two", "GetURLOf": "get_url_of", "ID": "id", "A1B": "a1_b"} {
		if got := snake(name); got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
}
