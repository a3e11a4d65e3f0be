package shm

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Spec says what file to make.
type Spec struct {
	Kind    layout.Kind
	Flags   layout.Flags
	Members [16]byte         // UUID of the root's members file
	Header  int              // bytes of the header area in use, a multiple of 4096; they are reserved
	Data    int64            // bytes behind the header area, a multiple of layout.HeaderArea
	Reserve int64            // how many of Data are reserved, a multiple of 4096; 0: all. See Object.Reserve
	Twice   bool             // map the data twice side by side; with the flag Duplex, either half
	Init    func(mem []byte) // fills in what follows the common header; nobody else sees the file yet
}

// build is a file in the making. Until publish it has no name that anyone opens: killed before,
// it leaves nothing, or a .tmp file without a lock that the reaper removes.
type build struct {
	root *Root
	op   string
	fd   int
	tmp  string // path of the .tmp file; "" for one that has no name at all
}

// Whether files without a name can be made and published here. Cleared for good by the first
// attempt that shows they cannot: an old filesystem, or no /proc. Variables, so that tests can
// take the other way.
var (
	nameless  atomic.Bool
	procLinks = "/proc/self/fd/"
)

func init() { nameless.Store(true) }

// newBuild makes an empty file with a shared lock on byte 0: from the moment that it gets its name
// its maker is a user of it.
func (r *Root) newBuild(op string) (*build, error) {
	if nameless.Load() {
		fd, err := openFile(r.path, unix.O_TMPFILE|unix.O_RDWR, r.mode())
		if err == nil {
			b := &build{root: r, op: op, fd: fd}
			return b, b.prepare()
		}
		// EISDIR comes from kernels, ENOENT and EOPNOTSUPP from filesystems that do not know the flag.
		if err != unix.EOPNOTSUPP && err != unix.EISDIR && err != unix.ENOENT {
			return nil, fail(op, r.path, err, r.spaceHint(err, 0))
		}
	}
	for {
		id, err := NewUUID()
		if err != nil {
			return nil, err
		}
		tmp := r.file(tmpPrefix + uuidName(id))
		fd, err := openFile(tmp, unix.O_CREAT|unix.O_EXCL|unix.O_RDWR, r.mode())
		if err == unix.EEXIST {
			continue
		}
		if err == unix.ENOENT {
			return nil, fail(op, r.path, err, "the root was removed")
		}
		if err != nil {
			return nil, fail(op, r.path, err, r.spaceHint(err, 0))
		}
		b := &build{root: r, op: op, fd: fd, tmp: tmp}
		if err := b.prepare(); err != ErrBusy {
			return b, err
		}
		// A reaper saw the file before it was locked and removed it: make another.
	}
}

// prepare gives the new file its lock and its mode, or closes it.
func (b *build) prepare() error {
	err := TryLock(b.fd, unix.F_RDLCK, userLock)
	if err == nil {
		var st unix.Stat_t
		if st, err = fstat(b.fd); err == nil && st.Mode&0o777 != b.root.mode() {
			err = unix.Fchmod(b.fd, b.root.mode()) // the umask took something away
		}
		if err == nil && b.tmp != "" {
			// With the lock in place a reaper leaves the file alone, but it may have been before us.
			var still bool
			if still, err = names(b.tmp, &st); err == nil && !still {
				err = ErrBusy
			}
		}
	}
	if err != nil {
		b.discard()
		if err != ErrBusy {
			err = fail(b.op, b.root.path, err, "")
		}
	}
	return err
}

// discard gives the file up.
func (b *build) discard() {
	if b.tmp != "" {
		_ = unlink(b.tmp) // under our lock; if it fails, the reaper does it
	}
	closeFile(b.fd)
}

