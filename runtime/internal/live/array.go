package live

import "github.com/polyipc/polyipc/codec"

var _ = define("array", "typecode, values=", newArray, sequence, map[string]*method{
	"typecode": on("", func(l *list, _ call) (codec.Raw, error) { return l.code.raw(), nil }),
})

// newArray makes an array of the values given, or of that many that are zero.
func newArray(t *class, c call) (Object, error) {
	code, err := typecodeOf(c)
	l := &list{base: base{t}, holder: holder{room: c.Room}, fixed: true, code: code}
	if err != nil || c.left(1) {
		return l, err
	}
	if _, _, ok := members(c.args[1]); !ok {
		return l, l.zeros(c)
	}
	given, err := c.values(1)
	if err != nil {
		return nil, err
	}
	l.values = make([]codec.Raw, len(given))
	for i, v := range given {
		if l.values[i], err = code.take(c, v); err != nil {
			return nil, err
		}
	}
	return l, l.hold(c.Request, given...)
}

func (l *list) zeros(c call) error {
	n, err := c.int(1, 0)
	switch {
	case err != nil:
		return c.wrongType("values", "an array, or a length", c.args[1])
	case n < 0:
		return c.fault("ValueError", "the length %d is negative", n)
	case n > maxMade:
		return c.tooMany()
	}
	l.values = make([]codec.Raw, n)
	zero := l.code.zero()
	for i := range l.values {
		l.values[i] = zero
	}
	return nil
}
