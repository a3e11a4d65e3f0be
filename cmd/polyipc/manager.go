package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/journal"
	"github.com/polyipc/polyipc/runtime/manager"
)

type managing struct {
	*app
	name    string
	key     string // a file
	listen  string
	tls     tlsFlags
	idle    limit
	frame   size
	clients int64
	objects int64
	pickle  bool
	verbose bool
	data    string // a file
	sync    string
}

// The values of --sync.
const (
	syncAlways = "always"
	syncNo     = "no"
)

func (a *app) managerCommand() *cobra.Command {
	m := &managing{app: a, idle: noLimit}
	c := &cobra.Command{
		Use:   "manager --name NAME",
		Short: "Serve live objects: dicts, lists, counters, queues, locks",
		Long: `Serve live objects, dicts, lists, counters, queues, locks, to programs in Go, C and Python, until a signal to
stop, a client's "stop", or --idle-exit.

When it can be connected to, it prints one line: "ready NAME", and with --listen the address of remote clients behind
that. Who was refused, and why, goes to standard error. Its objects end with it, but for what --data keeps.

With --data, dicts, lists, sets, counters, queues, namespaces, values and arrays that have a name are kept in a file, which is made
if it is not there, and are there again when the next server starts with it. Who is answered that he changed one knows it there: a
server that is killed loses nothing of that, and with --sync always, the default, nor does a power cut; with --sync no, much quicker,
a power cut can lose the whole file.

Remote clients connect by TCP and need the key: the bytes of a file, without the newline at its end. The key says who may
in; it hides nothing. With --tls-cert and --tls-key what is said is encrypted (TLS 1.3), and clients know the server by
--tls-ca; with --tls-ca here they need a certificate of that CA, too. The files may be renewed while the manager runs: each
new client is met with those that are there.`,
		Example: `  polyipc manager --name scores &
  polyipc manager --name scores --data scores.data
  polyipc manager --name scores --listen 127.0.0.1:7000 --key-file key
  polyipc manager --name scores --listen 10.0.0.7:7000 --key-file key --tls-cert server.pem --tls-key server.key
  polyipc call scores - stop`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case m.listen != "" && m.key == "":
				return usage("--listen needs --key-file: without a key, everybody who reaches the address could use the objects")
			case m.tls.given() != nil && (m.listen == "" || m.tls.Cert == "" || m.tls.Key == ""):
				return usage("TLS is for remote clients: --tls-cert, --tls-key and --listen go together")
			case cmd.Flags().Changed("name") && m.name == "":
				return usage("--name is empty: give a name, or leave it out for one that is made up")
			case m.idle == 0:
				return usage("--idle-exit 0: give more than 0, or leave it out to serve for ever")
			case m.sync != syncAlways && m.sync != syncNo:
				return usage("--sync %s: give %s or %s", m.sync, syncAlways, syncNo)
			case m.data == "" && (cmd.Flags().Changed("data") || cmd.Flags().Changed("sync")):
				return usage("--data is empty: give a file")
			}
			return m.serve(cmd.Context())
		},
	}
	f := c.Flags()
	f.StringVar(&m.name, "name", "", "the manager's name (default a UUID)")
	f.StringVar(&m.listen, "listen", "", "serve remote clients, too, at this HOST:PORT; port 0 is any that is free")
	f.StringVar(&m.key, "key-file", "", "ask clients for the key in this file")
	m.tls.add(c, "ask remote clients for a certificate of a CA in this file")
	f.Var(&m.idle, "idle-exit", "end when there was no client for this long (default never)")
	f.BoolVar(&m.pickle, "pickle", false, "let Python's pickles pass between clients that ask for it: each can run code in those that open them")
	f.Int64Var(&m.clients, "max-clients", 0, "most clients at a time (default 4096)")
	f.Int64Var(&m.objects, "max-objects", 0, "most objects at a time (default 1000000)")
	f.Var(&m.frame, "max-frame", "most bytes of a call or a result; also 64K, 16M, 1G (default 64M)")
	f.StringVar(&m.data, "data", "", "keep named objects in this file")
	f.StringVar(&m.sync, "sync", syncAlways, "wait for the disk before an answer, always or no")
	f.BoolVarP(&m.verbose, "verbose", "v", false, "tell of clients that leave, too")
	return c
}

func (m *managing) serve(ctx context.Context) error {
	key, err := readKey(m.key)
	if err != nil {
		return err
	}
	log := newServerLog(m.app, m.verbose)
	defer log.close()
	o := manager.Options{
		Root: m.root, Key: key, Pickle: m.pickle, Listen: m.listen, TLS: m.tls.given(),
		Frame: int64(m.frame), Clients: m.clients, Objects: m.objects, Idle: max(0, time.Duration(m.idle)), Log: log.add,
	}
	if m.data != "" {
		signal.Ignore(unix.SIGXFSZ) // a limit of its size is an error, as a full disk is
		j, err := journal.Open(m.data, journal.Options{NoSync: m.sync == syncNo})
		if err != nil {
			return err
		}
		o.Journal = j
	}
	s, err := manager.Serve(m.name, o)
	if err != nil {
		return err
	}
	if err = m.ready(s); err == nil {
		select {
		case <-ctx.Done():
		case <-s.Done():
		}
	}
	return errors.Join(err, s.Close())
}

func (m *managing) ready(s *manager.Server) error {
	if m.json {
		j := struct {
			Ready   string  `json:"ready"`
			Address *string `json:"address"` // null: no remote clients
			Pid     int     `json:"pid"`
		}{Ready: s.Name(), Pid: os.Getpid()}
		if at := s.Address(); at != "" {
			j.Address = &at
		}
		return m.writeJSON(j)
	}
	return m.write([]byte(strings.TrimRight("ready "+s.Name()+" "+s.Address(), " ") + "\n"))
}

// readKey reads the file with a key; "" is none.
func readKey(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0 {
		return nil, fmt.Errorf("read key: everybody can read %s, so it is no secret: chmod 600 it", file)
	}
	key, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if key = bytes.TrimSuffix(key, []byte("\n")); len(key) == 0 {
		return nil, fmt.Errorf("read key: %s is empty", file)
	}
	return key, nil
}

// serverLog writes what a server tells of its clients. The server must not wait for a terminal, so there is a goroutine
// between; what it cannot follow is counted.
type serverLog struct {
	lines chan string
	ended chan struct{}
	all   bool
	lost  int // belongs to the server's goroutine
}

func newServerLog(a *app, all bool) *serverLog {
	l := &serverLog{lines: make(chan string, 1024), ended: make(chan struct{}), all: all}
	go func() {
		for line := range l.lines {
			a.warn(errors.New(line))
		}
		close(l.ended)
	}()
	return l
}

func (l *serverLog) add(what, who, why string) {
	if what == "client left" && !l.all {
		return
	}
	if who != "" {
		what += " " + who
	}
	line := clean(what + ": " + why)
	if l.lost > 0 {
		line = fmt.Sprintf("%s (%d lines before were left out)", line, l.lost)
	}
	select {
	case l.lines <- line:
		l.lost = 0
	default:
		l.lost++
	}
}

// close is called when the server has ended.
func (l *serverLog) close() {
	close(l.lines)
	<-l.ended
}
