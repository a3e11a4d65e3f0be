package trace

import (
	"fmt"
	"log/slog"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Variable names the environment variable that asks for a log: level[:file]. Without a file it goes
// to stderr.
const Variable = "POLYIPC_LOG"

// Value, if set, returns the variable as the host program has it now. Set before first use.
var Value func() string

// Quiet is for a process whose parent has said already what is wrong with the variable. Set before
// first use.
var Quiet bool

// OnDescriptor, if set, is told of the log's descriptor as it is opened and closed, since a fork may
// come between the two. Set before first use.
var OnDescriptor func(fd int, open bool)

// off is above every level.
const off = slog.Level(silent)

var levelNames = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError, "off": off,
}

// readEnvironment is called once, by whoever first asks On.
func readEnvironment() {
	value, _ := unix.Getenv(Variable)
	if Value != nil {
		value = Value()
	}
	// A program that has more rights than its caller writes no file that the caller names.
	if unix.Getuid() != unix.Geteuid() || unix.Getgid() != unix.Getegid() {
		value = ""
	}
	level, file, err := parse(value)
	if err == nil && file != "" {
		err = appendTo(file, nil) // so that it is known now, and not when something has happened
	}
	if err != nil && !Quiet {
		_, _ = stderr{}.Write(fmt.Appendf(nil, "polyipc: %s=%q: %v\n", Variable, value, err))
	}
	switch {
	case level == off:
		listen(environment, nil, off)
	case file == "":
		listen(environment, text(stderr{}, level), level)
	default:
		listen(environment, text(appender(file), level), level) // also after an error: it may pass
	}
}

func text(to interface{ Write([]byte) (int, error) }, level slog.Level) slog.Handler {
	return slog.NewTextHandler(to, &slog.HandlerOptions{Level: level})
}

// parse takes the variable apart. The file comes back as an absolute path, "" is stderr.
func parse(value string) (level slog.Level, file string, err error) {
	if value == "" {
		return off, "", nil
	}
	name, file, named := strings.Cut(value, ":")
	level, known := levelNames[name]
	switch {
	case !known:
		return off, "", fmt.Errorf("no log: level[:file] is wanted, with a level of debug, info, warn, error, off")
	case named && file == "":
		return off, "", fmt.Errorf("no log: there is no file behind the colon")
	case strings.IndexByte(file, 0) >= 0:
		return off, "", fmt.Errorf("no log: the file's name has a zero byte")
	case file == "" || path.IsAbs(file):
		return level, file, nil
	}
	wd, err := unix.Getwd() // as it is now: the host may change it
	if err != nil {
		return off, "", fmt.Errorf("no log: the file's path is relative, and the working directory cannot be found out: %w", err)
	}
	return level, path.Join(wd, file), nil
}

// appender writes to a file that it opens each time. Events are rare, and a descriptor that stays open
// would be closed by a host that becomes a daemon, and its number given to another file.
type appender string

// Write appends one event. As one write to a file opened for appending, it is not mixed with those of
// other processes.
func (a appender) Write(p []byte) (int, error) { return len(p), appendTo(string(a), whole(p)) }

// appendTo makes the file if need be. O_NONBLOCK is for a FIFO that nobody reads.
func appendTo(file string, p []byte) error {
	const flags = unix.O_WRONLY | unix.O_APPEND | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY
	// In two steps: in a directory like /tmp the kernel refuses O_CREAT on a file of somebody else.
	fd, err := open(file, flags)
	if err == unix.ENOENT {
		fd, err = open(file, flags|unix.O_CREAT)
	}
	if err != nil {
		return err
	}
	if OnDescriptor != nil {
		OnDescriptor(fd, true)
	}
	if len(p) > 0 && fits(fd, len(p)) {
		err = write(fd, p)
	}
	if OnDescriptor != nil {
		OnDescriptor(fd, false) // before the number is another thread's, who tells of its own
	}
	_ = unix.Close(fd)
	return err
}

// fits is false for a file that would grow over RLIMIT_FSIZE: the kernel would answer with a deadly
// signal.
func fits(fd, n int) bool {
	var st unix.Stat_t
	most := unix.Rlimit{Cur: unix.RLIM_INFINITY}
	_ = unix.Getrlimit(unix.RLIMIT_FSIZE, &most)
	return unix.Fstat(fd, &st) == nil && uint64(st.Size)+uint64(n) <= most.Cur
}

func open(file string, flags int) (fd int, err error) {
	for {
		if fd, err = unix.Open(file, flags, 0o666); err != unix.EINTR {
			return fd, err
		}
	}
}

func write(fd int, p []byte) error {
	for {
		if _, err := unix.Write(fd, p); err != unix.EINTR {
			return err // what the disk has no room for is lost
		}
	}
}

// stderr is descriptor 2, if that is what a program understands by it, and has room.
type stderr struct{}

func (stderr) Write(p []byte) (int, error) {
	// A program that closed it gets its number for the next file it opens, which may be an object of
	// ours. Such a file is closed on exec; a stderr is not, or exec would have closed it.
	if flags, err := unix.FcntlInt(2, unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC != 0 {
		return len(p), unix.EBADF
	}
	// A pipe that nobody reads is not worth waiting for, nor is a signal because its reader has gone.
	ready := []unix.PollFd{{Fd: 2, Events: unix.POLLOUT}}
	for {
		n, err := unix.Poll(ready, 0)
		if err == unix.EINTR {
			continue
		}
		if n != 1 || ready[0].Revents != unix.POLLOUT {
			return len(p), unix.EAGAIN
		}
		return len(p), write(2, whole(p))
	}
}

// longest is what goes into a pipe whole or not at all, and without waiting after poll said so.
const longest = 4096

// whole cuts a line that would not be written in one piece.
func whole(p []byte) []byte {
	const cut = "...\n"
	if len(p) <= longest {
		return p
	}
	return append(append([]byte{}, p[:longest-len(cut)]...), cut...)
}
