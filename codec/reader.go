package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// decoder reads one message, or the body of an extension inside it. It never reads beyond data and
// never trusts a count: owed is how many values all open containers still ask for, each of which
// takes at least one byte, so a count that the remaining bytes cannot meet is refused before
// anything is allocated for it.
type decoder struct {
	data  []byte
	pos   int
	owed  int
	depth int // containers around the next value

	scratch []entry // see mapping

	receipt uint32      // for the references that are read
	seen    func(r Ref) // not nil: is told of each
	found   *Found      // not nil: is told what there is
}

type kind uint8

const (
	kindNil kind = iota
	kindBool
	kindUint // any integer >= 0
	kindInt  // any integer < 0
	kindFloat
	kindStr
	kindBin
	kindArray
	kindMap
	kindExt
)

var kindNames = [...]string{"nil", "a bool", "an integer", "an integer", "a float", "a str", "a bin",
	"an array", "a map", "an extension"}

func (k kind) String() string { return kindNames[k] }

// token is the head of a value. n is the bool (0, 1), the integer, the bits of the float64, or the
// length or count of what follows.
type token struct {
	kind kind
	ext  int8
	n    uint64
}

// len returns the length or count, which next has held against the bytes there are.
func (t token) len() int { return int(t.n) }

func (d *decoder) left() int { return len(d.data) - d.pos }

// next reads the head of the next value.
func (d *decoder) next() (token, error) {
	if d.pos >= len(d.data) {
		return token{}, d.truncated()
	}
	c := d.data[d.pos]
	d.pos++
	d.owed--
	switch {
	case c <= codePositiveHigh:
		return token{kind: kindUint, n: uint64(c)}, nil
	case c >= codeNegativeLow:
		return token{kind: kindInt, n: uint64(int64(int8(c)))}, nil
	case c < codeFixedArrayLow:
		return d.container(kindMap, uint64(c&0xf))
	case c < codeFixedStrLow:
		return d.container(kindArray, uint64(c&0xf))
	case c < codeNil:
		return d.sized(kindStr, uint64(c&0x1f))
	}
	switch c {
	case codeNil:
		return token{kind: kindNil}, nil
	case codeFalse:
		return token{kind: kindBool}, nil
	case codeTrue:
		return token{kind: kindBool, n: 1}, nil
	case codeFixExt1, codeFixExt2, codeFixExt4, codeFixExt8, codeFixExt16:
		return d.extension(1 << (c - codeFixExt1))
	}
	width := widths[c-codeNil]
	if width == 0 {
		d.pos--
		return token{}, invalid("byte %d is 0x%02x, which starts no MessagePack value", d.pos, c)
	}
	if d.left() < int(width) {
		return token{}, d.truncated()
	}
	n := d.number(width)
	switch c {
	case codeUint8, codeUint16, codeUint32, codeUint64:
		return token{kind: kindUint, n: n}, nil
	case codeInt8:
		return signed(int64(int8(n))), nil
	case codeInt16:
		return signed(int64(int16(n))), nil
	case codeInt32:
		return signed(int64(int32(n))), nil
	case codeInt64:
		return signed(int64(n)), nil
	case codeFloat:
		return token{kind: kindFloat, n: math.Float64bits(float64(math.Float32frombits(uint32(n))))}, nil
	case codeDouble:
		return token{kind: kindFloat, n: n}, nil
	case codeStr8, codeStr16, codeStr32:
		return d.sized(kindStr, n)
	case codeBin8, codeBin16, codeBin32:
		return d.sized(kindBin, n)
	case codeArray16, codeArray32:
		return d.container(kindArray, n)
	case codeMap16, codeMap32:
		return d.container(kindMap, n)
	}
	return d.extension(n) // Ext8, Ext16, Ext32
}

// widths holds, from 0xc0 on, how many bytes of number follow the first byte.
var widths = [32]uint8{
	codeBin8 - codeNil: 1, codeBin16 - codeNil: 2, codeBin32 - codeNil: 4,
	codeExt8 - codeNil: 1, codeExt16 - codeNil: 2, codeExt32 - codeNil: 4,
	codeFloat - codeNil: 4, codeDouble - codeNil: 8,
	codeUint8 - codeNil: 1, codeUint16 - codeNil: 2, codeUint32 - codeNil: 4, codeUint64 - codeNil: 8,
	codeInt8 - codeNil: 1, codeInt16 - codeNil: 2, codeInt32 - codeNil: 4, codeInt64 - codeNil: 8,
	codeStr8 - codeNil: 1, codeStr16 - codeNil: 2, codeStr32 - codeNil: 4,
	codeArray16 - codeNil: 2, codeArray32 - codeNil: 4, codeMap16 - codeNil: 2, codeMap32 - codeNil: 4,
}

