package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/manager"
	"github.com/polyipc/polyipc/runtime/tls"
)

// managers are the servers and connections that the commands which begin with "manager." have made.
type managers struct {
	servers []*manager.Server
	clients []*manager.Client
	hosts   map[*manager.Client]*accounts
}

func (m *managers) do(verb string, w []string) (string, error) {
	switch verb {
	case "serve":
		o := managed("server", w[2:])
		o.Listen = strings.TrimPrefix(w[1], "-")
		s, err := manager.Serve(strings.TrimPrefix(w[0], "-"), o)
		m.servers = append(m.servers, s)
		return fmt.Sprint(len(m.servers) - 1), err
	case "connect":
		ctx, cancel := wait(w[1])
		defer cancel()
		c, err := manager.Connect(ctx, w[0], managed("client", w[2:]))
		if err == nil {
			m.clients = append(m.clients, c)
		}
		return fmt.Sprint(len(m.clients) - 1), err
	case "name", "address", "wait", "stop":
		return onServer(m.servers[number(w[0])], verb, w[1:])
	}
	return m.onClient(m.clients[number(w[0])], verb, w[1:])
}

// managed reads KEY FLAGS [CERTS].
func managed(who string, w []string) manager.Options {
	o := manager.Options{Pickle: strings.Contains(w[1], "p")}
	if w[0] != "-" {
		o.Key = bytesOf(w[0])
	}
	if len(w) > 2 {
		dir := w[2] + "/"
		f := &tls.Files{CA: dir + "ca.pem", Cert: dir + who + ".pem", Key: dir + who + ".key"}
		if who == "client" {
			f.ServerName = "scores.test"
		}
		o.TLS = f
	}
	return o
}

// bytesOf reads hex; "-" is nothing.
func bytesOf(word string) []byte {
	b, err := hex.DecodeString(strings.TrimPrefix(word, "-"))
	if err != nil {
		panic(err)
	}
	return b
}

// value reads a value and writes it anew.
func value(word string) []byte {
	b := bytesOf(word)
	if len(b) == 0 {
		return nil
	}
	b, err := again(b)
	if err != nil {
		panic(err)
	}
	return b
}

func shown(b []byte, err error) (string, error) {
	if err == nil && len(b) > 0 {
		b, err = again(b)
	}
	return "m" + hex.EncodeToString(b), err
}

func onServer(s *manager.Server, verb string, w []string) (string, error) {
	switch verb {
	case "name":
		return s.Name(), nil
	case "address":
		if s.Address() == "" {
			return "-", nil
		}
		return s.Address(), nil
	case "wait":
		ctx, cancel := wait(w[0])
		defer cancel()
		return "", s.Wait(ctx)
	}
	return "", s.Close()
}

// callOf is the call that THREAD O METHOD ARGS NAMED tell of.
func callOf(w []string) *manager.Call {
	call := &manager.Call{Thread: uint64(number(w[0])), Object: uint64(number(w[1])), Method: w[2], Args: value(w[3])}
	if len(w) > 4 {
		call.Named = value(w[4])
	}
	return call
}

func (m *managers) onClient(c *manager.Client, verb string, w []string) (string, error) {
	switch verb {
	case "close":
		return "", c.Close()
	case "info":
		i := c.Info()
		return fmt.Sprintf("epoch=%d client=%d frame=%d pickle=%s", i.Epoch, i.Client, i.Frame, bit(i.Pickle)), nil
	case "cancel":
		return "", c.Cancel(uint64(number(w[0])))
	case "release":
		return "", c.Release(uint64(number(w[0])), uint64(number(w[1])))
	case "create", "open":
		return made(c, verb, w)
	case "watch":
		b, err := c.Do(context.Background(), &manager.Call{Method: verb, Args: packed(uint64(number(w[0])))})
		if err != nil {
			return "", err
		}
		var sub uint64
		err = codec.Unmarshal(b, &sub)
		return fmt.Sprint(sub), err
	case "host":
		return "", m.host(c)
	case "hosted":
		return fmt.Sprint(m.hosts[c].living.Load()), nil
	case "count":
		return "", counting(c, uint64(number(w[0])), w[1:])
	case "tally":
		return "", tally(c, w)
	case "repeat":
		call := callOf(w[1:])
		for range number(w[0]) {
			if _, err := c.Do(context.Background(), call); err != nil {
				return "", err
			}
		}
		return w[0], nil
	}
	ctx, cancel := wait(w[0])
	defer cancel()
	return timed(ctx, c, verb, w[1:])
}

