// Package tally is what the Go programs of the example share: the two kinds of message, and how to
// count identifiers.
package tally

// File is a message on the first queue: a file to work on.
type File struct {
	ID   int64  `msgpack:"id"`
	Path string `msgpack:"path"`
	Data []byte `msgpack:"data"`
}

// Result is a message on the second queue: what a worker found in one file.
type Result struct {
	ID     int64            `msgpack:"id"`
	Worker string           `msgpack:"worker"` // "go", "c" or "python"
	Bytes  int64            `msgpack:"bytes"`
	Counts map[string]int64 `msgpack:"counts"`
}

// Count adds the identifiers in data, the longest runs of bytes matching [A-Za-z_][A-Za-z0-9_]*,
// to counts.
func Count(counts map[string]int64, data []byte) {
	for i := 0; i < len(data); {
		if !begins(data[i]) {
			i++
			continue
		}
		j := i + 1
		for j < len(data) && (begins(data[j]) || '0' <= data[j] && data[j] <= '9') {
			j++
		}
		counts[string(data[i:j])]++
		i = j
	}
}

func begins(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }
