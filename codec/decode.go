package codec

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Decode returns the value of a message, in the types that the package's comment lists.
//
// Of equal keys in a map the last one counts. Invalid: the bytes are not exactly one MessagePack
// value, a str is not UTF-8, an extension of ours or of MessagePack is malformed. TooLarge: more
// than MaxDepth levels or MaxSize bytes.
func Decode(data []byte) (any, error) { return decode(data, 0, nil) }

// DecodeReceived is Decode for a message that came with a receipt; see Ref.
func DecodeReceived(data []byte, receipt uint32) (any, error) { return decode(data, receipt, nil) }

func decode(data []byte, receipt uint32, seen func(Ref)) (any, error) {
	const op = "decode message"
	if err := checkSize(op, data); err != nil {
		return nil, err
	}
	d := newReader(data)
	d.receipt, d.seen = receipt, seen
	v, err := d.value(false)
	if err == nil {
		err = d.end()
	}
	d.release()
	if err != nil {
		return nil, public(op, err)
	}
	return v, nil
}

// readers are pooled for the sake of their scratch, and because they escape through function values.
var readers = sync.Pool{New: func() any { return new(decoder) }}

func newReader(data []byte) *decoder {
	d := readers.Get().(*decoder)
	d.data, d.pos, d.owed, d.depth = data, 0, 1, 0
	return d
}

func (d *decoder) release() {
	d.data, d.receipt, d.seen, d.found = nil, 0, nil, nil
	clear(d.scratch[:cap(d.scratch)]) // of a failed reading, which may have left entries
	if d.scratch = d.scratch[:0]; cap(d.scratch) > 256 {
		d.scratch = nil
	}
	readers.Put(d)
}

func checkSize(op string, data []byte) error {
	if uint64(len(data)) > MaxSize {
		return public(op, tooLarge("the message has %d bytes; the limit is %d", len(data), uint32(MaxSize)))
	}
	if len(data) == 0 {
		return &ipcerr.Error{Op: op, Code: ipcerr.Invalid, Hint: "the message is empty; even nil takes a byte"}
	}
	return nil
}

// value reads one value; key as in skip.
func (d *decoder) value(key bool) (any, error) {
	t, err := d.next()
	if err != nil {
		return nil, err
	}
	switch t.kind {
	case kindNil:
		return nil, nil
	case kindBool:
		return t.n != 0, nil
	case kindUint:
		if t.n > math.MaxInt64 {
			return t.n, nil
		}
		return int64(t.n), nil
	case kindInt:
		return int64(t.n), nil
	case kindFloat:
		return math.Float64frombits(t.n), nil
	case kindStr:
		b, err := d.text(t)
		if err != nil {
			return nil, err
		}
		return string(b), nil
	case kindBin:
		return append([]byte{}, d.body(t)...), nil
	case kindArray:
		return d.list(t.len(), key)
	case kindMap:
		if key {
			return nil, badKey("a map")
		}
		return d.mapping(t.len())
	}
	return d.extValue(t, key)
}

func (d *decoder) list(n int, key bool) ([]any, error) {
	list := make([]any, n)
	d.depth++
	for i := range list {
		v, err := d.value(key)
		if err != nil {
			return nil, atIndex(err, i)
		}
		list[i] = v
	}
	d.depth--
	return list, nil
}

// entry is one of a map that is being read: until its last key is seen it may become a map[string]any
// or Pairs.
type entry struct {
	isText bool
	text   string // the key, if isText
	key    any    // else
	value  any
}

// mapping reads a map. Entries gather in scratch, which all maps of a message share, so that a map
// whose last key is no str need not be read twice: nested, that would take exponential time.
func (d *decoder) mapping(n int) (any, error) {
	base, texts := len(d.scratch), 0
	d.depth++
	for range n {
		e, err := d.entry()
		if err != nil {
			return nil, err
		}
		if e.isText {
			texts++
		}
		d.scratch = append(d.scratch, e)
	}
	d.depth--
	entries := d.scratch[base:]
	d.scratch = d.scratch[:base]
	defer clear(entries)
	if texts == n {
		m := make(map[string]any, n)
		for i := range entries {
			m[entries[i].text] = entries[i].value
		}
		return m, nil
	}
	pairs := make(Pairs, n)
	for i, e := range entries {
		if e.isText {
			e.key = e.text
		}
		pairs[i] = Pair{e.key, e.value}
	}
	return pairs, nil
}

func (d *decoder) entry() (e entry, err error) {
	if e.isText = d.textIsNext(); e.isText {
		var t token
		var b []byte
		if t, err = d.next(); err == nil {
			b, err = d.text(t)
			e.text = string(b)
		}
	} else {
		e.key, err = d.value(true)
	}
	if err != nil {
		return e, at(err, ".(key)")
	}
	if e.value, err = d.value(false); err == nil {
		return e, nil
	}
	if e.isText {
		return e, atKey(err, e.text)
	}
	return e, atKey(err, e.key)
}

