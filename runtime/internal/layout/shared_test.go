package layout

import (
	"os"
	"reflect"
	"regexp"
	"strconv"
	"testing"
)

// The C library has the layout a second time, with these lines to say where each field lies.
func TestCSharesTheLayout(t *testing.T) {
	text, err := os.ReadFile("../../../capi/shared.h")
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]reflect.Type{
		"Queue": reflect.TypeFor[Queue](), "Ring": reflect.TypeFor[Ring](), "Record": reflect.TypeFor[Record](), "Seat": reflect.TypeFor[Seat](),
		"Segment": reflect.TypeFor[Segment](), "CellWord": reflect.TypeFor[CellWord](),
		"Mutex": reflect.TypeFor[Mutex](), "Sync": reflect.TypeFor[Sync](),
		"Bells": reflect.TypeFor[Bells](),
	}
	lines := regexp.MustCompile(`(?m)^PI_AT\(\w+, \w+, (\d+), "(\w+)\.(\w+)"\);$`).FindAllStringSubmatch(string(text), -1)
	if len(lines) < 25 {
		t.Fatalf("only %d fields found", len(lines))
	}
	for _, l := range lines {
		f, found := types[l[2]].FieldByName(l[3])
		if at, _ := strconv.Atoi(l[1]); !found || uintptr(at) != f.Offset {
			t.Errorf("%s: %s.%s is at %d", l[0], l[2], l[3], f.Offset)
		}
	}
	for pattern, want := range map[string]uint64{
		`PI_CELL_WORDS = (\d+)`:              CellWords,
		`PI_READY \(UINT64_C\((\d+)\) << 60`: uint64(Ready >> 60),
		`PI_BELLS_BEHIND = (\d+),`:           BellsOffset - QueueOffset,
		`PI_BELL_READABLE = (\d+),`:          BellReadable,
		`PI_BELL_WRITABLE = (\d+)\n`:         BellWritable,
	} {
		m := regexp.MustCompile(pattern).FindStringSubmatch(string(text))
		if m == nil {
			t.Errorf("%s is not there", pattern)
		} else if n, _ := strconv.ParseUint(m[1], 10, 64); n != want {
			t.Errorf("%s: want %d", m[0], want)
		}
	}
}
