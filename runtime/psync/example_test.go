package psync_test

import (
	"context"
	"fmt"
	"os"

	"github.com/polyipc/polyipc/runtime/psync"
)

// The next owner of a lock whose owner died is told.
func ExampleLock() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("/dev/shm", "example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ledger, err := psync.OpenOrCreateLock("ledger", psync.Options{Root: dir})
	if err != nil {
		panic(err)
	}
	defer ledger.Close()
	ownerDied, err := ledger.Acquire(ctx)
	if err != nil {
		panic(err)
	}
	if ownerDied {
		fmt.Println("what it protects may be half changed")
	}
	fmt.Println("mine")
	if err := ledger.Release(); err != nil {
		panic(err)
	}
	// Output: mine
}

// An Owner stands for what a thread is elsewhere.
func ExampleCondition() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("/dev/shm", "example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	c, err := psync.CreateCondition("ready", psync.Options{Root: dir})
	if err != nil {
		panic(err)
	}
	defer c.Close()
	ready := false
	go func() {
		me := psync.NewOwner()
		_, _ = c.Acquire(ctx, me)
		ready = true
		_ = c.NotifyAll()
		_ = c.Release(me)
	}()
	me := psync.NewOwner()
	if _, err := c.Acquire(ctx, me); err != nil {
		panic(err)
	}
	if _, err := c.WaitFor(ctx, me, func() bool { return ready }); err != nil {
		panic(err)
	}
	fmt.Println("ready")
	_ = c.Release(me)
	// Output: ready
}
