package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/polyipc/polyipc/runtime/queue"
)

// This file is a report in its two forms.

// holderJSON is a process and what it holds or waits for.
type holderJSON struct {
	What       string  `json:"what"`
	Seconds    float64 `json:"seconds"` // at least
	Pid        int     `json:"pid"`
	Language   string  `json:"language"`
	Command    string  `json:"command"`
	Alive      bool    `json:"alive"`
	Bytes      *int64  `json:"bytes,omitempty"`
	Sequence   *uint64 `json:"sequence,omitempty"`
	Deliveries *int    `json:"deliveries,omitempty"`
}

type countsJSON struct {
	Messages    int64  `json:"messages"`
	Leased      int64  `json:"leased"`
	Reserved    int64  `json:"reserved"`
	Unfinished  int64  `json:"unfinished"`
	Bytes       int64  `json:"bytes"`
	MaxSize     int64  `json:"max_size"`
	Capacity    int64  `json:"capacity"`
	Put         uint64 `json:"put"`
	Taken       uint64 `json:"taken"`
	Abandoned   uint64 `json:"abandoned"`
	Redelivered uint64 `json:"redelivered"`
	TakeOvers   uint64 `json:"take_overs"`
	Rings       int    `json:"rings"`
	Grown       uint64 `json:"grown"`
	Shutdown    string `json:"shutdown"`
}

type ratesJSON struct {
	Put         float64 `json:"put_per_second"`
	Taken       float64 `json:"taken_per_second"`
	Redelivered float64 `json:"redelivered_per_second"`
}

type queueJSON struct {
	Blocked bool         `json:"blocked"` // a lock is held, so that counts and leases are null
	Counts  *countsJSON  `json:"counts"`
	Rates   *ratesJSON   `json:"rates"` // null: not sampled
	Locks   []holderJSON `json:"locks"`
	Waiters []holderJSON `json:"waiters"`
	Leases  []holderJSON `json:"leases"`
}

func (r *report) json() any {
	v := struct {
		objectJSON
		Pickle bool `json:"pickle"`
		*queueJSON
		Sync    *syncJSON        `json:"sync,omitempty"`
		Segment *segmentStatJSON `json:"segment,omitempty"`
		Pipe    *pipeJSON        `json:"pipe,omitempty"`
		Manager *managerJSON     `json:"manager,omitempty"`
	}{describe(r.object), r.object.Pickle, nil, nil, nil, nil, nil}
	if r.sync != nil {
		v.Sync = r.sync.json()
	}
	if r.segment != nil {
		v.Segment = r.segment.json()
	}
	if r.pipe != nil {
		v.Pipe = pipeReport(r.pipe)
	}
	if r.manager != nil {
		v.Manager = r.manager.json()
	}
	if !r.queue {
		return v
	}
	j := &queueJSON{Blocked: r.blocked != nil, Locks: holders(r.locks, false), Waiters: holders(r.waiters, false)}
	if s := r.stat; !j.Blocked {
		j.Leases = holders(r.leases, true)
		j.Counts = &countsJSON{s.Messages, s.Leased, s.Reserved, s.Unfinished, s.Bytes, s.MaxSize, s.Capacity, s.Put, s.Taken,
			s.Abandoned, s.Redelivered, s.TakeOvers, s.Rings, s.Grown, shutdown(s)}
	}
	if r.rates != nil {
		j.Rates = &ratesJSON{r.rates.put, r.rates.taken, r.rates.redelivered}
	}
	v.queueJSON = j
	return v
}

func holders(hs []queue.Holder, leases bool) []holderJSON {
	list := make([]holderJSON, len(hs))
	for i, h := range hs {
		list[i] = holderJSON{What: h.What, Seconds: h.For.Seconds(), Pid: h.Pid, Language: h.Language, Command: h.Command, Alive: h.Alive}
		if leases {
			list[i].Bytes, list[i].Sequence, list[i].Deliveries = &h.Bytes, &h.Sequence, &h.Deliveries
		}
	}
	return list
}

func shutdown(s queue.Stat) string {
	return [...]string{"no", "draining", "immediate"}[min(s.Shutdown, 2)]
}

// mostLines is how many leases or waiters people are shown.
const mostLines = 20

