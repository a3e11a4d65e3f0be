package layout

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"unsafe"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

var members = [16]byte{7}

// goodHeader is one of a file of 2 * HeaderArea bytes.
func goodHeader() *Header {
	h := &Header{Magic: Magic, Version: Version, Kind: KindQueue, DataOff: HeaderArea, Size: 2 * HeaderArea,
		UUID: [16]byte{1}, Members: members, Created: 1, Pid: 1, Used: 4096}
	h.SetFlags(Transient)
	return h
}

// The offsets in the specification are those of the compiler.
func TestOffsets(t *testing.T) {
	var h Header
	var s Slot
	for _, c := range []struct {
		what      string
		got, want uintptr
	}{
		{"header", unsafe.Sizeof(h), HeaderSize},
		{"magic", unsafe.Offsetof(h.Magic), 0},
		{"version", unsafe.Offsetof(h.Version), 8},
		{"kind", unsafe.Offsetof(h.Kind), 12},
		{"data", unsafe.Offsetof(h.DataOff), 16},
		{"flags", unsafe.Offsetof(h.flags), FlagsOffset},
		{"size", unsafe.Offsetof(h.Size), 24},
		{"uuid", unsafe.Offsetof(h.UUID), 32},
		{"members", unsafe.Offsetof(h.Members), 48},
		{"created", unsafe.Offsetof(h.Created), 64},
		{"pid", unsafe.Offsetof(h.Pid), 72},
		{"used", unsafe.Offsetof(h.Used), 76},
		{"number", unsafe.Offsetof(h.Number), 80},
		{"letter", unsafe.Offsetof(h.Letter), 88},
		{"slot", unsafe.Sizeof(s), SlotSize},
		{"slot generation", unsafe.Offsetof(s.Generation), 0},
		{"slot pid", unsafe.Offsetof(s.Pid), 4},
		{"slot uuid", unsafe.Offsetof(s.UUID), 8},
		{"slot joined", unsafe.Offsetof(s.Joined), 24},
		{"slot start", unsafe.Offsetof(s.StartTicks), 32},
		{"slot namespace", unsafe.Offsetof(s.PidNS), 40},
		{"slot language", unsafe.Offsetof(s.Language), 48},
		{"slot command", unsafe.Offsetof(s.Command), 64},
		{"slot written", unsafe.Offsetof(s.Written), 252},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", c.what, c.got, c.want)
		}
	}
	if MembersFile != 1114112 || SlotOffset(0) != 65536 || SlotOffset(1) != 65792 {
		t.Error("the members file has moved")
	}
}

