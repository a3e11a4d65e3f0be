package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

type dictionary struct {
	remote
	create bool
	count  int    // of lines that watch prints; 0: no limit
	dict   string // its name, and its number
	number uint64
}

// task is what is to be done with the dict.
type task func(ctx context.Context) error

func (a *app) dictCommand() *cobra.Command {
	d := &dictionary{remote: remote{app: a, timeout: noLimit}}
	c := &cobra.Command{
		Use:   "dict NAME OBJECT [get KEY | set KEY VALUE | del KEY | watch]",
		Short: "Show, change or watch a dict of a manager",
		Long: `Show, change or watch a dict of a manager: all of it, a line for each item with a tab between key and value, or
one key.

NAME, and how keys and values are read, are as with call. watch prints a line of JSON for each change: first
["snapshot", DICT], then ["set", KEY, VALUE], ["delete", KEY] and ["clear"]; who reads too slowly finds
["lagged", N] and a new snapshot. It ends after --count lines, or when nothing changed for --timeout.`,
		Example: `  polyipc dict scores points
  polyipc dict scores points set anna 7 --create
  polyipc dict scores points watch | jq -c 'select(.[0] == "set")'`,
		Args:              cobra.RangeArgs(2, 5),
		ValidArgsFunction: a.completeName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := d.check(); err != nil {
				return err
			}
			watches := len(args) == 3 && args[2] == "watch"
			if cmd.Flags().Changed("count") && (!watches || d.count < 1) {
				return usage("--count goes with watch, and is 1 or more")
			}
			do, err := d.task(args[2:])
			if err != nil {
				return err
			}
			d.dict = args[1]
			return d.failed(d.run(cmd.Context(), args[0], do))
		},
	}
	d.flags(c)
	c.Flags().BoolVar(&d.create, "create", false, "make the dict if there is none")
	c.Flags().IntVarP(&d.count, "count", "n", 0, "with watch: end after so many lines")
	return c
}

// task reads what is to be done.
func (d *dictionary) task(words []string) (task, error) {
	if len(words) == 0 {
		return d.list, nil
	}
	takes, known := map[string]int{"get": 1, "set": 2, "del": 1, "watch": 0}[words[0]]
	switch {
	case !known:
		return nil, usage("%q: get, set, del or watch is meant", words[0])
	case len(words) != 1+takes:
		return nil, usage("%s takes %s", words[0], [...]string{"nothing behind it", "a KEY", "a KEY and a VALUE"}[takes])
	}
	args, err := d.arguments(words[1:])
	if err != nil {
		return nil, err
	}
	switch words[0] {
	case "get":
		return func(ctx context.Context) error { return d.get(ctx, args[0]) }, nil
	case "set":
		return func(ctx context.Context) error { return d.change(ctx, "set", args) }, nil
	case "del":
		return func(ctx context.Context) error { return d.change(ctx, "delete", args[:1]) }, nil
	}
	return d.watch, nil
}

func (d *dictionary) run(ctx context.Context, name string, do task) error {
	start, cancel := bounded(ctx, d.timeout)
	defer cancel()
	if err := d.connect(start, name); err != nil {
		return err
	}
	defer func() { _ = d.c.Close() }()
	var typ []any
	if d.create {
		typ = []any{"dict"}
	}
	var err error
	if d.number, err = d.object(start, d.dict, typ...); err != nil {
		return err
	}
	return do(ctx)
}

// ask calls a method.
func (d *dictionary) ask(ctx context.Context, object uint64, method string, args ...any) (any, error) {
	ctx, cancel := bounded(ctx, d.timeout)
	defer cancel()
	return d.do(ctx, object, method, args, nil)
}

func (d *dictionary) list(ctx context.Context) error {
	v, err := d.ask(ctx, d.number, "items")
	if err != nil {
		return err
	}
	items, _ := v.([]any)
	pairs := make(codec.Pairs, 0, len(items))
	for _, item := range items {
		if kv, ok := item.([]any); ok && len(kv) == 2 {
			pairs = append(pairs, codec.Pair{Key: kv[0], Value: kv[1]})
		}
	}
	if d.json {
		whole, err := codec.Marshal(pairs)
		if err != nil {
			return err
		}
		if v, err = codec.Decode(whole); err != nil {
			return err
		}
		return d.write(append(appendValue(nil, v), '\n'))
	}
	var b []byte
	for _, p := range pairs {
		b = append(d.show(append(d.show(b, p.Key), '\t'), p.Value), '\n')
	}
	return d.write(b)
}

func (d *dictionary) get(ctx context.Context, key any) error {
	v, err := d.ask(ctx, d.number, "getitem", key)
	if err != nil {
		return err
	}
	if d.json {
		b := append(appendValue([]byte(`{"key":`), key), `,"value":`...)
		return d.write(append(appendValue(b, v), "}\n"...))
	}
	return d.write(append(d.show(nil, v), '\n'))
}

func (d *dictionary) change(ctx context.Context, method string, args []any) error {
	if _, err := d.ask(ctx, d.number, method, args...); err != nil || !d.json {
		return err
	}
	b := append(appendString([]byte(`{"name":`), d.dict), ',')
	b = append(appendString(b, method), ':')
	return d.write(append(appendValue(b, args[0]), "}\n"...))
}

func (d *dictionary) watch(ctx context.Context) error {
	n, err := d.ask(ctx, 0, "watch", int64(d.number))
	if err != nil {
		return err
	}
	subscription, ok := n.(int64)
	if !ok {
		return fmt.Errorf("the manager answered %T where a subscription belongs", n)
	}
	for lines := 0; d.count == 0 || lines < d.count; lines++ {
		event, err := d.event(ctx, uint64(subscription))
		if err != nil {
			if lines > 0 && errors.Is(err, ipcerr.Timeout) {
				return nil
			}
			return err
		}
		if err := d.write(append(appendValue(nil, event), '\n')); err != nil {
			return err
		}
	}
	return nil
}

func (d *dictionary) event(ctx context.Context, subscription uint64) (any, error) {
	ctx, cancel := bounded(ctx, d.timeout)
	defer cancel()
	event, _, err := d.c.NextEvent(ctx, subscription, -1)
	if err != nil {
		return nil, err
	}
	return codec.Decode(event)
}
