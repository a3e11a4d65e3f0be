package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/polyipc/polyipc/codec"
)

// rawMessage is the form {"$raw": ...}: a message that is no MessagePack value.
type rawMessage []byte

// readValue reads exactly one value in the notation of json_write.go. The result is for
// codec.Marshal, or a rawMessage.
//
// What encoding/json would change silently is an error: text that is not UTF-8, halves of surrogate
// pairs, an object with the same key twice, numbers beyond a float's range.
func readValue(text []byte) (any, error) {
	if err := checkText(text); err != nil {
		return nil, err
	}
	r := valueReader{json.NewDecoder(bytes.NewReader(text))}
	r.dec.UseNumber()
	v, err := r.value(0)
	if err != nil {
		return nil, r.place(err)
	}
	if _, err := r.dec.Token(); err != io.EOF {
		return nil, errors.New("there is more behind the value: quote it for the shell, or give several arguments")
	}
	return v, nil
}

func checkText(text []byte) error {
	if !utf8.Valid(text) {
		return errors.New("it is not UTF-8: send bytes with --raw or as {\"$bytes\": BASE64}")
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		i++
		r, ok := escape(text[i:])
		if !ok || !utf16.IsSurrogate(r) {
			continue
		}
		i += len("uDC00")
		if i < len(text) && text[i] == '\\' {
			if low, ok := escape(text[i+1:]); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
				i += len("uDC00")
				continue
			}
		}
		return fmt.Errorf("\\u%04x is half of a surrogate pair, which is no character", r)
	}
	return nil
}

// escape reads what follows a backslash if it is u and four hexadecimal digits.
func escape(b []byte) (rune, bool) {
	if len(b) < 5 || b[0] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[1:5]), 16, 16)
	return rune(n), err == nil
}

type valueReader struct{ dec *json.Decoder }

// place says what is wrong with the JSON, and where.
func (r valueReader) place(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it is not JSON: it ends too early")
	case errors.As(err, &syntax):
		return fmt.Errorf("it is not JSON (text needs quotes, or --text): %w", err)
	}
	return err
}

// value reads a value in so many containers.
func (r valueReader) value(depth int) (any, error) {
	v, err := r.anyValue(depth)
	if _, raw := v.(rawMessage); raw && depth > 0 {
		return nil, errors.New("{\"$raw\": ...} is a whole message and goes into no other value: write $bytes")
	}
	return v, err
}

func (r valueReader) anyValue(depth int) (any, error) {
	tok, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok := tok.(type) {
	case json.Delim:
		// Forms nest deeper in JSON than in the message, {"$map": [[...]]} thrice as deep; beyond this
		// the codec would refuse in any case.
		if depth > 3*codec.MaxDepth+3 {
			return nil, fmt.Errorf("it is nested too deeply; the limit is %d levels", codec.MaxDepth)
		}
		if tok == '[' {
			return r.list(depth)
		}
		return r.object(depth)
	case json.Number:
		return number(string(tok))
	}
	return tok, nil // nil, bool, string
}

func (r valueReader) list(depth int) (any, error) {
	list := []any{}
	for r.dec.More() {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := r.dec.Token()
	return list, err
}

// object keeps the order of the keys.
func (r valueReader) object(depth int) (any, error) {
	pairs := codec.Pairs{}
	seen := map[string]bool{}
	for r.dec.More() {
		tok, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		key, _ := tok.(string) // the decoder lets nothing else pass here
		if seen[key] {
			return nil, fmt.Errorf("an object has the key %q twice", key)
		}
		seen[key] = true
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, codec.Pair{Key: key, Value: v})
	}
	if _, err := r.dec.Token(); err != nil {
		return nil, err
	}
	if len(pairs) == 1 {
		if form, _ := pairs[0].Key.(string); strings.HasPrefix(form, "$") {
			return readForm(form, pairs[0].Value)
		}
	}
	return pairs, nil
}

// number keeps integers exact, of whatever length.
func number(s string) (any, error) {
	if !strings.ContainsAny(s, ".eE") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, nil
		}
		if n, ok := new(big.Int).SetString(s, 10); ok {
			return n, nil // the codec makes a plain integer of what fits
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, fmt.Errorf("the number %s is beyond the range of a float", s)
	}
	return f, nil
}
