package ring

import (
	"bytes"
	"testing"
)

func TestCopy(t *testing.T) {
	from := make([]byte, cached+2)
	for i := range from {
		from[i] = byte(i ^ i>>8 ^ i>>16)
	}
	to := make([]byte, len(from))
	for _, n := range []int{0, 1, piece - 1, piece, piece + 1, 2 * piece, 3*piece + 7, cached, cached + 1} {
		clear(to)
		Copy(to[:n], from[:n])
		if !bytes.Equal(to[:n], from[:n]) || bytes.Count(to[n:], []byte{0}) != len(to)-n {
			t.Errorf("%d bytes were copied wrongly", n)
		}
	}
}
