package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/manager"
	"github.com/polyipc/polyipc/runtime/root"
)

// This file is what stat knows of managers.

type managerReport struct {
	server  *root.Process // nil: dead
	blocked error         // why there are no figures
	stat    managerStat
}

// managerStat is what a server says of itself.
type managerStat struct {
	Clients        uint64            `msgpack:"clients" json:"clients"`
	Objects        uint64            `msgpack:"objects" json:"objects"`
	References     uint64            `msgpack:"references" json:"references"`
	Names          uint64            `msgpack:"names" json:"names"`
	Calls          uint64            `msgpack:"calls" json:"calls"`
	Parked         uint64            `msgpack:"parked" json:"parked"`
	CallsPerSecond uint64            `msgpack:"calls_per_second" json:"calls_per_second"`
	LatencyNS      latency           `msgpack:"latency_ns" json:"latency_ns"`
	Types          map[string]uint64 `msgpack:"types" json:"types"`
	Pid            uint64            `msgpack:"pid" json:"pid"`
	UptimeNS       uint64            `msgpack:"uptime_ns" json:"uptime_ns"`
	Data           *managerData      `msgpack:"data" json:"data"` // null: nothing outlives the server
}

type managerData struct {
	File             string `msgpack:"file" json:"file"`
	Size             uint64 `msgpack:"size" json:"size"`
	Commits          uint64 `msgpack:"commits" json:"commits"`
	CommitsPerSecond uint64 `msgpack:"commits_per_second" json:"commits_per_second"`
	Changes          uint64 `msgpack:"changes" json:"changes"`
	Failures         uint64 `msgpack:"failures" json:"failures"`
	Waiting          uint64 `msgpack:"waiting" json:"waiting"`
}

type latency struct {
	P50 uint64 `msgpack:"p50" json:"p50"`
	P99 uint64 `msgpack:"p99" json:"p99"`
	Max uint64 `msgpack:"max" json:"max"`
}

// answerIn is how long a server may take to tell of itself.
const answerIn = time.Second

func (a *app) lookManager(ctx context.Context, o root.Object, keyFile string) (*managerReport, error) {
	r := &managerReport{server: o.Server}
	key, err := readKey(keyFile)
	if err != nil || o.Server == nil {
		return r, err
	}
	within, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	c, err := manager.Connect(within, o.Name, manager.Options{Root: a.root, Key: key})
	if err == nil {
		defer func() { _ = c.Close() }()
		var b []byte
		if b, err = c.Do(within, &manager.Call{Method: "stat"}); err == nil {
			err = codec.Unmarshal(b, &r.stat)
		}
	}
	r.blocked = err
	return r, ctx.Err()
}

type managerJSON struct {
	Error *string      `json:"error"` // why there are no figures; null if there are
	Stat  *managerStat `json:"stat"`
}

func (r *managerReport) json() *managerJSON {
	switch {
	case r.server == nil:
		return &managerJSON{}
	case r.blocked != nil:
		text := r.blocked.Error()
		return &managerJSON{Error: &text}
	}
	return &managerJSON{Stat: &r.stat}
}

// text puts rows about the object above what is known of it.
func (r *managerReport) text(rows [][]string) []byte {
	if r.server == nil {
		return table(append(rows, []string{"server", "dead"}))
	}
	p := r.server
	rows = append(rows, []string{"server", fmt.Sprintf("process %d, %s: %s", p.Pid, clean(p.Language), clean(p.Command))})
	if r.blocked != nil {
		return table(append(rows, []string{"figures", "not known: " + clean(r.blocked.Error())}))
	}
	s := r.stat
	var types []string
	for _, t := range slices.Sorted(maps.Keys(s.Types)) {
		types = append(types, fmt.Sprintf("%d %s", s.Types[t], clean(t)))
	}
	objects := fmt.Sprintf("%d, %d with a name, %s", s.Objects, s.Names, count(int(s.References), "reference"))
	if len(types) > 0 {
		objects += ": " + strings.Join(types, ", ")
	}
	rows = append(rows,
		[]string{"clients", fmt.Sprintf("%d, this one included", s.Clients)},
		[]string{"objects", objects},
		[]string{"calls", fmt.Sprintf("%d, %d a second; %d wait", s.Calls, s.CallsPerSecond, s.Parked)},
		[]string{"latency", fmt.Sprintf("half within %s, 99 %% within %s, at most %s", micros(s.LatencyNS.P50), micros(s.LatencyNS.P99), micros(s.LatencyNS.Max))})
	if d := s.Data; d != nil {
		commits := fmt.Sprintf("%d of %s, %d a second; %d wait", d.Commits, count(int(d.Changes), "change"), d.CommitsPerSecond, d.Waiting)
		if d.Failures > 0 {
			commits += fmt.Sprintf("; %d found no space", d.Failures)
		}
		rows = append(rows, []string{"data", clean(d.File) + ", " + inBytes(int64(d.Size))}, []string{"commits", commits})
	}
	return table(rows)
}

// micros writes nanoseconds for people.
func micros(ns uint64) string { return fmt.Sprintf("%.1f us", float64(ns)/1000) }
