package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/queue"
)

// ownRoot makes a root for an example, so that it leaves nothing behind.
func ownRoot() string {
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-example-")
	if err != nil {
		log.Fatal(err)
	}
	return dir
}

func Example() {
	dir := ownRoot()
	defer os.RemoveAll(dir)
	ctx := context.Background()
	q, err := queue.OpenOrCreate("greetings", queue.Options{Root: dir, MaxSize: 1000})
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()

	if err := q.Put(ctx, []byte("hello"), queue.Raw); err != nil {
		log.Fatal(err)
	}
	m, err := q.Get(ctx) // in this or any other process, in any language
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", m.Body)
	// Output: hello
}

func ExampleOf() {
	dir := ownRoot()
	defer os.RemoveAll(dir)
	type job struct {
		ID   int    `msgpack:"id"`
		Path string `msgpack:"path"`
	}
	ctx := context.Background()
	q, err := queue.Create("", queue.Options{Root: dir}) // no name: gone with its last user
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	jobs := queue.Of[job](q) // Python gets {"id": 1, "path": "a.txt"}

	for i, path := range []string{"a.txt", "b.txt"} {
		if err := jobs.Put(ctx, job{i + 1, path}); err != nil {
			log.Fatal(err)
		}
	}
	if err := q.Shutdown(false); err != nil {
		log.Fatal(err)
	}
	for j, err := range jobs.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(j.ID, j.Path)
	}
	// Output:
	// 1 a.txt
	// 2 b.txt
}

func ExampleQueue_Lease() {
	dir := ownRoot()
	defer os.RemoveAll(dir)
	ctx := context.Background()
	q, err := queue.Create("", queue.Options{Root: dir})
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	if err := q.Put(ctx, []byte("precious"), queue.Raw); err != nil {
		log.Fatal(err)
	}

	for {
		l, err := q.Lease(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s, delivery %d\n", l.Body, l.Deliveries)
		if l.Deliveries == 1 {
			_ = l.Nack() // could not do it: somebody will get it again. So they would, had we died
			continue
		}
		if err := l.Ack(); err != nil {
			log.Fatal(err)
		}
		break
	}
	// Output:
	// precious, delivery 1
	// precious, delivery 2
}

func ExampleQueue_Get_timeout() {
	dir := ownRoot()
	defer os.RemoveAll(dir)
	q, err := queue.Create("", queue.Options{Root: dir})
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = q.Get(ctx)
	fmt.Println(errors.Is(err, context.DeadlineExceeded), errors.Is(err, ipcerr.Timeout))
	// Output: true true
}
