package segment

import (
	"fmt"
	"slices"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// page is what memory is reserved in.
const page = 4096

func pages(n int64) int64 { return up(n, page) }

// dataSize is the length of a file's data area that holds most bytes.
func dataSize(most int64) int64 { return up(max(most, 1), layout.HeaderArea) }

// plan is what options come to.
type plan struct {
	Options
	size, most int64
	item       *item // nil: plain bytes
}

// plan checks the options. Whole ones describe a segment, others what one has to be.
func (o *Options) plan(op, name string, whole bool) (*plan, error) {
	bad := func(hint string, args ...any) error {
		return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Invalid, Hint: fmt.Sprintf(hint, args...)}
	}
	if err := object.CheckLifetime(op, name, o.Kept, o.Transient); err != nil {
		return nil, err
	}
	p := &plan{Options: *o, size: o.Size, most: o.MaxSize}
	switch {
	case o.Size < 0 || o.Size > MaxSize:
		return nil, bad("size %d: give 1 to %d bytes, or a format", o.Size, int64(MaxSize))
	case o.MaxSize < 0 || o.MaxSize > MaxSize:
		return nil, bad("max size %d: give at most %d bytes, or 0 for what it has", o.MaxSize, int64(MaxSize))
	case o.Format == "" && (len(o.Shape) > 0 || o.ItemSize != 0):
		return nil, bad("a shape or item size without a format: say what the items are")
	case o.Format == "" && o.Size == 0 && whole:
		return nil, bad("neither size nor format: give one of them")
	case o.Format != "" && o.Size != 0:
		return nil, bad("size %d with a format: format and shape have their own, leave it 0", o.Size)
	}
	if o.Format != "" {
		it, err := read(o.Format, o.ItemSize)
		if err != nil {
			return nil, bad("%v", err)
		}
		p.item = it
		if p.size, err = total(it, o.Shape); err != nil {
			return nil, bad("%v", err)
		}
	}
	if whole && int64(len(o.Data)) > p.size {
		return nil, bad("%d bytes to begin with for %d: give at most as many", len(o.Data), p.size)
	}
	if p.most == 0 {
		p.most = p.size
	}
	if p.most < p.size {
		return nil, bad("max size %d for %d bytes: give at least as many", p.most, p.size)
	}
	return p, nil
}

// total is how many bytes a shape has.
func total(it *item, shape []int64) (int64, error) {
	if len(shape) > layout.MaxDims {
		return 0, fmt.Errorf("%d dimensions: at most %d are possible", len(shape), layout.MaxDims)
	}
	n := it.size
	for _, d := range shape {
		if d < 0 || d > MaxSize || n > 0 && d > MaxSize/n {
			return 0, fmt.Errorf("shape %s of %d bytes each: at most %d bytes are possible", shapeText(shape), it.size, int64(MaxSize))
		}
		n *= d
	}
	if n > MaxSize {
		return 0, fmt.Errorf("an item of %d bytes: at most %d are possible", n, int64(MaxSize))
	}
	return n, nil
}

func (p *plan) spec(name string, members [16]byte) shm.Spec {
	var flags layout.Flags
	if object.Transient(name, p.Kept, p.Transient) {
		flags |= layout.Transient
	}
	return shm.Spec{
		Kind: layout.KindSegment, Flags: flags, Members: members,
		Header: layout.SegmentHeaderBytes, Data: dataSize(p.most), Reserve: max(pages(p.size), page),
		Init: func(mem []byte) {
			h := layout.View[layout.Segment](mem, layout.SegmentOffset)
			h.MaxSize, h.ItemSize = uint64(p.most), 1
			h.Size.Store(uint64(p.size))
			copy(mem[layout.HeaderArea:], p.Data)
			if p.item == nil {
				return
			}
			h.ItemSize = uint64(p.item.size)
			h.Format = uint32(copy(h.Text[:], p.item.String()))
			h.Dims = uint32(len(p.Shape))
			for i, n := range p.Shape {
				h.Shape[i] = uint64(n)
			}
		},
	}
}

// matches compares an opened segment with what was asked for.
func (s *Segment) matches(op string, p *plan, whole bool) error {
	transient := s.obj.File.Header().Flags()&layout.Transient != 0
	differs := whole && (p.Kept || p.Transient) && p.Transient != transient
	if p.MaxSize != 0 && p.MaxSize != s.MaxSize() || whole && p.MaxSize == 0 && p.most != s.MaxSize() {
		differs = true
	}
	switch {
	case p.item == nil:
		// A segment that has grown meanwhile is the one that was made.
		n, err := s.size()
		if err != nil {
			return err
		}
		differs = differs || p.size > n || whole && s.item != nil
	case s.item == nil || s.item.String() != p.item.String():
		differs = true
	case whole || len(p.Shape) > 0:
		differs = differs || !slices.Equal(s.shape, p.Shape)
	}
	if !differs {
		return nil
	}
	asked := describe(p.item, p.Shape, p.size, p.most)
	if !whole && p.item != nil && len(p.Shape) == 0 {
		asked = "format " + p.item.String()
	}
	return &ipcerr.Error{Op: op, Name: s.Name(), Code: ipcerr.Mismatch, Hint: fmt.Sprintf(
		"it exists with %s, %s; asked for were %s, %s: ask for the same, or unlink it",
		describe(s.item, s.shape, int64(s.h.Size.Load()), s.MaxSize()), object.Lifetime(transient),
		asked, object.Lifetime(object.Transient(s.Name(), p.Kept, p.Transient)))}
}

func describe(it *item, shape []int64, size, most int64) string {
	if it == nil {
		return fmt.Sprintf("%d bytes, at most %d, no format", size, most)
	}
	return fmt.Sprintf("format %s, shape %s, at most %d bytes", it, shapeText(shape), most)
}
