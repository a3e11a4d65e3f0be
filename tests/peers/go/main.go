// The Go peer: does with queues what it reads on standard input. ../PROTOCOL.md says how.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/manager"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/spawn"
)

// peer is what the commands have opened so far.
type peer struct {
	queues []*queue.Queue
	leases []*queue.Leased
	syncs  syncs
	pipes  pipes

	segments segments
	managers managers

	children []*spawn.Child
}

var errProtocol = errors.New("no such command, or wrong words")

func main() {
	var p peer
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			break
		}
		fmt.Println(p.answer(strings.Fields(line)))
	}
	for _, err := range []error{p.syncs.close(), p.pipes.close(), p.managers.close()} {
		if err != nil {
			fmt.Fprintln(os.Stderr, "close:", err)
			os.Exit(1)
		}
	}
	for _, s := range p.segments.open {
		_ = s.Close()
	}
	for _, q := range p.queues {
		if err := q.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "close:", err)
			os.Exit(1)
		}
	}
}

func (p *peer) answer(words []string) (reply string) {
	defer func() {
		if r := recover(); r != nil {
			reply = fmt.Sprintf("err PROTOCOL %v: %q", r, words)
		}
	}()
	out, err := p.do(words[0], words[1:])
	if err == errProtocol {
		return fmt.Sprintf("err PROTOCOL %v: %q", err, words)
	}
	var failed *manager.RemoteError
	if errors.As(err, &failed) {
		return "err REMOTE_ERROR " + remote(failed)
	}
	if err != nil {
		return "err " + ipcerr.CodeOf(err).Name() + " " + err.Error()
	}
	return strings.TrimSpace("ok " + out)
}

// number reads a word that must be one; a panic answers PROTOCOL.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// wait is the context for a time-out in milliseconds.
func wait(ms string) (context.Context, context.CancelFunc) {
	n := number(ms)
	if n < 0 {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), time.Duration(n)*time.Millisecond)
}

func (p *peer) do(verb string, w []string) (string, error) {
	switch noun, verb, _ := strings.Cut(verb, "."); noun {
	case "sync":
		return p.syncs.do(verb, w)
	case "segment":
		return p.segments.do(verb, w)
	case "pipe":
		return p.pipes.do(verb, w)
	case "ref":
		return p.ref(verb, w)
	case "many":
		return p.many(verb, w)
	case "manager":
		return p.managers.do(verb, w)
	}
	switch verb {
	case "create":
		return p.keep(queue.Create(options(w)))
	case "open":
		return p.keep(queue.Open(w[0], queue.Options{}))
	case "open_or_create":
		return p.keep(queue.OpenOrCreate(options(w)))
	case "unlink":
		return "", queue.Unlink("", w[0])
	}
	if len(w) == 0 {
		return "", errProtocol
	}
	q := p.queues[number(w[0])]
	switch w = w[1:]; verb {
	case "put":
		return "", put(q, w[0], w[1])
	case "put_many":
		return putMany(q, w[0], w[1:])
	case "get":
		return get(q, w[0])
	case "get_many":
		return getMany(q, w[0], int(number(w[1])))
	case "lease":
		return p.lease(q, w[0])
	case "ack":
		return "", p.leases[number(w[0])].Ack()
	case "nack":
		return "", p.leases[number(w[0])].Nack()
	case "task_done":
		return "", q.TaskDone()
	case "join":
		ctx, cancel := wait(w[0])
		defer cancel()
		return "", q.Join(ctx)
	case "shutdown":
		return "", q.Shutdown(w[0] == "1")
	case "produce":
		return produce(q, w)
	case "consume":
		return consume(q, w)
	}
	return ask(q, verb)
}

// ask answers the commands that change nothing but the handle.
func ask(q *queue.Queue, verb string) (string, error) {
	switch verb {
	case "name":
		return q.Name(), nil
	case "close":
		return "", q.Close()
	case "size":
		n, err := q.Size()
		return fmt.Sprint(n), err
	case "empty":
		yes, err := q.Empty()
		return bit(yes), err
	case "full":
		yes, err := q.Full()
		return bit(yes), err
	case "stat":
		s, err := q.Stat()
		return fmt.Sprintf("messages=%d leased=%d reserved=%d unfinished=%d put=%d taken=%d abandoned=%d redelivered=%d rings=%d",
			s.Messages, s.Leased, s.Reserved, s.Unfinished, s.Put, s.Taken, s.Abandoned, s.Redelivered, s.Rings), err
	}
	return "", errProtocol
}

func bit(yes bool) string {
	if yes {
		return "1"
	}
	return "0"
}

func options(w []string) (string, queue.Options) {
	name := w[0]
	if name == "-" {
		name = ""
	}
	return name, queue.Options{MaxSize: number(w[1]), Capacity: number(w[2]), Kept: w[3] == "k", Transient: w[3] == "t"}
}

func (p *peer) keep(q *queue.Queue, err error) (string, error) {
	if err != nil {
		return "", err
	}
	p.queues = append(p.queues, q)
	return fmt.Sprint(len(p.queues) - 1), nil
}

func put(q *queue.Queue, ms, word string) error {
	body, f, err := read(word)
	if err != nil {
		return err
	}
	if number(ms) == 0 {
		return q.TryPut(body, f)
	}
	ctx, cancel := wait(ms)
	defer cancel()
	return q.Put(ctx, body, f)
}

func putMany(q *queue.Queue, ms string, words []string) (string, error) {
	bodies := make([][]byte, len(words))
	var f queue.Format
	for i, w := range words {
		var err error
		if bodies[i], f, err = read(w); err != nil {
			return "", err
		}
	}
	n, err := 0, error(nil)
	if number(ms) == 0 {
		n, err = q.TryPutMany(bodies, f)
	} else {
		ctx, cancel := wait(ms)
		defer cancel()
		n, err = q.PutMany(ctx, bodies, f)
	}
	return fmt.Sprint(n), err
}

func get(q *queue.Queue, ms string) (string, error) {
	m, err := queue.Message{}, error(nil)
	if number(ms) == 0 {
		m, err = q.TryGet()
	} else {
		ctx, cancel := wait(ms)
		defer cancel()
		m, err = q.Get(ctx)
	}
	if err != nil {
		return "", err
	}
	return show(m)
}

func getMany(q *queue.Queue, ms string, most int) (string, error) {
	var messages []queue.Message
	var err error
	if number(ms) == 0 {
		buf, parts := make([]byte, 1<<20), make([]queue.Part, most)
		var n int
		n, err = q.TryGetManyInto(buf, parts)
		for _, p := range parts[:n] {
			messages = append(messages, queue.Message{Body: buf[p.Offset : p.Offset+p.Size], Format: p.Format})
		}
	} else {
		ctx, cancel := wait(ms)
		defer cancel()
		messages, err = q.GetMany(ctx, most)
	}
	words := make([]string, len(messages))
	for i, m := range messages {
		if words[i], err = show(m); err != nil {
			break
		}
	}
	return strings.Join(words, " "), err
}

func (p *peer) lease(q *queue.Queue, ms string) (string, error) {
	var l *queue.Leased
	var err error
	if number(ms) == 0 {
		l, err = q.TryLease()
	} else {
		ctx, cancel := wait(ms)
		defer cancel()
		l, err = q.Lease(ctx)
	}
	if err != nil {
		return "", err
	}
	p.leases = append(p.leases, l)
	word, err := show(l.Message)
	return fmt.Sprintf("%d %d %s", len(p.leases)-1, l.Deliveries, word), err
}
