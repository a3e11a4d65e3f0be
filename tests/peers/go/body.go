package main

import (
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/queue"
)

// generated fills b with the bytes that every peer generates from seed.
func generated(b []byte, seed int64) {
	for i := range b {
		b[i] = byte(seed + 7*int64(i) + int64(i)>>8)
	}
}

// read makes the message that a word describes.
func read(word string) ([]byte, queue.Format, error) {
	kind, rest := word[0], word[1:]
	if kind == 'g' {
		seed, length, _ := strings.Cut(rest, ":")
		b := make([]byte, number(length))
		generated(b, number(seed))
		return b, queue.Raw, nil
	}
	b, err := hex.DecodeString(rest)
	if err != nil {
		return nil, 0, errProtocol
	}
	switch kind {
	case 'x':
		return b, queue.Raw, nil
	case 'm':
		b, err = again(b)
		return b, queue.MsgPack, err
	}
	return nil, 0, errProtocol
}

// again reads a MessagePack value and writes it anew.
func again(b []byte) ([]byte, error) {
	var v any
	if err := codec.Unmarshal(b, &v); err != nil {
		return nil, err
	}
	return codec.Marshal(v)
}

// show describes a message that was gotten.
func show(m queue.Message) (string, error) {
	switch {
	case m.Format == queue.MsgPack:
		b, err := again(m.Body)
		return "m" + hex.EncodeToString(b), err
	case len(m.Body) <= 64:
		return "x" + hex.EncodeToString(m.Body), nil
	}
	return fmt.Sprintf("h%d:%08x", len(m.Body), crc32.ChecksumIEEE(m.Body)), nil
}

// compose makes message index of producer id into buf, which is at least length long.
func compose(buf []byte, id, index int64, length int) []byte {
	b := buf[:length]
	generated(b, 1000*id+index)
	copy(b, fmt.Appendf(nil, "%d/%d/%d/", id, index, length))
	return b
}

// parse finds out which message b is, as ID/INDEX, and whether it is what its producer made.
func parse(b, buf []byte) (name string, ok bool) {
	words := strings.SplitN(string(b[:min(len(b), 40)]), "/", 4)
	if len(words) < 4 {
		return "", false
	}
	id, e1 := strconv.ParseInt(words[0], 10, 64)
	index, e2 := strconv.ParseInt(words[1], 10, 64)
	length, e3 := strconv.Atoi(words[2])
	if e1 != nil || e2 != nil || e3 != nil || length != len(b) || length > len(buf) {
		return "", false
	}
	return words[0] + "/" + words[1], string(compose(buf, id, index, length)) == string(b)
}
