// Package frame is what a manager's server and its clients say to each other, as bytes: docs/spec/manager.md. It reads
// with distrust, and knows nothing of sockets and pipes.
package frame

import (
	"errors"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Kind is the first value of a frame.
type Kind uint64

// The kinds.
const (
	Call      Kind = 0
	Batch     Kind = 1
	Cancel    Kind = 2
	Ack       Kind = 3
	Release   Kind = 4
	Credit    Kind = 5
	Result    Kind = 6
	Error     Kind = 7
	Grant     Kind = 8
	Event     Kind = 9
	CallHost  Kind = 10
	Drop      Kind = 11
	lastKnown      = Drop
)

// RefKind is the kind of a reference to a live object.
const RefKind = 4

// Limits that both sides know.
const (
	FirstCredit  = 256     // events that a new subscription may be sent
	CallsAtOnce  = 1024    // of a client
	BatchCalls   = 100_000 // in a batch
	LeastFrame   = 64 << 10
	DefaultFrame = 64 << 20
	MostFrame    = 1 << 31
)

// Head reads the kind of a frame and the number behind it, and returns how many values are left.
func Head(s *codec.Scanner, data []byte) (k Kind, id uint64, left int, err error) {
	s.Reset(data)
	n, err := s.Array()
	if err == nil && n < 2 {
		err = broken("a frame of less than two values")
	}
	if err != nil {
		return 0, 0, 0, err
	}
	first, err := s.Uint()
	if err == nil && first > uint64(lastKnown) {
		err = broken("a frame of a kind that is not known")
	}
	if err == nil {
		if size := sizes[first]; n < size.least || n > size.most {
			err = broken("a frame with more or fewer values than its kind has")
		}
	}
	if err == nil {
		id, err = s.Uint()
	}
	return Kind(first), id, n - 2, err
}

// sizes are how many values a frame of each kind has.
var sizes = [...]struct{ least, most int }{
	Call: {5, 7}, Batch: {4, 4}, Cancel: {2, 2}, Ack: {2, 2}, Release: {3, 3}, Credit: {3, 3}, Result: {3, 3}, Error: {6, 6},
	Grant: {3, 3}, Event: {3, 3}, CallHost: {9, 9}, Drop: {2, 2},
}

func broken(hint string) error {
	return &ipcerr.Error{Op: "read frame", Code: ipcerr.Invalid, Hint: hint}
}

// Open begins a frame of n values: its kind and its number. The rest is appended.
func Open(dst []byte, k Kind, n int, id uint64) []byte {
	return codec.AppendUint(append(dst, 0x90|byte(n), byte(k)), id)
}

// AppendCall appends a call; nil args and named are empty ones.
func AppendCall(dst []byte, id, object uint64, method string, args, named codec.Raw, thread uint64) []byte {
	n := 5
	if thread != 0 || len(named) > 0 {
		n = 7
	}
	dst = Open(dst, Call, n, id)
	dst = codec.AppendUint(dst, object)
	dst = codec.AppendText(dst, method)
	dst = appendOr(dst, args, 0x90)
	if n == 7 {
		dst = appendOr(dst, named, 0xc0)
		dst = codec.AppendUint(dst, thread)
	}
	return dst
}

func appendOr(dst []byte, v codec.Raw, empty byte) []byte {
	if len(v) == 0 {
		return append(dst, empty)
	}
	return append(dst, v...)
}

// AppendRelease appends a release.
func AppendRelease(dst []byte, object, count uint64) []byte {
	return codec.AppendUint(Open(dst, Release, 3, object), count)
}

// AppendResult appends a result or a grant.
func AppendResult(dst []byte, k Kind, id uint64, result codec.Raw) []byte {
	return appendOr(Open(dst, k, 3, id), result, 0xc0)
}

// Failure is an error as it travels.
type Failure struct {
	Code      ipcerr.Code
	Type      string // of the exception; empty for what is no method's failure
	Message   string
	Traceback string
}

// FailureOf is what an error looks like on its way.
func FailureOf(err error) Failure {
	f := Failure{Code: ipcerr.CodeOf(err), Message: err.Error()}
	var e *ipcerr.Error
	if errors.As(err, &e) && e.Hint != "" && e.Err == nil {
		f.Message = e.Hint
	}
	return f
}

// AppendFailure appends an error.
func AppendFailure(dst []byte, id uint64, f Failure) []byte {
	return f.Append(Open(dst, Error, 6, id))
}

// Append appends the four values of a failure.
func (f Failure) Append(dst []byte) []byte {
	dst = codec.AppendUint(dst, uint64(f.Code))
	dst = codec.AppendText(dst, f.Type)
	dst = codec.AppendText(dst, f.Message)
	return codec.AppendText(dst, f.Traceback)
}

// ReadFailure reads the four values of a failure.
func ReadFailure(s *codec.Scanner) (f Failure, err error) {
	code, err := s.Uint()
	for _, text := range []*string{&f.Type, &f.Message, &f.Traceback} {
		var b []byte
		if err == nil {
			b, err = s.Text()
		}
		*text = string(b)
	}
	if err == nil && (code == 0 || code > uint64(ipcerr.RemoteError)) {
		err = broken("an error with a status that is not known")
	}
	f.Code = ipcerr.Code(code)
	return f, err
}
