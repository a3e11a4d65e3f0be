package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// mode is that of a new file: what others put into objects is for the server's user alone.
const mode = 0o600

// create makes the file if it is not there: without a name, and whole before it gets one, so that who dies in between leaves
// nothing behind.
func create(file string) error {
	if _, err := os.Lstat(file); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return nil // opening it will tell
	}
	dir := filepath.Dir(file)
	made, remove, err := aside(file, dir)
	if err != nil {
		return failure(op, file, err)
	}
	defer remove()
	db, err := bolt.Open(file, mode, &bolt.Options{OpenFile: func(string, int, os.FileMode) (*os.File, error) { return made, nil }})
	if err != nil {
		return failure(op, file, err)
	}
	defer func() { _ = db.Close() }()
	if err = db.Update(initialise); err == nil {
		crash.Point("journal.create.made")
		err = unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(int(made.Fd())), unix.AT_FDCWD, file, unix.AT_SYMLINK_FOLLOW)
	}
	if err != nil && !errors.Is(err, unix.EEXIST) { // another one was quicker
		return failure(op, file, err)
	}
	crash.Point("journal.create.linked")
	return syncDir(file, dir)
}

// aside makes a file without a name. Where the filesystem has no such files it has another one, and stays if the process dies
// before it is removed.
func aside(file, dir string) (f *os.File, remove func(), err error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, mode)
	if err == nil {
		return os.NewFile(uintptr(fd), file), func() {}, nil
	}
	if err != unix.EOPNOTSUPP {
		return nil, nil, &os.PathError{Op: "open", Path: file, Err: err}
	}
	if f, err = os.CreateTemp(dir, filepath.Base(file)+".new-*"); err != nil {
		return nil, nil, err
	}
	return f, func() { _ = os.Remove(f.Name()) }, nil
}

// syncDir has the file's name on the disk. A server that dies before has promised nothing to anybody.
func syncDir(file, dir string) error {
	d, err := os.Open(dir)
	if err == nil {
		err = d.Sync()
		_ = d.Close()
	}
	if err != nil {
		return failure(op, file, err)
	}
	return nil
}

// patience is how long a file may be another's: a server that was killed has it until the kernel has taken all apart.
const patience = time.Second

// openChecked opens the file for bbolt, which believes all that is in it: so it is locked, and looked at, before. The lock
// belongs to the description, and goes with it.
func openChecked(file string) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	if err = lock(f); err == nil {
		err = check(f)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func lock(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &ipcerr.Error{Op: op, Name: f.Name(), Code: ipcerr.Invalid, Hint: "it is no regular file: give another one"}
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err != unix.EWOULDBLOCK {
			return err
		}
		if time.Since(began) > patience {
			return &ipcerr.Error{Op: op, Name: f.Name(), Code: ipcerr.Exists, Hint: "another server has it: stop that one, or give another file"}
		}
	}
}

func unlock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_UN) }
