package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// This file is how quantities are written for people, and read from flags.

// limit is a flag's length of time: seconds ("2", "0.5") or with a unit ("500ms", "2m"). Negative
// stands for no limit.
type limit time.Duration

const noLimit limit = -1

// mostSeconds is the longest limit.
const mostSeconds = 1e9

func (l *limit) String() string {
	if *l < 0 {
		return "" // keeps the default out of the help
	}
	return time.Duration(*l).String()
}

func (l *limit) Type() string { return "DURATION" }

func (l *limit) Set(s string) error {
	seconds, err := strconv.ParseFloat(s, 64)
	if err != nil {
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("give seconds, or a number with ms, s, m or h")
		}
		seconds = d.Seconds()
	}
	if !(seconds >= 0 && seconds <= mostSeconds) { // nor NaN
		return fmt.Errorf("give 0 to %.0f seconds", mostSeconds)
	}
	*l = limit(seconds * float64(time.Second))
	return nil
}

// size is a flag's number of bytes: "4096", "64K", "16M", "1G", also "64KiB".
type size int64

func (n *size) String() string {
	if *n == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*n), 10)
}

func (n *size) Type() string { return "BYTES" }

func (n *size) Set(s string) error {
	digits := strings.TrimRightFunc(s, unicode.IsLetter)
	unit := strings.ToUpper(s[len(digits):])
	shift, ok := map[string]uint{"": 0, "B": 0, "K": 10, "KIB": 10, "M": 20, "MIB": 20, "G": 30, "GIB": 30}[unit]
	v, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !ok || v < 0 || v > math.MaxInt64>>shift {
		return fmt.Errorf("give a number of bytes, also with K, M or G for 1024, 1024 squared and cubed")
	}
	*n = size(v << shift)
	return nil
}

// inBytes writes a number of bytes to three digits or so.
func inBytes(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	v := float64(n)
	for _, unit := range []string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		if v /= 1024; v < 1023.95 {
			return fmt.Sprintf("%.1f %s", v, unit)
		}
	}
	return fmt.Sprintf("%.1f EiB", v/1024)
}

// span writes a length of time to two digits or so.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s" // clocks differ
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
	return fmt.Sprintf("%.0f d", d.Hours()/24)
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// clean makes text of others fit for a line of a terminal: names of files and command lines may
// contain anything.
func clean(s string) string {
	for _, r := range s {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			quoted := strconv.Quote(s)
			return quoted[1 : len(quoted)-1]
		}
	}
	return s
}

// table aligns rows of cells.
func table(rows [][]string) []byte {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	_ = w.Flush() // a strings.Builder takes everything
	return []byte(b.String())
}
