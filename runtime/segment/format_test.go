package segment

import (
	"strings"
	"testing"
)

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		given, want string
		size        int64
	}{
		// Every type code of array and struct, native and standard.
		{"b", "<b", 1}, {"B", "<B", 1}, {"?", "<?", 1}, {"c", "<c", 1}, {"h", "<h", 2}, {"H", "<H", 2}, {"i", "<i", 4},
		{"I", "<I", 4}, {"l", "<q", 8}, {"L", "<Q", 8}, {"q", "<q", 8}, {"Q", "<Q", 8}, {"n", "<q", 8}, {"N", "<Q", 8},
		{"e", "<e", 2}, {"f", "<f", 4}, {"d", "<d", 8}, {"u", "<w", 4}, {"w", "<w", 4}, {"Zf", "<Zf", 8}, {"Zd", "<Zd", 16},
		{"<l", "<i", 4}, {"=L", "<I", 4}, {">i", ">i", 4}, {"!d", ">d", 8}, {">b", "<b", 1}, {"@i", "<i", 4}, {"^l", "<q", 8},
		{"5s", "5s", 5}, {"s", "1s", 1}, {"7p", "7p", 7}, {" i ", "<i", 4},
		// Counts and shapes.
		{"3i", "(3)<i", 12}, {"(2,3)d", "(2,3)<d", 48}, {"(2,3)<d", "(2,3)<d", 48}, {"(2)3i", "(2,3)<i", 24}, {"(2)5s", "(2)5s", 10},
		// Structures, of C's layout and of others.
		{"T{i:x:d:y:}", "T{<i:x:4x<d:y:}", 16}, {"T{<i:x:<d:y:}", "T{<i:x:<d:y:}", 12}, {"=id", "T{<i<d}", 12},
		{"id", "T{<i4x<d}", 16}, {"T{d:x:i:y:}", "T{<d:x:<i:y:4x}", 16}, {"di", "T{<d<i}", 12}, {"i:x:", "T{<i:x:}", 4},
		{"T{b:a:T{b:b:d:c:}:in:}", "T{<b:a:7xT{<b:b:7x<d:c:}:in:}", 24}, {"2T{h:a:b:b:}", "(2)T{<h:a:<b:b:x}", 8},
		{"T{(2,3)<h:m:5s:n:}", "T{(2,3)<h:m:5s:n:}", 17}, {"T{i:größe:}", "T{<i:größe:}", 4}, {"T{4xi:x:}", "T{4x<i:x:}", 8},
	} {
		it, err := read(c.given, 0)
		if err != nil {
			t.Errorf("%q: %v", c.given, err)
			continue
		}
		if it.String() != c.want || it.size != c.size {
			t.Errorf("%q became %q of %d bytes, not %q of %d", c.given, it, it.size, c.want, c.size)
		}
		again, err := read(it.String(), it.size)
		if err != nil || again.String() != it.String() || again.size != it.size {
			t.Errorf("%q: read again it is %q, %v", it, again, err)
		}
	}
	// ctypes of Python 3.11 leaves out padding; the size tells.
	it, err := read("T{<b:a:<i:x:<d:y:(5)<c:n:(2,3)<h:m:}", 40)
	if want := "T{<b:a:3x<i:x:<d:y:(5)<c:n:x(2,3)<h:m:6x}"; err != nil || it.String() != want {
		t.Errorf("padded: %q, %v", it, err)
	}
}

func TestBadFormats(t *testing.T) {
	for _, text := range []string{
		"", " ", "<", "y", "P", "O", "g", "&i", "0i", "(0)i", "(2", "(2,)i", "(2)", "()i", "5", "T", "T{", "T{}", "T{i", "T{i}}", "i:x", "i::", "i:\x01:",
		"i\x00i", "Zi", "99999999999999999999i", "(70368744177664,70368744177664)d", "70368744177664s70368744177664s", "70368744177664x70368744177664xi",
		"(1,1,1,1,1,1,1,1,1)i", "i:\xff:", "}", "i}", "xx", strings.Repeat("T{", 17) + "i" + strings.Repeat("}", 17), strings.Repeat("iq", 200), strings.Repeat(" ", 5000) + "i",
	} {
		if it, err := read(text, 0); err == nil {
			t.Errorf("%.60q became %q of %d bytes", text, it, it.size)
		}
	}
	if _, err := read("i", 8); err == nil {
		t.Error("an i of 8 bytes")
	}
}

func FuzzFormat(f *testing.F) {
	f.Add("T{<b:a:<i:x:<d:y:(5)<c:n:(2,3)<h:m:}")
	f.Add("(2)3i4x5sZd")
	f.Fuzz(func(t *testing.T, text string) {
		it, err := read(text, 0)
		if err != nil {
			return
		}
		again, err := read(it.String(), it.size)
		if err != nil || again.String() != it.String() || again.size != it.size {
			t.Fatalf("%q became %q of %d, and that %q, %v", text, it, it.size, again, err)
		}
	})
}
