package codec

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

func TestScan(t *testing.T) {
	r := Ref{Kind: 4, UUID: uuid.New(), Name: "list"}
	pickle := marshaled(t, Pickle("\x80\x05N."))
	within := marshaled(t, Tuple{int64(1), r})
	b := AppendArray(nil, 9)
	b = AppendText(b, "get\xff")
	b = AppendUint(b, 7)
	b = AppendNil(b)
	b = append(b, within...)
	b = append(AppendMap(b, 1), append(AppendText(nil, "k"), pickle...)...)
	b = AppendBin(b, []byte{1})
	b = AppendSet(b, []Raw{AppendInt(nil, -1), AppendBool(nil, true)})
	b = AppendFloat(b, 1.5)
	b = AppendRef(b, r)
	var s Scanner
	s.Reset(b)
	n, err := s.Array()
	name, err1 := s.Text()
	u, err2 := s.Uint()
	null := s.Nil()
	if n != 9 || string(name) != "get\ufffd" || u != 7 || !null || s.Nil() || errors.Join(err, err1, err2) != nil {
		t.Fatal(n, name, u, null, err, err1, err2)
	}
	if v, err := s.Value(); !bytes.Equal(v, within) || err != nil || !s.Refs || s.Pickle {
		t.Fatal(v, err, s.Found)
	}
	if n, err := s.Map(); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if k, err := s.Key(); string(k) != "\xa1k" || err != nil {
		t.Fatal(k, err)
	}
	if v, err := s.Value(); !bytes.Equal(v, pickle) || err != nil || !s.Pickle {
		t.Fatal(v, err, s.Found)
	}
	if v, err := s.Bin(); len(v) != 1 || err != nil {
		t.Fatal(v, err)
	}
	set, err := s.Value()
	if v, err1 := Decode(set); err != nil || err1 != nil || len(v.(Set)) != 2 {
		t.Fatal(set, v, err)
	}
	for range 2 {
		if _, err := s.Value(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Value(); !errors.Is(err, ipcerr.Invalid) {
		t.Error(err)
	}
}

// TestScanHostile cuts a message off at every byte and puts nonsense at each.
func TestScanHostile(t *testing.T) {
	whole := AppendArray(nil, 2)
	whole = append(whole, marshaled(t, map[string]any{"a": []any{int64(1), "x", Tuple{true}}})...)
	whole = AppendText(whole, "tail")
	read := func(b []byte) error {
		var s Scanner
		s.Reset(b)
		if _, err := s.Array(); err != nil {
			return err
		}
		if _, err := s.Value(); err != nil {
			return err
		}
		if _, err := s.Text(); err != nil {
			return err
		}
		return s.End()
	}
	if err := read(whole); err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		if err := read(whole[:i]); !errors.Is(err, ipcerr.Invalid) {
			t.Errorf("cut at %d: %v", i, err)
		}
		bad := bytes.Clone(whole)
		bad[i] = 0xc1
		if err := read(bad); !errors.Is(err, ipcerr.Invalid) && bad[i-1]>>5 != 5 && i < len(bad)-4 {
			t.Errorf("0xc1 at %d: %v", i, err)
		}
	}
	var s Scanner
	s.Reset([]byte{0x93, 0x80, 0xc0, 0xc0}) // a map is no key
	if n, err := s.Array(); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	if _, err := s.Key(); !errors.Is(err, ipcerr.Invalid) {
		t.Error(err)
	}
	if f, err := Check(marshaled(t, []any{Ref{Kind: 4, Name: "x"}})); !f.Refs || err != nil {
		t.Error(f, err)
	}
	if _, err := Check([]byte{1, 2}); !errors.Is(err, ipcerr.Invalid) {
		t.Error(err)
	}
}

// TestRefsInTuples has a reference within a tuple and a set found, with its receipt.
func TestRefsInTuples(t *testing.T) {
	r := Ref{Kind: 1, UUID: uuid.New(), Name: "q"}
	b := marshaled(t, Tuple{Set{r}})
	refs, err := Refs(b)
	if len(refs) != 1 || err != nil {
		t.Fatal(refs, err)
	}
	v, err := DecodeReceived(b, 9)
	if err != nil || v.(Tuple)[0].(Set)[0].(Ref).Receipt != 9 {
		t.Error(v, err)
	}
}

func marshaled(t *testing.T, v any) []byte {
	t.Helper()
	b, err := Marshal(v)
	must(t, err)
	return b
}

// TestScanPickles has pickles within values, which only a Scanner takes.
func TestScanPickles(t *testing.T) {
	pickle := marshaled(t, Pickle("\x80\x05N."))
	within := append(AppendArray(nil, 2), append(AppendInt(nil, 1), pickle...)...)
	if f, err := Check(within); err != nil || !f.Pickle {
		t.Error(f, err)
	}
	if _, err := Decode(within); !errors.Is(err, ipcerr.Invalid) {
		t.Error(err)
	}
}
