package ring

// Go copies 1 MiB and more around the caches, on amd64. Whoever gets a message reads it at once, so up to cached
// bytes it is copied in pieces that stay in them. Larger ones would push each other out.
const (
	piece  = 256 << 10
	cached = 4 << 20
)

// Copy copies a large payload into a record or out of it, as copy does.
func Copy(to, from []byte) {
	if len(from) <= cached {
		for len(from) > piece && len(to) > piece {
			copy(to[:piece], from)
			to, from = to[piece:], from[piece:]
		}
	}
	copy(to, from)
}
