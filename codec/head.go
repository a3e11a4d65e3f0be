package codec

import (
	"math/big"
	"time"
)

// Kind is what a value is, as far as its head tells.
type Kind = kind

// The kinds. An integer that is not negative is KindUint, whatever its form.
const (
	KindNil   = kindNil
	KindBool  = kindBool
	KindUint  = kindUint
	KindInt   = kindInt // a negative one
	KindFloat = kindFloat
	KindStr   = kindStr
	KindBin   = kindBin
	KindArray = kindArray
	KindMap   = kindMap
	KindExt   = kindExt
)

// Extension types of polyipc, for who reads heads.
const (
	ExtTimestamp = extTimestamp
	ExtRef       = extRef
	ExtUUID      = extUUID
	ExtBigInt    = extBigInt
	ExtNDArray   = extNDArray
	ExtTuple     = extTuple
	ExtSet       = extSet
	ExtFrozenSet = extFrozenSet
	ExtPickle    = extPickle
)

// Head is the head of a value.
type Head struct {
	Kind Kind
	Ext  int8   // the type of an extension
	N    uint64 // the bool (0, 1), the integer in two's complement, the float's bits; else the length or count of what follows
	Size int    // of the head, in bytes
}

// HeadOf reads the head of a value that was checked.
func HeadOf(checked Raw) Head {
	d := decoder{data: checked, owed: 1}
	t, _ := d.next()
	return Head{Kind: t.kind, Ext: t.ext, N: t.n, Size: d.pos}
}

// Body is what follows the head: of a str, a bin or an extension its bytes, of an array or a map the values.
func Body(checked Raw) []byte { return checked[HeadOf(checked).Size:] }

// Split returns the first of the checked values that lie one after the other in b, and what follows it.
func Split(b []byte) (first Raw, rest []byte) {
	d := decoder{data: b, owed: 1}
	for d.owed > 0 { // each value that is read adds those within it
		t, err := d.next()
		if err != nil {
			return b, nil // was not checked
		}
		if t.kind == kindStr || t.kind == kindBin || t.kind == kindExt {
			d.pos += t.len()
		}
	}
	return b[:d.pos:d.pos], b[d.pos:]
}

// AppendExt appends an extension with that body, its head in the shortest form.
func AppendExt(dst []byte, typ int8, body []byte) []byte {
	b, err := appendExtBody(dst, typ, body)
	if err != nil {
		panic(err) // over 4 GiB
	}
	return b
}

// AppendBig appends an integer of any size.
func AppendBig(dst []byte, n *big.Int) []byte {
	b, err := appendBig(dst, n)
	if err != nil {
		panic(err) // over 4 GiB
	}
	return b
}

// AppendTime appends a moment of the years 1 to 9999.
func AppendTime(dst []byte, t time.Time) []byte {
	b, err := appendTime(dst, t)
	if err != nil {
		panic(err)
	}
	return b
}

// TimeOf reads a moment that was checked.
func TimeOf(checked Raw) time.Time {
	t, _ := readTime(Body(checked))
	return t
}

// BigOf reads a big integer that was checked.
func BigOf(checked Raw) *big.Int {
	n, _ := readBig(Body(checked))
	return n
}
