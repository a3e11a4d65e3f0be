package serve_test

import (
	"context"
	gotls "crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/serve"
	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/manager"
	"github.com/polyipc/polyipc/runtime/tls"
	"github.com/polyipc/polyipc/tests/certs"
)

// covered is a server with TLS that asks for certificates, and a client with one.
func covered(t *testing.T, dir string) *world {
	return newWorld(t, true, manager.Options{TLS: files(dir, "ca", "server")})
}

func files(dir, ca, own string) *tls.Files {
	f := &tls.Files{CA: dir + "/" + ca + ".pem"}
	if own != "" {
		f.Cert, f.Key = dir+"/"+own+".pem", dir+"/"+own+".key"
	}
	return f
}

func (w *world) tries(f *tls.Files, k []byte) error {
	o := manager.Options{Key: k}
	if f != nil {
		o.TLS = f
	}
	c, err := manager.Connect(soon(w), w.server.Address(), o)
	if err == nil {
		_ = c.Close()
	}
	return err
}

// says checks what an error says, and that the log has its side of it.
func (w *world) says(err error, code ipcerr.Code, client, server string) {
	w.Helper()
	if !errors.Is(err, code) || !strings.Contains(err.Error(), client) {
		w.Errorf("%v; want %v: %s", err, code, client)
	}
	for began := time.Now(); !w.logged(server); time.Sleep(time.Millisecond) {
		if time.Since(began) > promptly {
			w.mu.Lock()
			w.Errorf("not in the log: %q; there is %q", server, w.log)
			w.mu.Unlock()
			return
		}
	}
}

// TestWrongTLS has clients that are configured wrong, and those that want in without the right. Who can know what is wrong
// says it.
func TestWrongTLS(t *testing.T) {
	serve.Hurry(t, 500*time.Millisecond, 100*time.Millisecond)
	dir := certs.New(t)
	w := covered(t, dir)
	w.says(w.tries(files(dir, "otherca", "client"), key), ipcerr.Denied, "is of no CA in "+dir+"/otherca.pem", "it does not accept this server")
	w.says(w.tries(files(dir, "ca", ""), key), ipcerr.Denied, "the server asks for a certificate: give one", "does not accept this server")
	w.says(w.tries(files(dir, "ca", "stranger"), key), ipcerr.Denied, "not of a CA that it names", "does not accept this server")
	w.says(w.tries(files(dir, "ca", "serving"), key), ipcerr.PeerDied, "refused this client's certificate", "incompatible key usage")
	w.says(w.tries(files(dir, "ca", "client"), []byte("guess")), ipcerr.Denied, "refused", "does not know the key")
	w.says(w.tries(nil, key), ipcerr.PeerDied, "it wants TLS", "nothing came for TLS; a client without TLS, perhaps")
	f := files(dir, "ca", "client")
	f.ServerName = "other.test"
	w.says(w.tries(f, key), ipcerr.Denied, `not for "other.test"`, "does not accept this server")
	f.ServerName = "scores.test"
	must(t, w.tries(f, key))

	plain := newWorld(t, true, manager.Options{})
	plain.says(plain.tries(files(dir, "ca", "client"), key), ipcerr.Version, "speaks no TLS", "it speaks TLS, and this server does not")
}

