// Package live is the objects of a manager: dicts, lists, locks, queues, ..., as one goroutine of the server sees
// them. It knows no connections and no frames: a Request comes in, is answered at once or parked, and is answered
// later when another request makes that possible.
//
// Everything here runs in one goroutine, the server's loop: nothing locks, nothing waits, and each call is done
// as a whole before the next one begins. That is why increment, compare_and_set and the like need no lock.
//
// Values are kept as their bytes, which were checked on their way in. docs/spec/manager.md has the methods.
//
// A type is a file, with a table of its methods at the top: define makes it known (types.go), and a call's arguments
// are bound by that table (args.go). Dicts, sets and namespaces are a table (table.go) of keys in canonical form
// (canon.go). Who waits stands in a line (line.go).
package live

import (
	"errors"
	"fmt"
	"time"

	"github.com/polyipc/polyipc/codec"
)

// ID numbers the objects of a server, from 1 on; 0 is the manager itself. Numbers are not used again.
type ID uint64

// Object is a live object.
type Object interface {
	// Type is "dict", "list", ...
	Type() string
	// Call does a call and returns its result; or parks it, with the result of r.Park; or refuses. The result may
	// be what the object keeps: it may be held, for nobody writes into it, but not written into.
	Call(r *Request) (codec.Raw, error)
	// Drop gives up what the object refers to: nobody refers to it any more. Who still waits in it is answered with
	// GONE.
	Drop()
}

// Leaver is an object that clients can hold something of. Who gives a client something calls Client.Hold.
type Leaver interface {
	// Leave gives back what the client holds of the object, since it is gone. Its parked requests were cancelled before.
	Leave(c *Client)
}

// Watchable is an object whose changes can be watched.
type Watchable interface {
	Watch(w Watcher)
	Unwatch(w Watcher)
	// Snapshot is all of it, as one value; shared says that it may hold references to live objects.
	Snapshot() (all codec.Raw, shared bool)
}

// Watcher is told of each change, as one value: an array of what was done, and to what. It never waits.
type Watcher interface {
	Changed(change codec.Raw, shared bool)
}

// Parked is who answers a parked request, by Room.Answer.
type Parked interface {
	// Cancel forgets the request: its caller gave it up, or died. It is not answered here any more.
	Cancel(r *Request)
	// Expire forgets it, too, and returns what a call returns whose timeout has passed. Or it says that the request is
	// still parked, now by r.Parked and with r.Timeout, which is none: the wait of a condition has to have its lock.
	Expire(r *Request) (codec.Raw, error)
}

// Client is one connection, as objects see it.
type Client struct {
	Number uint64
	holds  map[Leaver]struct{}
}

// Owner is who may release what he acquired: one thread of a client.
type Owner struct {
	Client *Client
	Thread uint64 // as the client numbers them
}

// Named is an argument with a name.
type Named struct {
	Name  string
	Value codec.Raw
}

// Request is one call. Args and the values of Named are views, which do not outlive Call: who keeps one copies it.
// A request that is used again begins empty.
type Request struct {
	Client *Client
	Thread uint64
	Method string
	Args   []codec.Raw
	Named  []Named
	Room   Room
	Tag    any // the server's own

	Refs   bool // some argument holds references
	Shared bool // set with the result: it may hold references to live objects

	// Undo, set with the result, takes it back as if the call had not been: the caller was given an item, a lock, a
	// permit, and does not confirm that he has it. It may come after the client's Leave, and then gives nothing twice;
	// but before the references are taken back that the client was counted with the result.
	Undo func()

	// Told, set with the result and Undo: a keeper was told that what the caller was given is gone.
	Told bool

	Parked  Parked        // not nil: who will answer
	Timeout time.Duration // of a parked call; negative: none
	place   place         // where it waits
}

// Room is what the server does for its objects.
type Room interface {
	// Answer answers a request that was parked, and was neither cancelled nor expired since. It comes in the middle of
	// another request's Call, Undo, Cancel, Expire or Leave, and calls no object itself.
	Answer(r *Request, result codec.Raw, err error)
	// Keep counts the references to live objects within a value that an object keeps; Forget takes that back.
	// GONE for an object that is no more, INVALID for one of another server; then nothing is counted. What nobody
	// refers to any more is dropped after the call, when the references in its result are counted for the client.
	Keep(v codec.Raw) error
	Forget(v codec.Raw)
	// Find is the live object to which a value refers.
	Find(v codec.Raw) (ID, Object, error)
}

// errParked is what Park returns.
var errParked = errors.New("parked")

// IsParked reports whether a Call's error says that the request waits.
func IsParked(err error) bool { return err == errParked }

// Park makes r wait for p to answer it. A negative timeout is none.
func (r *Request) Park(p Parked, timeout time.Duration) (codec.Raw, error) {
	r.Parked, r.Timeout = p, timeout
	return nil, errParked
}

// Hold notes that the client holds something of l, until Leave is called or Let.
func (c *Client) Hold(l Leaver) {
	if c.holds == nil {
		c.holds = map[Leaver]struct{}{}
	}
	c.holds[l] = struct{}{}
}

// Let notes that the client holds nothing of l any more.
func (c *Client) Let(l Leaver) { delete(c.holds, l) }

// Leave gives back everything that the client holds.
func (c *Client) Leave() {
	for l := range c.holds {
		delete(c.holds, l)
		l.Leave(c)
	}
}

// Fault is a failure of an object's method, in the words of Python.
type Fault struct {
	Type    string // "KeyError"
	Message string
}

// Error returns type and message.
func (f *Fault) Error() string { return f.Type + ": " + f.Message }

func fault(typ, format string, args ...any) error {
	return &Fault{typ, fmt.Sprintf(format, args...)}
}
