// Package tally is what the Go programs of the example share: their messages, the shared totals, and how to
// count identifiers.
package tally

// File is a message on the queue of jobs: a file to work on.
type File struct {
	ID   int64  `msgpack:"id"`
	Path string `msgpack:"path"`
	Data []byte `msgpack:"data"`
}

// Result is a message on the queue of results: what a worker found in one file.
type Result struct {
	ID     int64            `msgpack:"id"`
	Worker string           `msgpack:"worker"` // "go", "c" or "python"
	Bytes  int64            `msgpack:"bytes"`
	Counts map[string]int64 `msgpack:"counts"`
}

// Job is the first message to a worker on its control pipe. The next one tells it to stop, and it answers with
// the Share that it did.
type Job struct {
	Row     int64  `msgpack:"row"`     // of the totals, for its language
	Manager string `msgpack:"manager"` // who keeps the result
}

// Share is a part of the work: what one worker did, or all of one language.
type Share struct {
	Files       int64 `msgpack:"files"`
	Bytes       int64 `msgpack:"bytes"`
	Identifiers int64 `msgpack:"identifiers"`
}

// Add adds a part of the work to s.
func (s *Share) Add(more Share) {
	s.Files += more.Files
	s.Bytes += more.Bytes
	s.Identifiers += more.Identifiers
}

// Share is the part of the work that a result is.
func (r *Result) Share() Share {
	s := Share{Files: 1, Bytes: r.Bytes}
	for _, n := range r.Counts {
		s.Identifiers += n
	}
	return s
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
