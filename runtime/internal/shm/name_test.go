package shm

import (
	"strings"
	"testing"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

const someUUID = "01234567-89ab-4def-8123-456789abcdef"

func TestNames(t *testing.T) {
	r := testRoot(t)
	for _, name := range []string{"a", "A.b_c-9", "-", "_", "0", strings.Repeat("x", 128), "members2", someUUID + "x",
		"x" + someUUID, strings.ToUpper(someUUID), someUUID[:35], someUUID + "_r1"} {
		o := create(t, r, name, 0)
		p := open(t, r, name)
		must(t, p.Close())
		must(t, r.Unlink(name, layout.KindQueue))
		must(t, o.Close())
	}
	for name, code := range map[string]ipcerr.Code{
		"/": ipcerr.Invalid, "..": ipcerr.Invalid, ".": ipcerr.Invalid, ".tmp.x": ipcerr.Invalid, "../x": ipcerr.Invalid,
		"a/b": ipcerr.Invalid, "a\x00b": ipcerr.Invalid, "ä": ipcerr.Invalid, "a b": ipcerr.Invalid, "a\n": ipcerr.Invalid,
		"members": ipcerr.Invalid, someUUID + ".r1": ipcerr.Invalid, someUUID + ".": ipcerr.Invalid,
		strings.Repeat("x", 129): ipcerr.TooLarge, strings.Repeat("/", 10000): ipcerr.TooLarge,
	} {
		_, err := r.Create(name, spec(0))
		want(t, err, code)
		if len(err.Error()) > 500 {
			t.Errorf("a message of %d bytes", len(err.Error()))
		}
		_, err = r.Open(name, layout.KindQueue, testMembers, true)
		want(t, err, code)
		want(t, r.Unlink(name, layout.KindQueue), code)
	}
	_, err := r.Open("", layout.KindQueue, testMembers, true)
	want(t, err, ipcerr.Invalid)
	// A UUID may be opened, since it may name an anonymous object, but nobody can claim one.
	_, err = r.Create(someUUID, spec(0))
	want(t, err, ipcerr.Invalid)
	_, err = r.Open(someUUID, layout.KindQueue, testMembers, true)
	want(t, err, ipcerr.NotFound)
}

func TestPartNames(t *testing.T) {
	parent := [16]byte{0x01, 0xfe, 9: 7}
	for _, n := range []uint64{0, 1, 10, 1<<64 - 1} {
		name := partName(parent, 'm', n)
		p, l, m, ok := splitPart(name)
		if !ok || p != parent || l != 'm' || m != n {
			t.Errorf("%q became %x %c %d %v", name, p, l, m, ok)
		}
	}
	base := uuidName(parent)
	for _, bad := range []string{"", base, base + ".", base + ".r", base + ".1", base + ".R1", base + ".r01", base + ".r-1",
		base + ".r+1", base + ".r1x", base + ".r18446744073709551616", strings.ToUpper(base) + ".r1", "x" + base + ".r1"} {
		if _, _, _, ok := splitPart(bad); ok {
			t.Errorf("%q passes for a part", bad)
		}
	}
}
