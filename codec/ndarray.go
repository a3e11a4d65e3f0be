package codec

import (
	"math/bits"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// maxDims is numpy's own limit, up to its version 1.
const maxDims = 32

// itemSize returns the bytes of an element, or 0 for an unknown dtype.
func itemSize(dtype string) int {
	if len(dtype) < 3 || len(dtype) > 4 {
		return 0
	}
	size := 0
	switch kind, digits := dtype[1], dtype[2:]; kind {
	case 'b':
		size = oneOf(digits, "1")
	case 'i', 'u':
		size = oneOf(digits, "1", "2", "4", "8")
	case 'f':
		size = oneOf(digits, "2", "4", "8")
	case 'c':
		size = oneOf(digits, "8", "16")
	}
	// A single byte has no order, and more than one must have one, so each type has one spelling.
	if (size == 1) != (dtype[0] == '|') || size > 1 && dtype[0] != '<' && dtype[0] != '>' {
		return 0
	}
	return size
}

func oneOf(digits string, sizes ...string) int {
	for _, s := range sizes {
		if s == digits {
			n := int(s[0] - '0')
			if len(s) == 2 {
				n = 16
			}
			return n
		}
	}
	return 0
}

func (a NDArray) check() error {
	size := itemSize(a.DType)
	if size == 0 {
		return invalid("array type %q is not known; it is like \"<f8\": order <, > or | (single bytes), kind b, i, u, f or c, bytes", a.DType)
	}
	if len(a.Shape) > maxDims {
		return invalid("an array of %d dimensions; the limit is %d", len(a.Shape), maxDims)
	}
	want, empty := uint64(size), false
	for _, n := range a.Shape {
		empty = empty || n == 0
	}
	for _, n := range a.Shape {
		if n < 0 || uint64(n) > MaxSize {
			return invalid("an array with a dimension of %d; it is 0 to %d", n, uint32(MaxSize))
		}
		if empty {
			want = 0
			continue
		}
		hi, lo := bits.Mul64(want, uint64(n))
		if hi != 0 || lo > MaxSize {
			return invalid("an array of type %s and shape %v is over the limit of %d bytes", a.DType, a.Shape, uint32(MaxSize))
		}
		want = lo
	}
	if uint64(len(a.Data)) != want {
		return invalid("an array of type %s and shape %v has %d bytes of data; it needs %d", a.DType, a.Shape, len(a.Data), want)
	}
	return nil
}

// readNDArray reads the body: the type as a str, the shape as an array of integers, the data as a
// bin, one after the other.
func readNDArray(body []byte) (NDArray, error) {
	var a NDArray
	d := decoder{data: body, owed: 3}
	t, err := d.next()
	if err != nil || t.kind != kindStr {
		return a, malformed(err)
	}
	a.DType = string(d.body(t))
	if t, err = d.next(); err != nil || t.kind != kindArray || t.len() > maxDims {
		return a, malformed(err)
	}
	a.Shape = make([]int, t.len())
	for i := range a.Shape {
		if t, err = d.next(); err != nil || t.kind != kindUint || t.n > MaxSize {
			return a, malformed(err)
		}
		a.Shape[i] = t.len()
	}
	if t, err = d.next(); err != nil || t.kind != kindBin {
		return a, malformed(err)
	}
	view := d.body(t)
	if err := d.end(); err != nil {
		return a, malformed(err)
	}
	a.Data = view
	if err := a.check(); err != nil {
		return a, err
	}
	a.Data = append([]byte{}, view...)
	return a, nil
}

func malformed(err error) error {
	if err != nil {
		return &fault{code: ipcerr.Invalid, text: "a malformed n-dimensional array", cause: err}
	}
	return invalid("a malformed n-dimensional array; its body is a str, an array of at most %d integers and a bin", maxDims)
}
