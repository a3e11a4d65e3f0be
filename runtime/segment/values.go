package segment

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// Values reads count items from number from on, by the segment's format, for who shows them: fewer if there are
// not so many. Others may write meanwhile, so an item may be half an old one and half a new one.
//
// A bool is a bool, an integer an int64 or uint64, a float a float64, a complex number a list of two; "c" and
// strings are []byte, "w" is a string of one character; an array is a list, and a structure a map by its fields'
// names, or a list if one of them has none. Plain bytes come as one []byte.
func (s *Segment) Values(from, count int64) (values []any, err error) {
	c := s.call("values of")
	if err := c.Begin(); err != nil {
		return nil, err
	}
	defer c.End(&err)
	if from < 0 || count < 0 {
		return nil, s.invalid("values of", "%d items from %d on: give 0 or more", count, from)
	}
	n, err := s.size()
	if err != nil {
		return nil, err
	}
	items := n / s.ItemSize()
	from = min(from, items)
	count = min(count, items-from)
	if s.item == nil {
		return []any{append([]byte{}, s.data[from:from+count]...)}, nil
	}
	values = make([]any, count)
	for i := range values {
		values[i] = s.item.value(s.data[(from+int64(i))*s.item.size:][:s.item.size])
	}
	return values, nil
}

// value is the item in b, an array with all its dimensions.
func (it *item) value(b []byte) any { return it.array(it.dims, b) }

func (it *item) array(dims []int64, b []byte) any {
	if len(dims) == 0 {
		return it.single(b)
	}
	if it.code == "c" && len(dims) == 1 {
		return append([]byte{}, b...)
	}
	list := make([]any, dims[0])
	size := int64(len(b)) / max(dims[0], 1)
	for i := range list {
		list[i] = it.array(dims[1:], b[int64(i)*size:][:size])
	}
	return list
}

// single is one scalar, string or structure.
func (it *item) single(b []byte) any {
	switch it.code {
	case "T":
		return it.structure(b)
	case "s", "c":
		return append([]byte{}, b...)
	case "p": // its first byte is how many of the others count
		if len(b) == 0 {
			return b
		}
		return append([]byte{}, b[1:min(1+int(b[0]), len(b))]...)
	case "?":
		return b[0] != 0
	case "Zf", "Zd":
		half := &item{code: it.code[1:], order: it.order}
		return []any{half.single(b[:len(b)/2]), half.single(b[len(b)/2:])}
	}
	return number(it.code, unsigned(it.order, b), len(b))
}

// structure is a map by name, or a list.
func (it *item) structure(b []byte) any {
	list := make([]any, len(it.fields))
	named := make(map[string]any, len(it.fields))
	for i, f := range it.fields {
		list[i] = f.item.value(b[f.offset:][:f.item.size])
		if f.name != "" {
			named[f.name] = list[i]
		}
	}
	if len(named) < len(list) {
		return list
	}
	return named
}

func unsigned(order byte, b []byte) uint64 {
	var full [8]byte
	if order == '>' {
		copy(full[8-len(b):], b)
		return binary.BigEndian.Uint64(full[:])
	}
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:])
}

// number is what the bits of a scalar of size bytes mean.
func number(code string, bits uint64, size int) any {
	switch code {
	case "f":
		return float64(math.Float32frombits(uint32(bits)))
	case "d":
		return math.Float64frombits(bits)
	case "e":
		return half(uint16(bits))
	case "w":
		if r := rune(bits); utf8.ValidRune(r) {
			return string(r)
		}
		return string(utf8.RuneError)
	case "b", "h", "i", "q":
		unused := 64 - 8*size
		return int64(bits<<unused) >> unused
	}
	return bits
}

// half is a float of 16 bits, as IEEE 754 has it.
func half(bits uint16) float64 {
	sign := 1 - 2*float64(bits>>15)
	exponent, fraction := int(bits>>10&31), float64(bits&1023)
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		if fraction == 0 {
			return math.Inf(int(sign))
		}
		return math.NaN()
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}
