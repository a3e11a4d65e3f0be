package handover

import (
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// State says which of the descriptors that this process was started with are still held for roles that nobody has
// asked for. Their numbers alone do not tell: one that was closed may be another file's by now, even the same
// object's, opened by name.
type State struct {
	Begun uint32 // the descriptors were looked at
	_     uint32
	Held  [Most / 64]uint64 // a bit for each line of the variable
}

var (
	mu    sync.Mutex
	state = new(State)

	// Environment reads the variable as it is now.
	Environment = func() string { v, _ := unix.Getenv(Variable); return v }
)

// KeepIn says where the state lies: a library that survives forks has memory for what a child must know.
func KeepIn(s *State) { state = s }

// Take opens what the parent handed over in that role, which must be of one of the kinds of references. open is
// the OpenRef of the noun.
//
// NOT_FOUND for a role that there is none of, WRONG_KIND, GONE if the object is gone; the errors of open.
func Take(noun, role string, open func(r codec.Ref, root string) error, kinds ...uint8) error {
	op := "take inherited " + noun
	if err := CheckRole(op, role); err != nil {
		return err
	}
	entries, err := Parse(Environment())
	if err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	begin(entries)
	i, err := find(op, entries, role, kinds)
	if err != nil {
		return err
	}
	if err := open(entries[i].Ref, entries[i].Root); err != nil {
		return err
	}
	release(i, entries[i].FD)
	return nil
}

func find(op string, entries []Entry, role string, of []uint8) (int, error) {
	roles := make([]string, len(entries))
	for i, e := range entries {
		if e.Role == role {
			if !slices.Contains(of, e.Ref.Kind) {
				return 0, &ipcerr.Error{Op: op, Name: role, Code: ipcerr.WrongKind, Hint: "what was handed over in this role is a " + kinds[e.Ref.Kind]}
			}
			return i, nil
		}
		roles[i] = e.Role
	}
	hint := "the parent process handed nothing over: start this program with its objects (polyipc.spawn, polyipc_process_spawn, package spawn)"
	if len(roles) > 0 {
		hint = "no object was handed over in this role; there are: " + strings.Join(roles, ", ")
	}
	return 0, &ipcerr.Error{Op: op, Name: role, Code: ipcerr.NotFound, Hint: hint}
}

// begin looks once which descriptors came with the variable, and keeps them from programs that this one starts. A
// shell in between may have closed some. Ours are close-on-exec from the beginning; those that came are not.
func begin(entries []Entry) {
	if state.Begun != 0 {
		return
	}
	for i, e := range entries {
		if flags, err := unix.FcntlInt(uintptr(e.FD), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC != 0 {
			continue
		}
		if id, err := shm.UUIDOf(e.FD); err != nil || id != e.Ref.UUID {
			continue
		}
		unix.CloseOnExec(e.FD)
		state.Held[i/64] |= 1 << (i % 64)
	}
	state.Begun = 1
}

// release closes the descriptor that kept the object for this process, which has it open now.
func release(i, fd int) {
	bit := uint64(1) << (i % 64)
	if state.Held[i/64]&bit == 0 {
		return
	}
	state.Held[i/64] &^= bit
	_ = unix.Close(fd)
}
