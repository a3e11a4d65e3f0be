package shm

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

const (
	maxName    = 128
	uuidLength = 36
	tmpPrefix  = ".tmp."

	membersName = "members"
)

// checkName reports whether name may name an object that is opened: INVALID or TOO_LARGE if not.
// A UUID may, since that is the name of an anonymous object.
func checkName(op, name string) error {
	shown := name
	if len(shown) > maxName {
		shown = shown[:maxName] + "..."
	}
	if name == "" {
		return invalid(op, "", "the name is empty: names are 1 to %d of A-Z a-z 0-9 . _ -", maxName)
	}
	if len(name) > maxName {
		return &ipcerr.Error{Op: op, Name: shown, Code: ipcerr.TooLarge,
			Hint: fmt.Sprintf("the name has %d bytes, at most %d are allowed", len(name), maxName)}
	}
	for i := range len(name) {
		if c := name[i]; !nameByte(c) {
			return invalid(op, shown, "the name has the byte %q at %d: names are 1 to %d of A-Z a-z 0-9 . _ -", c, i, maxName)
		}
	}
	if name[0] == '.' {
		return invalid(op, shown, "names do not begin with a dot")
	}
	if name == membersName {
		return invalid(op, shown, "this name is taken by the list of processes in the root: choose another")
	}
	// A part of an object with that UUID has such a name; two sorts of file under one name could
	// not be told apart by who cleans up.
	if len(name) > uuidLength && isUUID(name[:uuidLength]) && name[uuidLength] == '.' {
		return invalid(op, shown, "names that begin with a UUID and a dot are kept for parts of objects: put something before the UUID")
	}
	return nil
}

// checkNewName is checkName for an object that is made. It must not look like a UUID either, for
// then it could take the place of the anonymous or unlinked object with that UUID.
func checkNewName(op, name string) error {
	if isUUID(name) {
		return invalid(op, name, "UUIDs name anonymous objects: leave the name out to get one, or put something before it")
	}
	return checkName(op, name)
}

func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}

// isUUID reports whether s is a UUID as we write them: lower case, with hyphens.
func isUUID(s string) bool {
	if len(s) != uuidLength {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
				return false
			}
		}
	}
	return true
}

// NewUUID returns a random UUID. It asks the kernel itself: the first read of crypto/rand starts
// a timer, and with it Go's poller, whose descriptors leak into every forked child of a host.
func NewUUID() ([16]byte, error) {
	u, err := uuid.NewRandomFromReader(kernelRandom{})
	if err != nil {
		return u, fail("make a UUID", "", err, "the kernel gave no random numbers")
	}
	return u, nil
}

type kernelRandom struct{}

func (kernelRandom) Read(b []byte) (int, error) {
	for {
		n, err := unix.Getrandom(b, 0)
		if err != unix.EINTR {
			return n, err
		}
	}
}

func uuidName(u [16]byte) string { return uuid.UUID(u).String() }

func partName(parent [16]byte, letter byte, n uint64) string {
	return uuidName(parent) + "." + string(rune(letter)) + strconv.FormatUint(n, 10)
}

// splitPart is the inverse of partName; ok is false for every other string.
func splitPart(name string) (parent [16]byte, letter byte, n uint64, ok bool) {
	if len(name) < uuidLength+3 || !isUUID(name[:uuidLength]) || name[uuidLength] != '.' {
		return
	}
	letter = name[uuidLength+1]
	n, err := strconv.ParseUint(name[uuidLength+2:], 10, 64)
	if err != nil || letter < 'a' || letter > 'z' {
		return
	}
	u, err := uuid.Parse(name[:uuidLength])
	parent = u
	return parent, letter, n, err == nil && partName(parent, letter, n) == name
}

func isTmp(name string) bool { return strings.HasPrefix(name, tmpPrefix) }
