package member

import (
	"bytes"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/shm"
)

// What a process says about itself, for people who look for it. Where /proc is missing it says less.

func readProc(path string, most int) []byte {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer func() { _ = unix.Close(fd) }()
	b := make([]byte, most)
	n, _ := shm.ReadAt(fd, b, 0)
	return b[:n]
}

// startTicks returns field 22 of /proc/self/stat. The second field is a name that may contain
// anything, so count from the last parenthesis.
func startTicks() uint64 {
	b := readProc("/proc/self/stat", 4096)
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 20 {
		return 0
	}
	n, err := strconv.ParseUint(f[19], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func pidNamespace() uint64 {
	var st unix.Stat_t
	if unix.Stat("/proc/self/ns/pid", &st) != nil {
		return 0
	}
	return st.Ino
}

// command returns the command line, at most n bytes of valid text without control characters.
func command(n int) string {
	s := strings.TrimRight(string(readProc("/proc/self/cmdline", n)), "\x00")
	return text([]byte(strings.ReplaceAll(s, "\x00", " ")))
}

// text makes what is in a zero-padded field fit to be shown.
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == '\uFFFD' {
			return '?'
		}
		return c
	}, string(b))
}
