package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/polyipc/polyipc/runtime/manager"
)

// accounts are those that a client hosts.
type accounts struct{ living atomic.Int64 }

// account is hosted in each language alike.
type account struct {
	of      *accounts
	owner   string
	mu      sync.Mutex
	balance int64
}

type accountArgs struct {
	manager.Named
	Owner   string
	Balance *int64
}

// host registers the type and serves it until the client is closed.
func (m *managers) host(c *manager.Client) error {
	all := &accounts{}
	err := c.Register(context.Background(), "Account", func(a accountArgs) *account {
		all.living.Add(1)
		return &account{of: all, owner: a.Owner, balance: or(a.Balance, 0)}
	})
	if err != nil {
		return err
	}
	if m.hosts == nil {
		m.hosts = map[*manager.Client]*accounts{}
	}
	m.hosts[c] = all
	go func() { _ = c.Serve(context.Background()) }()
	return nil
}

func or(n *int64, otherwise int64) int64 {
	if n == nil {
		return otherwise
	}
	return *n
}

type depositArgs struct {
	manager.Named
	Amount int64
	Times  *int64
}

// Deposit adds an amount, so many times, and returns the new balance.
func (a *account) Deposit(d depositArgs) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.balance += d.Amount * or(d.Times, 1)
	return a.balance
}

type withdrawArgs struct {
	manager.Named
	Amount int64
}

// Withdraw takes an amount and returns the new balance.
func (a *account) Withdraw(w withdrawArgs) (int64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w.Amount > a.balance {
		return 0, &manager.RemoteError{Type: "ValueError", Message: fmt.Sprintf("only %d there", a.balance)}
	}
	a.balance -= w.Amount
	return a.balance, nil
}

// Owner returns who it belongs to.
func (a *account) Owner() string { return a.owner }

// Balance returns what is there.
func (a *account) Balance() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.balance
}

// Fail fails.
func (a *account) Fail() error {
	return &manager.RemoteError{Type: "RuntimeError", Message: a.owner + " failed", Traceback: string(debug.Stack())}
}

// Dropped is called when nobody refers to it any more.
func (a *account) Dropped() { a.of.living.Add(-1) }
