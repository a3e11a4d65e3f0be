package root

import (
	"bytes"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/shm"
)

// Process is a living process that takes part in a root, as it described itself.
type Process struct {
	Pid      int    // in its own pid namespace
	PidNS    uint64 // that namespace: the inode of /proc/PID/ns/pid; 0 unknown
	Language string // "go", "c", "python"
	Command  string // its command line, cut off after 184 bytes
	Joined   time.Time
}

// Processes lists the living processes of the root, in no particular order. Whether one lives is
// asked of the kernel; a stopped process lives.
//
// The errors of List, and CORRUPT or VERSION if the root's list of members makes no sense.
func Processes(dir string) ([]Process, error) {
	const op = "list processes"
	r, err := open(dir)
	if err != nil || r == nil {
		return nil, err
	}
	fd, err := members(r)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, shm.Fail(op, membersOf(r), err)
	}
	defer shm.CloseFile(fd, nil)
	var all []Process
	for slot := range layout.Slots {
		p, alive, err := member(fd, slot, 0)
		if err != nil {
			return nil, shm.Fail(op, membersOf(r), err)
		}
		if alive {
			all = append(all, p)
		}
	}
	return all, nil
}

func membersOf(r *shm.Root) string { return r.Path() + "/members" }

// members opens the list of members: a description that holds no lock, so that the kernel tells it of all others, ours
// included.
func members(r *shm.Root) (fd int, err error) {
	if fd, err = shm.OpenFile(membersOf(r), unix.O_RDONLY, 0, nil); err != nil {
		return -1, err
	}
	if err = checkMembers(fd); err != nil {
		shm.CloseFile(fd, nil)
		return -1, err
	}
	return fd, nil
}

// server is the process that serves the manager of that name; nil if it is dead, or cannot be told.
func server(r *shm.Root, name string) *Process {
	fd, err := shm.OpenFile(r.Path()+"/"+name, unix.O_RDONLY, 0, nil)
	if err != nil {
		return nil
	}
	defer shm.CloseFile(fd, nil)
	var m layout.Manager
	if n, err := shm.ReadAt(fd, layout.Bytes(&m), layout.ManagerOffset); err != nil || n < 4 {
		return nil
	}
	list, err := members(r)
	if err != nil {
		return nil
	}
	defer shm.CloseFile(list, nil)
	slot, generation := layout.SplitToken(m.Token)
	if p, alive, err := member(list, slot, generation); err == nil && alive {
		return &p
	}
	return nil
}

func checkMembers(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return unix.EISDIR
	}
	var h layout.Header
	if _, err := shm.ReadAt(fd, layout.Bytes(&h), 0); err != nil {
		return err
	}
	return h.Check(layout.KindMembers, st.Size, h.UUID)
}

// member reads a slot; alive is false if nobody has it, or somebody is just taking it, or it is of another generation
// than the one asked for, if that is not 0.
func member(fd, slot int, generation uint32) (p Process, alive bool, err error) {
	var s, again layout.Slot
	at := layout.SlotOffset(slot)
	if _, err := shm.ReadAt(fd, layout.Bytes(&s), at); err != nil || s.Generation == 0 || s.Written != s.Generation {
		return p, false, err
	}
	if generation != 0 && s.Generation != generation {
		return p, false, nil
	}
	lock, err := shm.Holder(fd, at)
	if err != nil || lock == unix.F_UNLCK {
		return p, false, err
	}
	// Who holds the lock may be a new owner that has written nothing yet. Read again, behind the
	// question: the entry was whole, and if it still is the same, it is that of the holder.
	if _, err := shm.ReadAt(fd, layout.Bytes(&again), at); err != nil || again != s {
		return p, false, err
	}
	return Process{Pid: int(s.Pid), PidNS: s.PidNS, Joined: time.Unix(0, s.Joined),
		Language: text(s.Language[:]), Command: text(s.Command[:])}, true, nil
}

// text is a zero-padded field; what is no UTF-8, or would upset a terminal, becomes a question mark.
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(bytes.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, b))
}
