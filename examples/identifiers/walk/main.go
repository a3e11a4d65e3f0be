// Command walk puts every file below a directory on a queue, and shuts the queue down when it is
// through: walk QUEUE DIR.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/polyipc/polyipc/examples/identifiers/tally"
	"github.com/polyipc/polyipc/runtime/queue"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "walk:", err)
		os.Exit(1)
	}
}

func run(name, dir string) error {
	q, err := queue.Open(name, queue.Options{})
	if err != nil {
		return err
	}
	defer q.Close()
	files := queue.Of[tally.File](q)
	id := int64(0)
	err = tally.Files(dir, func(path string, data []byte) error {
		id++
		return files.Put(context.Background(), tally.File{ID: id, Path: path, Data: data})
	})
	if err != nil {
		return err
	}
	return q.Shutdown(false)
}
