package layout

import (
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestSpec holds the tables of docs/spec against the structs: every row with an offset, a type and a
// name is a field, at that offset and of that size, and every field has a row.
func TestSpec(t *testing.T) {
	for _, c := range []struct {
		file, heading string
		of            reflect.Type
		names         map[string]string // field to name in the table, where they differ
	}{
		{"ring.md", "## Ring state", reflect.TypeFor[Ring](), map[string]string{
			"HeadSeen": "head seen", "HeadSeqSeen": "head sequence seen", "TailSeen": "tail seen"}},
		{"ring.md", "## Record", reflect.TypeFor[Record](), nil},
		{"queue.md", "## Header", reflect.TypeFor[Queue](), map[string]string{
			"MaxSize": "max size", "SideSeq": "side sequence", "NextRing": "next ring", "Sweep": "journal",
			"TakeOvers": "take-overs", "Seat": "seats"}},
		{"pipe.md", "## Header", reflect.TypeFor[Pipe](), nil},
		{"doorbell.md", "## Header", reflect.TypeFor[Bells](), nil},
		{"segment.md", "## Header", reflect.TypeFor[Segment](), map[string]string{
			"MaxSize": "max size", "ItemSize": "item size", "Format": "format length", "Cell": "cell words",
			"Seat": "seats", "Text": "format"}},
		{"sync.md", "## Header", reflect.TypeFor[Sync](), nil},
		{"sync.md", "## Mutex", reflect.TypeFor[Mutex](), map[string]string{"TakeOvers": "take-overs"}},
		{"sync.md", "## Place", reflect.TypeFor[Place](), nil},
		{"sync.md", "## Ledger", reflect.TypeFor[Ledger](), nil},
	} {
		rows := specRows(t, c.file, c.heading)
		for i := range c.of.NumField() {
			f := c.of.Field(i)
			if f.Name == "_" {
				continue
			}
			name := c.names[f.Name]
			if name == "" {
				name = strings.ToLower(f.Name)
			}
			row, ok := rows[name]
			if !ok {
				t.Errorf("%s: no row for %s.%s", c.file, c.of.Name(), f.Name)
				continue
			}
			delete(rows, name)
			if row.offset != f.Offset || row.size != f.Type.Size() {
				t.Errorf("%s: %s at %d with %d bytes, but %s.%s is at %d with %d", c.file, name, row.offset, row.size, c.of.Name(), f.Name, f.Offset, f.Type.Size())
			}
		}
		for name := range rows {
			t.Errorf("%s: %s is no field of %s", c.file, name, c.of.Name())
		}
	}
	if s := reflect.TypeFor[Ring]().Size(); s != 256 {
		t.Errorf("a Ring has %d bytes", s)
	}
	if s := reflect.TypeFor[Bells]().Size(); RingOffset+reflect.TypeFor[Ring]().Size() > BellsOffset || BellsOffset+s > QueueHeaderBytes {
		t.Errorf("Bells of %d bytes do not fit behind a ring", s)
	}
	if s := reflect.TypeFor[Queue]().Size(); QueueOffset+s > RingOffset {
		t.Errorf("a Queue has %d bytes and reaches into the ring state", s)
	}
	if s := reflect.TypeFor[Segment]().Size(); SegmentOffset+s > SegmentHeaderBytes {
		t.Errorf("a Segment has %d bytes and reaches beyond the header in use", s)
	}
	if s := reflect.TypeFor[Pipe]().Size(); PipeOffset+s > uintptr(DirectionOffset(0)) {
		t.Errorf("a Pipe has %d bytes and reaches into its first direction", s)
	}
	if s := reflect.TypeFor[Sync]().Size(); SyncOffset+s > SyncArea {
		t.Errorf("a Sync has %d bytes and reaches into the places", s)
	}
	for of, want := range map[reflect.Type]uintptr{
		reflect.TypeFor[Mutex](): 64, reflect.TypeFor[Place](): PlaceSize, reflect.TypeFor[Ledger](): LedgerSize,
	} {
		if of.Size() != want {
			t.Errorf("a %s has %d bytes, not %d", of.Name(), of.Size(), want)
		}
	}
	if s := reflect.TypeFor[Record]().Size(); s != RecordHeader {
		t.Errorf("a Record has %d bytes", s)
	}
}

type specRow struct{ offset, size uintptr }

var rowPattern = regexp.MustCompile(`^\| (\d+) \| (?:(u|i)(\d+)|(\d+) bytes|(\d+) × (\d+)) \| ([a-z -]+) \|`)

func specRows(t *testing.T, file, heading string) map[string]specRow {
	t.Helper()
	text, err := os.ReadFile("../../../docs/spec/" + file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), heading+"\n")
	if !ok {
		t.Fatalf("%s has no %q", file, heading)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	rows := map[string]specRow{}
	for line := range strings.Lines(rest) {
		m := rowPattern.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		n := func(s string) uintptr { v, _ := strconv.Atoi(s); return uintptr(v) }
		size := n(m[3])/8 + n(m[4]) + n(m[5])*n(m[6])
		rows[m[7]] = specRow{n(m[1]), size}
	}
	return rows
}
