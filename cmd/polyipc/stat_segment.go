package main

import (
	"fmt"
	"strings"

	"github.com/polyipc/polyipc/runtime/segment"
)

// This file is what stat knows of segments.

type segmentReport struct {
	stat    segment.Stat
	locks   []segment.Holder
	waiters []segment.Holder
}

func (a *app) lookSegment(name string) (*segmentReport, error) {
	s, err := segment.Open(name, segment.Options{Root: a.root})
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	r := &segmentReport{}
	if r.stat, err = s.Stat(); err != nil {
		return nil, err
	}
	if r.locks, err = s.Locks(); err != nil {
		return nil, err
	}
	r.waiters, err = s.Waiters()
	return r, err
}

type segmentStatJSON struct {
	Size      int64        `json:"size"`
	MaxSize   int64        `json:"max_size"`
	Format    string       `json:"format"`
	ItemSize  int64        `json:"item_size"`
	Shape     []int64      `json:"shape"`
	TakeOvers uint64       `json:"take_overs"`
	Locks     []holderJSON `json:"locks"`
	Waiters   []holderJSON `json:"waiters"`
}

func (r *segmentReport) json() *segmentStatJSON {
	s := r.stat
	shape := append([]int64{}, s.Shape...)
	return &segmentStatJSON{s.Size, s.MaxSize, s.Format, s.ItemSize, shape, s.TakeOvers, holders(r.locks, false), holders(r.waiters, false)}
}

// text puts rows about the object above what is known of it.
func (r *segmentReport) text(rows [][]string) []byte {
	s := r.stat
	holds := "bytes"
	switch {
	case s.Format != "" && len(s.Shape) == 0:
		holds = "one " + clean(s.Format)
	case s.Format != "":
		holds = strings.Trim(strings.ReplaceAll(fmt.Sprint(s.Shape), " ", " x "), "[]") + " of " + clean(s.Format)
	}
	size := inBytes(s.Size)
	if s.MaxSize > s.Size {
		size += ", may grow to " + inBytes(s.MaxSize)
	}
	rows = append(rows, []string{"holds", holds}, []string{"size", size},
		[]string{"repaired", fmt.Sprintf("%d locks taken over from the dead", s.TakeOvers)})
	b := append(table(rows), section("LOCK", r.locks, false)...)
	return append(b, section("WAITS FOR", r.waiters, false)...)
}
