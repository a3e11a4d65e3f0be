// Command frames passes images through processes in three languages without copying them.
//
//	frames [-n 600] [-width 640] [-height 480] [-slots 4]
//
// The images lie in a shared segment that has room for a few, its slots. This process writes an image into a free
// slot; one in C makes it grey right there; one in Python looks at it through a numpy array, says what it saw, and
// the slot is free again. Only the numbers of slots travel, through pipes from each process to the next:
//
//	frames (Go) -> filter (C) -> view.py -> frames
//
// This process also measures, and checks that each image was seen as it should be, and that Python's array is the
// segment's memory. If a process dies its pipes end, and with them the whole.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/polyipc/polyipc/runtime/pipe"
	"github.com/polyipc/polyipc/runtime/segment"
)

func main() {
	n := flag.Int64("n", 600, "how many `images`")
	slots := flag.Int64("slots", 4, "`images` that there is room for")
	var s Size
	flag.Int64Var(&s.Width, "width", 640, "of an image, in `pixels`")
	flag.Int64Var(&s.Height, "height", 480, "of an image, in `pixels`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, s, *slots, *n); err != nil {
		fmt.Fprintln(os.Stderr, "frames:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s Size, slots, n int64) error {
	root, err := os.MkdirTemp("/dev/shm", "polyipc-frames-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	frames, err := segment.Create("", segment.Options{Root: root, Format: "B", Shape: []int64{slots, s.Height, s.Width, 3}})
	if err != nil {
		return err
	}
	defer frames.Close()
	stages, err := start(root, frames)
	if err != nil {
		return err
	}
	defer stages.end()
	where, err := pipe.Of[Array](stages.from).Recv(ctx)
	if err != nil {
		return fmt.Errorf("view.py did not start: %w", err)
	}
	if err := where.isIn(frames, stages.view.Process.Pid); err != nil {
		return err
	}
	fmt.Printf("Python's array of %.1f MB is the segment itself\n", float64(where.Bytes)/1e6)
	m, err := measure(ctx, s, frames, stages, n)
	if err != nil {
		return err
	}
	if err := stages.finish(); err != nil {
		return err
	}
	m.print(s, slots)
	return m.check(s)
}

// Seen is what view.py says of an image.
type Seen struct {
	Slot       int64   `msgpack:"slot"`
	CRC        uint32  `msgpack:"crc"`
	Brightness float64 `msgpack:"brightness"`
}

// Measured is what came of it.
type Measured struct {
	looks []Look          // at each image, in order
	took  []time.Duration // from its being written until it was seen
	all   time.Duration
}

// measure passes n images through the stages.
func measure(ctx context.Context, s Size, frames *segment.Segment, stages *Stages, n int64) (*Measured, error) {
	memory, err := segment.Slice[byte](frames)
	if err != nil {
		return nil, err
	}
	to, from := pipe.Of[int64](stages.to), pipe.Of[Seen](stages.from)
	slots := frames.Shape()[0]
	begun := make([]time.Time, n)
	m := &Measured{looks: make([]Look, n), took: make([]time.Duration, n)}
	start := time.Now()
	// Slots come back in the order in which they were sent, so image i is always in slot i % slots.
	for written, seen := int64(0), int64(0); seen < n; {
		if written < n && written < seen+slots {
			slot := written % slots
			begun[written] = time.Now()
			s.Draw(memory[slot*s.Bytes():(slot+1)*s.Bytes()], written)
			if err := to.Send(ctx, slot); err != nil {
				return nil, fmt.Errorf("to filter: %w", err)
			}
			written++
			continue
		}
		got, err := from.Recv(ctx)
		if err != nil {
			return nil, fmt.Errorf("from view.py: %w", err)
		}
		if got.Slot != seen%slots {
			return nil, fmt.Errorf("image %d came back in slot %d", seen, got.Slot)
		}
		m.looks[seen], m.took[seen] = Look{got.CRC, got.Brightness}, time.Since(begun[seen])
		seen++
	}
	m.all = time.Since(start)
	return m, nil
}

func (m *Measured) print(s Size, slots int64) {
	n, seconds := float64(len(m.looks)), m.all.Seconds()
	slices.Sort(m.took)
	fmt.Printf("%.0f images of %d x %d through Go, C and Python in %d slots\n", n, s.Width, s.Height, slots)
	fmt.Printf("%.0f images a second, %.0f MB a second, %.1f ms from written to seen (median)\n",
		n/seconds, n*float64(s.Bytes())/1e6/seconds, float64(m.took[len(m.took)/2].Microseconds())/1e3)
}

// check compares what was seen with what should have been.
func (m *Measured) check(s Size) error {
	var expected [different]Look
	wrong := 0
	for i, look := range m.looks {
		want := &expected[i%different]
		if i < different {
			*want = s.Expected(int64(i))
		}
		if look != *want {
			wrong++
		}
	}
	if wrong != 0 {
		return fmt.Errorf("%d of %d images were not seen as they should be", wrong, len(m.looks))
	}
	fmt.Printf("all %d were seen as they should be\n", len(m.looks))
	return nil
}
