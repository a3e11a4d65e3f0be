package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/queue"
)

// form is how messages are written: the default is JSON.
type form struct{ raw, text, lines bool }

func (f *form) flags(c *cobra.Command) {
	set := c.Flags()
	set.BoolVar(&f.raw, "raw", false, "messages are bytes, as they are")
	set.BoolVar(&f.text, "text", false, "messages are texts, each an argument or a line")
	set.BoolVar(&f.lines, "lines", false, "with --raw: each message is a line, without its newline")
}

func (f *form) check() error {
	switch {
	case f.raw && f.text:
		return usage("--raw and --text exclude each other")
	case f.lines && !f.raw:
		return usage("--lines goes with --raw; JSON and --text are read and written in lines anyway")
	}
	return nil
}

// source is where put takes messages from.
type source struct{ form }

func (s *source) check(values []string) error {
	if s.lines && len(values) > 0 {
		return usage("--lines reads standard input, and so goes with no values")
	}
	return s.form.check()
}

// message makes a message of an argument or a line.
func (s *source) message(value []byte) (*queue.Message, error) {
	if s.raw {
		return &queue.Message{Body: value, Format: queue.Raw}, nil
	}
	var v any = string(value)
	if !s.text {
		var err error
		if v, err = readValue(value); err != nil {
			return nil, err
		}
	}
	if raw, ok := v.(rawMessage); ok {
		return &queue.Message{Body: raw, Format: queue.Raw}, nil
	}
	body, err := codec.Marshal(v)
	return &queue.Message{Body: body, Format: queue.MsgPack}, err
}

// start begins to read; next returns nil at the end. Standard input is read by a goroutine of its
// own, so that a signal ends the wait for it.
func (s *source) start(ctx context.Context, in io.Reader, values []string) (next func() (*queue.Message, error), err error) {
	if len(values) > 0 {
		var ms []*queue.Message
		for i, v := range values {
			m, err := s.message([]byte(v))
			if err != nil {
				return nil, fmt.Errorf("value %d, %.60q: %w", i+1, v, err)
			}
			ms = append(ms, m)
		}
		return func() (m *queue.Message, err error) {
			if len(ms) > 0 {
				m, ms = ms[0], ms[1:]
			}
			return m, nil
		}, nil
	}
	type item struct {
		m   *queue.Message
		err error
	}
	items := make(chan item, 64) // so that reading and putting need not take turns
	go func() {
		read := s.reader(in)
		for {
			m, err := read()
			select {
			case items <- item{m, err}:
			case <-ctx.Done():
				return
			}
			if m == nil || err != nil {
				return
			}
		}
	}()
	return func() (*queue.Message, error) {
		select {
		case i := <-items:
			return i.m, i.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}, nil
}

// reader reads one message after the other, and nil at the end.
func (s *source) reader(in io.Reader) func() (*queue.Message, error) {
	switch {
	case s.raw && !s.lines:
		return s.whole(in)
	case s.raw || s.text:
		return s.eachLine(in)
	}
	dec := json.NewDecoder(in)
	n := 0
	return func() (*queue.Message, error) {
		n++
		var text json.RawMessage
		err := dec.Decode(&text)
		if err == io.EOF {
			return nil, nil
		}
		if err != nil {
			err = valueReader{}.place(err)
		}
		var m *queue.Message
		if err == nil {
			m, err = s.message(text)
		}
		if err != nil {
			return nil, fmt.Errorf("standard input, value %d, before byte %d: %w", n, dec.InputOffset()+1, err)
		}
		return m, nil
	}
}

func (s *source) whole(in io.Reader) func() (*queue.Message, error) {
	done := false
	return func() (*queue.Message, error) {
		if done {
			return nil, nil
		}
		done = true
		body, err := io.ReadAll(in)
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		return s.message(body)
	}
}

func (s *source) eachLine(in io.Reader) func() (*queue.Message, error) {
	r := bufio.NewReaderSize(in, 64<<10)
	n := 0
	return func() (*queue.Message, error) {
		n++
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			if len(line) == 0 {
				return nil, nil
			}
			err = nil // the last line needs no newline
		}
		var m *queue.Message
		if err == nil {
			m, err = s.message(bytes.TrimSuffix(line, []byte("\n")))
		}
		if err != nil {
			return nil, fmt.Errorf("standard input, line %d: %w", n, err)
		}
		return m, nil
	}
}
