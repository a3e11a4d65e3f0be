package manager

import (
	"context"
	"fmt"
	"time"

	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/serve"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Options shape a server, and a connection to one. The zero value is a server without a key, for this machine only.
type Options struct {
	Root       string // directory; "": $POLYIPC_ROOT, or /dev/shm/polyipc-<uid>
	Key        []byte // the secret that server and clients share, 1 to 1,024 bytes; nil: none
	Pickle     bool   // Python pickles pass, if server and client both say so: each can then run code in those that open them
	TrustGroup bool   // Pickle is meant also in a root that is shared with a group
	TLS        TLS    // of remote connections: a *tls.Files of package runtime/tls; nil: none, all that is said can be read on the way

	// Of a server only.
	Listen  string        // "host:port" for remote clients, port 0 for any that is free; needs a key. "": none
	Frame   int64         // most bytes of a call or a result, 64 KiB to 2^31; 0: 64 MiB
	Clients int64         // most clients at a time, 1 to 8,192; 0: 4,096
	Objects int64         // most objects at a time; 0: 1,000,000
	Idle    time.Duration // it stops when it had no client for so long; 0: never
	Journal Journal       // where named objects outlive the server, see package journal; nil: nowhere. Serve takes it over, and closes it in any case

	// Log, if not nil, is told who was refused and why, and who left. From the server's goroutine: it must not wait.
	Log func(what, who, why string)
}

// TLS is a *tls.Files of package runtime/tls.
type TLS = frame.TLS

// Journal is where objects with a name are kept; package journal has one, in a file.
type Journal = serve.Journal

// Server is a running server. Its methods may be called from any goroutine.
type Server struct{ s *serve.Server }

const opServe = "serve manager"

func invalid(op, name, hint string) error {
	return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Invalid, Hint: hint}
}

// Serve starts a server, in a goroutine of its own; an empty name makes one that is named by a UUID. The server ends with
// Close, by a client's "stop", or when it is idle; with it end its objects.
//
// ipcerr.Exists if a living server has the name; ipcerr.Denied for Listen without a key, or an address that cannot be
// listened on; ipcerr.Invalid, also for files of TLS; ipcerr.NoSpace, ipcerr.NoMemory, ipcerr.Limit.
func Serve(name string, o Options) (_ *Server, err error) {
	if o.Journal != nil {
		defer func() {
			if err != nil {
				_ = o.Journal.Close()
			}
		}()
	}
	if err := o.check(opServe, name); err != nil {
		return nil, err
	}
	inner := serve.Options{
		Root: o.Root, Key: append([]byte(nil), o.Key...), Pickle: o.Pickle, TrustGroup: o.TrustGroup, Listen: o.Listen, TLS: o.TLS,
		Frame: or(o.Frame, frame.DefaultFrame), Clients: or(o.Clients, 4096), Objects: or(o.Objects, 1_000_000), Idle: o.Idle, Log: o.Log,
		Journal: o.Journal,
	}
	switch {
	case inner.Frame < frame.LeastFrame || inner.Frame > frame.MostFrame:
		return nil, invalid(opServe, name, fmt.Sprintf("frames of %d bytes: %d to %d are possible", inner.Frame, frame.LeastFrame, frame.MostFrame))
	case inner.Clients < 1 || inner.Clients > layout.ManagerSlots:
		return nil, invalid(opServe, name, fmt.Sprintf("%d clients: 1 to %d are possible", inner.Clients, layout.ManagerSlots))
	case inner.Objects < 1 || o.Idle < 0:
		return nil, invalid(opServe, name, "a limit of objects, or a time, below 0")
	case o.TLS != nil && o.Listen == "":
		return nil, invalid(opServe, name, "TLS is for remote clients: give an address to listen on, or leave TLS out")
	case o.Listen != "" && len(o.Key) == 0:
		return nil, &ipcerr.Error{Op: opServe, Name: name, Code: ipcerr.Denied,
			Hint: "remote clients need a key: without one, everybody who reaches " + o.Listen + " could use the objects"}
	}
	s, err := serve.Start(name, inner)
	if err != nil {
		return nil, err
	}
	return &Server{s}, nil
}

func or(n int64, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return int(n)
}

func (o *Options) check(op, name string) error {
	if o.Key != nil && (len(o.Key) == 0 || len(o.Key) > frame.MostKey) {
		return invalid(op, name, fmt.Sprintf("a key of %d bytes: 1 to %d are possible", len(o.Key), frame.MostKey))
	}
	return nil
}

// Name returns the server's name.
func (s *Server) Name() string { return s.s.Name() }

// Address returns where remote clients connect, "tcp://host:port", or "".
func (s *Server) Address() string { return s.s.Address() }

// Done is closed when the server has ended.
func (s *Server) Done() <-chan struct{} { return s.s.Ended() }

// Wait waits until the server has ended, until ctx ends. ipcerr.Timeout, ipcerr.Cancelled.
func (s *Server) Wait(ctx context.Context) error {
	err := park.Wait(ctx, &park.Waiter{
		Word: s.s.Word(), Try: func() (bool, error) { return s.s.Over(), nil },
		Slice: func() time.Duration { return time.Second }, Gone: func() error { return nil },
	})
	if err != nil {
		return &ipcerr.Error{Op: "wait for manager", Name: s.Name(), Code: ipcerr.CodeOf(err)}
	}
	return nil
}

// Close stops the server and waits for its end: its objects are gone, and calls of its clients fail with
// ipcerr.PeerDied. Closing again does nothing.
func (s *Server) Close() error {
	s.s.Stop()
	return s.Wait(context.Background())
}
