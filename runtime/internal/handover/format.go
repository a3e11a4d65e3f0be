// Package handover is how a parent gives objects to a program that it starts: by an environment variable that says
// what they are, and a descriptor for each, whose description is a user of the object. So an anonymous object lives
// on although the parent lets go of it before the child has opened it. docs/spec/process.md has the format.
//
// A noun offers itself with Of and takes what was handed over with Take; see runtime/queue/inherit.go.
package handover

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Variable is the environment variable.
const Variable = "POLYIPC_OBJECTS"

// Most is how many objects can be handed over at once.
const Most = 256

// Entry is an object that is handed over.
type Entry struct {
	Role string // by which the child finds it
	Kind layout.Kind
	End  int // of a pipe, else 0
	FD   int // a descriptor that the child inherits; its description is a user of the object
	UUID [16]byte
	Name string // as the parent knew it
	Root string // directory
}

// kinds are the words for what can be handed over.
var kinds = map[string]layout.Kind{
	layout.KindQueue.String():   layout.KindQueue,
	layout.KindPipe.String():    layout.KindPipe,
	layout.KindSegment.String(): layout.KindSegment,
	layout.KindSync.String():    layout.KindSync,
}

// CheckRole refuses what cannot be a role.
func CheckRole(op, role string) error {
	ok := len(role) >= 1 && len(role) <= 128
	for i := range len(role) {
		c := role[i]
		ok = ok && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-')
	}
	if !ok {
		return &ipcerr.Error{Op: op, Code: ipcerr.Invalid, Hint: fmt.Sprintf("role %.140q: give 1 to 128 of A-Z a-z 0-9 . _ -", role)}
	}
	return nil
}

// Format is the variable's value for these entries.
func Format(entries []Entry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%s %v %d %d %s %s %s\n", e.Role, e.Kind, e.End, e.FD, uuid.UUID(e.UUID), e.Name, escape.Replace(e.Root))
	}
	return b.String()
}

// escape keeps a path on its line, unescape undoes it.
var (
	escape   = strings.NewReplacer("%", "%25", "\n", "%0A")
	unescape = strings.NewReplacer("%25", "%", "%0A", "\n")
)

// Parse reads the variable's value. INVALID if it is none.
func Parse(text string) ([]Entry, error) {
	var entries []Entry
	for line := range strings.Lines(text) {
		e, ok := parseLine(strings.TrimSuffix(line, "\n"))
		if !ok || len(entries) == Most {
			return nil, &ipcerr.Error{Op: "read $" + Variable, Code: ipcerr.Invalid,
				Hint: fmt.Sprintf("line %d, %.200q, is none that polyipc writes: leave the variable as the parent process set it", len(entries)+1, line)}
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func parseLine(line string) (e Entry, ok bool) {
	f := strings.SplitN(line, " ", 7)
	if len(f) != 7 || CheckRole("", f[0]) != nil || f[5] == "" || !strings.HasPrefix(f[6], "/") {
		return e, false
	}
	e.Role, e.Name = f[0], f[5]
	e.Kind, ok = kinds[f[1]]
	end, err1 := strconv.ParseUint(f[2], 10, 8)
	fd, err2 := strconv.ParseUint(f[3], 10, 31)
	id, err3 := uuid.Parse(f[4])
	e.End, e.FD, e.UUID, e.Root = int(end), int(fd), id, unescape.Replace(f[6])
	return e, ok && err1 == nil && err2 == nil && err3 == nil && id.String() == f[4]
}