// TestAttackersTLS are told nothing: they are hung up on.
func TestAttackersTLS(t *testing.T) {
	dir := certs.New(t)
	w := covered(t, dir)
	pair := func(name string) gotls.Certificate {
		c, err := gotls.LoadX509KeyPair(dir+"/"+name+".pem", dir+"/"+name+".key")
		must(t, err)
		return c
	}
	for name, a := range map[string]struct {
		config *gotls.Config
		log    string
	}{
		"TLS 1.2":        {&gotls.Config{MaxVersion: gotls.VersionTLS12}, "unsupported versions"},
		"no certificate": {&gotls.Config{}, "it has no certificate: give it one"},
		"another CA's":   {&gotls.Config{Certificates: []gotls.Certificate{pair("stranger")}}, "its certificate is not accepted"},
		"by itself":      {&gotls.Config{Certificates: []gotls.Certificate{pair("self")}}, "its certificate is not accepted"},
		"expired":        {&gotls.Config{Certificates: []gotls.Certificate{pair("expired")}}, "certificate has expired"},
		"too early":      {&gotls.Config{Certificates: []gotls.Certificate{pair("early")}}, "not yet valid"},
		"another use":    {&gotls.Config{NextProtos: []string{"h2"}}, "unsupported application protocols"},
	} {
		c, err := net.Dial("tcp", strings.TrimPrefix(w.server.Address(), "tcp://"))
		must(t, err)
		heard := &listening{Conn: c}
		a.config.InsecureSkipVerify = true
		if mine := a.config.Certificates; len(mine) > 0 { // whatever the server asks for
			a.config.GetClientCertificate = func(*gotls.CertificateRequestInfo) (*gotls.Certificate, error) { return &mine[0], nil }
		}
		client := gotls.Client(heard, a.config)
		_ = c.SetDeadline(time.Now().Add(patience))
		err = client.Handshake()
		if heard.alone = true; err == nil {
			_, err = client.Read(make([]byte, 1))
		}
		if err != io.EOF && !strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%s: %v", name, err)
		}
		if heard.more > 0 {
			t.Errorf("%s: %d bytes more", name, heard.more)
		}
		_ = c.Close()
		w.says(ipcerr.Denied, ipcerr.Denied, "", a.log)
	}
	for name, said := range map[string][]byte{
		"garbage":       []byte("GET / HTTP/1.1\r\n\r\n"),
		"zeros":         make([]byte, 100),
		"a hello alone": hello(t)[:50],
		"no end":        append([]byte{0x16, 3, 1, 0x40, 0}, make([]byte, 1<<14)...),
		"too much":      endless(),
		"nothing":       nil,
	} {
		r := &raw{TB: t, fd: -1}
		r.dial(w)
		r.write(said)
		r.silence(name)
	}
	w.says(ipcerr.Denied, ipcerr.Denied, "", "more than TLS and a greeting need")
}

// TestManyRecordsTLS greets in records of one byte, as who would have us compute for nothing.
func TestManyRecordsTLS(t *testing.T) {
	dir := certs.New(t)
	w := covered(t, dir)
	pair, err := gotls.LoadX509KeyPair(dir+"/client.pem", dir+"/client.key")
	must(t, err)
	c, err := net.Dial("tcp", strings.TrimPrefix(w.server.Address(), "tcp://"))
	must(t, err)
	defer c.Close()
	client := gotls.Client(c, &gotls.Config{Certificates: []gotls.Certificate{pair}, InsecureSkipVerify: true})
	block := append([]byte{0, 0, 15, 0xff}, make([]byte, 4095)...)
	for i := range block {
		if _, err := client.Write(block[i : i+1]); err != nil {
			break
		}
	}
	w.says(ipcerr.Denied, ipcerr.Denied, "", "more than TLS and a greeting need")
}

// endless is a handshake's message of 64 KiB, in records: none is wrong before the end.
func endless() []byte {
	b := []byte{1, 1, 0, 0}
	var all []byte
	for b = append(b, make([]byte, 1<<16)...); len(b) > 0; b = b[min(len(b), 1<<14):] {
		n := min(len(b), 1<<14)
		all = append(append(all, 0x16, 3, 1, byte(n>>8), byte(n)), b[:n]...)
	}
	return all
}

// silence checks that a server hangs up and says nothing before.
func (r *raw) silence(why string) {
	r.Helper()
	_ = unix.Shutdown(r.fd, unix.SHUT_WR)
	if b := r.read(1); b != nil {
		r.Errorf("%s: the server said %x", why, b)
	}
	r.close()
}

