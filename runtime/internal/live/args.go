package live

import (
	"math"
	"slices"
	"time"

	"github.com/polyipc/polyipc/codec"
)

// call is a request whose arguments are where the method wants them.
type call struct {
	*Request
	method *method
	args   []codec.Raw // by position; shorter, or with nils, where some were left out
}

// bind gives each parameter its argument.
func (m *method) bind(r *Request) (call, error) {
	c := call{r, m, r.Args}
	if len(r.Args) > m.most {
		return c, c.fault("TypeError", "it takes %d arguments, and %d were given", m.most, len(r.Args))
	}
	if len(r.Named) > 0 && !m.named {
		if err := c.bindNamed(); err != nil {
			return c, err
		}
	}
	for i := range m.least {
		if c.arg(i) == nil {
			return c, c.fault("TypeError", "the argument %q is missing", m.params[i])
		}
	}
	return c, nil
}

func (c *call) bindNamed() error {
	args := make([]codec.Raw, len(c.method.params))
	if len(c.args) > len(args) {
		return c.fault("TypeError", "there is no argument %.40q", c.Named[0].Name)
	}
	copy(args, c.args)
	for _, n := range c.Named {
		i := slices.Index(c.method.params, n.Name)
		switch {
		case i < 0:
			return c.fault("TypeError", "there is no argument %.40q", n.Name)
		case args[i] != nil:
			return c.fault("TypeError", "the argument %q was given twice", n.Name)
		}
		args[i] = n.Value
	}
	c.args = args
	return nil
}

// fault is a failure of the call: it says of which method, and how that is called.
func (c call) fault(typ, format string, args ...any) error {
	return fault(typ, c.method.text+": "+format, args...)
}

func (c call) wrongType(param, want string, got codec.Raw) error {
	return c.fault("TypeError", "%s must be %s, not %s", param, want, typeName(got))
}

func (c call) badKey(unhashable string) error {
	return c.fault("TypeError", "%s can't be a key, nor be in one; a tuple or a frozenset can", unhashable)
}

// arg returns an argument, nil if it was left out.
func (c call) arg(i int) codec.Raw {
	if i < len(c.args) {
		return c.args[i]
	}
	return nil
}

// given returns an argument as a result, nil if it was left out.
func (c call) given(i int) codec.Raw {
	v := c.arg(i)
	if v == nil {
		return rawNil
	}
	c.Shared = c.Shared || c.Refs
	return keep(v)
}

// left reports whether an argument was left out, or is nil, which is the same for most.
func (c call) left(i int) bool { return c.arg(i) == nil || c.args[i][0] == rawNil[0] }

// int returns an argument that is an integer, other if it was left out. What is beyond an int is as far as an int goes.
func (c call) int(i, other int) (int, error) {
	if c.left(i) {
		return other, nil
	}
	n, ok := numberOf(c.args[i], true)
	switch {
	case !ok || n.kind == codec.KindFloat:
		return 0, c.wrongType(c.method.params[i], "an integer", c.args[i])
	case n.kind == codec.KindExt:
		if n.big().Sign() < 0 {
			return math.MinInt, nil
		}
		return math.MaxInt, nil
	case n.hi == 0 && n.lo > math.MaxInt:
		return math.MaxInt, nil
	}
	return int(n.lo), nil
}

// bool returns an argument that is a bool or an integer, other if it was left out.
func (c call) bool(i int, other bool) (bool, error) {
	if c.left(i) {
		return other, nil
	}
	n, ok := numberOf(c.args[i], true)
	if !ok || n.kind != codec.KindInt {
		return false, c.wrongType(c.method.params[i], "a bool", c.args[i])
	}
	return n.lo != 0, nil
}

// text returns an argument that is text.
func (c call) text(i int) (string, error) {
	h := codec.HeadOf(c.args[i])
	if h.Kind != codec.KindStr {
		return "", c.wrongType(c.method.params[i], "text", c.args[i])
	}
	return string(c.args[i][h.Size:]), nil
}

// seconds returns an argument that is a timeout. Negative: there is none. sign is that of the number given.
func (c call) seconds(i int) (timeout time.Duration, sign int, err error) {
	if c.left(i) {
		return -1, 1, nil
	}
	n, ok := numberOf(c.args[i], true)
	if !ok {
		return 0, 0, c.wrongType(c.method.params[i], "seconds, an integer or a float, or nil", c.args[i])
	}
	switch f := n.asFloat(); {
	case f != f:
		return 0, 0, c.fault("ValueError", "%s is not a number", c.method.params[i])
	case f <= 0:
		if f < 0 {
			sign = -1
		}
		return 0, sign, nil
	case f >= math.MaxInt64/float64(time.Second):
		return -1, 1, nil // 292 years
	default:
		return max(1, time.Duration(f*float64(time.Second))), 1, nil
	}
}

// patience returns how long a call may wait, from its arguments block and timeout; 0: not at all, negative: for
// ever. A negative timeout is none at all.
func (c call) patience(block int) (time.Duration, error) {
	wait, err := c.bool(block, true)
	if err != nil {
		return 0, err
	}
	timeout, _, err := c.seconds(block + 1)
	if err != nil || !wait {
		return 0, err
	}
	return timeout, nil
}

// queuePatience is patience for a queue, where a negative timeout is a mistake.
func (c call) queuePatience(block int) (time.Duration, error) {
	if wait, err := c.bool(block, true); err != nil || !wait {
		return 0, err
	}
	timeout, sign, err := c.seconds(block + 1)
	if err == nil && sign < 0 {
		err = c.fault("ValueError", "timeout is negative; nil waits for ever, 0 not at all")
	}
	return timeout, err
}
