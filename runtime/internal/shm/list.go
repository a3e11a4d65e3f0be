package shm

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
)

// Entry describes one file of a root.
type Entry struct {
	Name    string
	Kind    layout.Kind
	Flags   layout.Flags
	UUID    [16]byte  // of the object; for a part, of its parent
	Size    int64     // bytes of the file
	Bytes   int64     // bytes that it takes up in the filesystem
	Users   bool      // somebody has it open; always false for a part
	Created time.Time // by the clock of its maker
	Err     error     // not nil: what is wrong with the file; then only Name, Size and Bytes are sure
	Part    bool      // a part of an object
	Linked  bool      // a message refers to it
}

// List describes the files of the root, sorted by name, those in the making left out. Files that
// come or go meanwhile may be missed.
func (r *Root) List() ([]Entry, error) {
	all, err := r.fileNames()
	if err != nil {
		return nil, err
	}
	list := make([]Entry, 0, len(all))
	for _, name := range all {
		if isTmp(name) {
			continue
		}
		if e, there := r.describe(name); there {
			list = append(list, e)
		}
	}
	return list, nil
}

func (r *Root) describe(name string) (e Entry, there bool) {
	e.Name = name
	parent, letter, _, part := splitPart(name)
	e.Part = part
	c, err := r.inspect(name)
	if err == unix.ENOENT {
		return e, false
	}
	if part && c == nil && r.headless(name) {
		e.UUID = parent
		return e, true
	}
	if c != nil {
		defer c.close()
		e.Size, e.Bytes = c.stat.Size, c.stat.Blocks*512
		if err == nil {
			err = c.header.CheckFile(c.stat.Size)
		}
		if h := &c.header; err == nil {
			e.Kind, e.Flags, e.UUID, e.Created = h.Kind, h.Flags(), h.UUID, time.Unix(0, h.Created)
			err = belongs(name, h)
		}
		if part && isLink(letter) {
			e.UUID, e.Bytes = parent, 0 // the memory is the object's own
		} else if !part {
			e.Linked = c.stat.Nlink > 1
		}
		e.Users = !e.Part && c.users != unix.F_UNLCK
	}
	if err != nil {
		e.Err = fail("list", name, err, "")
	}
	return e, true
}

// headless reports whether the part of that name is of those without a header: a bell is a FIFO, and a manager has a socket.
func (r *Root) headless(name string) bool {
	var st unix.Stat_t
	if unix.Lstat(r.file(name), &st) != nil {
		return false
	}
	kind := st.Mode & unix.S_IFMT
	return kind == unix.S_IFIFO || kind == unix.S_IFSOCK
}

// belongs reports whether a file with this header may have this name.
func belongs(name string, h *layout.Header) error {
	parent, letter, n, part := splitPart(name)
	switch {
	case part && isLink(letter):
		if !h.Kind.IsObject() {
			return corruptName(h)
		}
		return nil
	case part != h.Kind.IsPart(),
		part && (parent != h.UUID || uint32(letter) != h.Letter || n != h.Number),
		isUUID(name) && name != uuidName(h.UUID),
		(name == membersName) != (h.Kind == layout.KindMembers):
		return corruptName(h)
	}
	return nil
}

// inspect is look without the wish to change anything. With an error other than ENOENT it may
// still return what it could find out.
func (r *Root) inspect(name string) (*candidate, error) {
	c := &candidate{root: r, path: r.file(name), name: name, fd: -1}
	// First without opening: to open a device or a FIFO has effects.
	err := unix.Lstat(c.path, &c.stat)
	if err == nil && c.stat.Mode&unix.S_IFMT != unix.S_IFREG {
		err = unix.EISDIR
	}
	if err == nil {
		c.fd, err = openFile(c.path, unix.O_RDONLY, 0)
	}
	if err != nil {
		return nil, err
	}
	if c.stat, err = fstat(c.fd); err == nil {
		c.header, err = readHeader(c.fd)
	}
	if err == nil {
		c.users, err = Holder(c.fd, userLock)
	}
	return c, err
}

// fileNames lists the root, sorted.
func (r *Root) fileNames() ([]string, error) {
	fd, err := openFile(r.path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, fail("list root", r.path, err, "")
	}
	defer closeFile(fd)
	var all []string
	buf := make([]byte, 32<<10)
	for {
		n, err := unix.Getdents(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, fail("list root", r.path, err, "")
		}
		if n == 0 {
			slices.Sort(all)
			return all, nil
		}
		_, _, all = unix.ParseDirent(buf[:n], -1, all)
	}
}
