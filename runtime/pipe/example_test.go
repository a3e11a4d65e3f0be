package pipe_test

import (
	"context"
	"fmt"
	"os"

	"github.com/polyipc/polyipc/runtime/pipe"
)

// ownRoot is a root of the example's own.
func ownRoot() string {
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-example-")
	if err != nil {
		panic(err)
	}
	return dir
}

func Example() {
	root := ownRoot()
	defer os.RemoveAll(root)
	ctx := context.Background()

	ours, theirs, err := pipe.Pair("", pipe.Options{Root: root})
	if err != nil {
		panic(err)
	}
	defer ours.Close()
	go func() { // another process, normally
		defer theirs.Close()
		for question, err := range pipe.Of[string](theirs).All(ctx) {
			if err == nil {
				err = pipe.Of[int](theirs).Send(ctx, len(question))
			}
			if err != nil {
				panic(err)
			}
		}
	}()
	if err := pipe.Of[string](ours).Send(ctx, "how long is this?"); err != nil {
		panic(err)
	}
	fmt.Println(pipe.Of[int](ours).Recv(ctx))
	// Output: 17 <nil>
}
