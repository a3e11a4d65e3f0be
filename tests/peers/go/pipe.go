package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/pipe"
)

// pipes is what the commands that begin with "pipe." have opened.
type pipes struct{ ends []*pipe.Pipe }

func pipeOptions(end, capacity, flags string) pipe.Options {
	return pipe.Options{
		End: endOf(end), Capacity: number(capacity), OneWay: strings.Contains(flags, "1"),
		Kept: strings.Contains(flags, "k"), Transient: strings.Contains(flags, "t"),
	}
}

func endOf(word string) pipe.End {
	return map[string]pipe.End{"-": pipe.DefaultEnd, "0": pipe.First, "1": pipe.Second}[word]
}

func (s *pipes) do(verb string, w []string) (string, error) {
	name := strings.TrimPrefix(w[0], "-")
	switch verb {
	case "create":
		return s.keep(pipe.Create(name, pipeOptions(w[1], w[2], w[3])))
	case "open":
		return s.keep(pipe.Open(name, pipe.Options{End: endOf(w[1])}))
	case "open_or_create":
		return s.keep(pipe.OpenOrCreate(name, pipeOptions(w[1], w[2], w[3])))
	case "pair":
		a, b, err := pipe.Pair(name, pipeOptions("-", w[1], w[2]))
		if err != nil {
			return "", err
		}
		s.ends = append(s.ends, a, b)
		return fmt.Sprintf("%d %d", len(s.ends)-2, len(s.ends)-1), nil
	case "unlink":
		return "", pipe.Unlink("", name)
	}
	return s.use(s.ends[number(w[0])], verb, w[1:])
}

func (s *pipes) keep(p *pipe.Pipe, err error) (string, error) {
	if err != nil {
		return "", err
	}
	s.ends = append(s.ends, p)
	return fmt.Sprint(len(s.ends) - 1), nil
}

func (s *pipes) use(p *pipe.Pipe, verb string, w []string) (string, error) {
	switch verb {
	case "name":
		return p.Name(), nil
	case "close":
		return "", p.Close()
	case "stat":
		st, err := p.Stat()
		return fmt.Sprintf("end=%d other=%d messages=%d sent=%d received=%d", st.End-pipe.First, st.Other, st.In.Messages, st.Out.Sent, st.In.Received), err
	case "echo":
		return echo(p)
	case "pour":
		return pour(p, number(w[0]))
	case "drain":
		return drain(p)
	}
	ctx, cancel := wait(w[0])
	defer cancel()
	switch verb {
	case "send":
		b, f, err := read(w[1])
		if err != nil {
			return "", err
		}
		return "", p.Send(ctx, b, f)
	case "recv":
		m, err := p.Recv(ctx)
		if err != nil {
			return "", err
		}
		return show(m)
	case "poll":
		return polled(ctx, p, w[0] == "0")
	}
	return "", errProtocol
}

func polled(ctx context.Context, p *pipe.Pipe, try bool) (string, error) {
	err := p.TryPoll()
	if !try && errors.Is(err, ipcerr.Empty) {
		err = p.Poll(ctx)
	}
	switch {
	case err == nil:
		return "1", nil
	case errors.Is(err, ipcerr.Empty), errors.Is(err, ipcerr.Timeout):
		return "0", nil
	}
	return "", err
}

// over reports whether err is that of an end that nobody is left at.
func over(err error) bool { return errors.Is(err, ipcerr.EndOfFile) || errors.Is(err, ipcerr.Broken) }

func echo(p *pipe.Pipe) (string, error) {
	for n := 0; ; n++ {
		m, err := p.Recv(context.Background())
		if err == nil {
			err = p.Send(context.Background(), m.Body, m.Format)
		}
		if over(err) {
			return fmt.Sprint(n), nil
		}
		if err != nil {
			return "", err
		}
	}
}

// poured makes message i of a pour in buf.
func poured(buf []byte, i int) []byte {
	n := 7919 * i % 3000
	if i%50 == 49 {
		n += 30_000
	}
	generated(buf[:n], int64(i))
	return buf[:n]
}

func pour(p *pipe.Pipe, count int64) (string, error) {
	buf := make([]byte, 33_000)
	for i := range int(count) {
		if err := p.Send(context.Background(), poured(buf, i), pipe.Raw); over(err) {
			return fmt.Sprint(i), nil
		} else if err != nil {
			return "", err
		}
	}
	return fmt.Sprint(count), nil
}

func drain(p *pipe.Pipe) (string, error) {
	got, want := make([]byte, 33_000), make([]byte, 33_000)
	for i := 0; ; i++ {
		n, _, err := p.RecvInto(context.Background(), got)
		switch {
		case over(err):
			return fmt.Sprint(i), nil
		case err != nil:
			return "", err
		case !bytes.Equal(got[:n], poured(want, i)):
			return "", errProtocol
		}
	}
}

func (s *pipes) close() error {
	for _, p := range s.ends {
		if err := p.Close(); err != nil {
			return err
		}
	}
	return nil
}
