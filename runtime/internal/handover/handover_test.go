package handover

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

var some = []Entry{
	{Role: "jobs", Ref: codec.Ref{Kind: 1, UUID: uuid.UUID{1, 2}, Name: "q"}, FD: 7, Root: "/dev/shm/polyipc-0"},
	{Role: "ctl.1_-", Ref: codec.Ref{Kind: 13, UUID: uuid.UUID{15: 9}, Name: "0-9"}, FD: 1000, Root: "/a b/%41\n%25"},
}

func TestFormat(t *testing.T) {
	text := Format(some)
	const first = "jobs queue 7 01020000-0000-0000-0000-000000000000 q /dev/shm/polyipc-0\n" // as docs/spec/process.md has it
	if !strings.HasPrefix(text, first) || strings.Count(text, "\n") != len(some) {
		t.Errorf("%q", text)
	}
	back, err := Parse(text)
	if err != nil || !reflect.DeepEqual(back, some) {
		t.Errorf("%v %v", back, err)
	}
	if none, err := Parse(""); none != nil || err != nil {
		t.Error(none, err)
	}
}

func TestParseRefuses(t *testing.T) {
	line := strings.TrimSuffix(Format(some[:1]), "\n")
	for _, text := range []string{
		"\n", "jobs", line + "\n\n", strings.Replace(line, "jobs", "jo:bs", 1), strings.Replace(line, "queue", "ring", 1),
		strings.Replace(line, " 7 ", " -7 ", 1), strings.Replace(line, " 7 ", " 99999999999 ", 1), strings.Replace(line, " 7 ", " x ", 1),
		strings.Replace(line, "-0000", "0000", 1), strings.Replace(line, "/dev", "dev", 1), strings.Replace(line, " q ", "  ", 1),
		strings.Repeat(line+"\n", Most+1),
	} {
		if e, err := Parse(text); ipcerr.CodeOf(err) != ipcerr.Invalid {
			t.Errorf("%.100q: %v %v", text, e, err)
		}
	}
}

// TestDescriptorsOfOthers has the numbers belong to other files: they stay as they are.
func TestDescriptorsOfOthers(t *testing.T) {
	fd, err := unix.Open("/dev/null", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	e := some[0]
	e.FD = fd
	state = new(State)
	begin([]Entry{e})
	release(0, fd)
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC != 0 {
		t.Errorf("the file is touched: %v %v", flags, err)
	}
}
