package codec

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// fault is an error on its way up: each level that it passes adds its step to the path, so that the
// path costs nothing while all goes well.
type fault struct {
	code  ipcerr.Code
	text  string
	steps []string // innermost first
	cause error
}

func (f *fault) Error() string { return f.text }

func invalid(format string, args ...any) error {
	return &fault{code: ipcerr.Invalid, text: fmt.Sprintf(format, args...)}
}

func tooLarge(format string, args ...any) error {
	return &fault{code: ipcerr.TooLarge, text: fmt.Sprintf(format, args...)}
}

// tooDeep is the error for a container at a depth over MaxDepth.
func tooDeep() error {
	return tooLarge("nested deeper than %d levels; flatten it, or look for a value that holds itself", MaxDepth)
}

// failed wraps an error of a user's own method.
func failed(what string, err error) error {
	return &fault{code: ipcerr.Invalid, text: what + " failed", cause: err}
}

func at(err error, step string) error {
	var f *fault
	if errors.As(err, &f) {
		f.steps = append(f.steps, step)
	}
	return err
}

func atIndex(err error, i int) error { return at(err, fmt.Sprintf("[%d]", i)) }

func atKey(err error, key any) error {
	if s, ok := key.(string); ok {
		return at(err, "."+s)
	}
	return at(err, fmt.Sprintf("[%v]", key))
}

// public turns a fault into what callers see.
func public(op string, err error) error {
	var f *fault
	if err == nil {
		return nil
	}
	if !errors.As(err, &f) {
		return &ipcerr.Error{Op: op, Code: ipcerr.Invalid, Err: err}
	}
	slices.Reverse(f.steps)
	path := "$" + strings.Join(f.steps, "")
	if len(path) > 200 { // a value that holds itself
		path = strings.ToValidUTF8(path[:100]+"..."+path[len(path)-60:], "")
	}
	return &ipcerr.Error{Op: op, Code: f.code, Hint: path + ": " + f.text, Err: f.cause}
}
