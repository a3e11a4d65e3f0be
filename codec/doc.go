// Package codec turns Go values into MessagePack messages and back, with the same meaning in Go, C
// and Python: an int64 or uint64 keeps its value, text never becomes bytes, and what cannot be
// carried is an error of the call that tried, never a silent change. docs/spec/codec.md is the
// format, byte by byte; tests/vectors holds examples that all three languages check.
//
// Marshal and Unmarshal work with Go structs and other types known at compile time; Decode returns
// a value of the message's own shape:
//
//	nil                       nil
//	bool                      bool
//	integer                   int64, or uint64 from 1<<63 up
//	float                     float64
//	str                       string, always valid UTF-8
//	bin                       []byte
//	array                     []any
//	map                       map[string]any if all keys are strings, else Pairs, in order
//	timestamp                 time.Time, in UTC
//	extension types of polyipc uuid.UUID, *big.Int, Ref, NDArray, Tuple, Set, FrozenSet, Pickle
//	other extension types     Ext
//
// Marshal takes all of these, every integer and float type, structs, slices, arrays, maps, pointers
// to them, and types with methods of their own (see Marshal).
//
// Limits: MaxDepth levels of nesting and MaxSize bytes. Memory used in decoding is bounded by the
// message's real length, whatever lengths it claims. Every error is an *ipcerr.Error whose code is
// Invalid or TooLarge and whose text names the place, as in "$.jobs[3].id".
//
// The functions may be called from any goroutine. Nothing returned shares memory with the message.
package codec

const (
	// MaxDepth is how many arrays, maps, tuples and sets may contain each other: [[1]] has depth 2.
	MaxDepth = 255

	// MaxSize is the most bytes a message may have.
	MaxSize = 1<<32 - 1
)