func (d *decoder) number(width uint8) uint64 {
	p := d.data[d.pos:]
	d.pos += int(width)
	switch width {
	case 1:
		return uint64(p[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(p))
	case 4:
		return uint64(binary.BigEndian.Uint32(p))
	}
	return binary.BigEndian.Uint64(p)
}

func signed(n int64) token {
	if n >= 0 {
		return token{kind: kindUint, n: uint64(n)}
	}
	return token{kind: kindInt, n: uint64(n)}
}

func (d *decoder) sized(k kind, n uint64) (token, error) {
	if n > uint64(d.left()) {
		return token{}, d.truncated()
	}
	return token{kind: k, n: n}, nil
}

func (d *decoder) extension(n uint64) (token, error) {
	if n+1 > uint64(d.left()) {
		return token{}, d.truncated()
	}
	t := token{kind: kindExt, ext: int8(d.data[d.pos]), n: n}
	d.pos++
	return t, nil
}

func (d *decoder) container(k kind, n uint64) (token, error) {
	if d.depth >= MaxDepth {
		return token{}, tooDeep()
	}
	values := int(n)
	if k == kindMap {
		values *= 2
	}
	if d.owed += values; d.owed > d.left() {
		return token{}, d.truncated()
	}
	return token{kind: k, n: n}, nil
}

func (d *decoder) truncated() error {
	return invalid("the message ends at byte %d, inside a value", len(d.data))
}

// end checks that nothing follows the value just read.
func (d *decoder) end() error {
	if d.left() > 0 {
		return invalid("%d bytes follow the value, which ends at byte %d", d.left(), d.pos)
	}
	return nil
}

// body returns the bytes of a str, bin or extension, as a view of the message.
func (d *decoder) body(t token) []byte {
	b := d.data[d.pos : d.pos+t.len() : d.pos+t.len()]
	d.pos += t.len()
	return b
}

// text returns the bytes of a str, checked to be UTF-8.
func (d *decoder) text(t token) ([]byte, error) {
	b := d.body(t)
	if !utf8.Valid(b) {
		return nil, invalid("the str that ends at byte %d is not valid UTF-8", d.pos)
	}
	return b, nil
}

// inner returns a decoder for the array that an extension's body is.
func (d *decoder) inner(t token) decoder {
	return decoder{
		data: d.body(t), owed: 1, depth: d.depth, scratch: d.scratch,
		receipt: d.receipt, seen: d.seen, found: d.found,
	}
}

// raw skips a value and returns its bytes.
func (d *decoder) raw() ([]byte, error) {
	start := d.pos
	err := d.skip(false)
	return d.data[start:d.pos:d.pos], err
}

// skip reads a value, checks all that Decode would check, and keeps nothing. key says that the value
// is a map's key or a set's member, or inside one.
func (d *decoder) skip(key bool) error {
	t, err := d.next()
	if err != nil {
		return err
	}
	if key && t.kind == kindMap {
		return badKey("a map")
	}
	switch t.kind {
	case kindStr:
		_, err = d.text(t)
	case kindBin:
		d.pos += t.len()
	case kindArray:
		err = d.skipN(t.len(), key)
	case kindMap:
		d.depth++
		for i := 0; i < t.len() && err == nil; i++ {
			if err = d.skip(true); err == nil {
				err = d.skip(key)
			}
		}
		d.depth--
	case kindExt:
		switch t.ext {
		case extTuple, extSet, extFrozenSet:
			if key && t.ext == extSet {
				return badKey("a set")
			}
			in := d.inner(t)
			if t.ext != extTuple {
				return in.skipMembers()
			}
			if t, err = in.members(); err == nil {
				err = in.skipN(t.len(), key)
			}
			if err == nil {
				err = in.end()
			}
		default:
			_, err = d.scalarExt(t, key)
		}
	}
	return err
}

func (d *decoder) skipN(n int, key bool) error {
	d.depth++
	for i := range n {
		if err := d.skip(key); err != nil {
			return atIndex(err, i)
		}
	}
	d.depth--
	return nil
}

// members reads the head of the array in the body of a tuple or set.
func (d *decoder) members() (token, error) {
	t, err := d.next()
	if err == nil && t.kind != kindArray {
		err = invalid("the body of a tuple or set must be an array, not %v", t.kind)
	}
	return t, err
}

// skipMembers checks the body of a set.
func (d *decoder) skipMembers() error {
	t, err := d.members()
	if err == nil {
		err = d.skipN(t.len(), true)
	}
	if err == nil {
		err = d.end()
	}
	return err
}

func badKey(what string) error {
	return invalid("%s cannot be in a key of a map or a member of a set, because Python cannot hash it", what)
}

// expect reads a head that must be of kind k, to be stored in a value of type t.
func (d *decoder) expect(k kind, t fmt.Stringer) (token, error) {
	tok, err := d.next()
	if err == nil && tok.kind != k {
		err = mismatch(tok, t)
	}
	return tok, err
}

func mismatch(tok token, t fmt.Stringer) error {
	if tok.kind == kindExt {
		return invalid("the message has extension type %d here, which %v cannot take", tok.ext, t)
	}
	return invalid("the message has %v here, which %v cannot take", tok.kind, t)
}
