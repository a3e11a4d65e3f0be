package codec

import (
	"encoding/binary"
	"math"
	"math/big"
	"time"
	"unicode/utf8"
)

// First bytes, from the MessagePack specification.
const (
	codePositiveHigh  = 0x7f
	codeFixedMapLow   = 0x80
	codeFixedArrayLow = 0x90
	codeFixedStrLow   = 0xa0
	codeNil           = 0xc0
	codeFalse         = 0xc2
	codeTrue          = 0xc3
	codeBin8          = 0xc4
	codeBin16         = 0xc5
	codeBin32         = 0xc6
	codeExt8          = 0xc7
	codeExt16         = 0xc8
	codeExt32         = 0xc9
	codeFloat         = 0xca
	codeDouble        = 0xcb
	codeUint8         = 0xcc
	codeUint16        = 0xcd
	codeUint32        = 0xce
	codeUint64        = 0xcf
	codeInt8          = 0xd0
	codeInt16         = 0xd1
	codeInt32         = 0xd2
	codeInt64         = 0xd3
	codeFixExt1       = 0xd4
	codeFixExt2       = 0xd5
	codeFixExt4       = 0xd6
	codeFixExt8       = 0xd7
	codeFixExt16      = 0xd8
	codeStr8          = 0xd9
	codeStr16         = 0xda
	codeStr32         = 0xdb
	codeArray16       = 0xdc
	codeArray32       = 0xdd
	codeMap16         = 0xde
	codeMap32         = 0xdf
	codeNegativeLow   = 0xe0
)

// The bytes of each kind of value. Each function appends the shortest form to b.

func appendInt(b []byte, n int64) []byte {
	switch {
	case n >= 0:
		return appendUint(b, uint64(n))
	case n >= -32:
		return append(b, byte(n))
	case n >= math.MinInt8:
		return append(b, codeInt8, byte(n))
	case n >= math.MinInt16:
		return binary.BigEndian.AppendUint16(append(b, codeInt16), uint16(n))
	case n >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(b, codeInt32), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, codeInt64), uint64(n))
}

func appendUint(b []byte, n uint64) []byte {
	switch {
	case n < 128:
		return append(b, byte(n))
	case n <= math.MaxUint8:
		return append(b, codeUint8, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, codeUint16), uint16(n))
	case uint64(n) <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, codeUint32), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, codeUint64), n)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, codeTrue)
	}
	return append(b, codeFalse)
}

func appendFloat64(b []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(append(b, codeDouble), math.Float64bits(f))
}

func appendFloat32(b []byte, f float32) []byte {
	return binary.BigEndian.AppendUint32(append(b, codeFloat), math.Float32bits(f))
}

func appendString(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return b, invalid("string %.40q is not valid UTF-8; send bytes as []byte", s)
	}
	n := len(s)
	switch {
	case n < 32:
		b = append(b, codeFixedStrLow|byte(n))
	case n <= math.MaxUint8:
		b = append(b, codeStr8, byte(n))
	case n <= math.MaxUint16:
		b = binary.BigEndian.AppendUint16(append(b, codeStr16), uint16(n))
	case uint64(n) <= math.MaxUint32:
		b = binary.BigEndian.AppendUint32(append(b, codeStr32), uint32(n))
	default:
		return b, tooLarge("a string of %d bytes; the limit is %d", n, uint32(math.MaxUint32))
	}
	return append(b, s...), nil
}

func appendBytes(b, data []byte) ([]byte, error) {
	b, err := appendBytesHeader(b, len(data))
	if err != nil {
		return b, err // without copying 4 GiB first
	}
	return append(b, data...), nil
}

func appendBytesHeader(b []byte, n int) ([]byte, error) {
	switch {
	case n <= math.MaxUint8:
		return append(b, codeBin8, byte(n)), nil
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, codeBin16), uint16(n)), nil
	case uint64(n) <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, codeBin32), uint32(n)), nil
	}
	return b, tooLarge("%d bytes; the limit is %d", n, uint32(math.MaxUint32))
}

func appendArrayHeader(b []byte, n int) []byte {
	switch {
	case n < 16:
		return append(b, codeFixedArrayLow|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, codeArray16), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(b, codeArray32), uint32(n))
}

func appendMapHeader(b []byte, n int) []byte {
	switch {
	case n < 16:
		return append(b, codeFixedMapLow|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, codeMap16), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(b, codeMap32), uint32(n))
}

func appendExtHeader(b []byte, typ int8, n int) ([]byte, error) {
	switch {
	case n == 1:
		b = append(b, codeFixExt1)
	case n == 2:
		b = append(b, codeFixExt2)
	case n == 4:
		b = append(b, codeFixExt4)
	case n == 8:
		b = append(b, codeFixExt8)
	case n == 16:
		b = append(b, codeFixExt16)
	case n <= math.MaxUint8:
		b = append(b, codeExt8, byte(n))
	case n <= math.MaxUint16:
		b = binary.BigEndian.AppendUint16(append(b, codeExt16), uint16(n))
	case uint64(n) <= math.MaxUint32:
		b = binary.BigEndian.AppendUint32(append(b, codeExt32), uint32(n))
	default:
		return b, tooLarge("%d bytes; the limit is %d", n, uint32(math.MaxUint32))
	}
	return append(b, byte(typ)), nil
}

func appendExtBody(b []byte, typ int8, body []byte) ([]byte, error) {
	b, err := appendExtHeader(b, typ, len(body))
	if err != nil {
		return b, err
	}
	return append(b, body...), nil
}

// wrapExt makes what was appended to b after mark the body of an extension: the header's size is
// known only afterwards, so the body moves up by that much.
func wrapExt(b []byte, mark int, typ int8) ([]byte, error) {
	var room [6]byte
	header, err := appendExtHeader(room[:0], typ, len(b)-mark)
	if err != nil {
		return b, err
	}
	b = append(b, header...)
	copy(b[mark+len(header):], b[mark:len(b)-len(header)])
	copy(b[mark:], header)
	return b, nil
}

// Timestamps lie in the years 1 to 9999, the range of Python's datetime.
const (
	minSeconds = -62135596800
	maxSeconds = 253402300799
)

func appendTime(b []byte, t time.Time) ([]byte, error) {
	s, ns := t.Unix(), uint64(t.Nanosecond())
	switch {
	case s < minSeconds || s > maxSeconds:
		return b, invalid("time %v is outside the years 1 to 9999", t)
	case ns == 0 && s >= 0 && s <= math.MaxUint32:
		b = append(b, codeFixExt4, 0xff)
		return binary.BigEndian.AppendUint32(b, uint32(s)), nil
	case s >= 0 && s < 1<<34:
		b = append(b, codeFixExt8, 0xff)
		return binary.BigEndian.AppendUint64(b, ns<<34|uint64(s)), nil
	}
	b = binary.BigEndian.AppendUint32(append(b, codeExt8, 12, 0xff), uint32(ns))
	return binary.BigEndian.AppendUint64(b, uint64(s)), nil
}

// appendBig writes an integer that fits 64 bits as an ordinary one, so that each value has one form.
func appendBig(b []byte, n *big.Int) ([]byte, error) {
	switch {
	case n.IsInt64():
		return appendInt(b, n.Int64()), nil
	case n.IsUint64():
		return appendUint(b, n.Uint64()), nil
	}
	sign := byte(0)
	if n.Sign() < 0 {
		sign = 1
	}
	return appendExtBody(b, extBigInt, append([]byte{sign}, n.Bytes()...))
}