// timed does the commands that have a time-out.
func timed(ctx context.Context, c *manager.Client, verb string, w []string) (string, error) {
	switch verb {
	case "reconnect":
		return "", c.Reconnect(ctx)
	case "call":
		return shown(c.Do(ctx, callOf(w)))
	case "start":
		id, err := c.Start(ctx, callOf(w))
		return fmt.Sprint(id), err
	case "finish":
		b, _, err := c.Finish(ctx, uint64(number(w[0])), -1)
		return shown(b, err)
	case "batch":
		return shown(c.DoBatch(ctx, value(w[1]), uint64(number(w[0]))))
	case "event":
		b, _, err := c.NextEvent(ctx, uint64(number(w[0])), -1)
		return shown(b, err)
	}
	return "", errProtocol
}

func packed(args ...any) []byte {
	b, err := codec.Marshal(args)
	if err != nil {
		panic(err)
	}
	return b
}

// made creates or opens an object. The peer keeps the reference.
func made(c *manager.Client, verb string, w []string) (string, error) {
	var head []any
	for _, word := range w[:len(w)-1] {
		if head = append(head, word); word == "-" {
			head[len(head)-1] = nil
		}
	}
	var args []any
	if more := value(w[len(w)-1]); more != nil {
		if err := codec.Unmarshal(more, &args); err != nil {
			return "", err
		}
	}
	b, err := c.Do(context.Background(), &manager.Call{Method: verb, Args: packed(append(head, args...)...)})
	if err != nil {
		return "", err
	}
	refs, err := codec.Refs(b)
	if err != nil || len(refs) != 1 {
		return "", errors.Join(err, errProtocol)
	}
	n := uint64(0)
	for _, b := range refs[0].UUID[8:] {
		n = n<<8 | uint64(b)
	}
	return fmt.Sprint(n), nil
}

// counting adds 1 to an unprotected number in a file, again and again, with the lock held.
func counting(c *manager.Client, lock uint64, w []string) error {
	acquire := &manager.Call{Object: lock, Method: "acquire", Thread: uint64(number(w[2]))}
	release := &manager.Call{Object: lock, Method: "release", Thread: acquire.Thread}
	return onNumber(w[0], func(mem []byte) error {
		for range number(w[1]) {
			if _, err := c.Do(context.Background(), acquire); err != nil {
				return err
			}
			_ = add(mem)
			if _, err := c.Do(context.Background(), release); err != nil {
				return err
			}
		}
		return nil
	})
}

// tally increments a key of a dict until that fails, and counts in a file how often it began and how often it had the answer.
func tally(c *manager.Client, w []string) error {
	increment := &manager.Call{Object: uint64(number(w[0])), Method: "increment", Args: packed(w[1])}
	return onNumber(w[2], func(mem []byte) error {
		for {
			_ = add(mem)
			if _, err := c.Do(context.Background(), increment); err != nil {
				return err
			}
			_ = add(mem[8:])
		}
	})
}

// remote is how a method's failure is answered.
func remote(f *manager.RemoteError) string {
	traced := "-"
	if f.Traceback != "" {
		traced = "t"
	}
	return strings.Join([]string{f.Type, traced, strings.ReplaceAll(f.Message, "\n", " ")}, " ")
}

func (m *managers) close() error {
	for _, c := range m.clients {
		if err := c.Close(); err != nil {
			return err
		}
	}
	for _, s := range m.servers {
		if err := s.Close(); err != nil && ipcerr.CodeOf(err) != ipcerr.Closed {
			return err
		}
	}
	return nil
}
