package frame

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Protocol is the version of the protocol.
const Protocol = 1

// MostBlock is the largest block of a greeting, MostKey the longest key, NonceSize that of a nonce, in bytes.
const (
	MostBlock = 4096
	MostKey   = 1024
	NonceSize = 32
)

const magic = "polyipc manager"

// Labels keep the proof of one side from being that of the other.
const (
	clientLabel = "polyipc manager client\x00"
	serverLabel = "polyipc manager server\x00"
)

// Block is a block with its length.
func Block(body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// Refusal is the block that says no, to whoever is refused for whatever reason.
var Refusal = Block([]byte{0x90})

// Hello is the server's first block.
type Hello struct {
	Nonce [NonceSize]byte
	Keyed bool
}

// Body returns the block's bytes.
func (h Hello) Body() []byte {
	b := codec.AppendText(codec.AppendArray(nil, 4), magic)
	b = codec.AppendBin(codec.AppendUint(b, Protocol), h.Nonce[:])
	return codec.AppendBool(b, h.Keyed)
}

// ReadHello reads it.
func ReadHello(body []byte) (h Hello, err error) {
	s, n, err := block(body)
	if err == nil && n == 0 && s.End() == nil {
		return h, refused()
	}
	var name, nonce []byte
	var version uint64
	if err == nil {
		name, err = s.Text()
	}
	if err == nil {
		version, err = s.Uint()
	}
	if err != nil || string(name) != magic {
		return h, &ipcerr.Error{Op: "connect", Code: ipcerr.Version, Hint: "what answers is no server of a polyipc manager"}
	}
	if version != Protocol {
		return h, &ipcerr.Error{Op: "connect", Code: ipcerr.Version, Hint: "the server speaks another version of the protocol: use the same polyipc on both sides"}
	}
	if nonce, err = s.Bin(); err == nil {
		h.Keyed, err = s.Bool()
	}
	if err == nil {
		err = s.End()
	}
	if err == nil && (n != 4 || len(nonce) != NonceSize) {
		err = broken("a nonce of another length")
	}
	copy(h.Nonce[:], nonce)
	return h, err
}

func refused() error {
	return &ipcerr.Error{
		Op: "connect", Code: ipcerr.Denied,
		Hint: "the server refused: another user, another or no key, or too many clients; its log says which",
	}
}

// Introduction is what a client says of itself.
type Introduction struct {
	Nonce    [NonceSize]byte
	Language string
	Pid      uint64
	Token    uint64 // owner token in the server's root; 0 for a remote client
	Pickle   bool
}

// Body returns the introduction's bytes, without the proof.
func (i Introduction) Body() []byte {
	b := codec.AppendUint(codec.AppendArray(nil, 6), Protocol)
	b = codec.AppendText(codec.AppendBin(b, i.Nonce[:]), i.Language)
	b = codec.AppendUint(codec.AppendUint(b, i.Pid), i.Token)
	return codec.AppendBool(b, i.Pickle)
}

// ReadIntroduction reads it.
func ReadIntroduction(body []byte) (i Introduction, err error) {
	s, n, err := block(body)
	var version uint64
	var nonce, language []byte
	if err == nil {
		version, err = s.Uint()
	}
	if err == nil && (version != Protocol || n != 6) {
		err = broken("another version of the protocol")
	}
	if err == nil {
		nonce, err = s.Bin()
	}
	if err == nil && len(nonce) != NonceSize {
		err = broken("a nonce of another length")
	}
	if err == nil {
		language, err = s.Text()
	}
	if err == nil {
		i.Pid, err = s.Uint()
	}
	if err == nil {
		i.Token, err = s.Uint()
	}
	if err == nil {
		i.Pickle, err = s.Bool()
	}
	if err == nil {
		err = s.End()
	}
	copy(i.Nonce[:], nonce)
	i.Language = string(language[:min(len(language), 16)])
	return i, err
}

// Welcome is what a server says to a client that it lets in.
type Welcome struct {
	Epoch  uint64
	Client uint64 // its number
	Pipe   string // UUID of its pipe; empty for a remote client
	Slot   uint64 // which bell word is the client's
	Frame  uint64 // most bytes of a frame
	Pickle bool
}

// Body returns the welcome's bytes, without the proof.
func (w Welcome) Body() []byte {
	b := codec.AppendUint(codec.AppendArray(nil, 6), w.Epoch)
	b = codec.AppendText(codec.AppendUint(b, w.Client), w.Pipe)
	b = codec.AppendUint(codec.AppendUint(b, w.Slot), w.Frame)
	return codec.AppendBool(b, w.Pickle)
}

// ReadWelcome reads it.
func ReadWelcome(body []byte) (w Welcome, err error) {
	s, n, err := block(body)
	var pipe []byte
	if err == nil {
		w.Epoch, err = s.Uint()
	}
	if err == nil {
		w.Client, err = s.Uint()
	}
	if err == nil {
		pipe, err = s.Text()
	}
	if err == nil {
		w.Slot, err = s.Uint()
	}
	if err == nil {
		w.Frame, err = s.Uint()
	}
	if err == nil {
		w.Pickle, err = s.Bool()
	}
	if err == nil {
		err = s.End()
	}
	if err == nil && (n != 6 || w.Frame < LeastFrame || w.Frame > MostFrame) {
		err = broken("a limit of frames out of its range")
	}
	w.Pipe = string(pipe)
	return w, err
}

func block(body []byte) (s codec.Scanner, n int, err error) {
	s.Reset(body)
	n, err = s.Array()
	return s, n, err
}

// Prove returns a body with its proof, as the bytes of a block. before are the blocks said before, with their lengths.
func Prove(key []byte, server bool, body []byte, before ...[]byte) []byte {
	b := codec.AppendBin(codec.AppendArray(nil, 2), body)
	return codec.AppendBin(b, proof(key, server, body, before))
}

// Proven returns the body of a block if its proof is right. It takes the same time for every wrong one.
func Proven(key []byte, server bool, data []byte, before ...[]byte) ([]byte, error) {
	s, n, err := block(data)
	if err == nil && n == 0 && server {
		return nil, refused()
	}
	var body, given []byte
	if err == nil {
		body, err = s.Bin()
	}
	if err == nil {
		given, err = s.Bin()
	}
	if err == nil {
		err = s.End()
	}
	if err == nil && n != 2 {
		err = broken("a block that is not a body and a proof")
	}
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(given, proof(key, server, body, before)) {
		return nil, &ipcerr.Error{Op: "connect", Code: ipcerr.Denied, Hint: "the other side does not know the key: give both the same"}
	}
	return bytes.Clone(body), nil
}

func proof(key []byte, server bool, body []byte, before [][]byte) []byte {
	if len(key) == 0 {
		return nil
	}
	label := clientLabel
	if server {
		label = serverLabel
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(label))
	for _, b := range before {
		mac.Write(b)
	}
	mac.Write(Block(body))
	return mac.Sum(nil)
}
