// Package layout says what the bytes of every polyipc file mean.
//
// Each file begins with the 128 bytes of Header and has its data at HeaderArea. This package has
// the offsets, the checks that a file is what it should be, and typed views over mapped bytes; it
// makes no system call. docs/spec/layout.md is the same in prose, for other implementations.
//
// Everything here is read from memory that any process with access may change at any moment.
// Whoever steers by such a value loads it once, checks the copy and uses the copy.
package layout
