// Package segment is memory that processes share by name, in Go, C and Python at once: plain bytes, or
// an array of one format that each of them knows.
//
//	s, err := segment.OpenOrCreate("totals", segment.Options{Format: "q", Shape: []int64{100}})
//	...
//	defer s.Close()
//	totals, err := segment.Slice[int64](s)
//	totals[3]++
//
// What several processes change at once needs atomic operations ([Int64At], and [Segment.Wait] to be told),
// or the lock that every segment has ([Segment.Lock]).
//
// A Segment may be used by any number of goroutines at once. Slices and pointers into it are valid until its
// Close: to touch them later ends the program, as with any memory that is unmapped.
package segment

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Limits of Options.
const (
	MaxSize   = 1 << 44 // bytes
	MaxDims   = layout.MaxDims
	MaxFormat = layout.MaxFormat // bytes
)

// Options shape a segment when it is made. It needs a Size, or a Format.
type Options struct {
	Root    string // directory; "": $POLYIPC_ROOT, or /dev/shm/polyipc-<uid>
	Size    int64  // bytes; with a Format leave it 0
	MaxSize int64  // bytes that it may grow to; 0 is Size. Costs address space, but no memory until then

	// Format is what one item is, in the notation of PEP 3118: a type code of Python's struct ("i", "d"), or
	// a structure such as "T{i:id:d:x:}". See [FormatOf]. "" is plain bytes.
	Format   string
	Shape    []int64 // how many items in each dimension, at most MaxDims of them; none is a single item
	ItemSize int64   // bytes of an item, if the caller knows: the format must agree; 0: as the format says

	// Data is what it begins with, as far as it reaches; the rest is zero. Nobody ever sees the segment without.
	// Not looked at if it exists.
	Data []byte

	Kept      bool // lives until Unlink, also if anonymous
	Transient bool // goes with its last user, also if named
}

// Segment is an open segment.
type Segment struct {
	obj  object.Object
	h    *layout.Segment
	data []byte // all that it may grow to

	// As the header had them, and checked, when the segment was opened.
	item  *item // nil: plain bytes
	shape []int64
}

// Create makes a segment; it fails with ipcerr.Exists if the name is taken. An empty name makes
// an anonymous segment with a UUID for a name.
func Create(name string, o Options) (*Segment, error) {
	return open("create segment", name, o, true, false)
}

// Open opens an existing segment; it fails with ipcerr.NotFound if there is none. MaxSize, Format and Shape must
// be the segment's own and Size no more than it has, as far as they are not zero.
func Open(name string, o Options) (*Segment, error) {
	return open("open segment", name, o, false, true)
}

// OpenOrCreate opens the segment, which must have been made with the same options, or makes it.
func OpenOrCreate(name string, o Options) (*Segment, error) {
	return open("open or create segment", name, o, true, true)
}

// Unlink removes the name of a segment; that there is none is no error. Who has it open goes on using
// it; it goes with the last of them. root is as in Options.
func Unlink(root, name string) error { return object.Unlink(root, name, layout.KindSegment) }

// Unlink removes this segment's name, as the function Unlink does.
func (s *Segment) Unlink() error { return s.obj.Unlink() }

// Name returns the segment's name.
func (s *Segment) Name() string { return s.obj.Name() }

func open(op, name string, o Options, mayCreate, mayOpen bool) (*Segment, error) {
	p, err := o.plan(op, name, mayCreate)
	if err != nil {
		return nil, err
	}
	s := &Segment{}
	w := s.want(op)
	w.Root, w.Name, w.Create, w.Open = o.Root, name, mayCreate, mayOpen
	w.Spec = func(members [16]byte) shm.Spec { return p.spec(name, members) }
	w.Matches = func() error { return s.matches(op, p, mayCreate) }
	if err := s.obj.Open(w); err != nil {
		return nil, err
	}
	return s, nil
}

// want is what opening and adopting a segment have in common.
func (s *Segment) want(op string) *object.Want {
	return &object.Want{Op: op, Noun: "segment", Kind: layout.KindSegment, Attach: s.attach}
}

// attach checks the header and keeps what never changes of it.
func (s *Segment) attach() error {
	mem := s.obj.File.Mem
	h := layout.View[layout.Segment](mem, layout.SegmentOffset)
	s.h = h
	most, size, length := h.MaxSize, h.Size.Load(), h.Format
	if most > MaxSize || dataSize(int64(most)) != int64(len(mem))-layout.HeaderArea || size > most {
		return fmt.Errorf("%d of at most %d bytes in a file mapped with %d", size, most, len(mem))
	}
	s.data = mem[layout.HeaderArea:][:most:most]
	if length == 0 {
		return nil
	}
	dims := h.Dims
	if length > layout.MaxFormat || dims > layout.MaxDims {
		return fmt.Errorf("a format of %d bytes and %d dimensions", length, dims)
	}
	text := string(h.Text[:length])
	it, err := read(text, 0)
	if err != nil {
		return err
	}
	for _, n := range h.Shape[:dims] {
		s.shape = append(s.shape, int64(n))
	}
	whole, err := total(it, s.shape)
	if err != nil {
		return err
	}
	if it.String() != text || uint64(it.size) != h.ItemSize || uint64(whole) > size {
		return fmt.Errorf("%d bytes for shape %s of items %.60q of %d bytes", size, shapeText(s.shape), text, h.ItemSize)
	}
	s.item = it
	return nil
}

