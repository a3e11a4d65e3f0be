package member

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Language is what this process calls itself in the registry, at most 16 bytes. Set before the
// first Join.
var Language = "go"

// OnDescriptor, if set, is told of every descriptor this package opens and closes; a forked child
// must close all of them, since it is another process. Set before the first Join.
var OnDescriptor func(fd int, open bool)

// Member is this process's membership in a root. All methods may be called from any goroutine
// between Join and the matching Release.
type Member struct {
	root  *shm.Root
	token uint32
	uuid  [16]byte // of the members file
	file  unix.Stat_t
	pin   []byte // the mapping that keeps the lock on our slot alive

	refs  int  // under joined.Mutex
	stale bool // under joined.Mutex: the members file was replaced, nobody joins this one any more

	query sync.RWMutex // held exclusively while fd changes
	fd    int          // a description that never holds a lock; -1 if it was lost
}

// All memberships of this process, by the root's path.
var joined struct {
	sync.Mutex
	by map[string]*Member
}

// Join makes this process a member of the root, or counts one more user of its membership. Every
// Join needs a Release. The first Join of a process and its last Release also remove what dead
// processes left in the root.
//
// LIMIT (the registry is full), CORRUPT, VERSION, NO_SPACE, DENIED, NOT_FOUND (no root any more).
func Join(r *shm.Root) (*Member, error) {
	m, first, err := join(r)
	if err == nil && first {
		_, _ = r.Reap() // a service to others; what is wrong with their files is no reason not to join
	}
	return m, err
}

func join(r *shm.Root) (m *Member, first bool, err error) {
	joined.Lock()
	defer joined.Unlock()
	if m := joined.by[r.Path()]; m != nil {
		if m.current() {
			m.refs++
			return m, false, nil
		}
		// The root was removed and made anew. Who uses the old one goes on with the old membership.
		m.stale = true
		delete(joined.by, r.Path())
	}
	if m, err = enter(r); err != nil {
		return nil, false, err
	}
	if joined.by == nil {
		joined.by = map[string]*Member{}
	}
	joined.by[r.Path()] = m
	m.refs = 1
	return m, true, nil
}

// Release ends one use. The last one leaves the root: the process then has no descriptor, mapping
// or lock of it any more.
func (m *Member) Release() {
	joined.Lock()
	m.refs--
	last := m.refs == 0
	if m.refs < 0 {
		joined.Unlock()
		panic("member: Release without Join")
	}
	if last && !m.stale {
		delete(joined.by, m.root.Path())
	}
	joined.Unlock()
	if last {
		_, _ = m.root.Reap()
		m.leave()
	}
}

// Token is what we write into lock words; see layout.Token. It is not 0.
func (m *Member) Token() uint32 { return m.token }

// UUID is that of the root's members file; every file of the root carries it.
func (m *Member) UUID() [16]byte { return m.uuid }

// Alive reports whether the member with this token lives; the waiter bit is ignored. It is
// certain of death: false means that the address space of that process is gone. If it cannot find
// out, it says true. No token (0) is not alive.
func (m *Member) Alive(token uint32) bool {
	slot, generation := layout.SplitToken(token)
	if generation == 0 {
		return false
	}
	if layout.Token(slot, generation) == m.token {
		return true
	}
	for range 2 {
		if alive, sure := m.ask(slot, generation); sure {
			return alive
		}
		if !m.reopen() {
			break
		}
	}
	return true
}

// ask looks whether the slot still belongs to this generation and is locked. sure is false if the
// descriptor has been closed under our feet.
func (m *Member) ask(slot int, generation uint32) (alive, sure bool) {
	m.query.RLock()
	defer m.query.RUnlock()
	var now uint32
	if n, err := shm.ReadAt(m.fd, layout.Bytes(&now), layout.SlotOffset(slot)); err != nil || n != 4 {
		return false, false
	}
	// The question goes through a description of its own: to the one that holds a lock, the kernel
	// says that the lock is free.
	lock, err := shm.Holder(m.fd, layout.SlotOffset(slot))
	if err != nil {
		return false, false
	}
	if lock != unix.F_UNLCK && now == generation {
		return true, true
	}
	// It seems dead. A host that closes all descriptors closes ours too, and its number may belong to
	// another file by now, which has no locks: so be sure.
	return false, m.mine()
}

// mine reports whether fd is still the members file. Call with query held.
func (m *Member) mine() bool {
	var st unix.Stat_t
	return m.fd >= 0 && unix.Fstat(m.fd, &st) == nil && st.Dev == m.file.Dev && st.Ino == m.file.Ino
}

// reopen replaces a lost query descriptor, if the file still has its name.
func (m *Member) reopen() bool {
	m.query.Lock()
	defer m.query.Unlock()
	if m.mine() { // another goroutine was quicker
		return true
	}
	if m.fd >= 0 && OnDescriptor != nil {
		OnDescriptor(m.fd, false)
	}
	m.fd = -1
	fd, err := open(m.root, unix.O_RDONLY)
	if err != nil {
		return false
	}
	m.fd = fd
	if !m.mine() { // the root was made anew; our own members file has no name any more
		shm.CloseFile(fd, OnDescriptor)
		m.fd = -1
		return false
	}
	return true
}

// current reports whether the root still has the members file that we are in.
func (m *Member) current() bool {
	var st unix.Stat_t
	return unix.Lstat(file(m.root), &st) == nil && st.Dev == m.file.Dev && st.Ino == m.file.Ino
}

// Info is what a member said about itself.
type Info struct {
	Pid        int       // in the pid namespace PidNS
	PidNS      uint64    // inode of /proc/PID/ns/pid; 0 unknown
	StartTicks uint64    // start of the process, clock ticks after boot, as in /proc/PID/stat; 0 unknown
	Joined     time.Time // when it took its slot
	Language   string
	Command    string   // the command line, cut off after 184 bytes
	UUID       [16]byte // of the membership
	Alive      bool
}

// Info returns what the member with this token said about itself; false if another has its slot
// now, or it died before it said anything.
func (m *Member) Info(token uint32) (Info, bool) {
	slot, generation := layout.SplitToken(token)
	for range 3 {
		a, ok := m.read(slot)
		b, again := m.read(slot)
		switch {
		case !ok || !again:
			if !m.reopen() {
				return Info{}, false
			}
		case a != b: // it is being written
		case generation == 0 || a.Generation != generation || a.Written != generation:
			return Info{}, false
		default:
			return Info{Pid: int(a.Pid), PidNS: a.PidNS, StartTicks: a.StartTicks, Joined: time.Unix(0, a.Joined),
				Language: text(a.Language[:]), Command: text(a.Command[:]), UUID: a.UUID, Alive: m.Alive(token)}, true
		}
	}
	return Info{}, false
}

// read copies a slot; false if it cannot.
func (m *Member) read(slot int) (s layout.Slot, ok bool) {
	m.query.RLock()
	defer m.query.RUnlock()
	n, err := shm.ReadAt(m.fd, layout.Bytes(&s), layout.SlotOffset(slot))
	return s, err == nil && n == layout.SlotSize && m.mine()
}

func full(r *shm.Root) error {
	return &ipcerr.Error{Op: "join root", Name: r.Path(), Code: ipcerr.Limit,
		Hint: fmt.Sprintf("registry full: %d processes take part already; end some, or use a second root", layout.Slots)}
}