func (r *report) text() []byte {
	o := r.object
	state := "not in use"
	switch {
	case o.Stale:
		state = "stale: its processes are dead"
	case o.Users:
		state = "in use"
	}
	if o.Pickle {
		state += ", may carry pickles"
	}
	rows := [][]string{
		{o.Kind, clean(o.Name)},
		{"state", fmt.Sprintf("%s, %s, made %s ago", lifetime(o), state, span(time.Since(o.Created)))},
		{"memory", inBytes(o.Bytes) + " in " + count(1+o.Parts, "file")},
	}
	if r.sync != nil {
		return r.sync.text(rows)
	}
	if r.segment != nil {
		return r.segment.text(rows)
	}
	if r.pipe != nil {
		return pipeText(r.pipe, rows)
	}
	if r.manager != nil {
		return r.manager.text(rows)
	}
	if !r.queue {
		return table(rows)
	}
	if r.blocked != nil {
		rows = append(rows, []string{"counts", "not known: a lock has been held for longer than a second"})
	} else {
		rows = append(rows, r.counts()...)
	}
	b := table(rows)
	b = append(b, section("LOCK", r.locks, false)...)
	b = append(b, section("LEASE", r.leases, true)...)
	return append(b, section("WAITS FOR", r.waiters, false)...)
}

func (r *report) counts() [][]string {
	s := r.stat
	rate := func(perSecond func(*rates) float64) string {
		if r.rates == nil {
			return ""
		}
		return fmt.Sprintf(", %.3g a second", perSecond(r.rates))
	}
	most := func(n int64, show func(int64) string) string {
		if n == 0 {
			return "no limit"
		}
		return "limit " + show(n)
	}
	rows := [][]string{
		{"messages", fmt.Sprintf("%d ready, %d leased, %d being written; %s", s.Messages, s.Leased, s.Reserved,
			most(s.MaxSize, func(n int64) string { return fmt.Sprint(n) }))},
		{"bytes", inBytes(s.Bytes) + " with headers; " + most(s.Capacity, inBytes)},
		{"put", fmt.Sprint(s.Put) + rate(func(x *rates) float64 { return x.put })},
		{"taken", fmt.Sprint(s.Taken) + rate(func(x *rates) float64 { return x.taken })},
		{"unfinished", fmt.Sprint(s.Unfinished)},
		{"redelivered", fmt.Sprint(s.Redelivered) + rate(func(x *rates) float64 { return x.redelivered })},
		{"repaired", fmt.Sprintf("%d locks taken over from the dead, %d puts broken off", s.TakeOvers, s.Abandoned)},
		{"rings", fmt.Sprintf("%d, %d added so far", s.Rings, s.Grown)},
	}
	if s.Shutdown != 0 {
		rows = append(rows, []string{"shut down", shutdown(s)})
	}
	return rows
}

// section is a table of processes, with an empty line above; nothing if there are none.
func section(what string, hs []queue.Holder, leases bool) []byte {
	if len(hs) == 0 {
		return nil
	}
	head := []string{what, "FOR", "PID", "LANGUAGE", "COMMAND"}
	if leases {
		head = append(append([]string{}, head[:2]...), append([]string{"DELIVERIES", "SIZE", "NUMBER"}, head[2:]...)...)
	}
	rows := [][]string{head}
	for _, h := range hs[:min(len(hs), mostLines)] {
		age := "?"
		if h.For > 0 || leases && h.What == "lease" {
			age = span(h.For)
		}
		pid, language, command := fmt.Sprint(h.Pid), clean(h.Language), clean(h.Command)
		if h.Pid == 0 {
			pid, language, command = "?", "?", "?"
		}
		if !h.Alive {
			command = strings.TrimSpace("(dead) " + command)
		}
		row := []string{h.What, age}
		if leases {
			row = append(row, fmt.Sprint(h.Deliveries), inBytes(h.Bytes), fmt.Sprint(h.Sequence))
		}
		rows = append(rows, append(row, pid, language, command))
	}
	b := append([]byte("\n"), table(rows)...)
	if more := len(hs) - mostLines; more > 0 {
		b = fmt.Appendf(b, "and %d more; --json shows all\n", more)
	}
	return b
}
