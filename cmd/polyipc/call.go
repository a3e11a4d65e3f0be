package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/manager"
	"github.com/polyipc/polyipc/runtime/root"
)

// remote is what verbs share that call the objects of a manager.
type remote struct {
	*app
	key     string // a file
	tls     tlsFlags
	pickle  bool
	text    bool
	timeout limit
	c       *manager.Client
}

func (r *remote) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&r.key, "key-file", "", "the file with the manager's key")
	r.tls.add(c, "connect by TLS, to a server with a certificate of a CA in this file")
	f.StringVar(&r.tls.ServerName, "tls-server-name", "", "the name in the server's certificate (default the HOST of NAME)")
	f.BoolVar(&r.pickle, "pickle", false, "let pickles pass; they are not opened")
	f.BoolVar(&r.text, "text", false, "arguments are texts; a result that is a text comes as it is")
	f.Var(&r.timeout, "timeout", "give up after this long (default never)")
}

func (r *remote) check() error {
	if r.timeout == 0 {
		return usage("--timeout 0: give more than 0; methods that wait have an argument for that")
	}
	return nil
}

const remotePrefix = "tcp://"

// connect connects. It makes nothing, not even the root.
func (r *remote) connect(ctx context.Context, name string) error {
	key, err := readKey(r.key)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(name, remotePrefix) {
		o, err := root.Find(r.root, name)
		if err == nil {
			err = o.Err
		}
		if err != nil {
			return err
		}
	}
	// Pickles are only shown, whoever may have put them there.
	r.c, err = manager.Connect(ctx, name, manager.Options{Root: r.root, Key: key, TLS: r.tls.given(), Pickle: r.pickle, TrustGroup: r.pickle})
	return err
}

// object is the number of an object, given by its name, "-" for the manager itself. This process has a reference to it
// until it ends.
func (r *remote) object(ctx context.Context, name string, create ...any) (uint64, error) {
	if name == "-" {
		return 0, nil
	}
	v, err := r.do(ctx, 0, "open", append([]any{name}, create...), nil)
	if err != nil {
		return 0, fmt.Errorf("object %q: %w", name, err)
	}
	ref, ok := v.(codec.Ref)
	if !ok {
		return 0, fmt.Errorf("the manager answered %T where a reference belongs", v)
	}
	return binary.BigEndian.Uint64(ref.UUID[8:]), nil
}

// do calls a method.
func (r *remote) do(ctx context.Context, object uint64, method string, args []any, named codec.Pairs) (any, error) {
	call := manager.Call{Object: object, Method: method}
	var err error
	if len(args) > 0 {
		if call.Args, err = codec.Marshal(args); err != nil {
			return nil, err
		}
	}
	if len(named) > 0 {
		if call.Named, err = codec.Marshal(named); err != nil {
			return nil, err
		}
	}
	result, err := r.c.Do(ctx, &call)
	if err != nil {
		return nil, err
	}
	return codec.Decode(result)
}

// argument is JSON if it is, else a text.
func (r *remote) argument(s string) (any, error) {
	if r.text {
		return s, nil
	}
	v, err := readValue([]byte(s))
	switch _, raw := v.(rawMessage); {
	case raw:
		return nil, errors.New(`{"$raw": ...} is a message of a queue, and no value: write $bytes`)
	case err == nil:
		return v, nil
	case s != "" && strings.ContainsRune(`{["`, rune(s[0])):
		return nil, fmt.Errorf("%w; if it is meant as a text, give --text", err) // rather than a text that was meant otherwise
	}
	return s, nil
}

func (r *remote) arguments(words []string) ([]any, error) {
	args := make([]any, len(words))
	for i, w := range words {
		var err error
		if args[i], err = r.argument(w); err != nil {
			return nil, fmt.Errorf("argument %d, %.60q: %w", i+1, w, err)
		}
	}
	return args, nil
}

// show appends a value in the form asked for.
func (r *remote) show(b []byte, v any) []byte {
	if s, ok := v.(string); ok && r.text {
		return append(b, s...)
	}
	return appendValue(b, v)
}

// failed is a failure as it is shown, with what the method's own process says about where it happened above it.
func (r *remote) failed(err error) error {
	var f *manager.RemoteError
	if errors.As(err, &f) && f.Traceback != "" {
		_, _ = fmt.Fprintln(r.errs, strings.TrimRight(f.Traceback, "\n"))
	}
	return nothing(err)
}

type caller struct {
	remote
	named []string
}

func (a *app) callCommand() *cobra.Command {
	c := &caller{remote: remote{app: a, timeout: noLimit}}
	cmd := &cobra.Command{
		Use:   "call NAME OBJECT METHOD [ARG...]",
		Short: "Call a method of a manager's object",
		Long: `Call a method of a manager's object and print its result as a line of JSON, in the notation of get.

NAME is the manager's name, or tcp://HOST:PORT, then with --key-file, and
--tls-ca if it has TLS. OBJECT is the name of an object, or "-" for the
manager itself, whose methods make objects, name them, and tell of them. An argument is JSON or, if it is none, a text; what
begins with {, [ or a quote must be JSON. With --text every argument is a text.

A method that fails is exit code 1, and its exception is named on standard error; a queue's get that finds nothing, a put
without room, and a call that --timeout ended are 3. With --json the result is in an object with "result".`,
		Example: `  polyipc call scores - open points dict          # make the dict "points", unless there is one
  polyipc call scores points increment anna
  polyipc call scores jobs get --named timeout=2.5
  polyipc call tcp://10.0.0.7:7000 - stat --key-file key`,
		Args:              cobra.MinimumNArgs(3),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.check(); err != nil {
				return err
			}
			return c.failed(c.run(cmd.Context(), args[0], args[1], args[2], args[3:]))
		},
	}
	c.flags(cmd)
	cmd.Flags().StringArrayVar(&c.named, "named", nil, "a named argument, NAME=VALUE; once for each")
	return cmd
}

func (c *caller) run(ctx context.Context, name, object, method string, words []string) error {
	args, err := c.arguments(words)
	if err != nil {
		return err
	}
	var named codec.Pairs
	for _, n := range c.named {
		key, value, ok := strings.Cut(n, "=")
		if !ok || key == "" {
			return usage("--named %q: write NAME=VALUE", n)
		}
		v, err := c.argument(value)
		if err != nil {
			return fmt.Errorf("argument %s: %w", key, err)
		}
		named = append(named, codec.Pair{Key: key, Value: v})
	}
	ctx, cancel := bounded(ctx, c.timeout)
	defer cancel()
	if err := c.connect(ctx, name); err != nil {
		return err
	}
	defer func() { _ = c.c.Close() }()
	n, err := c.object(ctx, object)
	if err != nil {
		return err
	}
	v, err := c.do(ctx, n, method, args, named)
	if err != nil {
		return err
	}
	if c.json {
		return c.write(append(appendValue([]byte(`{"result":`), v), "}\n"...))
	}
	return c.write(append(c.show(nil, v), '\n'))
}
