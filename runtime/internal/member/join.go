package member

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

const op = "join root"

// enter takes a slot. The root may be removed and made anew by others all the while; then we start
// again, a few times.
func enter(r *shm.Root) (*Member, error) {
	for range 100 {
		m, err := enterOnce(r)
		if err != nil {
			return nil, err
		}
		if m != nil {
			return m, nil
		}
	}
	return nil, &ipcerr.Error{Op: op, Name: r.Path(), Code: ipcerr.Gone,
		Hint: "the root is being removed and made anew, again and again, while we try to join it"}
}

// enterOnce returns nil and no error if the attempt is void and should be repeated.
func enterOnce(r *shm.Root) (m *Member, err error) {
	forks := shm.ForkCount()
	fd, err := openOrMake(r)
	if err != nil {
		return nil, err
	}
	m = &Member{root: r, fd: -1}
	defer func() {
		shm.CloseFile(fd, OnDescriptor)
		if err != nil && m != nil {
			m.leave()
			m = nil
		}
	}()
	if err := unix.Fstat(fd, &m.file); err != nil {
		return m, shm.Fail(op, r.Path(), err)
	}
	if m.uuid, err = check(fd, &m.file); err != nil {
		return m, shm.Fail(op, file(r), err)
	}
	// The lock belongs to fd's description, and the description lives as long as a descriptor or a
	// mapping refers to it. With the mapping alone left, that is exactly as long as this address space:
	// closing descriptors does not matter, fork and raw clone do not copy it, exec and death end it.
	// The mapping comes before the lock, and is marked before it: else a child forked in
	// between would keep us alive.
	if m.pin, err = shm.Pin(fd); err != nil {
		return m, shm.Fail(op, r.Path(), err)
	}
	slot, err := take(fd, r)
	if err != nil {
		return m, err
	}
	if err := m.register(fd, slot); err != nil {
		return m, err
	}
	if m.fd, err = open(r, unix.O_RDONLY); err != nil && err != unix.ENOENT {
		return m, shm.Fail(op, r.Path(), err)
	}
	// The file may have been removed with the root before we had the lock, and a fork before the
	// marking has copied the mapping or fd. Nobody knows our token yet, so we simply try again.
	if err == nil && !m.mine() {
		shm.CloseFile(m.fd, OnDescriptor) // just opened, so it is ours to close, whatever file it is
		m.fd, err = -1, unix.ENOENT
	}
	if err != nil || shm.ForkCount() != forks {
		m.leave()
		return nil, nil
	}
	return m, nil
}

// take finds a slot without an owner and locks it through fd. The search starts where the last one
// ended, so that the generations of a slot are used up slowly: a token is used again after 2^19
// joins at the very earliest, and after 2^31 if they are spread.
func take(fd int, r *shm.Root) (int, error) {
	var cursor uint32 // a hint: two who write it at once do no harm
	if _, err := shm.ReadAt(fd, layout.Bytes(&cursor), layout.MembersCursor); err != nil {
		return 0, shm.Fail(op, r.Path(), err)
	}
	for i := range uint32(layout.Slots) {
		slot := int((cursor%layout.Slots + i) % layout.Slots)
		switch err := shm.TryLock(fd, unix.F_WRLCK, layout.SlotOffset(slot)); err {
		case nil:
			crash.Point("member.join.locked")
			next := uint32(slot+1) % layout.Slots
			if err := shm.WriteAt(fd, layout.MembersCursor, layout.Bytes(&next)); err != nil {
				return 0, shm.Fail(op, r.Path(), err)
			}
			return slot, nil
		case shm.ErrBusy:
		default:
			return 0, shm.Fail(op, r.Path(), err)
		}
	}
	return 0, full(r)
}

// register makes the slot ours by a new generation, then says who we are.
//
// Until the generation is written, the former owner's token seems alive, since the slot is locked:
// that errs on the right side, and only for the moment. Killed anywhere in between, the lock is gone
// and with it whoever holds any token of this slot.
func (m *Member) register(fd, slot int) error {
	at := layout.SlotOffset(slot)
	var generation uint32
	if n, err := shm.ReadAt(fd, layout.Bytes(&generation), at); err != nil || n != 4 {
		return shm.Fail(op, m.root.Path(), short(err))
	}
	if generation = (generation + 1) % layout.Generations; generation == 0 {
		generation = 1
	}
	if err := shm.WriteAt(fd, at, layout.Bytes(&generation)); err != nil {
		return shm.Fail(op, m.root.Path(), err)
	}
	crash.Point("member.join.generation")
	id, err := shm.NewUUID()
	if err != nil {
		return err
	}
	s := layout.Slot{Generation: generation, Pid: uint32(unix.Getpid()), UUID: id, Joined: time.Now().UnixNano(),
		StartTicks: startTicks(), PidNS: pidNamespace(), Written: generation}
	copy(s.Language[:], Language)
	copy(s.Command[:], command(len(s.Command)))
	rest := layout.Bytes(&s)[4:]
	if err := shm.WriteAt(fd, at+4, rest); err != nil {
		return shm.Fail(op, m.root.Path(), err)
	}
	m.token = layout.Token(slot, generation)
	return nil
}

// leave gives everything back.
func (m *Member) leave() {
	if m.pin != nil {
		shm.Unpin(m.pin)
		m.pin = nil
	}
	m.query.Lock()
	defer m.query.Unlock()
	if m.mine() {
		shm.CloseFile(m.fd, OnDescriptor)
	} else if m.fd >= 0 && OnDescriptor != nil {
		OnDescriptor(m.fd, false)
	}
	m.fd = -1
}

// openOrMake opens the members file, which the first process in a root makes: aside, and published
// whole, so that of many who come first one wins and the others find its file.
func openOrMake(r *shm.Root) (int, error) {
	for {
		fd, err := open(r, unix.O_RDWR)
		if err != unix.ENOENT {
			if err != nil {
				err = shm.Fail(op, file(r), err)
			}
			return fd, err
		}
		err = r.CreateMembers()
		if err != nil && ipcerr.CodeOf(err) != ipcerr.Exists {
			return -1, err
		}
	}
}

// check makes sure that this is a members file and returns its UUID.
func check(fd int, st *unix.Stat_t) ([16]byte, error) {
	var h layout.Header
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return h.UUID, &ipcerr.Error{Op: op, Code: ipcerr.Corrupt, Hint: "it is not a regular file, so not the list of members: remove it"}
	}
	if st.Size != layout.MembersFile {
		return h.UUID, &ipcerr.Error{Op: op, Code: ipcerr.Corrupt,
			Hint: fmt.Sprintf("the list of members has %d bytes, not %d: remove the root once no process uses it", st.Size, layout.MembersFile)}
	}
	if _, err := shm.ReadAt(fd, layout.Bytes(&h), 0); err != nil {
		return h.UUID, err
	}
	return h.UUID, h.Check(layout.KindMembers, st.Size, h.UUID)
}

func file(r *shm.Root) string { return r.Path() + "/members" }

func open(r *shm.Root, flags int) (int, error) {
	return shm.OpenFile(file(r), flags, 0, OnDescriptor)
}

// short is the error of a read that got too little: err, or that the file was truncated.
func short(err error) error {
	if err != nil {
		return err
	}
	return &ipcerr.Error{Op: op, Code: ipcerr.Corrupt, Hint: "the list of members was truncated: remove the root once no process uses it"}
}
