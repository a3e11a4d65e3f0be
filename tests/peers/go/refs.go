package main

import (
	"fmt"
	"strings"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/pipe"
	"github.com/polyipc/polyipc/runtime/psync"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/runtime/segment"
)

// ref does the commands that begin with "ref.".
func (p *peer) ref(verb string, w []string) (string, error) {
	q := queue.Of[[]any](p.queues[number(w[0])])
	ctx, cancel := wait(w[1])
	defer cancel()
	switch verb {
	case "put":
		var all []any
		for _, word := range w[2:] {
			all = append(all, p.object(word))
		}
		if w[1] == "0" {
			return "", q.TryPut(all)
		}
		return "", q.Put(ctx, all)
	case "get":
		all, err := q.Get(ctx)
		if err != nil {
			return "", err
		}
		words := make([]string, len(all))
		for i, r := range all {
			if words[i], err = p.open(r.(codec.Ref)); err != nil {
				return "", err
			}
		}
		return strings.Join(words, " "), nil
	}
	return "", errProtocol
}

// object is what a word such as "queue.3" stands for.
func (p *peer) object(word string) any {
	noun, n, _ := strings.Cut(word, ".")
	switch noun {
	case "queue":
		return p.queues[number(n)]
	case "sync":
		return p.syncs.objects[number(n)]
	case "segment":
		return p.segments.open[number(n)]
	case "pipe":
		return p.pipes.ends[number(n)]
	}
	panic("no noun " + noun)
}

// open opens what a reference refers to, and returns the word for it.
func (p *peer) open(r codec.Ref) (string, error) {
	noun, n, err := "queue", "", error(nil)
	switch {
	case r.Kind == 1:
		n, err = p.keep(queue.OpenRef(r, ""))
	case r.Kind == 3:
		noun = "segment"
		n, err = p.segments.keep(segment.OpenRef(r, ""))
	case r.Kind == 2, r.Kind == 13:
		noun = "pipe"
		n, err = p.pipes.keep(pipe.OpenRef(r, ""))
	default:
		noun = "sync"
		n, err = p.syncs.keep(psync.OpenRef(r, ""))
	}
	return fmt.Sprintf("%s.%s", noun, n), err
}