// reserve sets the size of the file and reserves the header bytes in use and that much of the data, so
// that no later store into them can find the filesystem full, which would be a SIGBUS.
func (b *build) reserve(header int, size, data int64) error {
	if err := b.root.room(b.op, int64(header)+data, size); err != nil {
		return err
	}
	if err := b.truncate(size); err != nil {
		return fail(b.op, b.root.path, err, b.root.spaceHint(err, size))
	}
	if err := allocate(b.fd, 0, int64(header)); err != nil {
		return fail(b.op, b.root.path, err, b.root.spaceHint(err, int64(header)+data))
	}
	if err := allocate(b.fd, layout.HeaderArea, data); err != nil {
		return fail(b.op, b.root.path, err, b.root.spaceHint(err, int64(header)+data))
	}
	return nil
}

func (b *build) truncate(size int64) error {
	for {
		if err := unix.Ftruncate(b.fd, size); err != unix.EINTR {
			return err
		}
	}
}

// allocate reserves in chunks: a signal makes tmpfs give up the whole call, and Go sends itself
// signals all the time, so one large call might never finish.
func allocate(fd int, off, n int64) error {
	const chunk = 4 << 20
	for n > 0 {
		m := min(n, chunk)
		err := unix.Fallocate(fd, 0, off, m)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		off, n = off+m, n-m
	}
	return nil
}

// room reports whether the filesystem has need bytes left and may have a file of size bytes. It
// is asked before anything is taken, so that a hopeless request does not fill the root for others
// first. (The kernel would answer a file over RLIMIT_FSIZE with a deadly signal.)
func (r *Root) room(op string, need, size int64) error {
	if most := limit(unix.RLIMIT_FSIZE); uint64(size) > most {
		return fail(op, r.path, unix.EFBIG, fmt.Sprintf("a file of %d bytes is over RLIMIT_FSIZE (ulimit -f), %d", size, most))
	}
	fs, err := r.statfs()
	if err != nil {
		return fail(op, r.path, err, "")
	}
	// A tmpfs without a limit says that it has no blocks at all.
	if fs.Blocks > 0 && fs.Bavail < (uint64(need)+uint64(fs.Bsize)-1)/uint64(fs.Bsize) {
		return fail(op, r.path, unix.ENOSPC, r.spaceHint(unix.ENOSPC, need))
	}
	if fs.Type == tmpfsMagic {
		return r.memoryRoom(op, need)
	}
	return nil
}

// spaceHint says what is missing if err means that the filesystem is full, else nothing.
func (r *Root) spaceHint(err error, need int64) string {
	if err != unix.ENOSPC && err != unix.EDQUOT {
		return ""
	}
	fs, bad := r.statfs()
	if bad != nil {
		return ""
	}
	if fs.Files > 0 && fs.Ffree == 0 {
		return "the root's filesystem has no inode left: remove files, or mount it with more (nr_inodes)"
	}
	what := "room for another file"
	if need > 0 {
		what = strconv.FormatInt(need, 10) + " bytes"
	}
	return fmt.Sprintf("%s needed, %d bytes left in the filesystem of the root %s: remove objects (polyipc rm, polyipc gc) or mount a larger one",
		what, fs.Bavail*uint64(fs.Bsize), r.path)
}

// header fills in the common header of a file of size bytes.
func (s *Spec) header(h *layout.Header, size int64, id identity) {
	h.Magic, h.Version, h.Kind, h.DataOff = layout.Magic, layout.Version, s.Kind, layout.HeaderArea
	h.SetFlags(s.Flags)
	h.Size, h.UUID, h.Members = size, id.uuid, s.Members
	h.Number, h.Letter = id.number, uint32(id.letter)
	h.Created, h.Pid, h.Used = time.Now().UnixNano(), uint32(unix.Getpid()), uint32(s.Header)
}

// reserved is how many bytes of the data are reserved as the file is made.
func (s *Spec) reserved() int64 {
	if s.Reserve == 0 {
		return s.Data
	}
	return s.Reserve
}