// listening counts what comes once the handshake is over.
type listening struct {
	net.Conn
	alone bool
	more  int
}

func (l *listening) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if l.alone {
		l.more += n
	}
	return n, err
}

// hello is what a client says first.
func hello(t *testing.T) []byte {
	a, b := net.Pipe()
	go func() { _ = gotls.Client(a, &gotls.Config{InsecureSkipVerify: true}).Handshake() }()
	said := make([]byte, 16<<10)
	n, err := b.Read(said)
	must(t, err)
	must(t, b.Close())
	return said[:n]
}

// TestHalfOpenTLS has many begin a handshake, and say half of it or nothing: others get in all the same.
func TestHalfOpenTLS(t *testing.T) {
	serve.Hurry(t, 5*time.Second, 300*time.Millisecond)
	dir := certs.New(t)
	w := covered(t, dir)
	said, goroutines := hello(t), runtime.NumGoroutine()
	w.during(func() {
		var all []*raw
		for i := range 300 {
			r := &raw{TB: w, fd: -1}
			all = append(all, r)
			r.dial(w)
			r.write(said[:i*len(said)/300])
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*promptly)
		defer cancel()
		c, err := manager.Connect(ctx, w.server.Address(), manager.Options{Key: key, TLS: files(dir, "ca", "client")})
		must(w, err)
		must(w, c.Close())
		for _, r := range all {
			r.close()
		}
	})
	for began := time.Now(); runtime.NumGoroutine() > goroutines; time.Sleep(time.Millisecond) {
		if time.Since(began) > promptly {
			t.Fatalf("%d goroutines, before %d", runtime.NumGoroutine(), goroutines)
		}
	}
}

// TestRelay has somebody with a good certificate stand in between, who opens and seals all that is said: both sides find that
// it is not one connection.
func TestRelay(t *testing.T) {
	dir := certs.New(t)
	w := covered(t, dir)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	pair, err := gotls.LoadX509KeyPair(dir+"/server.pem", dir+"/server.key")
	must(t, err)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		s, err := net.Dial("tcp", strings.TrimPrefix(w.server.Address(), "tcp://"))
		if err != nil {
			return
		}
		defer s.Close()
		client := gotls.Server(c, &gotls.Config{Certificates: []gotls.Certificate{pair}})
		server := gotls.Client(s, &gotls.Config{Certificates: []gotls.Certificate{pair}, InsecureSkipVerify: true})
		go func() { _, _ = io.Copy(server, client) }()
		_, _ = io.Copy(client, server)
	}()
	_, err = manager.Connect(soon(t), "tcp://"+l.Addr().String(), manager.Options{Key: key, TLS: files(dir, "ca", "client")})
	w.says(err, ipcerr.Denied, "", "does not know the key")
}

// TestWrongServers have a client that is configured well.
func TestWrongServers(t *testing.T) {
	dir := certs.New(t)
	for name, s := range map[string]struct {
		config *gotls.Config
		code   ipcerr.Code
		says   string
	}{
		"stranger":  {&gotls.Config{}, ipcerr.Denied, "is of no CA in"},
		"self":      {&gotls.Config{}, ipcerr.Denied, "is of no CA in"},
		"elsewhere": {&gotls.Config{}, ipcerr.Denied, `not for "127.0.0.1"`},
		"expired":   {&gotls.Config{}, ipcerr.Denied, "has expired or is not valid yet"},
		"early":     {&gotls.Config{}, ipcerr.Denied, "has expired or is not valid yet"},
		"server":    {&gotls.Config{MaxVersion: gotls.VersionTLS12}, ipcerr.Version, "both sides need TLS 1.3"},
		"client":    {&gotls.Config{}, ipcerr.Denied, "not for"},
	} {
		pair, err := gotls.LoadX509KeyPair(dir+"/"+name+".pem", dir+"/"+name+".key")
		must(t, err)
		s.config.Certificates = []gotls.Certificate{pair}
		l, err := gotls.Listen("tcp", "127.0.0.1:0", s.config)
		must(t, err)
		go func() {
			c, err := l.Accept()
			if err == nil {
				_ = c.(*gotls.Conn).Handshake()
				_ = c.Close()
			}
		}()
		_, err = manager.Connect(soon(t), "tcp://"+l.Addr().String(), manager.Options{Key: key, TLS: files(dir, "ca", "")})
		if !errors.Is(err, s.code) || !strings.Contains(err.Error(), s.says) {
			t.Errorf("%s: %v", name, err)
		}
		must(t, l.Close())
	}
}

