package segment_test

import (
	"fmt"
	"log"
	"os"

	"github.com/polyipc/polyipc/runtime/segment"
)

// ownRoot makes a root for an example, so that it leaves nothing behind.
func ownRoot() string {
	dir, err := os.MkdirTemp("/dev/shm", "polyipc-example-")
	if err != nil {
		log.Fatal(err)
	}
	return dir
}

// Counters that Python opens as polyipc.Array.open("totals"), and C as an array of int64_t.
func Example() {
	dir := ownRoot()
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := segment.Create("", segment.Options{Root: dir, Format: "q", Shape: []int64{10}})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	totals, err := segment.Slice[int64](s)
	if err != nil {
		log.Fatal(err)
	}
	third, err := segment.Int64At(s, 3*8)
	if err != nil {
		log.Fatal(err)
	}
	third.Add(5)
	fmt.Println(s.Format(), s.Shape(), totals[3])
	// Output: <q [10] 5
}

func ExampleFormatOf() {
	type point struct {
		ID   int32
		X, Y float64
	}
	format, err := segment.FormatOf[point]()
	fmt.Println(format, err)
	// Output: T{<i:ID:4x<d:X:<d:Y:} <nil>
}
