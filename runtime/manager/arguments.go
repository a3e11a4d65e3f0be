package manager

import (
	"sync"

	"github.com/polyipc/polyipc/codec"
)

// arguments are those of a call, as bytes. Their memory is used again.
type arguments struct {
	b     []byte // an array
	n     int
	named []byte // a map, or nil
	err   error
}

var pooled = sync.Pool{New: func() any { return &arguments{} }}

// mostPooled keeps one huge argument from holding its memory for ever.
const mostPooled = 64 << 10

// noArgs begins arguments; up to 15 are added by with.
func noArgs() *arguments {
	a := pooled.Get().(*arguments)
	a.b = append(a.b[:0], 0x90)
	a.n, a.named, a.err = 0, nil, nil
	return a
}

func (a *arguments) free() {
	if cap(a.b) <= mostPooled {
		pooled.Put(a)
	}
}

// with adds an argument. The types that are written most cost no reflection.
func with[T any](a *arguments, v T) *arguments {
	a.n++
	a.b[0] = 0x90 | byte(a.n)
	if s, ok := any(v).(string); ok && isText(s) {
		a.b = codec.AppendText(a.b, s)
	} else if n, ok := any(v).(int); ok {
		a.b = codec.AppendInt(a.b, int64(n))
	} else if n, ok := any(v).(int64); ok {
		a.b = codec.AppendInt(a.b, n)
	} else if f, ok := any(v).(float64); ok {
		a.b = codec.AppendFloat(a.b, f)
	} else if b, err := codec.Append(a.b, v); err == nil {
		a.b = b
	} else if a.err == nil {
		a.err = err
	}
	return a
}

// isText reports whether s is plain ASCII: of other texts codec says whether they may pass.
func isText(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func (a *arguments) nil() *arguments {
	a.n++
	a.b[0] = 0x90 | byte(a.n)
	a.b = codec.AppendNil(a.b)
	return a
}

// argsOf are any number of arguments.
func argsOf(args ...any) *arguments {
	a := noArgs()
	a.b = codec.AppendArray(a.b[:0], len(args))
	for _, v := range args {
		if a.b, a.err = codec.Append(a.b, v); a.err != nil {
			break
		}
	}
	return a
}

func (a *arguments) withNamed(named map[string]any) *arguments {
	if len(named) > 0 && a.err == nil {
		a.named, a.err = codec.Append(nil, named)
	}
	return a
}
