package manager_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/polyipc/polyipc/runtime/manager"
)

// serve is a server with a root of its own, and a client of it; both end with done.
func serve() (c *manager.Client, done func()) {
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-example-")
	if err != nil {
		log.Fatal(err)
	}
	s, err := manager.Serve("example", manager.Options{Root: dir})
	if err != nil {
		log.Fatal(err)
	}
	c, err = manager.Connect(context.Background(), "example", manager.Options{Root: dir})
	if err != nil {
		log.Fatal(err)
	}
	return c, func() {
		c.Close()
		s.Close()
		os.RemoveAll(dir)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func Example() {
	c, done := serve() // the server is mostly another process
	defer done()
	ctx := context.Background()

	points, err := manager.OpenDict[string, int](ctx, c, "points")
	must(err)
	must(points.Set(ctx, "anna", 5))
	n, err := points.Increment(ctx, "anna", 2) // nobody gets in between
	must(err)
	_, ok, err := points.Get(ctx, "ben")
	must(err)
	fmt.Println(n, ok)
	// Output: 7 false
}

func ExampleDict_nested() {
	c, done := serve()
	defer done()
	ctx := context.Background()

	teams, err := manager.OpenDict[string, *manager.List[string]](ctx, c, "teams")
	must(err)
	red, err := manager.NewList(ctx, c, "anna")
	must(err)
	must(teams.Set(ctx, "red", red))

	same, _, err := teams.Get(ctx, "red") // here, or in another process
	must(err)
	_, err = same.Append(ctx, "ben")
	must(err)
	names, err := red.Copy(ctx)
	must(err)
	fmt.Println(names)
	// Output: [anna ben]
}

func ExampleDict_Watch() {
	c, done := serve()
	defer done()
	ctx := context.Background()

	points, err := manager.NewDict(ctx, c, map[string]int{"anna": 5})
	must(err)
	for change, err := range points.Watch(ctx) {
		must(err)
		switch change.What {
		case "snapshot":
			fmt.Println("now", change.All)
			must(points.Set(ctx, "ben", 3))
		case "set":
			fmt.Println(change.Key, change.Value)
			return
		}
	}
	// Output:
	// now map[anna:5]
	// ben 3
}

func ExampleClient_NewBatch() {
	c, done := serve()
	defer done()
	ctx := context.Background()

	hits, err := manager.NewCounter(ctx, c, 0)
	must(err)
	b := c.NewBatch()
	for i := range 100 {
		b.Add(hits.Object, "increment", i)
	}
	results, err := b.Do(ctx)
	must(err)
	last, err := results[99].Value()
	must(err)
	fmt.Println(last)
	// Output: 4950
}

type account struct{ balance int64 }

func (a *account) Deposit(amount int64) int64 {
	a.balance += amount
	return a.balance
}

func (a *account) Withdraw(amount int64) (int64, error) {
	if amount > a.balance {
		return 0, fmt.Errorf("only %d there", a.balance)
	}
	a.balance -= amount
	return a.balance, nil
}

func ExampleClient_Register() {
	host, done := serve()
	defer done()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	must(host.Register(ctx, "Account", func(first int64) *account { return &account{first} }))
	go host.Serve(ctx)

	c := host // any client, in any language
	a, err := c.Open(ctx, "savings", "Account", 10)
	must(err)
	balance, err := a.Call(ctx, "deposit", 5)
	must(err)
	fmt.Println(balance)
	_, err = a.Call(ctx, "withdraw", 100)
	fmt.Println(err)
	// Output:
	// 15
	// RuntimeError: only 15 there
}