// Byte by byte, as the specification has it and another implementation would write it.
func TestHeaderBytes(t *testing.T) {
	h := goodHeader()
	h.Created, h.Pid, h.Kind, h.Number, h.Letter = 0x0102030405060708, 0x11121314, KindRing, 0x2122232425262728, 'r'
	h.SetFlags(Transient | Pickle)
	var want []byte
	le := binary.LittleEndian
	want = append(want, "polyipc\x00"...)
	want = le.AppendUint32(want, 1)
	want = le.AppendUint32(want, 16)
	want = le.AppendUint32(want, 65536)
	want = le.AppendUint32(want, 3)
	want = le.AppendUint64(want, 131072)
	want = append(want, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	want = append(want, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	want = le.AppendUint64(want, 0x0102030405060708)
	want = le.AppendUint32(want, 0x11121314)
	want = le.AppendUint32(want, 4096)
	want = le.AppendUint64(want, 0x2122232425262728)
	want = le.AppendUint32(want, 'r')
	want = append(want, make([]byte, 36)...)
	if got := Bytes(h); !bytes.Equal(got, want) {
		t.Fatalf("\n% x, want\n% x", got, want)
	}
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		change func(h *Header)
		code   ipcerr.Code
	}{
		"good":         {func(*Header) {}, 0},
		"pickle":       {func(h *Header) { h.SetFlags(Pickle) }, 0},
		"duplex":       {func(h *Header) { h.SetFlags(Duplex) }, ipcerr.Corrupt},
		"magic":        {func(h *Header) { h.Magic[7] = 1 }, ipcerr.Corrupt},
		"zero":         {func(h *Header) { *h = Header{} }, ipcerr.Corrupt},
		"version":      {func(h *Header) { h.Version++ }, ipcerr.Version},
		"flags":        {func(h *Header) { h.SetFlags(8) }, ipcerr.Version},
		"size":         {func(h *Header) { h.Size++ }, ipcerr.Corrupt},
		"data":         {func(h *Header) { h.DataOff = 0 }, ipcerr.Corrupt},
		"used little":  {func(h *Header) { h.Used = HeaderSize - 1 }, ipcerr.Corrupt},
		"used much":    {func(h *Header) { h.Used = HeaderArea + 1 }, ipcerr.Corrupt},
		"uuid":         {func(h *Header) { h.UUID = [16]byte{} }, ipcerr.Corrupt},
		"kind":         {func(h *Header) { h.Kind = KindPipe }, ipcerr.WrongKind},
		"letter":       {func(h *Header) { h.Letter = 'r' }, ipcerr.Corrupt},
		"part":         {func(h *Header) { h.Kind = KindRing }, ipcerr.Corrupt},
		"members kind": {func(h *Header) { h.Kind = KindMembers }, ipcerr.Corrupt},
		"members":      {func(h *Header) { h.Members[15] = 1 }, ipcerr.Mismatch},
	} {
		h := goodHeader()
		c.change(h)
		err := h.Check(KindQueue, 2*HeaderArea, members)
		if ipcerr.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, size := range []int64{-1, 0, 1, HeaderSize, HeaderArea - 1, HeaderArea, 3 * HeaderArea} {
		if err := goodHeader().Check(KindQueue, size, members); !errors.Is(err, ipcerr.Corrupt) {
			t.Errorf("size %d: %v", size, err)
		}
	}
}

// FuzzCheck holds that a header that passes says nothing that could lead a reader astray.
func FuzzCheck(f *testing.F) {
	f.Add(Bytes(goodHeader()), int64(2*HeaderArea))
	f.Add([]byte{}, int64(0))
	f.Fuzz(func(t *testing.T, b []byte, size int64) {
		var h Header
		copy(Bytes(&h), b)
		before := append([]byte(nil), Bytes(&h)...)
		err := h.Check(h.Kind, size, h.Members)
		if !bytes.Equal(before, Bytes(&h)) {
			t.Error("the check has changed the header")
		}
		if err != nil {
			if c := ipcerr.CodeOf(err); c != ipcerr.Corrupt && c != ipcerr.Version {
				t.Errorf("%v", err)
			}
			return
		}
		if h.Size != size || size < HeaderArea || h.Used > HeaderArea || h.Magic != Magic || h.Version != Version ||
			h.Flags() > 7 || h.Flags()&Duplex != 0 && h.Kind != KindPipe || h.Kind.IsPart() && h.Letter == 0 {
			t.Errorf("passed: %+v", h.Kind)
		}
		if h.Check(h.Kind+1, size, h.Members) == nil {
			t.Error("passes for another kind, too")
		}
	})
}

func TestView(t *testing.T) {
	mem := make([]byte, 32)
	*View[uint64](mem, 24) = 1
	if mem[24] != 1 {
		t.Error("another place")
	}
	for name, f := range map[string]func(){
		"before":    func() { View[uint32](mem, -4) },
		"behind":    func() { View[uint32](mem, 32) },
		"over":      func() { View[uint64](mem, 28) },
		"far":       func() { View[uint32](mem, 1<<62) },
		"unaligned": func() { View[uint32](mem, 2) },
		"nil":       func() { View[uint32](nil, 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestTokens(t *testing.T) {
	for _, slot := range []int{0, 1, Slots - 1} {
		for _, g := range []uint32{1, Generations - 1} {
			token := Token(slot, g)
			if token == 0 || token>>31 != 0 {
				t.Errorf("%#x", token)
			}
			for _, waiter := range []uint32{0, 1 << 31} {
				if s, h := SplitToken(token | waiter); s != slot || h != g {
					t.Errorf("%d %d became %d %d", slot, g, s, h)
				}
			}
		}
	}
}

func TestKinds(t *testing.T) {
	names := map[string]bool{}
	for _, k := range []Kind{KindMembers, KindQueue, KindPipe, KindSegment, KindSync, KindManager, KindRing, KindMessage, 99} {
		if k.IsObject() && k.IsPart() || names[k.String()] {
			t.Error(k)
		}
		names[k.String()] = true
	}
}
