package main

import (
	"fmt"

	"github.com/polyipc/polyipc/runtime/psync"
)

// This file is what stat knows of locks and their kin.

type syncReport struct {
	stat    psync.Stat
	holders []psync.Holder
	waiters []psync.Holder
}

func (a *app) lookSync(name string) (*syncReport, error) {
	x, err := psync.Look(name, psync.Options{Root: a.root})
	if err != nil {
		return nil, err
	}
	defer func() { _ = x.Close() }()
	r := &syncReport{}
	if r.stat, err = x.Stat(); err != nil {
		return nil, err
	}
	if r.holders, err = x.Holders(); err != nil {
		return nil, err
	}
	r.waiters, err = x.Waiters()
	return r, err
}

type syncJSON struct {
	Type      string       `json:"type"`
	Limit     int64        `json:"limit"`
	Value     int64        `json:"value"`
	Broken    bool         `json:"broken"`
	Reclaim   bool         `json:"reclaim"`
	TakeOvers uint64       `json:"take_overs"`
	Reclaimed uint64       `json:"reclaimed"`
	Holders   []holderJSON `json:"holders"`
	Waiters   []holderJSON `json:"waiters"`
}

func (r *syncReport) json() *syncJSON {
	s := r.stat
	return &syncJSON{s.Type, s.Limit, s.Value, s.Broken, s.Reclaim, s.TakeOvers, s.Reclaimed,
		holders(r.holders, false), holders(r.waiters, false)}
}

// text puts rows about the object above what is known of it.
func (r *syncReport) text(rows [][]string) []byte {
	s := r.stat
	rows = append(rows, []string{"type", s.Type})
	switch s.Type {
	case "semaphore", "bounded semaphore":
		rows = append(rows, []string{"permits", fmt.Sprintf("%d free, made with %d", s.Value, s.Limit)})
		if s.Reclaim {
			rows = append(rows, []string{"reclaim", "permits of the dead return"})
		}
	case "event":
		rows = append(rows, []string{"set", [...]string{"no", "yes"}[s.Value&1]})
	case "barrier":
		state := ""
		if s.Broken {
			state = "; broken"
		}
		rows = append(rows, []string{"parties", fmt.Sprintf("%d of %d wait%s", s.Value, s.Limit, state)})
	case "condition":
		rows = append(rows, []string{"waiting", fmt.Sprintf("%d to be notified", s.Value)})
	case "rwlock":
		rows = append(rows, []string{"read locks", fmt.Sprint(s.Value)})
	}
	rows = append(rows, []string{"repaired", fmt.Sprintf("%d locks taken over from the dead, %d permits and places", s.TakeOvers, s.Reclaimed)})
	b := append(table(rows), section("HOLDS", r.holders, false)...)
	return append(b, section("WAITS FOR", r.waiters, false)...)
}
