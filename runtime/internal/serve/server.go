// Package serve is a manager's server: one goroutine that greets clients, takes their calls, and answers them.
//
// It is an event loop over raw descriptors, since the Go poller must not start inside a host process: a listening
// Unix socket, one for TCP, and of each client its socket and a descriptor of its process. Calls of local clients come
// through pipes. The loop looks at the pipes of those that it heard of lately, without any system call; before it
// sleeps it asks the others to ring (bells.go).
//
// docs/spec/manager.md is the protocol. The files: server.go starts and stops, loop.go turns, socket.go and
// greet.go let clients in, cover.go is TLS, peer.go is a client, bells.go its pipe, calls.go what it calls, batch.go many calls at once,
// own.go the manager's own methods, objects.go who refers to what, host.go objects that a client hosts, watch.go
// subscriptions, keep.go objects that outlive the server, stat.go figures, trim.go memory.
package serve

import (
	"encoding/binary"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/live"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/internal/trace"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Options are those of package manager, checked there.
type Options struct {
	Root       string
	Key        []byte
	Pickle     bool
	TrustGroup bool
	Listen     string    // "host:port", or ""
	TLS        frame.TLS // of remote clients, or nil
	Frame      int       // most bytes of a frame
	Clients    int
	Objects    int
	Idle       time.Duration // 0: never
	Log        func(what, who, why string)
	Journal    Journal // nil: nothing outlives the server
}

// Server is a running server. All but its exported methods belongs to the loop.
type Server struct {
	obj     object.Object
	epoch   uint64
	bells   []atomic.Uint32
	options Options
	bounds  bounds
	address string                      // of the TCP socket
	begin   func() (frame.Cover, error) // a remote client's TLS, or nil
	shaken  handshakes

	epoll  int
	stopFD int // an eventfd: readable when the server is to stop
	spare  int // a descriptor to give away when there is none left
	unix   int // listening sockets
	tcp    int // or -1
	ended  chan struct{}
	word   atomic.Uint32 // wait word: it has ended
	over   atomic.Bool
	stop   sync.Once
	begun  time.Time

	files    map[int32]source // what each descriptor in epoll is
	peers    map[*peer]struct{}
	slots    []uint64 // a bit for each bell word that is taken
	numbers  uint64   // of clients
	waiting  [2]int   // how many greet, local and remote
	inFlight int      // bytes that remote clients sent or have not read yet
	active   []*peer  // local peers whose pipes are looked at
	handed   int64    // when a call was last handed to its host, or an answer to its caller
	spin     int64    // how long the loop looks at pipes before it sleeps
	slept    bool     // since it last worked
	asked    int64    // the latest of those for which courtesy was asked
	polite   bool     // and the loop gives way
	courtesy park.Courtesy
	now      int64 // nanoseconds, as object.Now counts: when this turn began
	timers   timers
	later    []func() // to be done when the call is over
	buf      []byte   // a frame that came
	plain    []byte   // what was in bytes of TLS
	out      []byte   // a frame that goes
	scan     codec.Scanner
	next     *call // to be filled in; a parked one is kept
	names    map[string]live.ID
	objects  map[live.ID]*entry
	last     live.ID
	dead     []*entry // to be dropped
	leaving  []*peer  // to be released
	dying    []departure
	types    map[string]*hostType
	words    map[string]string // methods' names, so that none is made twice
	hosted   uint64            // calls of hosts so far
	idle     int64             // since when there is no client
	stat     figures
	trim     trimmer
	keep     keeping
}

// source says what a descriptor is of.
type source struct {
	peer    *peer
	process bool // the peer's process, not its socket
}

// bounds are what tests would have to wait for, or fill, for too long, or could miss.
type bounds struct {
	greeting time.Duration // how long a greeting may take
	hurried  time.Duration // and how long if others wait since too many greet
	inFlight int           // how many bytes may be under way to and from all remote clients, beside one frame of the largest size
	looks    int64         // how long the loop looks at pipes in any case, in nanoseconds
}

// usual are those of servers that start from now on.
var usual = bounds{5 * time.Second, time.Second, 1 << 30, 0}

// Start makes the manager and lets its loop run.
func Start(name string, o Options) (*Server, error) {
	s := &Server{
		options: o, bounds: usual, epoll: -1, stopFD: -1, spare: -1, unix: -1, tcp: -1, shaken: handshakes{fd: -1}, ended: make(chan struct{}), begun: time.Now(),
		files: map[int32]source{}, peers: map[*peer]struct{}{}, slots: make([]uint64, layout.ManagerSlots/64),
		buf: make([]byte, frame.LeastFrame), names: map[string]live.ID{}, objects: map[live.ID]*entry{},
		types: map[string]*hostType{}, words: map[string]string{}, next: &call{}, keep: keeping{wake: -1},
	}
	if err := s.open(name); err != nil {
		return nil, err
	}
	err := s.openJournal()
	if err == nil {
		err = s.listen()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	s.trim.timer = timer{trim: true, index: -1}
	s.idle = object.Now()
	go s.run()
	return s, nil
}

const op = "serve manager"

// open makes the manager's object. A name that a dead server left behind, in use by a forked child of it perhaps, is
// taken over.
func (s *Server) open(name string) error {
	var epoch [8]byte
	if _, err := unix.Getrandom(epoch[:], 0); err != nil {
		return shm.Fail(op, name, err)
	}
	s.epoch = binary.LittleEndian.Uint64(epoch[:]) >> 1 // so that every language has it as an ordinary number
	w := &object.Want{
		Op: op, Noun: "manager", Kind: layout.KindManager, Root: s.options.Root, Name: name, Create: true,
		Spec: func(members [16]byte) shm.Spec {
			return shm.Spec{
				Kind: layout.KindManager, Flags: layout.Transient, Members: members, Header: (layout.ManagerHeaderBytes + 4095) &^ 4095,
			}
		},
		Attach: func() error {
			h := layout.View[layout.Manager](s.obj.File.Mem, layout.ManagerOffset)
			h.Epoch, h.Token = s.epoch, s.obj.Me
			s.bells = layout.BellWords(s.obj.File.Mem)
			return nil
		},
		Allowed: func(root *shm.Root) error {
			return object.Trust(op, name, root, s.options.Pickle, s.options.TrustGroup)
		},
	}
	err := s.obj.Open(w)
	if ipcerr.CodeOf(err) == ipcerr.Exists && left(s.options.Root, name) {
		if err = object.Unlink(s.options.Root, name, layout.KindManager); err == nil {
			err = s.obj.Open(w)
		}
	}
	return err
}

// Name is that of the manager.
func (s *Server) Name() string { return s.obj.Name() }

// Address is where remote clients connect, "tcp://host:port", or "".
func (s *Server) Address() string { return s.address }

// Stop makes the loop end; it does not wait.
func (s *Server) Stop() {
	s.stop.Do(func() {
		_, _ = unix.Write(s.stopFD, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	})
}

// Over reports whether the loop has ended, and Word is the wait word that tells.
func (s *Server) Over() bool { return s.over.Load() }

// Word is the wait word of who waits for the end.
func (s *Server) Word() *atomic.Uint32 { return &s.word }

// Ended is closed when the loop has ended.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// close gives everything back.
func (s *Server) close() {
	s.finish()
	for p := range s.peers {
		s.drop(p, "the server stops")
	}
	s.tidy()
	for _, fd := range []int{s.unix, s.tcp, s.spare, s.stopFD, s.shaken.end(), s.keep.wake, s.epoll} {
		if fd >= 0 {
			shm.CloseFile(fd, shm.OnDescriptor)
		}
	}
	_ = s.obj.Root.RemovePart(s.obj.UUID(), socketLetter, 0)
	if err := s.obj.Unlink(); ipcerr.CodeOf(err) == ipcerr.Corrupt {
		s.log(slog.LevelError, "stop", "", err.Error())
		s.obj.Root.Discard(s.Name())
	}
	_ = s.obj.Close(nil, func() {})
}

func (s *Server) log(level slog.Level, what, who, why string) {
	if s.options.Log != nil {
		s.options.Log(what, who, why)
	}
	if trace.On(level) {
		trace.Note(level, what, s.Name(), "client", who, "why", why)
		trace.Flush()
	}
}
