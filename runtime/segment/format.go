package segment

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/polyipc/polyipc/runtime/internal/layout"
)

// This file reads formats: what one item of a segment is, in the notation of PEP 3118, which is that of
// Python's struct module with structures, arrays and names on top. Every language hands over what it has,
// "l" or "T{i:x:d:y:}"; what is stored is canonical, so that two formats mean the same bytes exactly when
// their texts are equal:
//
//	item   = [ "(" n { "," n } ")" ] ( order code | n "s" | n "p" | struct )
//	struct = "T{" { item [ ":" name ":" ] | [ n ] "x" } "}"
//	order  = "<" | ">"
//	code   = "?" "c" "b" "B" "h" "H" "i" "I" "q" "Q" "e" "f" "d" "Zf" "Zd" "w"
//
// Sizes are the standard ones, i 4 and q 8 bytes; padding is spelled out. c is a character of one byte, w
// one of four.

// item is a format that was read: a scalar, a string, a structure, or an array of those.
type item struct {
	dims   []int64 // of an array; empty: one
	code   string  // as above; "s", "p", "T"
	order  byte    // '<' or '>'; 0 where there is none
	length int64   // of "s" and "p"
	fields []field // of "T", by offset
	size   int64   // bytes, of the whole array
	align  int64   // what its native layout asks for
}

type field struct {
	name   string // "" has none
	offset int64
	item   item
}

// scalar is what a code stands for. In native mode, and for ctypes, l and L have 8 bytes, else 4.
type scalar struct {
	code string // the canonical one
	size int64
}

var scalars = map[string]scalar{
	"?": {"?", 1}, "c": {"c", 1}, "b": {"b", 1}, "B": {"B", 1}, "h": {"h", 2}, "H": {"H", 2},
	"i": {"i", 4}, "I": {"I", 4}, "l": {"i", 4}, "L": {"I", 4}, "q": {"q", 8}, "Q": {"Q", 8},
	"n": {"q", 8}, "N": {"Q", 8}, "e": {"e", 2}, "f": {"f", 4}, "d": {"d", 8}, "Zf": {"Zf", 8}, "Zd": {"Zd", 16},
	"u": {"w", 4}, "w": {"w", 4}, // a wchar_t has 4 bytes wherever polyipc runs
}

// Bounds of what is read: a format comes from anybody.
const (
	longestFormat = 4 * layout.MaxFormat // as it is given; the canonical one is longer or shorter
	deepestFormat = 16
)

type reader struct {
	text    string
	at      int
	order   byte // '@', '^', '=', '<', '>': what the text said last
	natural bool // align as C does, whatever the text says
	depth   int
}

// read reads a format whose items have size bytes each; 0 if the caller does not know.
func read(text string, size int64) (*item, error) {
	it, err := readAs(text, false)
	if err != nil || size == 0 || it.size == size {
		return it, err
	}
	// Before Python 3.12, ctypes leaves out the padding of its structures.
	if padded, err := readAs(text, true); err == nil && padded.size == size {
		return padded, nil
	}
	return nil, fmt.Errorf("format %.60q describes items of %d bytes, not %d: spell out the padding", text, it.size, size)
}

func readAs(text string, natural bool) (*item, error) {
	if len(text) > longestFormat {
		return nil, fmt.Errorf("a format of %d bytes: at most %d are possible", len(text), layout.MaxFormat)
	}
	r := &reader{text: text, order: '@', natural: natural}
	whole, err := r.fields(false)
	if err != nil {
		return nil, fmt.Errorf("format %.60q at %d: %w", text, r.at, err)
	}
	if len(whole.fields) == 0 {
		return nil, fmt.Errorf("format %.60q describes nothing: give one such as \"i\", or none", text)
	}
	if f := whole.fields[0]; len(whole.fields) == 1 && f.name == "" && f.offset == 0 && f.item.size == whole.size {
		whole = f.item
	}
	if n := len(whole.String()); n > layout.MaxFormat {
		return nil, fmt.Errorf("format %.60q has %d bytes with all padding spelled out: at most %d are possible", text, n, layout.MaxFormat)
	}
	return &whole, nil
}

// fields reads up to the end, or to the brace that closes a structure.
func (r *reader) fields(braced bool) (item, error) {
	s := item{code: "T", align: 1}
	native := r.aligned()
	for {
		r.skip()
		switch c := r.peek(); {
		case c == 0 && r.at < len(r.text):
			return s, fmt.Errorf("a zero byte")
		case c == 0 && braced:
			return s, fmt.Errorf("the structure does not end with }")
		case c == 0, c == '}' && braced:
			if braced {
				r.at++
				if native || r.natural {
					s.size = up(s.size, s.align)
				}
			}
			return s, nil
		}
		if pad, ok := r.padding(); ok {
			if s.size += pad; s.size > layout.MaxFile {
				return s, errLarge
			}
			continue
		}
		it, err := r.item()
		if err != nil {
			return s, err
		}
		name, err := r.name()
		if err != nil {
			return s, err
		}
		if r.aligned() {
			s.size = up(s.size, it.align)
			s.align = max(s.align, it.align)
		}
		s.fields = append(s.fields, field{name, s.size, it})
		if s.size += it.size; s.size > layout.MaxFile {
			return s, errLarge
		}
	}
}

var errLarge = fmt.Errorf("an item has more bytes than a segment can")

