package layout

import (
	"fmt"
	"unsafe"
)

// This file is the one place of the runtime that turns bytes into typed memory. It is valid
// because the types it is used with have no pointers, so the garbage collector has no interest in
// them; because bounds and alignment are checked here; and because mapped bytes stay mapped for as
// long as their owner (an Object, a Part) is open, which the callers see to.

// View returns the T that lies at byte off of mem. It panics if that is out of bounds or not
// aligned for T: offsets are constants of the layout, never values read from a file. T must not
// contain pointers. The view is valid while mem is.
func View[T any](mem []byte, off int) *T {
	var t T
	if size := unsafe.Sizeof(t); off < 0 || off > len(mem) || uintptr(len(mem)-off) < size {
		panic(fmt.Sprintf("layout: a %T of %d bytes does not fit at %d of %d", t, size, off, len(mem)))
	}
	p := unsafe.Add(unsafe.Pointer(unsafe.SliceData(mem)), off)
	if uintptr(p)%unsafe.Alignof(t) != 0 {
		panic(fmt.Sprintf("layout: a %T at %d is not aligned", t, off))
	}
	return (*T)(p)
}

// Bytes returns the bytes of *v, for reading it from a file or writing it to one. T must not
// contain pointers.
func Bytes[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}

// Slice returns the n elements of type T that lie at byte off of mem. It panics as View does. T must
// not contain pointers.
func Slice[T any](mem []byte, off, n int) []T {
	var t T
	size := int(unsafe.Sizeof(t))
	if n == 0 {
		return []T{}
	}
	if n < 0 || size == 0 || off < 0 || off > len(mem) || (len(mem)-off)/size < n {
		panic(fmt.Sprintf("layout: %d %T of %d bytes do not fit at %d of %d", n, t, size, off, len(mem)))
	}
	return unsafe.Slice(View[T](mem, off), n)
}