func (d *decoder) textIsNext() bool {
	if d.left() == 0 {
		return false
	}
	c := d.data[d.pos]
	return c >= codeFixedStrLow && c < codeNil || c >= codeStr8 && c <= codeStr32
}

func (d *decoder) extValue(t token, key bool) (any, error) {
	if t.ext != extTuple && t.ext != extSet && t.ext != extFrozenSet {
		return d.scalarExt(t, key)
	}
	if key && t.ext == extSet {
		return nil, badKey("a set")
	}
	in := d.inner(t)
	head, err := in.members()
	if err != nil {
		return nil, err
	}
	list, err := in.list(head.len(), key || t.ext != extTuple)
	if err == nil {
		err = in.end()
	}
	switch {
	case err != nil:
		return nil, err
	case t.ext == extTuple:
		return Tuple(list), nil
	case t.ext == extSet:
		return Set(list), nil
	}
	return FrozenSet(list), nil
}

// scalarExt reads an extension that holds no further values of any type.
func (d *decoder) scalarExt(t token, key bool) (any, error) {
	body := d.body(t)
	switch t.ext {
	case extTimestamp:
		return readTime(body)
	case extUUID:
		if len(body) != 16 {
			return nil, invalid("a UUID of %d bytes; it has 16", len(body))
		}
		return uuid.UUID(body), nil
	case extBigInt:
		return readBig(body)
	case extRef:
		return d.ref(body)
	case extNDArray:
		if key {
			return nil, badKey("an n-dimensional array")
		}
		return readNDArray(body)
	case extPickle:
		if d.depth > 0 && d.found == nil {
			return nil, invalid("a pickle inside of something else; it is always a whole message")
		}
		if d.found != nil {
			d.found.Pickle = true
		}
		return Pickle(slices.Clone(body)), nil
	}
	if t.ext < 0 || t.ext >= extReserved {
		return nil, invalid("extension type %d is not known; a later version of polyipc may have written it", t.ext)
	}
	return Ext{t.ext, append([]byte{}, body...)}, nil
}

func readTime(b []byte) (time.Time, error) {
	var s int64
	var ns uint64
	switch len(b) {
	case 4:
		s = int64(binary.BigEndian.Uint32(b))
	case 8:
		n := binary.BigEndian.Uint64(b)
		s, ns = int64(n&(1<<34-1)), n>>34
	case 12:
		s, ns = int64(binary.BigEndian.Uint64(b[4:])), uint64(binary.BigEndian.Uint32(b))
	default:
		return time.Time{}, invalid("a timestamp of %d bytes; it has 4, 8 or 12", len(b))
	}
	if ns >= 1e9 || s < minSeconds || s > maxSeconds {
		return time.Time{}, invalid("timestamp %d s + %d ns is not in the years 1 to 9999", s, ns)
	}
	return time.Unix(s, int64(ns)).UTC(), nil
}

func readBig(b []byte) (*big.Int, error) {
	// 8 bytes of magnitude, or a negative one of 8 bytes up to 2^63, would fit an ordinary integer.
	if len(b) < 9 || b[0] > 1 || b[1] == 0 {
		return nil, invalid("a malformed big integer; it is a sign (0 or 1) and at least 8 bytes, the first not 0")
	}
	n := new(big.Int).SetBytes(b[1:])
	if b[0] == 1 {
		n.Neg(n)
	}
	if n.IsInt64() || n.IsUint64() {
		return nil, invalid("big integer %v fits 64 bits and must be an ordinary integer", n)
	}
	return n, nil
}

func (d *decoder) ref(b []byte) (Ref, error) {
	if len(b) < 17 {
		return Ref{}, invalid("a reference of %d bytes; it has at least 17", len(b))
	}
	r := Ref{Kind: b[0], UUID: uuid.UUID(b[1:17]), Name: string(b[17:]), Receipt: d.receipt}
	if err := r.check(); err != nil {
		return r, err
	}
	if d.seen != nil {
		d.seen(r)
	}
	if d.found != nil {
		d.found.Refs = true
	}
	return r, nil
}

func (r Ref) check() error {
	if r.Kind == 0 {
		return invalid("a reference of kind 0")
	}
	if len(r.Name) > 128 {
		return invalid("a reference whose name has %d bytes; the limit is 128", len(r.Name))
	}
	for _, c := range []byte(r.Name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return invalid("reference name %q has a byte outside [A-Za-z0-9._-]", r.Name)
		}
	}
	return nil
}