// Close ends the use of this Segment: calls under way in other goroutines fail with ipcerr.Closed, and the
// memory is unmapped. The contents stay; a transient segment without another user goes. Closing again does
// nothing.
func (s *Segment) Close() error { return s.obj.Close(nil, s.kick) }

// Leave is Close, but the memory stays mapped until the process ends. For libraries whose users keep
// pointers into it.
func (s *Segment) Leave() error { return s.obj.Leave(s.kick) }

// kick makes everybody who waits look up: those of this process find the segment closed.
func (s *Segment) kick() {
	for i := range s.h.Cell {
		object.Kick(&s.h.Cell[i].Word)
	}
}

// Inherit describes s for Adopt in a forked child. Only for libraries that survive a fork; a Go
// program does not.
func (s *Segment) Inherit() object.Inherited { return s.obj.Inherit() }

// Adopt makes a Segment of what a forked child inherited.
func Adopt(in object.Inherited) (*Segment, error) {
	s := &Segment{}
	if err := s.obj.Adopt(s.want("adopt segment after fork"), in); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Segment) call(verb string) object.Call { return object.Call{Object: &s.obj, Verb: verb} }

// size is how many bytes are in use.
func (s *Segment) size() (int64, error) {
	n := s.h.Size.Load()
	if n > uint64(len(s.data)) {
		return 0, ipcerr.Corrupt
	}
	return int64(n), nil
}

// Size is how many bytes are in use.
func (s *Segment) Size() (n int64, err error) {
	c := s.call("size of")
	if err := c.Begin(); err != nil {
		return 0, err
	}
	defer c.End(&err)
	return s.size()
}

// MaxSize is how many bytes the segment may grow to.
func (s *Segment) MaxSize() int64 { return int64(len(s.data)) }

// Format is what one item is, in canonical notation; "" for plain bytes.
func (s *Segment) Format() string {
	if s.item == nil {
		return ""
	}
	return s.item.String()
}

// ItemSize is how many bytes one item has; 1 for plain bytes.
func (s *Segment) ItemSize() int64 {
	if s.item == nil {
		return 1
	}
	return s.item.size
}

// Shape is how many items there are in each dimension, nothing for a single item or plain bytes. It is the
// shape that the segment was made with: one that has grown has more items in the first dimension.
func (s *Segment) Shape() []int64 { return slices.Clone(s.shape) }

// Bytes is the memory in use, up to Size as it is now. It is valid until Close.
func (s *Segment) Bytes() (b []byte, err error) {
	c := s.call("bytes of")
	if err := c.Begin(); err != nil {
		return nil, err
	}
	defer c.End(&err)
	n, err := s.size()
	return s.data[:n:n], err
}

// Grow makes at least size bytes usable, for everybody; what was there stays where it is, and what comes on
// top is zero. Slices and pointers stay valid. There is no way back.
//
// TOO_LARGE beyond MaxSize, NO_SPACE and NO_MEMORY: then nothing has changed.
func (s *Segment) Grow(size int64) (err error) {
	c := s.call("grow")
	if err := c.Begin(); err != nil {
		return err
	}
	defer c.End(&err)
	if size < 0 {
		return s.invalid("grow", "%d bytes: give 0 or more", size)
	}
	if size > s.MaxSize() {
		return &ipcerr.Error{Op: "grow segment", Name: s.Name(), Code: ipcerr.TooLarge,
			Hint: fmt.Sprintf("%d bytes are more than its maximum of %d: make one with a larger max size", size, s.MaxSize())}
	}
	// The pages first, then the size. Killed in between, pages are reserved and not used; the next to grow
	// does both again.
	old, err := s.size()
	if err != nil || size <= old {
		return err
	}
	if err := s.obj.File.Reserve("grow segment", pages(old), pages(size)); err != nil {
		return err
	}
	crash.Point("segment.grow.reserved")
	for {
		now := s.h.Size.Load()
		if now >= uint64(size) || s.h.Size.CompareAndSwap(now, uint64(size)) {
			return nil
		}
	}
}

// Slice is the contents of s as a slice of T, up to its size as it is now: a segment with more than one
// dimension has its rows one behind the other. T must be what the format says, field by field (names are not
// compared), and must not contain pointers. It is valid until Close.
//
// MISMATCH if T is something else.
func Slice[T any](s *Segment) (items []T, err error) {
	c := s.call("slice")
	if err := c.Begin(); err != nil {
		return nil, err
	}
	defer c.End(&err)
	t := reflect.TypeFor[T]()
	size := int64(t.Size())
	if err = plain(t); err == nil && s.item != nil {
		err = s.item.fits(t)
	}
	if err != nil || size == 0 {
		return nil, &ipcerr.Error{Op: "slice segment", Name: s.Name(), Code: ipcerr.Mismatch, Hint: fmt.Sprintf("%v can't be used for it", t), Err: err}
	}
	n, err := s.size()
	return layout.Slice[T](s.data, 0, int(n/size)), err
}

func (s *Segment) invalid(verb, hint string, args ...any) error {
	return &ipcerr.Error{Op: verb + " segment", Name: s.Name(), Code: ipcerr.Invalid, Hint: fmt.Sprintf(hint, args...)}
}