// item reads a scalar, a string or a structure, with its dimensions.
func (r *reader) item() (item, error) {
	var it item
	if r.peek() == '(' {
		for r.at++; ; r.at++ {
			n, err := r.number()
			if err != nil {
				return it, err
			}
			it.dims = append(it.dims, n)
			if r.peek() != ',' {
				break
			}
		}
		if r.peek() != ')' {
			return it, fmt.Errorf("the dimensions do not end with )")
		}
		r.at++
		r.skip()
	}
	count, counted := int64(1), false
	if c := r.peek(); c >= '0' && c <= '9' {
		var err error
		if count, err = r.number(); err != nil {
			return it, err
		}
		counted = true
	}
	if err := r.base(&it, count); err != nil {
		return it, err
	}
	if counted && it.length == 0 {
		it.dims = append(it.dims, count)
	}
	if len(it.dims) > layout.MaxDims {
		return it, fmt.Errorf("%d dimensions: at most %d are possible", len(it.dims), layout.MaxDims)
	}
	for _, n := range it.dims {
		if n > layout.MaxFile/max(it.size, 1) {
			return it, errLarge
		}
		it.size *= n
	}
	return it, nil
}

// base reads what follows the dimensions and the count.
func (r *reader) base(it *item, count int64) error {
	c := r.peek()
	if c == 'T' && strings.HasPrefix(r.text[r.at:], "T{") {
		if r.depth++; r.depth > deepestFormat {
			return fmt.Errorf("more than %d structures within each other", deepestFormat)
		}
		r.at += 2
		s, err := r.fields(true)
		r.depth--
		s.dims = it.dims
		*it = s
		if err == nil && s.size == 0 {
			err = fmt.Errorf("a structure without fields")
		}
		return err
	}
	code := string(c)
	if c == 'Z' && r.at+1 < len(r.text) {
		code = r.text[r.at : r.at+2]
	}
	switch code {
	case "s", "p":
		r.at++
		it.code, it.length, it.size, it.align = code, count, count, 1
		return nil
	case "P", "O", "&", "X":
		return fmt.Errorf("%q is an address, which means nothing to another process", code)
	case "g":
		return fmt.Errorf("a long double (%q) is not the same on all machines: use \"d\"", code)
	}
	s, ok := scalars[code]
	if !ok {
		return fmt.Errorf("%q is no type code", code)
	}
	r.at += len(code)
	if (code == "l" || code == "L") && (r.order == '@' || r.order == '^') {
		s = scalars[map[string]string{"l": "q", "L": "Q"}[code]]
	}
	it.code, it.size, it.align, it.order = s.code, s.size, s.size, '<'
	if code[0] == 'Z' {
		it.align /= 2
	}
	if r.order == '>' && s.size > 1 {
		it.order = '>'
	}
	return nil
}

func (r *reader) aligned() bool { return r.natural || r.order == '@' }

func (r *reader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

// skip passes blanks and byte orders.
func (r *reader) skip() {
	for {
		switch c := r.peek(); c {
		case '@', '^', '=', '<', '>':
			r.order = c
		case '!':
			r.order = '>'
		case ' ', '\t', '\n':
		default:
			return
		}
		r.at++
	}
}

// padding reads bytes that mean nothing, or leaves everything as it is.
func (r *reader) padding() (int64, bool) {
	at, n := r.at, int64(1)
	if c := r.peek(); c >= '0' && c <= '9' {
		var err error
		if n, err = r.number(); err != nil {
			r.at = at
			return 0, false
		}
	}
	if r.peek() != 'x' {
		r.at = at
		return 0, false
	}
	r.at++
	return n, true
}

func (r *reader) number() (int64, error) {
	start := r.at
	for c := r.peek(); c >= '0' && c <= '9'; c = r.peek() {
		r.at++
	}
	n, err := strconv.ParseInt(r.text[start:r.at], 10, 64)
	if err != nil || n < 1 || n > layout.MaxFile {
		return 0, fmt.Errorf("%q is no number of items: give 1 or more", r.text[start:r.at])
	}
	return n, nil
}

// name reads a field's name, if it has one.
func (r *reader) name() (string, error) {
	if r.peek() != ':' {
		return "", nil
	}
	name, _, found := strings.Cut(r.text[r.at+1:], ":")
	bad := func(c rune) bool { return !unicode.IsPrint(c) }
	if !found || name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, bad) {
		return "", fmt.Errorf("a field's name is printable text between two colons")
	}
	r.at += len(name) + 2
	return name, nil
}

// up rounds n up to a multiple of align.
func up(n, align int64) int64 { return (n + align - 1) / align * align }

// String is the canonical text.
func (it *item) String() string {
	var b strings.Builder
	it.write(&b)
	return b.String()
}

func (it *item) write(b *strings.Builder) {
	for i, n := range it.dims {
		b.WriteByte("(,"[min(i, 1)])
		b.WriteString(strconv.FormatInt(n, 10))
	}
	if len(it.dims) > 0 {
		b.WriteByte(')')
	}
	switch it.code {
	case "s", "p":
		b.WriteString(strconv.FormatInt(it.length, 10) + it.code)
	case "T":
		it.writeFields(b)
	default:
		b.WriteByte(it.order)
		b.WriteString(it.code)
	}
}

func (it *item) writeFields(b *strings.Builder) {
	pad := func(n int64) {
		if n > 1 {
			b.WriteString(strconv.FormatInt(n, 10))
		}
		if n > 0 {
			b.WriteByte('x')
		}
	}
	b.WriteString("T{")
	at := int64(0)
	for i := range it.fields {
		f := &it.fields[i]
		pad(f.offset - at)
		f.item.write(b)
		if f.name != "" {
			b.WriteString(":" + f.name + ":")
		}
		at = f.offset + f.item.size
	}
	pad(it.one() - at)
	b.WriteByte('}')
}

// one is the size of one element of the array.
func (it *item) one() int64 {
	n := it.size
	for _, d := range it.dims {
		n /= d
	}
	return n
}
