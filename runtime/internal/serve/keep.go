package serve

import (
	"iter"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/frame"
	"github.com/polyipc/polyipc/runtime/internal/live"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// A server with a journal keeps the objects that have a name there. What a call changes is in memory at once, for the calls
// behind it, but nobody is told before it is in the journal:
//
//	keep.go      which objects are kept; what they change goes to the group of changes that is next
//	commit.go    one group at a time is committed, while the next one gathers; answers that rest on either are held
//	rollback.go  a commit found no space: both groups are taken back, and their callers are told
//	restore.go   what the journal has when the server starts

// Journal is where objects are kept that outlive the server.
type Journal interface {
	// Load calls each with every object that there is; with those of some numbers, if any are given. What each gets is valid
	// until it returns. CORRUPT.
	Load(numbers []uint64, each func(Kept) error) error
	// Commit has all the changes made when it returns nil, for whatever may happen, or none of them. It is called by one
	// goroutine at a time. NO_SPACE: none was made, and the journal is what it was. With any other error it is of no use any more.
	Commit(changes []Change) error
	// Waits reports whether Commit waits for a device, rather than to be called by the loop.
	Waits() bool
	// Stat is where it is, and how many bytes it has there.
	Stat() (where string, size int64)
	Close() error
}

// Kept is an object as a journal has it.
type Kept struct {
	Number     uint64 // for as long as it is kept
	Name, Type string
	Head       []byte                    // a value, or nothing
	Entries    iter.Seq2[uint64, []byte] // one or two values each, in the order of their numbers
}

// Change is one change of an object.
type Change struct {
	Object uint64
	What   What
	Number uint64    // of an entry
	Key    string    // of an entry, one value; the name of an object that is made
	Value  codec.Raw // of an entry, behind the key; a head; the type of an object that is made
}

// What says what a change is, and so what else it has.
type What uint8

// The changes.
const (
	Make   What = iota // Key, Value
	Remove             // the object and all its entries
	Head               // Value
	Set                // Number, Key, Value
	Delete             // Number
	Clear              // all entries
)

// keeper implements live.Keeper for an object. It lasts as long as the object is kept.
type keeper struct {
	s    *Server
	e    *entry
	name string
	last *group // which it changed last
	made *group // in which it was made
	gone *group // in which its name went
}

func (k *keeper) tell(c Change) {
	g := k.s.keep.next
	if k.last != g {
		k.last = g
		g.changed = append(g.changed, k)
	}
	c.Object = uint64(k.e.id)
	g.changes = append(g.changes, c)
}

// Head implements live.Keeper, and so do Set, Delete, Clear and Allow.
func (k *keeper) Head(v codec.Raw) { k.tell(Change{What: Head, Value: v}) }

func (k *keeper) Set(number uint64, key string, value codec.Raw) {
	k.tell(Change{What: Set, Number: number, Key: key, Value: value})
}

func (k *keeper) Delete(number uint64) { k.tell(Change{What: Delete, Number: number}) }

func (k *keeper) Clear() { k.tell(Change{What: Clear}) }

func (k *keeper) Allow(v codec.Raw) error { return k.s.mayKeep(k.name, v) }

// mayKeep refuses values with references to live objects: these have other numbers when the server starts again.
func (s *Server) mayKeep(name string, values ...codec.Raw) error {
	for _, v := range values {
		refs, err := codec.Refs(v)
		if err != nil {
			return err
		}
		for _, r := range refs {
			if r.Kind == frame.RefKind {
				return &ipcerr.Error{Op: "keep value", Name: name, Code: ipcerr.Invalid,
					Hint: "the object is kept on disk, where a reference to another object of the manager cannot be: give that one a name, and put the name into the value"}
			}
		}
	}
	return nil
}

// keeps reports whether an object of this type and name is kept.
func (s *Server) keeps(typ, name string) bool {
	return name != "" && s.options.Journal != nil && live.CanKeep(typ)
}

// keepIt begins to keep a new object.
func (s *Server) keepIt(e *entry) {
	k := &keeper{s: s, e: e, name: e.name, made: s.keep.next}
	e.keeper = k
	k.tell(Change{What: Make, Key: e.name, Value: codec.AppendText(nil, e.obj.Type())})
	e.obj.(live.Keepable).KeepBy(k)
}

// unkeep ends that with the object's name. Until that is committed it goes on as one that is kept: what its callers are told
// would not be true if the commit failed. So the name's reference stays until then, too.
func (s *Server) unkeep(e *entry) {
	e.obj.(live.Keepable).KeepBy(nil)
	e.keeper.tell(Change{What: Remove})
	e.keeper.gone = s.keep.next
}
