package shm

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// EnvRoot names the environment variable with the default root.
const EnvRoot = "POLYIPC_ROOT"

// Root is a directory with objects. It holds no descriptor: every call starts from the path.
type Root struct {
	path   string
	shared bool // made for a group on purpose: objects are for the group, too
}

// OpenRoot returns the root at dir, which is made with mode 0700 if it does not exist. An empty
// dir means $POLYIPC_ROOT or, without that, /dev/shm/polyipc-<effective user id>.
//
// The default name can be guessed and lies in a directory that all can write to, so the root is
// looked at with distrust: DENIED for a symbolic link, a directory of another user, and one that
// others can write to, unless that is for a group and on purpose, which the set-group-id bit says.
// INVALID for what is no directory, UNSUPPORTED on a network filesystem or overlay.
func OpenRoot(dir string) (*Root, error) {
	const op = "open root"
	named := true
	if dir == "" {
		if dir, _ = unix.Getenv(EnvRoot); dir == "" {
			named, dir = false, fmt.Sprintf("/dev/shm/polyipc-%d", unix.Geteuid())
		}
	}
	if strings.IndexByte(dir, 0) >= 0 {
		return nil, invalid(op, dir, "the path has a zero byte")
	}
	if !path.IsAbs(dir) {
		wd, err := unix.Getwd()
		if err != nil {
			return nil, fail(op, dir, err, "the path is relative, and the working directory cannot be found out")
		}
		dir = path.Join(wd, dir)
	}
	r := &Root{path: path.Clean(dir)}

	if err := unix.Mkdir(r.path, 0o700); err == unix.ENOENT {
		return nil, fail(op, r.path, err, "the directory above it does not exist: make that first")
	} else if err != nil && err != unix.EEXIST {
		return nil, fail(op, r.path, err, "")
	}
	var st unix.Stat_t
	if err := unix.Lstat(r.path, &st); err != nil {
		return nil, fail(op, r.path, err, "")
	}
	if err := r.trust(&st, named); err != nil {
		return nil, err
	}
	return r, r.filesystem()
}

// Path returns the root's absolute path.
func (r *Root) Path() string { return r.path }

// Shared reports whether the root was made for a group (set-group-id and group-writable); its
// objects then have mode 0660, else 0600.
func (r *Root) Shared() bool { return r.shared }

func (r *Root) file(name string) string { return r.path + "/" + name }

func (r *Root) mode() uint32 {
	if r.shared {
		return 0o660
	}
	return 0o600
}

func (r *Root) trust(st *unix.Stat_t, named bool) error {
	denied := func(format string, args ...any) error {
		cure := ": name another root with $" + EnvRoot
		return &ipcerr.Error{Op: "open root", Name: r.path, Code: ipcerr.Denied, Hint: fmt.Sprintf(format, args...) + cure}
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
	case unix.S_IFLNK:
		return denied("it is a symbolic link, which whoever made it can turn elsewhere")
	default:
		return invalid("open root", r.path, "it is not a directory")
	}
	uid := uint32(unix.Geteuid())
	if st.Mode&0o002 != 0 {
		return denied("everybody can write to it (mode %04o)", st.Mode&0o7777)
	}
	// The mode of a shared root: its owner decided, by setting the set-group-id bit, that the group
	// may use it. Its owner need not be us then, if the path was given by name and we are in the group.
	if st.Mode&unix.S_ISGID != 0 && st.Mode&0o020 != 0 {
		if st.Uid != uid && (!named || uid != 0 && !inGroup(st.Gid)) {
			return denied("it belongs to user %d and group %d, and we are user %d", st.Uid, st.Gid, uid)
		}
		r.shared = true
		return nil
	}
	if st.Uid != uid {
		return denied("it belongs to user %d, and we are user %d", st.Uid, uid)
	}
	if st.Mode&0o020 != 0 {
		return denied("its group can write to it (mode %04o) though it is not marked as shared (chmod g+ws marks it)", st.Mode&0o7777)
	}
	return nil
}

func inGroup(gid uint32) bool {
	groups, err := unix.Getgroups()
	return uint32(unix.Getegid()) == gid || err == nil && slices.Contains(groups, int(gid))
}

// Filesystems that other machines write to, or whose files change identity when they are first
// written: there, memory or locks are not shared by all who open the same path.
var refused = map[uint32]string{
	0x6969:     "NFS",
	0x794c7630: "overlay",
	0xff534d42: "CIFS",
	0xfe534d42: "SMB",
	0x517b:     "SMB",
	0x01021997: "9p",
	0x00c36400: "Ceph",
	0x5346414f: "AFS",
	0x0bd00bd0: "Lustre",
}

func (r *Root) filesystem() error {
	fs, err := r.statfs()
	if err != nil {
		return fail("open root", r.path, err, "")
	}
	if what, bad := refused[uint32(fs.Type)]; bad {
		return &ipcerr.Error{Op: "open root", Name: r.path, Code: ipcerr.Unsupported,
			Hint: "it lies on " + what + ", where memory and locks are not reliably shared: put the root on a tmpfs, such as /dev/shm, or a local disk"}
	}
	return nil
}

func (r *Root) statfs() (fs unix.Statfs_t, err error) {
	for {
		if err = unix.Statfs(r.path, &fs); err != unix.EINTR {
			return fs, err
		}
	}
}
