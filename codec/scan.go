package codec

import "strings"

// wrapped is how many levels of nesting are kept free around a value, for who hands on several values as one.
const wrapped = 8

// Raw is one value as its bytes: a message of its own.
type Raw = []byte

// Found tells what a scanned value holds that somebody must look after.
type Found struct {
	Refs   bool // references
	Pickle bool
}

// Scanner reads a message piece by piece, without making values of it. It checks all that Decode checks, so what
// Value returns may be kept, sent on and read by anybody. The pieces are views of the message.
//
// What Value returns may be wrapped in some arrays more, and is a message yet. Pickles may be anywhere in it, since
// a manager's arguments and results hold several values; Found tells.
type Scanner struct {
	Found // in all values since Reset
	d     decoder
}

// Reset makes s read data, from its start.
func (s *Scanner) Reset(data []byte) {
	s.Found = Found{}
	s.d = decoder{data: data, owed: 1, found: &s.Found}
}

// Array reads the head of an array: how many values follow.
func (s *Scanner) Array() (int, error) {
	t, err := s.piece(kindArray)
	return t.len(), err
}

// Map reads the head of a map: how many pairs of a key and a value follow.
func (s *Scanner) Map() (int, error) {
	t, err := s.piece(kindMap)
	return t.len(), err
}

// Uint reads an integer that is not negative.
func (s *Scanner) Uint() (uint64, error) {
	t, err := s.piece(kindUint)
	return t.n, err
}

// Bool reads a bool.
func (s *Scanner) Bool() (bool, error) {
	t, err := s.piece(kindBool)
	return t.n == 1, err
}

// Text reads a str.
func (s *Scanner) Text() ([]byte, error) {
	t, err := s.piece(kindStr)
	if err != nil {
		return nil, err
	}
	b, err := s.d.text(t)
	return b, s.fail(err)
}

// Bin reads a bin.
func (s *Scanner) Bin() ([]byte, error) {
	t, err := s.piece(kindBin)
	if err != nil {
		return nil, err
	}
	return s.d.body(t), nil
}

// Nil reads a nil, if one comes.
func (s *Scanner) Nil() bool {
	if s.d.left() == 0 || s.d.data[s.d.pos] != codeNil {
		return false
	}
	_, err := s.d.next()
	return err == nil
}

// Value reads a value of any kind and returns its bytes.
func (s *Scanner) Value() (Raw, error) { return s.value(false) }

// Key is Value for the key of a map or the member of a set.
func (s *Scanner) Key() (Raw, error) { return s.value(true) }

func (s *Scanner) value(key bool) (Raw, error) {
	start := s.d.pos
	s.d.depth = wrapped
	err := s.d.skip(key)
	s.d.depth = 0
	return s.d.data[start:s.d.pos:s.d.pos], s.fail(err)
}

// End checks that the message ends here.
func (s *Scanner) End() error { return s.fail(s.d.end()) }

func (s *Scanner) piece(k kind) (token, error) {
	t, err := s.d.next()
	if err == nil && t.kind != k {
		err = invalid("%v where %v belongs, at byte %d", t.kind, k, s.d.pos-1)
	}
	if err != nil {
		return token{}, s.fail(err)
	}
	return t, nil
}

func (s *Scanner) fail(err error) error {
	if err == nil {
		return nil
	}
	return public("read message", err)
}

// Check reads one value as Scanner.Value does, and tells what it holds.
func Check(data []byte) (Found, error) {
	if err := checkSize("check message", data); err != nil {
		return Found{}, err
	}
	var s Scanner
	s.Reset(data)
	_, err := s.Value()
	if err == nil {
		err = s.End()
	}
	return s.Found, err
}

// The functions below append the pieces of a message to dst, each in its shortest form.

// AppendNil appends nil.
func AppendNil(dst []byte) []byte { return append(dst, codeNil) }

// AppendBool appends a bool.
func AppendBool(dst []byte, v bool) []byte { return appendBool(dst, v) }

// AppendInt appends an integer.
func AppendInt(dst []byte, n int64) []byte { return appendInt(dst, n) }

// AppendUint appends an integer.
func AppendUint(dst []byte, n uint64) []byte { return appendUint(dst, n) }

// AppendFloat appends a float.
func AppendFloat(dst []byte, f float64) []byte { return appendFloat64(dst, f) }

// AppendArray appends the head of an array of n values.
func AppendArray(dst []byte, n int) []byte { return appendArrayHeader(dst, n) }

// AppendMap appends the head of a map of n pairs.
func AppendMap(dst []byte, n int) []byte { return appendMapHeader(dst, n) }

// AppendText appends a str. What is not UTF-8 in s becomes the replacement character: for texts of our own and
// errors of others.
func AppendText(dst []byte, s string) []byte {
	b, err := appendString(dst, s)
	if err != nil {
		b, _ = appendString(dst, strings.ToValidUTF8(s, "\uFFFD"))
	}
	return b
}

// AppendBin appends bytes.
func AppendBin(dst, data []byte) []byte {
	b, err := appendBytes(dst, data)
	if err != nil {
		panic(err) // over 4 GiB
	}
	return b
}

// AppendSet appends a set of the members, each of which is a value.
func AppendSet(dst []byte, members []Raw) []byte {
	mark := len(dst)
	dst = appendArrayHeader(dst, len(members))
	for _, m := range members {
		dst = append(dst, m...)
	}
	dst, err := wrapExt(dst, mark, extSet)
	if err != nil {
		panic(err) // over 4 GiB
	}
	return dst
}

// AppendRef appends a reference, which must be a valid one.
func AppendRef(dst []byte, r Ref) []byte {
	b, err := appendRef(dst, r)
	if err != nil {
		panic(err)
	}
	return b
}