func (s *Spec) check(op, name string) error {
	switch {
	case s.Header < 4096 || s.Header > layout.HeaderArea || s.Header%4096 != 0:
		return invalid(op, name, "a header of %d bytes: a multiple of 4096 up to %d is needed", s.Header, layout.HeaderArea)
	case s.Data < 0 || s.Data%layout.HeaderArea != 0:
		return invalid(op, name, "a data area of %d bytes: a multiple of %d is needed", s.Data, layout.HeaderArea)
	case s.Reserve < 0 || s.Reserve > s.Data || s.Reserve%4096 != 0:
		return invalid(op, name, "%d of %d bytes reserved: a multiple of 4096 is needed", s.Reserve, s.Data)
	case s.Data > layout.MaxFile-layout.HeaderArea:
		return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.TooLarge,
			Hint: fmt.Sprintf("a data area of %d bytes: at most %d are possible", s.Data, int64(layout.MaxFile-layout.HeaderArea))}
	}
	return nil
}

// publish gives the file its name if nothing has it yet: EEXIST if something does. It is one
// system call that does all or nothing, so there is never half a file to be seen.
func (b *build) publish(name string) error {
	path := b.root.file(name)
	if b.tmp != "" {
		err := unix.Renameat2(unix.AT_FDCWD, b.tmp, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
		if err == nil {
			b.tmp = ""
		}
		return err
	}
	err := unix.Linkat(unix.AT_FDCWD, procLinks+strconv.Itoa(b.fd), unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW)
	if err == unix.ENOENT || err == unix.EACCES {
		// No /proc. Newer kernels (and privileged processes) can name the descriptor itself.
		if unix.Linkat(b.fd, "", unix.AT_FDCWD, path, unix.AT_EMPTY_PATH) == nil {
			return nil
		}
		var st unix.Stat_t
		if unix.Lstat(b.root.path, &st) == nil && unix.Access(b.root.path, unix.W_OK) == nil {
			nameless.Store(false)
			return errNameless
		}
	}
	return err
}

// errNameless: a file without a name cannot get one here; make it again under a .tmp name.
var errNameless = errors.New("a file without a name cannot be given one")

// identity is what tells a file from others of its kind.
type identity struct {
	name   string
	uuid   [16]byte // of the object; for a part, of its parent
	letter byte     // of a part, else 0
	number uint64   // of a part, else 0
}

// make builds a file, publishes it and returns its descriptor and mapping. taken is called when
// another file has the name: nil means that it is gone by now.
func (r *Root) make(op string, s *Spec, id identity, taken func() error) (int, []byte, error) {
	for {
		fd, mem, err := r.makeOnce(op, s, id, taken)
		if err != errNameless {
			return fd, mem, err
		}
	}
}

func (r *Root) makeOnce(op string, s *Spec, id identity, taken func() error) (int, []byte, error) {
	b, err := r.newBuild(op)
	if err != nil {
		return -1, nil, err
	}
	var mem []byte
	done := false
	defer func() {
		if !done { // an error, or Init panicked
			if mem != nil {
				unmap(mem)
			}
			b.discard()
		}
	}()
	crash.Point("shm.create.built")
	if err := b.reserve(s.Header, layout.HeaderArea+s.Data, s.reserved()); err != nil {
		return -1, nil, err
	}
	if mem, err = mapFile(b.fd, s.Data, areasOf(s.Flags, s.Twice)); err != nil {
		return -1, nil, fail(op, id.name, err, "")
	}
	s.header(layout.View[layout.Header](mem, 0), layout.HeaderArea+s.Data, id)
	if s.Init != nil {
		s.Init(mem)
	}
	crash.Point("shm.create.filled")
	if err := b.name(id.name, taken); err != nil {
		return -1, nil, err
	}
	done = true
	crash.Point("shm.create.linked")
	return b.fd, mem, nil
}

// name publishes the file, again and again while what has the name goes away.
func (b *build) name(name string, taken func() error) error {
	for {
		switch err := b.publish(name); err {
		case nil, errNameless:
			return err
		case unix.EINTR:
		case unix.EEXIST:
			if err := taken(); err != nil {
				return err
			}
		case unix.ENOENT:
			return fail(b.op, name, err, "the root "+b.root.path+" was removed")
		default:
			return fail(b.op, name, err, b.root.spaceHint(err, 0))
		}
	}
}