// TestTLSRenewed replaces a server's files while it runs.
func TestTLSRenewed(t *testing.T) {
	dir, next := certs.New(t), certs.New(t)
	w := covered(t, dir)
	move := func(from, to string) {
		b, err := os.ReadFile(from)
		must(t, err)
		must(t, os.WriteFile(to+".new", b, 0o600))
		must(t, os.Rename(to+".new", to))
	}
	mine := certs.New(t)
	for _, name := range []string{"ca.pem", "client.pem", "client.key"} {
		move(dir+"/"+name, mine+"/"+name)
	}
	move(next+"/server.pem", dir+"/server.pem") // and not the key yet
	for range 2 {
		must(t, w.tries(files(mine, "ca", "client"), key))
	}
	w.says(ipcerr.Denied, ipcerr.Denied, "", "the former ones are")
	w.mu.Lock()
	if n := strings.Count(strings.Join(w.log, "\n"), "the former ones are"); n != 1 {
		t.Errorf("%d times", n)
	}
	w.mu.Unlock()
	move(next+"/server.key", dir+"/server.key")
	move(next+"/ca.pem", dir+"/ca.pem")
	must(t, w.tries(files(next, "ca", "client"), key))
	if err := w.tries(files(mine, "ca", "client"), key); !errors.Is(err, ipcerr.Denied) {
		t.Error(err)
	}
	w.do(w.good, 0, "ping", 1)
}

// TestGarbageInTLS sends what is no record, once in.
func TestGarbageInTLS(t *testing.T) {
	dir := certs.New(t)
	w := covered(t, dir)
	pair, err := gotls.LoadX509KeyPair(dir+"/client.pem", dir+"/client.key")
	must(t, err)
	for name, said := range map[string][]byte{
		"no record":        []byte("GET / HTTP/1.1\r\n\r\n"),
		"a forged record":  append([]byte{0x17, 3, 3, 0, 32}, make([]byte, 32)...),
		"half a record":    {0x17, 3, 3, 0, 32, 1},
		"a record of 64 K": append([]byte{0x17, 3, 3, 0xff, 0xff}, make([]byte, 64<<10)...),
	} {
		w.during(func() {
			c, err := net.Dial("tcp", strings.TrimPrefix(w.server.Address(), "tcp://"))
			must(t, err)
			client := gotls.Client(c, &gotls.Config{Certificates: []gotls.Certificate{pair}, InsecureSkipVerify: true})
			first := wholeBlock(client)
			s := client.ConnectionState()
			binding, err := s.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
			must(t, err)
			me := frame.Introduction{Language: "go", Pid: 1}
			_, err = client.Write(frame.Block(frame.Prove(key, false, me.Body(), frame.Block(binding), first)))
			must(t, err)
			if len(wholeBlock(client)) < 10 {
				t.Errorf("%s: it did not get in", name)
			}
			_, err = c.Write(said)
			must(t, err)
			if strings.HasPrefix(name, "half") {
				must(t, c.(*net.TCPConn).CloseWrite())
			}
			must(t, c.SetDeadline(time.Now().Add(patience)))
			if n, err := client.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
				t.Errorf("%s: %d bytes more, %v", name, n, err)
			}
			must(t, c.Close())
		})
	}
}
