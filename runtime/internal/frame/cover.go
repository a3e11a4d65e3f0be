package frame

// TLS makes covers. Only package runtime/tls does; what it is like is said down here, so that a program that does not ask
// for TLS has no crypto/tls in it.
type TLS interface {
	// Serve reads a server's files. begin makes the cover for a client that has come; stale says why files that changed
	// since cannot be used instead.
	Serve(op, name string) (begin func() (c Cover, stale error), err error)
	// Connect reads a client's files, and makes its cover for a server at host.
	Connect(op, name, host string) (Cover, error)
}

// A Cover hides what one side says from those on the way. It carries nothing: whoever has the socket gives it the bytes that
// came, and sends those that it returns, in that order. One goroutine may seal while another one opens.
type Cover interface {
	// Handshake comes first. exchange sends bytes and returns those that came then; its error ends the handshake.
	Handshake(exchange func(out []byte) (in []byte, err error)) error
	// Binding is the same 32 bytes on both sides of one connection, and others on every other one.
	Binding() ([]byte, error)
	// Seal returns what is to be sent, plain in it. Without plain that may be nothing.
	Seal(plain []byte) []byte
	// Open appends to plain what is in the bytes that came; io.EOF when the other side has ended.
	Open(plain, came []byte) ([]byte, error)
}
