package tls

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// cover is crypto/tls over bytes instead of a socket. The handshake reads by exchange, which waits. Afterwards what there is to
// read is in came, and a read beyond that fails as if its deadline had passed, which crypto/tls may be tried again after.
type cover struct {
	conn     *tls.Conn
	said     func(error) error // makes an error of the handshake into one that helps
	exchange func(out []byte) (in []byte, err error)
	came     []byte // what crypto/tls has not read yet

	mu  sync.Mutex
	out []byte // what it wrote: who opens may have to answer, while another one seals
}

func newCover(config *tls.Config, side func(net.Conn, *tls.Config) *tls.Conn, said func(error) error) *cover {
	c := &cover{said: said}
	c.conn = side(wire{c}, config)
	return c
}

// Handshake is one end of it. A certificate that makes crypto/tls panic, as some have, ends no server.
func (c *cover) Handshake(exchange func(out []byte) (in []byte, err error)) (err error) {
	c.exchange = exchange
	defer func() {
		c.exchange = nil
		if r := recover(); r != nil {
			err = fmt.Errorf("the handshake failed within: %v", r)
		}
	}()
	if err = c.conn.Handshake(); err != nil {
		err = c.said(err)
	}
	return err
}

// Binding is tls-exporter of RFC 9266.
func (c *cover) Binding() ([]byte, error) {
	s := c.conn.ConnectionState()
	return s.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
}

// Seal returns what is to be sent. crypto/tls writes nothing any more after it has failed to read: then there is no plain in it.
func (c *cover) Seal(plain []byte) []byte {
	if len(plain) > 0 {
		_, _ = c.conn.Write(plain)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.out
	c.out = nil
	return out
}

// Open appends what is in the bytes that came, and takes all of them.
func (c *cover) Open(plain, came []byte) ([]byte, error) {
	if len(c.came) > 0 { // behind the handshake
		came = append(c.came, came...)
	}
	c.came = came
	for {
		plain = slices.Grow(plain, 1024)
		n, err := c.conn.Read(plain[len(plain):cap(plain)])
		plain = plain[:len(plain)+n]
		if err != nil {
			c.came = nil
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = nil
			}
			return plain, err
		}
	}
}

// wire is the socket that crypto/tls believes it has.
type wire struct{ c *cover }

// Read takes from what came.
func (w wire) Read(b []byte) (int, error) {
	c := w.c
	for len(c.came) == 0 {
		if c.exchange == nil {
			return 0, os.ErrDeadlineExceeded
		}
		var err error
		if c.came, err = c.exchange(c.Seal(nil)); err != nil {
			return 0, err
		}
	}
	n := copy(b, c.came)
	c.came = c.came[n:]
	return n, nil
}

// Write keeps what is to be sent.
func (w wire) Write(b []byte) (int, error) {
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	w.c.out = append(w.c.out, b...)
	return len(b), nil
}

// Close and the others of net.Conn are for who has the socket.
func (wire) Close() error                     { return nil }
func (wire) LocalAddr() net.Addr              { return nil }
func (wire) RemoteAddr() net.Addr             { return nil }
func (wire) SetDeadline(time.Time) error      { return nil }
func (wire) SetReadDeadline(time.Time) error  { return nil }
func (wire) SetWriteDeadline(time.Time) error { return nil }
