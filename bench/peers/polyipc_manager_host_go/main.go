// Command polyipc_manager_host_go hosts a type of the benchmarks' manager until its standard input ends.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/polyipc/polyipc/runtime/manager"
)

// Account is the type.
type Account struct{ balance atomic.Int64 }

// Deposit adds, and returns the new balance.
func (a *Account) Deposit(amount int64) int64 { return a.balance.Add(amount) }

func main() {
	if err := host(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func host() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c, err := manager.Connect(ctx, "bench", manager.Options{}) // as in ../api.py
	if err != nil {
		return err
	}
	if err := c.Register(ctx, "account.go", func() *Account { return &Account{} }); err != nil {
		return err
	}
	fmt.Println("ready")
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); cancel() }()
	if err := c.Serve(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return c.Close()
}
