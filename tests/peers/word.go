package peers

import (
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
)

// Shown is the word by which a peer shows the message that word made, unless it is of MessagePack.
func Shown(word string) string { return ShownBytes(Bytes(word)) }

// ShownBytes is Shown for the message itself.
func ShownBytes(b []byte) string {
	if len(b) <= 64 {
		return "x" + hex.EncodeToString(b)
	}
	return fmt.Sprintf("h%d:%08x", len(b), crc32.ChecksumIEEE(b))
}

// Bytes are those that word stands for.
func Bytes(word string) []byte {
	if strings.HasPrefix(word, "g") {
		var seed, n int64
		if _, err := fmt.Sscanf(word, "g%d:%d", &seed, &n); err != nil {
			panic(err)
		}
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(seed + 7*int64(i) + int64(i)>>8)
		}
		return b
	}
	b, err := hex.DecodeString(word[1:])
	if err != nil {
		panic(err)
	}
	return b
}
