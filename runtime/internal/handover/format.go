// Package handover is how a parent gives objects to a program that it starts: by an environment variable that says
// what they are, and a descriptor for each, whose description is a user of the object. So an anonymous object lives
// on although the parent lets go of it before the child has opened it. docs/spec/process.md has the format.
//
// Objects are said as references, as in messages. A noun takes what was handed over with Take and its OpenRef; see
// runtime/queue/inherit.go.
package handover

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Variable is the environment variable.
const Variable = "POLYIPC_OBJECTS"

// Most is how many objects can be handed over at once.
const Most = 256

// Entry is an object that is handed over.
type Entry struct {
	Role string    // by which the child finds it
	Ref  codec.Ref // what it is: kind, UUID, and name as the parent knew it
	FD   int       // a descriptor that the child inherits; its description is a user of the object
	Root string    // directory
}

// kinds are the words for kinds of references; docs/spec/codec.md.
var kinds = map[uint8]string{
	1: "queue", 2: "pipe", 3: "segment", 5: "lock", 6: "rlock", 7: "semaphore", 8: "condition", 9: "event", 10: "barrier",
	11: "rwlock", 12: "bounded_semaphore", 13: "pipe_end",
}

func kindOf(word string) (uint8, bool) {
	for kind, w := range kinds {
		if w == word {
			return kind, true
		}
	}
	return 0, false
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
		fmt.Fprintf(&b, "%s %s %d %s %s %s\n", e.Role, kinds[e.Ref.Kind], e.FD, e.Ref.UUID, e.Ref.Name, escape.Replace(e.Root))
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
	f := strings.SplitN(line, " ", 6)
	if len(f) != 6 || CheckRole("", f[0]) != nil || f[4] == "" || !strings.HasPrefix(f[5], "/") {
		return e, false
	}
	kind, ok := kindOf(f[1])
	fd, err1 := strconv.ParseUint(f[2], 10, 31)
	id, err2 := uuid.Parse(f[3])
	e = Entry{Role: f[0], Ref: codec.Ref{Kind: kind, UUID: id, Name: f[4]}, FD: int(fd), Root: unescape.Replace(f[5])}
	return e, ok && err1 == nil && err2 == nil && id.String() == f[3]
}
