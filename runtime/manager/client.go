package manager

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Client is a connection to a server. All methods may be called from any goroutine.
//
// Its goroutines share one line to the server. Of those that wait, one reads: what comes for the others it hands to
// them, and when its own answer has come another one goes on reading (wait.go).
type Client struct {
	name    string // as Connect was given it
	options Options

	mu      sync.Mutex
	line    line  // nil: lost or closed
	lost    error // why
	closed  bool
	welcome frame.Welcome
	version uint64           // of the line: counts reconnects
	last    uint64           // number of a call
	calls   map[uint64]*call // under way, or answered and not fetched
	spare   *call            // to be used again
	subs    map[uint64]*subscription
	hosted  []Hosted         // what a host was told of and has not fetched
	callees waiters          // who wait for that
	serving map[uint64]doing // calls that a host was told of and has not answered
	standby standby          // who reads while it does one
	own     *hosting         // what Register made this client the host of
	reading bool             // somebody reads
	in      []byte           // where he reads to
	slice   sliced           // until when
	scan    codec.Scanner    // what he read
	idle    waiters          // who wait for somebody else to read
	news    []uint64         // what was minded and came
	told    waiters          // who wait for that

	sending turn // for the frames' order, and what follows. Before mu
	out     []byte

	giving  sync.Mutex        // for what follows. Behind sending
	given   map[uint64]uint64 // references to be given back
	givenOf uint64            // version of the line by which they came
	toGive  atomic.Bool       // there are some
}

// Info is what a client knows of its connection.
type Info struct {
	Epoch  uint64 // of the server: in the references to its objects
	Client uint64 // this client's number
	Frame  int64  // most bytes of a call or a result
	Pickle bool   // pickles pass
}

const opConnect = "connect to manager"

// Connect connects to the server of that name, or to a remote one at "tcp://host:port", until ctx ends.
//
// ipcerr.NotFound if there is no such server or it is dead; ipcerr.Denied if it refused, without saying why: its log
// does. With TLS also if its certificate is not accepted, and ipcerr.Invalid for files. ipcerr.Timeout, ipcerr.Cancelled, ipcerr.PeerDied, ipcerr.Version, ipcerr.Invalid, ipcerr.Limit.
func Connect(ctx context.Context, name string, o Options) (*Client, error) {
	if err := o.check(opConnect, name); err != nil {
		return nil, err
	}
	if o.Listen != "" || o.Frame != 0 || o.Clients != 0 || o.Objects != 0 || o.Idle != 0 {
		return nil, invalid(opConnect, name, "Listen, Frame, Clients, Objects and Idle are a server's options")
	}
	if o.TLS != nil && !strings.HasPrefix(name, remotePrefix) {
		return nil, invalid(opConnect, name, "TLS is for servers at tcp://host:port: this one is reached within the machine, leave TLS out")
	}
	c := &Client{name: name, options: o, calls: map[uint64]*call{}, in: make([]byte, 4096)}
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Client) connect(ctx context.Context) error {
	l, w, err := dial(ctx, c.name, &c.options)
	if err != nil {
		return err
	}
	if err := c.sending.lock(ctx); err != nil {
		l.close()
		return c.ended(err)
	}
	defer c.sending.unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.line != nil { // closed, or connected by another goroutine, meanwhile
		l.close()
		if c.closed {
			return c.gone(ipcerr.Closed)
		}
		return nil
	}
	c.line, c.welcome, c.lost = l, w, nil
	c.version++
	c.subs, c.hosted, c.serving = map[uint64]*subscription{}, nil, map[uint64]doing{}
	c.giving.Lock()
	defer c.giving.Unlock()
	c.given, c.givenOf = nil, c.version
	c.toGive.Store(false)
	return nil
}

// Reconnect connects anew, to a server of the same name, after the former one died, or even if it lives: what this client
// held there is gone, and objects have new numbers. Calls under way fail with ipcerr.PeerDied. Errors are those of Connect.
func (c *Client) Reconnect(ctx context.Context) error {
	c.mu.Lock()
	c.lose(ipcerr.PeerDied)
	c.mu.Unlock()
	return c.connect(ctx)
}

// Close ends the connection: what this client held is given back. Calls of other goroutines fail with ipcerr.Closed.
// Closing again does nothing.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.lose(ipcerr.Closed)
	c.lost = c.gone(ipcerr.Closed)
	return nil
}

// Info tells about the connection.
func (c *Client) Info() Info {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Info{c.welcome.Epoch, c.welcome.Client, int64(c.welcome.Frame), c.welcome.Pickle}
}

// gone is the error of calls on a connection that is lost or closed.
func (c *Client) gone(code ipcerr.Code) error {
	e := &ipcerr.Error{Op: "call manager", Name: c.name, Code: code, Hint: "the connection was closed in this process"}
	if code == ipcerr.PeerDied {
		e.Hint = "the server died or stopped; the call may have run. Reconnect tries for a new one"
	}
	return e
}

// lose ends the line, with an error for all who wait. Under mu. The line is closed by its last user.
func (c *Client) lose(code ipcerr.Code) {
	if c.line == nil {
		return
	}
	err := c.gone(code)
	c.line.close()
	c.line, c.lost = nil, err
	for id, call := range c.calls {
		if !call.done {
			call.finish(nil, err)
			c.noteEnd(id, call)
		}
	}
	for id, sub := range c.subs {
		sub.waiters.wakeAll()
		c.noteEvents(id, sub)
	}
	c.callees.wakeAll()
	c.idle.wakeAll()
}

