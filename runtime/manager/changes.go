package manager

import (
	"context"
	"iter"
	"time"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/object"
)

// Change is what happened to a watched object: What was done, "snapshot", "set", "delete", ..., and to what. A watcher that is
// too slow is told "lagged", with how many changes it Lost, and gets a snapshot next.
type Change[K, V, All any] struct {
	What  string
	Key   K
	Value V
	All   All
	Lost  uint64
	Err   error // why it is the last one; only in channels
}

// watch yields an object's changes.
func watch[K, V, All any](ctx context.Context, o Object) iter.Seq2[Change[K, V, All], error] {
	return func(yield func(Change[K, V, All], error) bool) {
		none := Change[K, V, All]{}
		if err := o.usable(); err != nil {
			yield(none, err)
			return
		}
		c := o.h.client
		m := Object{&handle{client: c, version: o.h.version}} // the manager, on this line only
		sub, err := asks[uint64](ctx, m, "watch", with(noArgs(), o.h.number))
		if err != nil {
			yield(none, err)
			return
		}
		defer func() {
			ended := object.Until(time.Now().Add(cancelGrace)) // ctx has perhaps ended
			_ = m.none(ended, "unwatch", with(noArgs(), sub))
		}()
		for {
			data, _, err := c.nextEvent(ctx, o.h.version, sub, -1)
			if err != nil {
				yield(none, err)
				return
			}
			found, _ := codec.Check(data)
			e, err := changeOf[K, V, All](&answer{client: c, version: o.h.version, data: data, refs: found.Refs})
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

func changeOf[K, V, All any](a *answer) (e Change[K, V, All], err error) {
	parts, err := a.pieces()
	if err == nil && len(parts) == 0 {
		err = invalid("read change", "", "it is empty")
	}
	if err == nil {
		err = parts[0].into(&e.What)
	}
	if err != nil {
		return e, err
	}
	var into []any
	switch parts = parts[1:]; e.What {
	case "snapshot", "replace":
		into = []any{&e.All}
	case "set", "insert":
		if into = []any{&e.Value}; len(parts) == 2 {
			into = []any{&e.Key, &e.Value}
		}
	case "delete", "add", "discard":
		into = []any{&e.Key}
	case "lagged":
		into = []any{&e.Lost}
	}
	if len(parts) != len(into) {
		return e, invalid("read change", e.What, "it has another number of values")
	}
	for i, v := range into {
		if err := parts[i].into(v); err != nil {
			giveBack(parts[i+1:])
			return e, err
		}
	}
	return e, nil
}

// channel is a watch as a channel.
func channel[K, V, All any](ctx context.Context, events iter.Seq2[Change[K, V, All], error]) <-chan Change[K, V, All] {
	ch := make(chan Change[K, V, All])
	go func() {
		defer close(ch)
		for e, err := range events {
			e.Err = err
			select {
			case ch <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ch
}
