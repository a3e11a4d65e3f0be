package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/polyipc/polyipc/runtime/segment"
)

// valuesAtOnce bounds what cat keeps in memory.
const valuesAtOnce = 1 << 16

func (a *app) catCommand() *cobra.Command {
	var from, count int64
	var raw bool
	c := &cobra.Command{
		Use:   "cat SEGMENT",
		Short: "Show what a segment holds",
		Long: `Show what a segment holds, by its format: items in the notation of get, in rows of the last dimension, each
behind the number of its first item. Plain bytes are shown in hexadecimal. Nobody is held up meanwhile, so an item may be
half an old one and half a new one.`,
		Example: `  polyipc cat totals
  polyipc cat frame --from 640 --count 640
  polyipc cat frame --raw | sha256sum`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeName,
		RunE: func(_ *cobra.Command, args []string) error {
			if from < 0 || count < 0 {
				return usage("--from and --count are 0 or more")
			}
			return a.cat(args[0], from, count, raw)
		},
	}
	c.Flags().Int64Var(&from, "from", 0, "the first item to show")
	c.Flags().Int64Var(&count, "count", 0, "show at most this many items; 0: all")
	c.Flags().BoolVar(&raw, "raw", false, "write the bytes of the items as they are")
	return c
}

func (a *app) cat(name string, from, count int64, raw bool) (err error) {
	s, err := segment.Open(name, segment.Options{Root: a.root})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	size, err := s.Size()
	if err != nil {
		return err
	}
	end := size / s.ItemSize()
	from = min(from, end)
	if count > 0 {
		end = min(end, from+count)
	}
	switch {
	case raw:
		b, err := s.Bytes()
		if err != nil {
			return err
		}
		return a.write(b[from*s.ItemSize() : end*s.ItemSize()])
	case a.json:
		return a.catJSON(s, size, from, end)
	case s.Format() == "":
		return a.catBytes(s, from, end)
	}
	return a.catRows(s, from, end)
}

type segmentJSON struct {
	Name   string  `json:"name"`
	Format *string `json:"format"` // null: plain bytes
	Shape  []int64 `json:"shape"`
	Size   int64   `json:"size"`
	From   int64   `json:"from"`
	Items  rawJSON `json:"items"` // one behind the other, whatever the shape
}

// rawJSON is JSON already.
type rawJSON []byte

func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

func (a *app) catJSON(s *segment.Segment, size, from, end int64) error {
	values, err := s.Values(from, end-from)
	if err != nil {
		return err
	}
	j := segmentJSON{Name: s.Name(), Shape: s.Shape(), Size: size, From: from, Items: appendList(nil, values)}
	if j.Shape == nil {
		j.Shape = []int64{}
	}
	if format := s.Format(); format != "" {
		j.Format = &format
	} else {
		j.Items = appendValue(nil, values[0])
	}
	return a.writeJSON(j)
}

func (a *app) catBytes(s *segment.Segment, from, end int64) error {
	const row = 16
	for ; from < end; from += valuesAtOnce {
		values, err := s.Values(from, min(end-from, valuesAtOnce))
		if err != nil {
			return err
		}
		var b strings.Builder
		bytes := values[0].([]byte)
		for i := 0; i < len(bytes); i += row {
			line := bytes[i:min(i+row, len(bytes))]
			text := strings.Map(func(r rune) rune {
				if r < ' ' || r > '~' {
					return '.'
				}
				return r
			}, string(latin(line)))
			fmt.Fprintf(&b, "%08x  %-*s  %s\n", from+int64(i), 3*row-1, spaced(hex.EncodeToString(line)), text)
		}
		if err := a.write([]byte(b.String())); err != nil {
			return err
		}
	}
	return nil
}

// latin makes a rune of each byte.
func latin(b []byte) []rune {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return runes
}

// spaced puts a blank between the bytes.
func spaced(digits string) string {
	var pairs []string
	for i := 0; i < len(digits); i += 2 {
		pairs = append(pairs, digits[i:i+2])
	}
	return strings.Join(pairs, " ")
}

func (a *app) catRows(s *segment.Segment, from, end int64) error {
	shape := s.Shape()
	row := int64(8)
	if len(shape) > 1 {
		row = max(shape[len(shape)-1], 1)
	}
	if strings.HasPrefix(s.Format(), "T{") || strings.HasPrefix(s.Format(), "(") {
		row = 1
	}
	for from < end {
		// Rows begin at multiples of their length, so the first one may be shorter.
		values, err := s.Values(from, min(end-from, valuesAtOnce/row*row+row-from%row))
		if err != nil || len(values) == 0 {
			return err
		}
		var b []byte
		for i, v := range values {
			n := from + int64(i)
			switch {
			case i == 0 || n%row == 0:
				if i > 0 {
					b = append(b, '\n')
				}
				b = append(append(b, numbers(n, shape)...), '\t')
			default:
				b = append(b, ' ')
			}
			b = appendValue(b, v)
		}
		if err := a.write(append(b, '\n')); err != nil {
			return err
		}
		from += int64(len(values))
	}
	return nil
}

// numbers is the item's number in each dimension. A segment that has grown has more in the first.
func numbers(n int64, shape []int64) string {
	words := make([]string, max(len(shape), 1))
	for i := len(words) - 1; i > 0; i-- {
		words[i] = strconv.FormatInt(n%max(shape[i], 1), 10)
		n /= max(shape[i], 1)
	}
	words[0] = strconv.FormatInt(n, 10)
	return strings.Join(words, ",")
}