// changed reports whether the line is another one than that of a version; of version 0 it is not. Under mu.
func (c *Client) changed(version uint64) bool { return version != 0 && version != c.version }

// send sends a frame that build appends to what it is given, behind the references that are to be given back.
func (c *Client) send(ctx context.Context, build func(dst []byte) []byte) error {
	return c.sendOn(ctx, 0, build)
}

// sendOn is send on the line of that version only: on the next one, its numbers would mean other things. 0 is any.
func (c *Client) sendOn(ctx context.Context, on uint64, build func(dst []byte) []byte) error {
	if err := c.sending.lock(ctx); err != nil {
		return c.ended(err)
	}
	err := c.sendLocked(ctx, on, build)
	c.sending.unlock()
	if c.toGive.Load() {
		c.giveBack()
	}
	return err
}

func (c *Client) sendLocked(ctx context.Context, on uint64, build func(dst []byte) []byte) error {
	c.mu.Lock()
	l, lost, most, version := c.line, c.lost, int(c.welcome.Frame), c.version
	c.mu.Unlock()
	if l == nil {
		return lost
	}
	if on != 0 && on != version {
		return c.gone(ipcerr.PeerDied)
	}
	if c.toGive.Load() {
		c.giveLocked(l)
	}
	c.out = build(c.out[:0])
	if len(c.out) > most {
		return &ipcerr.Error{Op: "call manager", Name: c.name, Code: ipcerr.TooLarge, Hint: "the call does not fit into a frame: send less at a time, or raise the server's limit"}
	}
	err := c.push(ctx, l, c.out)
	if cap(c.out) > 1<<20 {
		c.out = nil
	}
	switch ipcerr.CodeOf(err) {
	case 0, ipcerr.Timeout, ipcerr.Cancelled, ipcerr.Full, ipcerr.Interrupted, ipcerr.NoSpace, ipcerr.TooLarge, ipcerr.NoMemory:
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version == version {
		c.lose(ipcerr.PeerDied)
	}
	return c.lost
}

// How long a push waits for room before it looks whether there is something to read again.
const (
	pushLeast = 50 * time.Microsecond
	pushMost  = 20 * time.Millisecond
)

// push sends a frame. As long as there is no room for it, it reads, too: the server takes nothing from a client that an
// answer does not get to.
func (c *Client) push(ctx context.Context, l line, f []byte) error {
	err := l.send(atOnce, f)
	if ctx == atOnce {
		return err
	}
	for wait := pushLeast; ipcerr.CodeOf(err) == ipcerr.Full; wait = min(2*wait, pushMost) {
		if c.drain(l) {
			wait = pushLeast
		}
		err = l.send(&sliced{ctx, time.Now().Add(wait)}, f)
		if ipcerr.CodeOf(err) != ipcerr.Timeout {
			return err
		}
		if d, ok := ctx.Deadline(); ok && !time.Now().Before(d) {
			return err
		}
		if ended := park.Ended(ctx); ended != nil {
			return c.ended(ended)
		}
		err = ipcerr.Full
	}
	return err
}

// drain takes what has come, unless another goroutine reads, and reports whether that was something.
func (c *Client) drain(l line) (some bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.line == l && !c.reading {
		c.reading = true
		c.mu.Unlock()
		n, err := l.recv(atOnce, c.in)
		c.mu.Lock()
		c.reading = false
		if c.line != l || ipcerr.CodeOf(err) == ipcerr.Empty {
			break
		}
		c.came(n, err)
		some = true
	}
	c.handOn()
	return some
}

// Release gives back count references to an object, which came in results or events. It does not wait.
func (c *Client) Release(object, count uint64) error {
	c.mu.Lock()
	version, lost := c.version, c.lost
	c.mu.Unlock()
	if lost != nil {
		return lost
	}
	c.release(version, object, count)
	return nil
}

// release notes references that are to be given back, and does it unless somebody is sending, who then does.
func (c *Client) release(version, object, count uint64) {
	c.giving.Lock()
	if version == c.givenOf && count > 0 {
		if c.given == nil {
			c.given = map[uint64]uint64{}
		}
		c.given[object] += count
		c.toGive.Store(true)
	}
	c.giving.Unlock()
	c.giveBack()
}

// giveBack sends releases, as far as there is room: the others go with a later frame.
func (c *Client) giveBack() {
	for full := false; c.toGive.Load() && !full && c.sending.tryLock(); c.sending.unlock() {
		c.mu.Lock()
		l := c.line
		c.mu.Unlock()
		full = l == nil || !c.giveLocked(l)
	}
}

// giveLocked sends them, and reports whether there was room for all. Under sending.
func (c *Client) giveLocked(l line) bool {
	c.giving.Lock()
	defer c.giving.Unlock()
	for object, count := range c.given {
		if l.send(atOnce, frame.AppendRelease(nil, object, count)) != nil {
			return false
		}
		delete(c.given, object)
	}
	c.toGive.Store(false)
	c.given = nil
	return true
}
