package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/polyipc/polyipc/runtime/segment"
)

// segments is what the commands that begin with "segment." have opened.
type segments struct{ open []*segment.Segment }

// point is what C has as struct { int32_t x; double y; }.
type point struct {
	X int32
	Y float64
}

var operations = map[string]segment.Op{
	"load": segment.Load, "store": segment.Store, "exchange": segment.Exchange, "add": segment.Add,
	"sub": segment.Sub, "and": segment.And, "or": segment.Or, "xor": segment.Xor,
}

func shapeOf(word string) (shape []int64) {
	if word == "-" {
		return nil
	}
	for n := range strings.SplitSeq(word, ",") {
		shape = append(shape, number(n))
	}
	return shape
}

func shapeWord(shape []int64) string {
	if len(shape) == 0 {
		return "-"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ","), "[]")
}

func formatWord(format string) string {
	if format == "" {
		return "-"
	}
	return format
}

func unsigned(word string) uint64 {
	n, err := strconv.ParseUint(word, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func (s *segments) do(verb string, w []string) (string, error) {
	none := strings.NewReplacer("-", "")
	switch verb {
	case "create", "open_or_create":
		how := segment.Create
		if verb != "create" {
			how = segment.OpenOrCreate
		}
		return s.keep(how(none.Replace(w[0]), segment.Options{
			Size: number(w[1]), MaxSize: number(w[2]), Format: none.Replace(w[3]), Shape: shapeOf(w[4]), Kept: w[5] == "k", Transient: w[5] == "t",
		}))
	case "open":
		return s.keep(segment.Open(w[0], segment.Options{Format: none.Replace(w[1]), Shape: shapeOf(w[2])}))
	case "unlink":
		return "", segment.Unlink("", w[0])
	}
	g := s.open[number(w[0])]
	switch w = w[1:]; verb {
	case "name":
		return g.Name(), nil
	case "close":
		return "", g.Close()
	case "describe":
		n, err := g.Size()
		return fmt.Sprintf("%s %s %d %d %d", formatWord(g.Format()), shapeWord(g.Shape()), g.ItemSize(), n, g.MaxSize()), err
	case "grow":
		return "", g.Grow(number(w[0]))
	case "lock":
		ctx, cancel := wait(w[0])
		defer cancel()
		died, err := g.Lock(ctx)
		return bit(died), err
	case "unlock":
		return "", g.Unlock()
	case "count":
		return "", count(g, number(w[0]))
	case "stat":
		return segmentStat(g)
	}
	if out, err := contents(g, verb, w); err != errProtocol {
		return out, err
	}
	return cell(g, verb, w)
}

func (s *segments) keep(g *segment.Segment, err error) (string, error) {
	if err != nil {
		return "", err
	}
	s.open = append(s.open, g)
	return fmt.Sprint(len(s.open) - 1), nil
}

// contents are the commands on bytes and items.
func contents(g *segment.Segment, verb string, w []string) (string, error) {
	switch verb {
	case "read":
		b, err := g.Bytes()
		if err != nil {
			return "", err
		}
		return "x" + hex.EncodeToString(b[number(w[0]):][:number(w[1])]), nil
	case "write":
		b, err := g.Bytes()
		if err == nil {
			_, err = hex.Decode(b[number(w[0]):], []byte(w[1]))
		}
		return "", err
	case "get", "set":
		switch g.Format() {
		case "<q":
			return item(g, w, func(n *int64) []any { return []any{n} })
		case "<d":
			return item(g, w, func(n *float64) []any { return []any{n} })
		default:
			return item(g, w, func(p *point) []any { return []any{&p.X, &p.Y} })
		}
	}
	return "", errProtocol
}

// item reads an item, or sets its parts.
func item[T any](g *segment.Segment, w []string, parts func(*T) []any) (string, error) {
	s, err := segment.Slice[T](g)
	if err != nil {
		return "", err
	}
	words := w[1:]
	for i, p := range parts(&s[number(w[0])]) {
		if len(w) > 1 {
			if _, err := fmt.Sscan(words[i], p); err != nil {
				return "", err
			}
			continue
		}
		switch p := p.(type) {
		case *int64:
			words = append(words, fmt.Sprint(*p))
		case *int32:
			words = append(words, fmt.Sprint(*p))
		case *float64:
			words = append(words, fmt.Sprint(*p))
		}
	}
	if len(w) > 1 {
		return "", nil
	}
	return strings.Join(words, " "), nil
}

// cell are the commands on cells.
func cell(g *segment.Segment, verb string, w []string) (string, error) {
	var v uint64
	var err error
	switch verb {
	case "atomic":
		v, err = g.Atomic(operations[w[0]], number(w[1]), number(w[2]), unsigned(w[3]))
		if w[0] == "store" {
			v = 0
		}
	case "compare_exchange":
		v, err = g.CompareExchange(number(w[0]), number(w[1]), unsigned(w[2]), unsigned(w[3]))
	case "wait":
		ctx, cancel := wait(w[0])
		defer cancel()
		v, err = g.Wait(ctx, number(w[1]), number(w[2]), unsigned(w[3]))
	case "notify":
		return "", g.Notify(number(w[0]))
	default:
		return "", errProtocol
	}
	return fmt.Sprint(v), err
}

func count(g *segment.Segment, times int64) error {
	c, err := segment.Uint64At(g, 0)
	if err != nil {
		return err
	}
	s, err := segment.Slice[uint64](g)
	if err != nil {
		return err
	}
	for range times {
		c.Add(1)
		ctx, cancel := wait("-1")
		if _, err := g.Lock(ctx); err != nil {
			return err
		}
		cancel()
		s[1]++
		if err := g.Unlock(); err != nil {
			return err
		}
	}
	return nil
}

func segmentStat(g *segment.Segment) (string, error) {
	st, err := g.Stat()
	if err != nil {
		return "", err
	}
	locks, err := g.Locks()
	pid := 0
	if len(locks) > 0 {
		pid = locks[0].Pid
	}
	return fmt.Sprintf("size=%d max=%d waiters=%d take_overs=%d holder=%d", st.Size, st.MaxSize, st.Waiters, st.TakeOvers, pid), err
}
