package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"time"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/queue"
	anyof "github.com/polyipc/polyipc/runtime/wait"
)

// largest is the longest message of produce.
const largest = 200_000

// journal is a log in a shared mapping: what was stored into it is there after a kill, and the
// stores cost so little that a kill rather hits the queue.
type journal struct {
	mem []byte
	at  int
}

func openJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	mem, err := syscall.Mmap(int(f.Fd()), 0, int(st.Size()), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	return &journal{mem: mem}, err
}

func (j *journal) line(s string) {
	j.at += copy(j.mem[j.at:], s)
	j.at += copy(j.mem[j.at:], "\n")
}

// full says that the next lines may not fit.
func (j *journal) full() bool { return len(j.mem)-j.at < 8192 }

func (j *journal) close() { _ = syscall.Munmap(j.mem) }

// worker is what produce and consume share.
type worker struct {
	*journal
	q    *queue.Queue
	r    *rand.Rand
	done int64
}

func (w *worker) between(least, most int) int { return least + w.r.IntN(most-least+1) }

func start(q *queue.Queue, log, seed string) (*worker, error) {
	j, err := openJournal(log)
	return &worker{journal: j, q: q, r: rand.New(rand.NewPCG(uint64(number(seed)), 0))}, err
}

// finish turns the end of the work into the command's answer.
func (w *worker) finish(err error) (string, error) {
	if errors.Is(err, ipcerr.Shutdown) {
		w.line("E")
		err = nil
	}
	w.close()
	return fmt.Sprint(w.done), err
}

var sizes = map[byte][2]int{
	's': {40, 200}, 'e': {40, 4000}, 'm': {40, 200}, 'f': {40, 3000}, 'l': {5000, 15_000}, 'b': {70_000, largest},
}

func produce(q *queue.Queue, args []string) (string, error) {
	id, mix, count := number(args[1]), args[3], number(args[4])
	w, err := start(q, args[0], args[2])
	if err != nil {
		return "", err
	}
	var bufs [100][]byte
	bufs[0] = make([]byte, largest)
	for i := range bufs[1:] {
		bufs[1+i] = make([]byte, sizes['f'][1])
	}
	bodies := make([][]byte, 0, len(bufs))
	for err == nil && !w.full() && (count == 0 || w.done < count) {
		kind := mix[w.r.IntN(len(mix))]
		n := 1
		switch kind {
		case 'm':
			n = w.between(1, 8)
		case 'f':
			n = w.between(1, len(bufs))
		}
		if count != 0 {
			n = min(n, int(count-w.done))
		}
		bodies = bodies[:0]
		for i := range n {
			bodies = append(bodies, compose(bufs[i], id, w.done+int64(i), w.between(sizes[kind][0], sizes[kind][1])))
		}
		w.line(fmt.Sprintf("p %d %d", w.done, n))
		if kind == 'm' || kind == 'f' {
			n, err = q.PutMany(context.Background(), bodies, queue.Raw)
		} else {
			err = q.Put(context.Background(), bodies[0], queue.Raw)
		}
		if err == nil {
			w.done += int64(n)
			w.line(fmt.Sprintf("P %d", n))
		}
	}
	return w.finish(err)
}

func consume(q *queue.Queue, args []string) (string, error) {
	mix := args[2]
	w, err := start(q, args[0], args[1])
	if err != nil {
		return "", err
	}
	check := make([]byte, largest)
	buf, parts := make([]byte, largest), make([]queue.Part, 8)
	for err == nil && !w.full() {
		switch kind := mix[w.r.IntN(len(mix))]; kind {
		case 'm':
			w.line("g 8")
			var n int
			if n, err = q.GetManyInto(context.Background(), buf, parts); err == nil {
				names := ""
				for _, p := range parts[:n] {
					names += " " + w.name(buf[p.Offset:p.Offset+p.Size], p.Format, check)
				}
				w.line("G" + names)
				w.done += int64(n)
			}
		case 'l', 'n', 'h':
			err = w.lease(kind, buf, check)
		default:
			if kind == 'w' {
				if _, err = anyof.Any(context.Background(), q.Readable()); err != nil {
					break
				}
			}
			w.line("g 1")
			var n int
			var f queue.Format
			if n, f, err = q.GetInto(context.Background(), buf); err == nil {
				w.line("G " + w.name(buf[:n], f, check))
				w.done++
				if kind == 't' {
					w.line("t")
					err = q.TaskDone()
					w.line("T")
				}
			}
		}
	}
	return w.finish(err)
}

// lease takes a message on lease and ends it as kind says.
func (w *worker) lease(kind byte, buf, check []byte) error {
	w.line("l")
	l, n, f, err := w.q.LeaseInto(context.Background(), buf)
	if err != nil {
		return err
	}
	name := w.name(buf[:n], f, check)
	w.line(fmt.Sprintf("L %s %d", name, l.Deliveries))
	switch kind {
	case 'h':
		for end := time.Now().Add(time.Duration(w.r.IntN(100_000))); time.Now().Before(end); {
		}
	case 'n':
		w.line("n " + name)
		err = w.q.Nack(l)
		w.line("N")
		return err
	}
	w.line("a " + name)
	if err = w.q.Ack(l); err == nil {
		w.line("A")
		w.done++
	}
	return err
}

func (w *worker) name(body []byte, f queue.Format, check []byte) string {
	if f == queue.MsgPack {
		if err := codec.Unmarshal(body, &body); err != nil {
			w.line("X " + err.Error())
			return "0/0"
		}
	}
	name, ok := parse(body, check)
	if !ok {
		w.line(fmt.Sprintf("X %d bytes, beginning with %.60q", len(body), body))
		return "0/0"
	}
	return name
}
