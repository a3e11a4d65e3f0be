// Package ipcerr holds the errors of polyipc: one code for each status of the C ABI, and Error,
// which says what was tried, on which object, and what would help.
//
// Test for a code with errors.Is:
//
//	if errors.Is(err, ipcerr.Full) { ... }
//
// Timeout also matches context.DeadlineExceeded, Cancelled context.Canceled, Exists, NotFound and
// Denied their counterparts in io/fs, and EndOfFile io.EOF. The error of a call whose context was cancelled with a
// cause (context.WithCancelCause) matches the cause, too.
package ipcerr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Code says why a call failed. The numbers are those of include/polyipc/status.h and never change.
type Code int32

// The codes. Each comment is a "returned when".
const (
	Timeout     Code = 1  // the deadline of a blocking call passed
	Empty       Code = 2  // a get that does not wait found no message
	Full        Code = 3  // a put that does not wait found no room
	Closed      Code = 4  // the handle was closed while the call was under way
	Shutdown    Code = 5  // the queue was shut down
	Interrupted Code = 6  // a signal arrived and the thread asked to be told
	Cancelled   Code = 7  // the caller's context was cancelled
	Exists      Code = 8  // create met an object of that name
	NotFound    Code = 9  // open met no object of that name
	Gone        Code = 10 // the object a reference names no longer exists
	Mismatch    Code = 11 // the object exists with other options than those asked for
	WrongKind   Code = 12 // the name belongs to an object of another kind
	BadHandle   Code = 13 // the handle is zero, closed, made up or of another kind
	Invalid     Code = 14 // an argument is out of its range
	TooSmall    Code = 15 // the buffer cannot hold the message, which stays where it is
	TooLarge    Code = 16 // the message or name is over a limit that waiting cannot lift
	NoSpace     Code = 17 // the root's filesystem, or a data file's, has no room
	NoMemory    Code = 18 // the process cannot map or allocate memory
	Denied      Code = 19 // the operating system refused access
	Corrupt     Code = 20 // shared bytes do not make sense: damaged, truncated or hostile
	Version     Code = 21 // the object or library has another layout or ABI version
	LeaseLost   Code = 22 // the lease is not held any more: acked, returned, or its queue gone
	OwnerDied   Code = 23 // the former owner of the lock died
	PeerDied    Code = 24 // the process at the other end died; the call may have run
	Broken      Code = 25 // nobody is left at the other end
	EndOfFile   Code = 26 // the other end was closed and all it sent has been read
	Unsupported Code = 27 // this machine, kernel or build cannot do it
	Limit       Code = 28 // a table is full: descriptors, handles, or processes in the root
	Internal    Code = 29 // a defect in polyipc itself; please report it
	RemoteError Code = 30 // the method of a manager's object failed
)

var codes = [...]struct{ name, text string }{
	0:  {"OK", "the call did what it says"},
	1:  {"TIMEOUT", "the deadline of a blocking call passed"},
	2:  {"EMPTY", "a get that does not wait found no message"},
	3:  {"FULL", "a put that does not wait found no room"},
	4:  {"CLOSED", "the handle was closed while the call was under way"},
	5:  {"SHUTDOWN", "the queue was shut down"},
	6:  {"INTERRUPTED", "a signal arrived and the thread asked to be told"},
	7:  {"CANCELLED", "the caller's context was cancelled"},
	8:  {"EXISTS", "create met an object of that name"},
	9:  {"NOT_FOUND", "open met no object of that name"},
	10: {"GONE", "the object a reference names no longer exists"},
	11: {"MISMATCH", "the object exists with other options than those asked for"},
	12: {"WRONG_KIND", "the name belongs to an object of another kind"},
	13: {"BAD_HANDLE", "the handle is zero, closed, made up or of another kind"},
	14: {"INVALID", "an argument is out of its range"},
	15: {"TOO_SMALL", "the buffer cannot hold the message, which stays where it is"},
	16: {"TOO_LARGE", "the message or name is over a limit that waiting cannot lift"},
	17: {"NO_SPACE", "the root's filesystem, or a data file's, has no room"},
	18: {"NO_MEMORY", "the process cannot map or allocate memory"},
	19: {"DENIED", "the operating system refused access"},
	20: {"CORRUPT", "shared bytes do not make sense: damaged, truncated or hostile"},
	21: {"VERSION", "the object or library has another layout or ABI version"},
	22: {"LEASE_LOST", "the lease is not held any more: acked, returned, or its queue gone"},
	23: {"OWNER_DIED", "the former owner of the lock died"},
	24: {"PEER_DIED", "the process at the other end died; the call may have run"},
	25: {"BROKEN", "nobody is left at the other end"},
	26: {"END_OF_FILE", "the other end was closed and all it sent has been read"},
	27: {"UNSUPPORTED", "this machine, kernel or build cannot do it"},
	28: {"LIMIT", "a table is full: descriptors, handles, or processes in the root"},
	29: {"INTERNAL", "a defect in polyipc itself; please report it"},
	30: {"REMOTE_ERROR", "the method of a manager's object failed"},
}

// Name returns the code's name as in the C header without its prefix, such as "NOT_FOUND".
func (c Code) Name() string {
	if c < 0 || int(c) >= len(codes) {
		return "UNKNOWN"
	}
	return codes[c].name
}

// Error returns one sentence on when the code is returned.
func (c Code) Error() string {
	if c < 0 || int(c) >= len(codes) {
		return "unknown status"
	}
	return codes[c].text
}

// Is reports whether target is the standard library's word for the same thing.
func (c Code) Is(target error) bool {
	switch c {
	case Timeout:
		return target == context.DeadlineExceeded
	case Cancelled:
		return target == context.Canceled
	case Exists:
		return target == fs.ErrExist
	case NotFound:
		return target == fs.ErrNotExist
	case Denied:
		return target == fs.ErrPermission
	case EndOfFile:
		return target == io.EOF
	}
	return false
}

// Error is what every failing call of polyipc returns.
type Error struct {
	Op   string // what was tried, such as "create queue"
	Name string // the object's name, or a path; may be empty
	Code Code   // why, for programs
	Hint string // what the values were and what would help, for people; may be empty
	Err  error  // the operating system's error, or another cause; may be nil
}

// Error returns the whole sentence: operation, object, cause and cure.
func (e *Error) Error() string {
	s := e.Op
	if e.Name != "" {
		s += fmt.Sprintf(" %q", e.Name)
	}
	if e.Hint != "" {
		s += ": " + e.Hint
	} else {
		s += ": " + e.Code.Error()
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives errors.Is and errors.As the code and the cause.
func (e *Error) Unwrap() []error {
	if e.Err != nil {
		return []error{e.Code, e.Err}
	}
	return []error{e.Code}
}

// CodeOf returns the code of err, Internal for an error that has none, and 0 for nil.
func CodeOf(err error) Code {
	if err == nil {
		return 0
	}
	var c Code
	if errors.As(err, &c) {
		return c
	}
	return Internal
}
